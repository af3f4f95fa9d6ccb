"""The house stands on floors: a package imports only from packages below it, and nothing lies loose."""

import ast
import graphlib
import re
from pathlib import Path

import pytest

from tests.support.places import ROOT

# From the ground up. `evo.envs` imports nothing else of evo.
PACKAGES = (
    "evo.errors",
    "evo.version",
    "evo.envs",
    "evo.grammar",
    "evo.numerics",
    "evo.storage",
    "evo.datasets",
    "evo.operators",
    "evo.optimizers",
    "evo.autodiff",
    "evo.networks",
    "evo.genomes",
    "evo.algorithms",
    "evo.evaluation",
    "evo.problems",
    "evo.learners",
    "evo.config",
    "evo.cluster",
    "evo.visualize",
    "evo.export",
    "evo.runs",
    "evo.api",
    "evo.comparison",
    "evo.benchmarks",
    "evo.diagnosis",
    "evo.testing",
    "evo",  # evo/__init__.py itself, which only names where the public words live
    "evo.cli",
    "evo.__main__",
)
LOOSE = {"evo.errors", "evo.version", "evo.__main__"}  # files of evo/ that are in no package
LOOSE_ENVS = {"task", "options", "reference", "foreign", "notes"}


def modules() -> dict[str, Path]:
    places = {path: ("evo", "envs", *path.relative_to(ROOT / "envs").parts) for path in (ROOT / "envs").rglob("*.py")}
    places |= {path: path.relative_to(ROOT).parts for path in (ROOT / "evo").rglob("*.py") if path not in places}
    named = {}
    for path, place in places.items():
        parts = Path(*place).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


MODULES = modules()


def floor(module: str) -> int:
    """Which of the packages it is in."""
    package = ".".join(module.split(".")[:2])
    if package not in PACKAGES:
        pytest.fail(f"{module} is in none of the packages: give it a place in one, or its package one in PACKAGES")
    return PACKAGES.index(package)


def imports(path: Path, lazy: bool) -> set[str]:
    """Modules of ours that a file imports; `lazy` counts those inside functions and `if TYPE_CHECKING` too."""
    tree = ast.parse(path.read_text())
    nodes = list(ast.walk(tree)) if lazy else tree.body
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in MODULES else node.module)
    return found & MODULES.keys()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_downwards(module: str) -> None:
    for imported in imports(MODULES[module], lazy=True) - {module}:
        assert floor(imported) <= floor(module), f"{module} imports {imported}, which is above it"
        if module.startswith("evo.envs"):
            assert imported.startswith("evo.envs"), f"{module} imports {imported}"


def test_imports_are_acyclic() -> None:
    # a package's __init__ gathers its modules; importing one's own package is not counted. Imports inside functions and
    # for types alone count too: they are how a circle is hidden.
    graph = {
        module: {name for name in imports(path, lazy=True) if not module.startswith(name + ".")} - {module}
        for module, path in MODULES.items()
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_nothing_lies_loose() -> None:
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    loose = {name for name in MODULES if name.count(".") == 1 and name not in packages}
    assert loose == LOOSE
    loose = {name for name in MODULES if name.startswith("evo.envs.") and name.count(".") == 2 and name not in packages}
    assert {name.removeprefix("evo.envs.") for name in loose} == LOOSE_ENVS


def test_no_module_bears_a_public_name() -> None:
    import evo

    taken = {name.removeprefix("evo.") for name in MODULES if name.count(".") == 1 and name.startswith("evo.")}
    assert not taken & set(evo.__all__) - {"testing"}


def test_files_stay_small() -> None:
    long = {name: count for name, path in MODULES.items() if (count := len(path.read_text().splitlines())) > 420}
    assert not long


def test_the_page_on_architecture_lists_the_packages_in_their_order() -> None:
    text = (ROOT / "docs" / "pages" / "architecture.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `evo.")]
    apart = {"evo.errors", "evo.version", "evo", "evo.__main__"}
    assert re.findall(r"`(evo\.[a-z]+)`", " ".join(rows)) == [name for name in PACKAGES if name not in apart]
