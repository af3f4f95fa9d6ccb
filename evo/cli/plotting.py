"""`evo plot`: plots of runs, in a file or on the terminal."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from evo.cli.options import Runs, Trust, named_or_latest
from evo.runs.terminal import Output

_NARROW, _WIDE = 40, 120  # characters of a plot on the terminal


def plot(
    paths: Runs = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "-k",
            help="what to plot, with commas between: fitness, sigma, diversity, gait, path, effort, phase, weights, or "
            "one of archive, front, species, ancestry, network, answers, landscape (default: what suits the run)",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="file: .png, .svg or .pdf (default: of one run in its folder plots)"),
    ] = None,
    terminal: Annotated[
        bool, typer.Option("--terminal", "-t", help="print it in plain characters, and write no file but --out")
    ] = False,
    seconds: Annotated[
        float, typer.Option("--seconds", help="most seconds of gaits, torques and phase portraits to show")
    ] = 10.0,
    seed: Annotated[
        int | None, typer.Option("--seed", help="seed of the episodes (default: that of the episode of median return)")
    ] = None,
    kinds: Annotated[bool, typer.Option("--list", help="list the kinds of plots and leave")] = False,
    trust: Trust = False,
) -> None:
    """Plot how runs learned and what their champions do; runs that differ in their seeds alone share a colour."""
    from evo.comparison.plotting import plot as plot_of
    from evo.runs.plots.page import summaries

    console = Output()
    if kinds:
        for name, summary in summaries().items():
            console.say(f"{name:9}  {summary}")
        return
    paths = named_or_latest(paths, console)
    drawn = plot_of(*paths, kind=() if kind is None else kind, out=out, seconds=seconds, seed=seed, trust=trust)
    if terminal:
        console.say(drawn.text(min(max(shutil.get_terminal_size().columns, _NARROW), _WIDE)))
    elif out is None:
        out = drawn.save(_place(paths, kind))
    if out is not None:
        console.say(f"plot    {out}")


def _place(paths: list[Path], kind: str | None) -> Path:
    """Return the file of a plot where the user names none."""
    name = "overview" if kind is None else kind.replace(" ", "").replace(",", "-")
    if len(paths) > 1:
        return Path("plot.png")
    if paths[0].is_dir():
        return paths[0] / "plots" / f"{name}.png"
    return paths[0].with_name(f"{paths[0].stem}-{name}.png")
