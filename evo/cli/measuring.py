"""`evo bench` and `evo doctor`: measurements, and whether all is well."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from evo.cli import completion
from evo.cli.options import Trust
from evo.runs.terminal import Output


def bench(
    tasks: Annotated[
        list[str] | None, typer.Option("--task", "--tasks", help="a task, or for speed also: all; repeatable")
    ] = None,
    networks: Annotated[list[str] | None, typer.Option("--network", help="a network; repeatable")] = None,
    method: Annotated[str, typer.Option("--method", help="method for --learning and --profile")] = "ars",
    seeds: Annotated[str | None, typer.Option("--seeds", help="seeds for --exact and --learning, e.g. 100-119")] = None,
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
    quick: Annotated[bool, typer.Option("--quick", help="a small sample, only to see that it works")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print records instead of a table")] = False,
) -> None:
    """Measure speed beside MuJoCo's own open-loop rollout and a Gymnasium loop; or what an option names."""
    import json

    from evo.benchmarks.bench import bench as measure
    from evo.benchmarks.bench import render
    from evo.errors import EvoError

    asked = {"exact": exact, "utilisation": utilisation, "overhead": overhead, "memory": memory, "profile": profile}
    asked |= {"learning": learning, "stability": stability, "layers": layers, "training": training}
    kinds = [kind for kind, wanted in asked.items() if wanted]
    if len(kinds) > 1:
        raise EvoError(f"one measurement at a time: --{kinds[0]} or --{kinds[1]}")
    first, _, last = (seeds or "").partition("-")
    try:
        chosen = range(int(first), int(last or first) + 1) if seeds else None
    except ValueError as error:
        raise EvoError(f"--seeds takes a number or a range, as in 100-119; got {seeds!r}") from error
    if exact:
        from evo.benchmarks.bench import arithmetic

        Output(stderr=as_json).say(arithmetic())
    records = measure(kinds[0] if kinds else "speed", tasks, networks, method, chosen, pairs, quick)
    Output().say(json.dumps(records, indent=1) if as_json else render(records))
    if any(record.get("mismatches") or record.get("unstable") for record in records):
        raise typer.Exit(1)


def doctor(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="a run directory to examine (default: this machine)",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    trust: Trust = False,
) -> None:
    """Check that this machine can do everything, or examine a run that does not learn and say what to try."""
    from evo.diagnosis.doctor import doctor as examined
    from evo.errors import printable

    console = Output()
    findings = examined(path, trust)
    for finding in findings:
        mark = "[green]ok[/] " if finding.ok else "[red]no[/] "
        advice = "" if finding.ok or not finding.advice else f"; {finding.advice}"
        text = escape(printable(f"{finding.name}: {finding.detail}{advice}"))
        console.print(f"{mark} {text}", highlight=False, soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
