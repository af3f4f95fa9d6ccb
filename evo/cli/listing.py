"""`evo list` and `evo remove`: what there is."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from evo.cli import completion
from evo.cli.configuring import config, find_word
from evo.runs.terminal import Output

_WORDS = ("tasks", "datasets", "functions", "methods", "networks", "runs")


def list_(
    what: Annotated[
        str | None, typer.Argument(help=f"one of {', '.join(_WORDS)} (default: all)", show_default=False)
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task", "-t", help="only runs on this task; a part of its name will do", autocompletion=completion.tasks
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="only runs by this method", autocompletion=completion.methods)
    ] = None,
    finished: Annotated[
        bool | None, typer.Option("--finished/--unfinished", help="only runs that are finished, or are not")
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", help="folder of the runs")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="print records")] = False,
) -> None:
    """List tasks, data sets, functions, methods, networks and runs, or the settings of one, as in `evo list ars`."""
    import json

    from evo.errors import EvoError, nearest
    from evo.runs.catalogue import KINDS, entries, run_records

    filtered = task is not None or method is not None or finished is not None
    words = {kind.replace(" ", ""): kind for kind in KINDS}
    word = (what or ("runs" if filtered else "")).replace(" ", "")
    if what and word not in words and not filtered and find_word(what)[0] != what:
        return config(what, as_json=as_json)  # `evo list ars`: the settings of a method or task
    if word and word not in words:
        raise EvoError(f"unknown list {what!r}{nearest(word, words)}")
    if filtered and word != "runs":
        raise EvoError(f"--task, --method and --finished choose among runs: evo list runs, not {word}")
    console, asked = Output(), [words[word]] if word else list(KINDS)
    if as_json:
        records: dict[str, list[dict[str, object]]] = {
            kind: [one.record() for one in run_records(folder, task, method, finished)]
            if kind == "runs"
            else [{"name": name, "summary": about} for name, about in entries(kind)]
            for kind in asked
        }
        return console.say(json.dumps(records[asked[0]] if word else records, indent=1))
    for kind in asked:
        if kind == "runs":
            found = run_records(folder, task, method, finished)
            rows = [(one.path, f"{one.task}  {one.method}  seed {one.seed}  {one.about}  {one.state}") for one in found]
        else:
            rows = entries(kind)
        console.print(f"[bold]{kind}[/]")
        wide = max((len(name) for name, _ in rows), default=0)
        for name, about in rows:
            console.print(f"  {escape(name.ljust(wide))}  [dim]{escape(about)}[/]", highlight=False, soft_wrap=True)
        if filtered and not rows:
            console.say(f"  none of the {len(run_records(folder))} runs in {folder}")
    return None


def remove(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="run directories", show_default=False, autocompletion=completion.runs),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Remove runs, after asking; refuses links, runs in progress, and directories that are not runs."""
    from evo.errors import EvoError, printable
    from evo.storage.housekeeping import check_removable, remove_run, size_of
    from evo.storage.memory import size_text

    console = Output()
    for path in paths:  # all are checked before any is removed
        check_removable(path)
    for path in dict.fromkeys(paths):
        if not yes:
            if sys.stdin is None or not sys.stdin.isatty():  # None: closed by the shell
                raise EvoError(f"nobody answers here whether to remove {path}: say so by --yes")
            if not typer.confirm(f"remove {printable(str(path))} ({size_text(size_of(path))})?"):
                console.say(f"kept {path}")
                continue
        console.say(f"removed {path}: {size_text(remove_run(path))}")
