"""The house stands on floors: a file imports only from floors below its own, or acyclically within it."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Longest prefix wins. `evo.envs` imports nothing else of evo, whatever the numbers say.
FLOORS = {
    "evo.envs": 0,
    "evo": 8,  # evo/__init__.py itself, which only names where the public words live
    "evo.errors": 1,
    "evo.memory": 1,
    "evo.archive": 1,
    "evo.metrics": 1,
    "evo.randomness": 1,
    "evo.ranges": 1,
    "evo.statistics": 1,
    "evo.functions": 1,
    "evo.optimizers": 1,
    "evo.schedules": 1,
    "evo.activations": 1,
    "evo.pooling": 1,
    "evo.autodiff": 1,
    "evo.datasets": 1,
    "evo.advantages": 1,
    "evo.views": 1,
    "evo.processes": 1,
    "evo.operators": 1,
    "evo.signals": 1,
    "evo.naming": 1,
    "evo.numbers": 1,
    "evo.symbols": 1,
    "evo.networks": 2,
    "evo.algorithms": 2,
    "evo.episode": 3,
    "evo.forward": 3,
    "evo.collection": 3,
    "evo.gymnasium_episode": 3,
    "evo.gymnasium_collection": 3,
    "evo.gymnasium_host": 3,
    "evo.engines": 3,
    "evo.problems": 3,
    "evo.learners": 4,
    "evo.presets": 5,
    "evo.config": 5,
    "evo.assembly": 5,
    "evo.champion": 5,
    "evo.fitness": 5,
    "evo.policy": 5,
    "evo.arguments": 5,
    "evo.values": 5,
    "evo.rundir": 5,
    "evo.watching": 5,
    "evo.finished": 6,
    "evo.start": 6,
    "evo.training": 5,
    "evo.film": 6,
    "evo.display": 6,
    "evo.terminal": 6,
    "evo.plots": 6,
    "evo.answers": 6,
    "evo.catalogue": 7,
    "evo.exactness": 7,
    "evo.rivals": 3,
    "evo.layer_speed": 7,
    "evo.training_speed": 7,
    "evo.speed": 7,
    "evo.stability": 7,
    "evo.testing": 8,
    "evo.profiling": 7,
    "evo.footprint": 7,
    "evo.benchmarks": 8,
    "evo.examination": 7,
    "evo.diagnosis": 7,
    "evo.api": 7,
    "evo.scoring": 7,
    "evo.hardships": 7,
    "evo.comparison": 7,
    "evo.cli": 9,
    "evo.__main__": 10,
}


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
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length])
        if prefix == "evo" and module != "evo":
            break
        if prefix in FLOORS:
            return FLOORS[prefix]
    pytest.fail(f"{module} has no floor: give it one in FLOORS")


def imports(path: Path, lazy: bool) -> set[str]:
    """Modules of ours that a file imports; `lazy` counts those inside functions and `if TYPE_CHECKING` too."""
    tree = ast.parse(path.read_text())
    nodes = list(ast.walk(tree)) if lazy else tree.body
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {name for name in found if name in MODULES}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_downwards(module: str) -> None:
    for imported in imports(MODULES[module], lazy=True) - {module}:
        package_of_module = module.startswith(imported + ".")
        assert floor(imported) <= floor(module) or package_of_module, f"{module} imports {imported}, which is above it"
        if module.startswith("evo.envs"):
            assert imported.startswith("evo.envs"), f"{module} imports {imported}"


def test_imports_are_acyclic() -> None:
    # a package's __init__ gathers its modules; importing one's own package is not counted
    graph = {
        module: {name for name in imports(path, lazy=False) if not module.startswith(name + ".")} - {module}
        for module, path in MODULES.items()
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_no_module_bears_a_public_name() -> None:
    import evo

    taken = {name.removeprefix("evo.") for name in MODULES if name.count(".") == 1 and name.startswith("evo.")}
    assert not taken & set(evo.__all__)


def test_files_stay_small() -> None:
    long = {name: count for name, path in MODULES.items() if (count := len(path.read_text().splitlines())) > 420}
    assert not long
