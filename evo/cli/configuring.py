"""`evo config`: what can be set, and what it means."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from evo.cli import completion
from evo.runs.terminal import Output

if TYPE_CHECKING:
    from evo.config.settings import Setting

_UNSET: Any = object()


def config(
    key: Annotated[
        str | None,
        typer.Argument(
            help="a setting, a section such as budget, or a method or task (default: all)", show_default=False
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", "-t", help="with the settings of this task", autocompletion=completion.tasks)
    ] = None,
    method: Annotated[
        str | None,
        typer.Option("--method", "-m", help="with the settings of this method", autocompletion=completion.methods),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print records")] = False,
) -> None:
    """Explain the settings of --set and config.toml: type, range, default, meaning, and what a run would use.

    `evo config ars` explains the settings of a method, `evo config quadruped` those of a task.
    """
    import json

    from evo.config.settings import list_settings

    if key is not None and task is None and method is None:
        key, task, method = find_word(key)
    used, method = _used(task, method)
    found = list_settings(task, method)
    key = key and _present(key, method)
    if key is not None:
        found = _chosen(key, found, task, method)
    if as_json:
        records = [
            {
                "key": one.key,
                "type": one.kind,
                "default": one.default,
                "least": one.least,
                "most": one.most,
                "help": one.help,
                **({} if used is None else {"value": used.get(one.key)}),
            }
            for one in found
        ]
        Output().say(json.dumps(records, indent=1, default=str))
        return
    console = Output()
    wide = max(len(one.key) for one in found)
    indent = " " * (wide + 2)
    for one in found:
        console.print(f"[bold]{escape(one.key.ljust(wide))}[/]  {escape(_facts(one))}", highlight=False, soft_wrap=True)
        value = _UNSET if used is None or one.key in _FIXED else used.get(one.key)
        if value is not _UNSET and value != one.default:
            console.print(f"{indent}[green]{escape(_text(value))}[/] in a run of {method} on {task}", soft_wrap=True)
        if one.help:
            console.print(f"{indent}[dim]{escape(one.help)}[/]", highlight=False, soft_wrap=True)
    own = [word for word, name in (("--task TASK", task), ("--method METHOD", method)) if name is None]
    if key is None and own:
        console.say(f"{' and '.join(own)} adds its own settings")


_FIXED = {"evo", "seed", "task.name", "method.name", "data.digest", "start.champion", "start.cell", "start.digest"}


def find_word(key: str) -> tuple[str | None, str | None, str | None]:
    """Return key, task and method that a word means: it may be the name of a method or of a task."""
    from evo.config.settings import list_settings
    from evo.errors import EvoError
    from evo.learners import METHODS

    if key in METHODS:
        return "method", None, key
    if any(one.key == key or one.key.startswith(f"{key}.") for one in list_settings()) or key.split(".")[0] in (
        "task",
        "training",
        "method",
    ):
        return key, None, None
    try:
        list_settings(key)
    except EvoError:
        return ("method", None, key) if ":" in key else (key, None, None)
    return "task", key, None


def _used(task: str | None, method: str | None) -> tuple[dict[str, Any] | None, str | None]:
    """Return what a run would use for every setting, None without a task; and its method."""
    from evo.config.resolve import read_config, resolve_config

    if task is None:
        return None, method
    resolved = resolve_config(flags={"task.name": task, "method.name": method})
    used = read_config(resolved.toml(), "config.toml")
    return used, str(used["method.name"])


def _present(key: str, method: str | None) -> str:
    """Return the key, a method's option under its present name. Raises EvoError where that depends on the method."""
    from evo.config.renamed import present_names
    from evo.envs.notes import note
    from evo.errors import EvoError
    from evo.learners import find_method

    section, _, option = key.partition(".")
    names = present_names(option, find_method(method) if method else None) if section == "method" else []
    if names and method is None:
        now = " or ".join(f"method.{name}" for name in names)
        raise EvoError(f"{key} is now {now}, by the method: name one, as in evo config {key} --method ars")
    for name in names:
        note(f"{key} is now method.{name}")
        return f"method.{name}"
    return key


def _chosen(key: str, found: "tuple[Setting, ...]", task: str | None, method: str | None) -> "tuple[Setting, ...]":
    """Return the setting of this key, or those of a section. Raises EvoError where there is none."""
    from evo.errors import EvoError, nearest

    asked = f"task.{key.removeprefix('training.')}" if key.startswith("training.") else key
    inside = [one for one in found if one.key.startswith(f"{asked}.") and one.key not in _FIXED]
    chosen = tuple(one for one in found if one.key == asked) or tuple(inside)
    if chosen:
        return chosen
    section = asked.split(".")[0]
    if section in ("task", "method") and (task if section == "task" else method) is None:
        example = "--task quadruped" if section == "task" else "--method ars"
        raise EvoError(f"{key} depends on the {section}: name one, as in evo config {key} {example}")
    raise EvoError(f"there is no setting {key!r}{nearest(key, [one.key for one in found])}")


def _facts(one: "Setting") -> str:
    """Return type, range and default."""
    least, most = (None if bound is None else f"{bound:g}" for bound in (one.least, one.most))
    limits = f", {least} to {most}" if least and most else f", at least {least}" if least else ""
    limits = limits or (f", at most {most}" if most else "")
    return f"{one.kind}{limits}; default {_text(one.default)}"


def _text(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else f"{value!r}".strip("'")
