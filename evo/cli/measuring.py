"""`evo bench` and `evo doctor`: measurements, and whether all is well."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from evo.cli import completion
from evo.cli.options import Threads, Trust, Workers
from evo.runs.terminal import Output

# What --quick makes of the record's runs.
_QUICK = {"budget.generations": 1, "evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}


def bench(
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", "--tasks", help="a task, or several with commas; for speed also: all; repeatable"),
    ] = None,
    networks: Annotated[list[str] | None, typer.Option("--network", help="a network; repeatable")] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            "--methods",
            help="method for --learning and --profile (default: ars); methods for --tasks-learned, e.g. ars,es,ga, "
            "where es is the best evolution strategy of ours",
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            help="seeds for --exact and --learning, e.g. 100-119; for --tasks-learned their number, from 100 up",
        ),
    ] = None,
    pairs: Annotated[int, typer.Option(help="number of alternating pairs of measurements")] = 9,
    exact: Annotated[bool, typer.Option("--exact", help="equality with Gymnasium to the bit")] = False,
    utilisation: Annotated[bool, typer.Option("--utilisation", help="how busy the threads are")] = False,
    overhead: Annotated[bool, typer.Option("--overhead", help="time outside evaluation")] = False,
    memory: Annotated[bool, typer.Option("--memory", help="memory and time of large networks' generations")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="where a method's time goes")] = False,
    learning: Annotated[bool, typer.Option("--learning", help="what the default settings reach, seed by seed")] = False,
    stability: Annotated[
        bool, typer.Option("--stability", help="whether our creatures stay stable under random full torque")
    ] = False,
    layers: Annotated[bool, typer.Option("--layers", help="speed of layers beside plain loops and torch")] = False,
    training: Annotated[bool, typer.Option("--training", help="speed of backprop beside torch")] = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="time of a driver with 10 and more simulated nodes, until it saturates")
    ] = False,
    tasks_learned: Annotated[
        bool, typer.Option("--tasks-learned", help="table of record: each method's preset on each task; resumable")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="folder of --tasks-learned (default: runs/record)")
    ] = None,
    only_print: Annotated[
        bool, typer.Option("--print", help="for --tasks-learned: run nothing, make the table from what is there")
    ] = False,
    threads: Threads = None,
    workers: Workers = None,
    quick: Annotated[bool, typer.Option("--quick", help="a small sample, only to see that it works")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print records instead of a table")] = False,
) -> None:
    """Measure speed beside MuJoCo's own open-loop rollout and a Gymnasium loop; or what an option names."""
    import json

    from evo.benchmarks.bench import bench as measure
    from evo.benchmarks.bench import render
    from evo.errors import EvoError

    asked = {"exact": exact, "utilisation": utilisation, "overhead": overhead, "memory": memory, "profile": profile}
    asked |= {"learning": learning, "stability": stability, "layers": layers, "training": training, "cluster": cluster}
    asked["tasks-learned"] = tasks_learned
    kinds = [kind for kind, wanted in asked.items() if wanted]
    if len(kinds) > 1:
        raise EvoError(f"one measurement at a time: --{kinds[0]} or --{kinds[1]}")
    tasks = [name.strip() for text in tasks for name in text.split(",")] if tasks else None
    if tasks_learned:
        if networks:
            raise EvoError("--network: the runs of --tasks-learned have the networks of their presets")
        _learn(tasks, method, seeds, out, only_print, threads, workers, quick, as_json)
        return
    for name, value in {"out": out, "threads": threads, "print": only_print or None}.items():
        if value is not None:
            raise EvoError(f"--{name} goes with --tasks-learned")
    first, _, last = (seeds or "").partition("-")
    try:
        chosen = range(int(first), int(last or first) + 1) if seeds else None
    except ValueError as error:
        raise EvoError(f"--seeds takes a number or a range, as in 100-119; got {seeds!r}") from error
    if exact:
        from evo.benchmarks.bench import arithmetic

        Output(stderr=as_json).say(arithmetic())
    kind = kinds[0] if kinds else "speed"
    records = measure(kind, tasks, networks, method or "ars", chosen, pairs, quick, workers)
    Output().say(json.dumps(records, indent=1) if as_json else render(records))
    if any(record.get("mismatches") or record.get("unstable") for record in records):
        raise typer.Exit(1)


def _learn(
    tasks: list[str] | None,
    methods: str | None,
    seeds: str | None,
    out: Path | None,
    only_print: bool,
    threads: int | None,
    workers: str | None,
    quick: bool,
    as_json: bool,
) -> None:
    """Make what is missing of the table of record, and print it."""
    import json

    from evo.benchmarks.record import Pair, Record
    from evo.benchmarks.tasks_learned import OUT
    from evo.benchmarks.tasks_learned import tasks_learned as learn
    from evo.comparison.defaults import DEFAULT_SEEDS
    from evo.comparison.display import study_display
    from evo.errors import EvoError
    from evo.runs.signals import advising

    if seeds is not None and not seeds.isdecimal():
        raise EvoError(f"--seeds of --tasks-learned is a number of seeds, from 100 up, as in 5; got {seeds!r}")
    console = Output(stderr=as_json)

    printed: list[str] = []  # tasks

    def told(record: Record, pair: Pair) -> None:
        console.print(record.table(pair.task, console.width))
        printed.append(pair.task)

    with advising("what was done is saved, and the same command goes on from there"):
        record = learn(
            tasks,
            None if methods is None else [name.strip() for name in methods.split(",")],
            int(seeds) if seeds is not None else 1 if quick else DEFAULT_SEEDS,
            out or (OUT.with_name(f"{OUT.name}-quick") if quick else OUT),
            _QUICK if quick else (),
            run=not only_print,
            threads=threads,
            workers=workers,
            display=lambda configs, weights: study_display(configs, console, False, weights),
            say=console.say,
            told=told,
        )
    if as_json:
        Output().say(json.dumps(record.records(), indent=1))
    elif record.tasks != printed[-1:]:
        for task in record.tasks:
            console.print(record.table(task, console.width))
    for line in record.notes:
        console.say(line)
    console.say(f"table {record.path / 'record.md'}")


def doctor(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="a run directory to examine (default: this machine)",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    workers: Annotated[
        str | None, typer.Option("--workers", help="ray, or ray:HOST:6379: check the nodes of a Ray cluster")
    ] = None,
    trust: Trust = False,
) -> None:
    """Check that this machine or a cluster can do everything, or examine a run that does not learn."""
    from evo.diagnosis.doctor import doctor as examined
    from evo.errors import printable

    console = Output()
    findings = examined(path, trust, workers)
    for finding in findings:
        mark = "[green]ok[/] " if finding.ok else "[red]no[/] "
        advice = "" if finding.ok or not finding.advice else f"; {finding.advice}"
        text = escape(printable(f"{finding.name}: {finding.detail}{advice}"))
        console.print(f"{mark} {text}", highlight=False, soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
