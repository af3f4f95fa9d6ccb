"""Lists in the pages that are made from the code, as Markdown: `<!-- generated: NAME -->` stands where one belongs."""

import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from typer.models import OptionInfo

from evo.cli import app
from evo.config import presets as presets_module
from evo.config.presets import GENERAL, PRESETS
from evo.config.settings import Setting, list_settings
from evo.datasets import DATASETS
from evo.envs import TASKS
from evo.envs.adversity.adverse import OPTIONS
from evo.learners import METHODS
from evo.operators import CROSSOVER, GENOMES, MUTATION, REPLACEMENT, SELECTION, SELF_ADAPTIVE_MUTATION
from evo.optimizers import OPTIMIZERS
from evo.runs.catalogue import catalogue, run_records

ROOT = Path(__file__).resolve().parents[1]
LIVE = "live"  # folder of the gallery on the site


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(titles)]
    lines += [["---"] * len(lines[0]), *([_cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(title: str, heading: str) -> str:
    return _table((heading, ""), ((f"`{name}`", about) for name, about in catalogue()[title]))


def _first_line(made: object) -> str:
    return inspect.cleandoc(getattr(made, "__doc__", None) or "").partition("\n")[0]


def _source(module: str) -> str:
    """Return what a module's docstring says after its first line: the paper, and what is of it here."""
    text = inspect.cleandoc(importlib.import_module(module).__doc__ or "")
    return text.partition("\n")[2].strip()


def command_names() -> dict[str, Callable[..., None]]:
    """Return the functions behind the commands, by their names."""
    return {each.name or each.callback.__name__: each.callback for each in app.registered_commands if each.callback}


def commands() -> str:
    """Return every command with its arguments and options."""
    parts = []
    for name, function in command_names().items():
        hints = typing.get_type_hints(function, include_extras=True)
        rows = []
        for parameter in inspect.signature(function).parameters.values():
            kind, (told, *_) = typing.get_args(hints[parameter.name])[0], hints[parameter.name].__metadata__
            flag = kind is bool
            kinds = [each for each in typing.get_args(kind) or (kind,) if each is not type(None)]
            value = "" if flag else " or ".join(getattr(each, "__name__", str(each)) for each in kinds).lower()
            written = parameter.name.upper()
            if isinstance(told, OptionInfo):
                given = [told.default] if isinstance(told.default, str) else []
                given += told.param_decls or ([] if given else [f"--{parameter.name.replace('_', '-')}"])
                written = "`, `".join(given)
            default = "" if flag or parameter.default in (None, parameter.empty) else f"; default: {parameter.default}"
            rows.append((f"`{written}`", value, f"{told.help or ''}{default}"))
        parts.append(
            f"## evo {name}\n\n{inspect.cleandoc(function.__doc__ or '')}\n\n{_table(('', 'value', ''), rows)}"
        )
    return "\n\n".join(parts)


def _public(reference: str) -> str:
    """Return how a class is imported: every algorithm from `evo.algorithms`."""
    module, _, name = reference.partition(":")
    return f"evo.algorithms.{name}" if module.startswith("evo.algorithms.") else f"{module}.{name}"


def methods() -> str:
    """Return the methods, each with its class and the source that its module names."""
    return _table(
        ("`--method`", "what it is", "class"),
        ((f"`{name}`", method.summary, f"`{_public(method.reference)}`") for name, method in METHODS.items()),
    )


def sources() -> str:
    """Return what each method's module says about its paper, one paragraph a module."""
    named: dict[str, list[str]] = {}
    for name, method in METHODS.items():
        named.setdefault(method.reference.partition(":")[0], []).append(name)
    parts = []
    for module, names in named.items():
        if text := _source(module):
            parts.append(f"**{', '.join(names)}.** {text}")
    return "\n\n".join(parts)


def _operators(table: dict[str, str]) -> Iterable[tuple[str, str, str]]:
    for name, reference in table.items():
        module, _, attribute = reference.partition(":")
        made = getattr(importlib.import_module(module), attribute)
        options = (each for each in inspect.signature(made).parameters.values() if each.kind is each.KEYWORD_ONLY)
        written = ", ".join(
            f"`{each.name}`" if each.default is each.empty else f"`{each.name}={each.default}`" for each in options
        )
        yield f"`{name}`", _first_line(made), written


def operators() -> str:
    """Return the genetic operators by kind, each with its options."""
    kinds = {
        "Selection (`method.select`)": SELECTION,
        "Crossover (`method.cross`)": CROSSOVER,
        "Mutation (`method.mutate`)": MUTATION | SELF_ADAPTIVE_MUTATION,
        "Replacement (`method.replace`)": REPLACEMENT,
        "Genomes (`method.genome`)": GENOMES,
    }
    return "\n\n".join(
        f"### {title}\n\n{_table(('name', 'what it does', 'options'), _operators(table))}"
        for title, table in kinds.items()
    )


def optimizers() -> str:
    """Return the optimisers of gradient descent."""
    return ", ".join(f"`{name}`" for name in OPTIMIZERS)


_TITLES = ("setting", "type", "default", "range", "meaning")


def _value(value: object) -> str:
    if value is None:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _rows(found: Iterable[Setting]) -> Iterable[tuple[str, ...]]:
    for each in found:
        least, most = ("" if bound is None else f"{bound:g}" for bound in (each.least, each.most))
        limits = f"{least} to {most}" if least and most else f"from {least}" if least else f"to {most}" if most else ""
        yield f"`{each.key}`", each.kind, _value(each.default), limits, each.help


def settings() -> str:
    """Return every setting: of all runs, of tasks, of methods."""
    general = list_settings()
    parts = [f"### Options of every run\n\n{_table(_TITLES, _rows(general))}"]
    own = {name: list_settings(name)[len(general) :] for name in (*TASKS, *DATASETS, "sphere")}
    shared = [each for each in own[next(iter(TASKS))] if each.key.removeprefix("task.") in OPTIONS]
    parts.append(f"### Options of every compiled world\n\n{_table(_TITLES, _rows(shared))}")
    parts.append("### Options of tasks\n\nUnder `training.*` the same names hold while training only.")
    for name, given in own.items():
        title = "functions" if name == "sphere" else name
        rest = [each for each in given if each.key.removeprefix("task.") not in OPTIONS or name not in TASKS]
        if rest:
            parts.append(f"#### {title}\n\n{_table(_TITLES, _rows(rest))}")
    parts.append(
        "### Options of methods\n\nDefaults are the constructor's; presets and names such as `ars-v1` change some."
    )
    named: dict[str, list[str]] = {}
    for name, method in METHODS.items():
        named.setdefault(method.reference, []).append(name)
    for names in named.values():
        options = list_settings(method=names[0])[len(general) :]
        parts.append(f"#### {', '.join(names)}\n\n{_table(_TITLES, _rows(options))}")
    return "\n\n".join(parts)


def presets() -> str:
    """Return the tuned settings of worlds: of each task and method, and the general ones of each method."""

    def written(given: Mapping[str, object]) -> str:
        return ", ".join(f"`{key}={_value(value).strip('`')}`" for key, value in given.items())

    rows = [(task, method, written(given)) for task, of in PRESETS.items() for method, given in of.items()]
    rows += [("others", method, written(given)) for method, given in GENERAL.items()]
    sources = inspect.cleandoc(presets_module.__doc__ or "").partition("Sources:")[2]
    return f"Sources:{sources}\n\n{_table(('task', 'method', 'settings'), rows)}"


def gallery() -> str:
    """Return the reference runs, each with its score and its page in the gallery that is built with the site."""
    rows = []
    for one in run_records(ROOT / "runs" / "reference"):
        name = one.path.rpartition("/")[2]
        turn = "" if one.task in DATASETS else f"[turn it around]({LIVE}/{name}.html)"
        rows.append((f"`{name}`", one.task, f"{one.method}, seed {one.seed}", one.about, turn))
    return f"[All on one page]({LIVE}/index.html).\n\n" + _table(
        ("run", "task", "method", "score", "page"), sorted(rows)
    )


GENERATED: dict[str, Callable[[], str]] = {
    "commands": commands,
    "gallery": gallery,
    "methods": methods,
    "sources": sources,
    "settings": settings,
    "presets": presets,
    "operators": operators,
    "optimizers": optimizers,
    "tasks": lambda: _listed("tasks", "task"),
    "data-sets": lambda: _listed("data sets", "data set"),
    "functions": lambda: _listed("functions", "function"),
    "networks": lambda: _listed("networks", "network"),
}
