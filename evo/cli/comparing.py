"""`evo compare`."""

from pathlib import Path
from typing import Annotated

import typer

from evo.cli import completion
from evo.cli.options import Quiet, Threads, Trust, Workers
from evo.comparison.defaults import (
    DEFAULT_METHODS,
    DEFAULT_NETWORK,
    DEFAULT_SEEDS,
    DEFAULT_STEPS,
    FIRST_SEED,
    PRESET_NETWORK,
)
from evo.runs.terminal import Output


def compare(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            help="a task, or the directories of two or more finished runs",
            show_default=False,
            autocompletion=completion.tasks,
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            "--methods",
            help=f"methods, e.g. ars,ga or mine:Search (default: {','.join(DEFAULT_METHODS)})",
            autocompletion=completion.methods,
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help=f"number of seeds, from {FIRST_SEED} up (default: {DEFAULT_SEEDS})")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help=f"env steps of each run (default: {DEFAULT_STEPS})")
    ] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", help="minutes of each run, instead of steps")] = None,
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            "-n",
            help=f"network of all, or `{PRESET_NETWORK}` for each method's own (default: {DEFAULT_NETWORK})",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="a setting for all methods, e.g. task.frame_skip=5; repeatable"),
    ] = None,
    tune: Annotated[
        int | None,
        typer.Option(
            "--tune",
            help="tune every method first, by so many trials of a random search, each a run (default: use the presets)",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="directory of the study (default: runs/studies/<task>-<methods>)")
    ] = None,
    threads: Threads = None,
    workers: Workers = None,
    trust: Trust = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="do not film a race of the champions")] = False,
    quiet: Quiet = False,
) -> None:
    """Compare methods on TASK on equal terms, or finished runs, and leave a report with figures and tables.

    Observations are normalised for all methods, and clipped as each method's preset has it, or alike by --set
    network.clip_observation=10. SAC and TD3 must end in `squash` on raw observations: they have the network of all with
    that action layer (mlp:64,64>squash), and the report says so. The same command continues a study that was stopped.
    """
    from evo.comparison.compare import compare as compare_methods
    from evo.comparison.display import study_display
    from evo.comparison.writing import terminal_tables
    from evo.runs.signals import advising

    console = Output()
    with advising("what was done is saved, and the same command goes on from there"):
        found = compare_methods(
            *(what or ()),
            methods=methods,
            seeds=seeds,
            steps=steps,
            minutes=minutes,
            network=network,
            settings=settings or (),
            tune=tune,
            out=out,
            threads=threads,
            workers=workers,
            video=not no_video,
            display=lambda configs: study_display(configs, console, quiet),
            trust=trust,
        )
    console.print(terminal_tables(found))
    lines = [*found.findings, *(f"not equal: {line}" for line in found.terms.deviations)]
    lines += [f"failed: {line}" for line in found.failures]
    for line in [*lines, f"report {found.path / 'report.html'}"]:
        console.say(line)
