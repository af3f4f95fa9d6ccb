"""`evo replay` and `evo robustness`: what a champion does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo.cli.options import Quiet, StepTimeout, Threads, Trust
from evo.runs.terminal import Output

if TYPE_CHECKING:
    from evo.runs.fitness import Verification

_SHOWN = {"world": "film", "function": "map", "data set": "picture"}  # what `replay` makes of each kind of task


def replay(
    path: Annotated[
        Path | None,
        typer.Argument(help="a run directory or a champion.npz (default: the latest in runs/)", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=".mp4, .gif, .webp, or .png for a strip of stills")
    ] = None,
    evolution: Annotated[
        bool, typer.Option("--evolution", help="film how the run learned, from first to last")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="of the episode (default: the one of median return)")
    ] = None,
    width: Annotated[int | None, typer.Option(help="pixels (default: 640)")] = None,
    height: Annotated[int | None, typer.Option(help="pixels (default: 360)")] = None,
    seconds: Annotated[float, typer.Option(help="film at most so much of an episode, and 4 s with --evolution")] = 20.0,
    preview: Annotated[bool, typer.Option("--preview", help="a small film, quickly: 256 by 144 pixels")] = False,
    step_timeout: StepTimeout = None,
    threads: Threads = None,
    quiet: Quiet = False,
    trust: Trust = False,
) -> None:
    """Check that a champion reproduces its score, then film it, or draw the function that it is a point on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from evo.api import running as api
    from evo.runs.display import is_live
    from evo.runs.run import champion_of, latest

    console = Output()
    if path is None:
        path = latest()
        console.say(f"run     {path}")

    def checked(check: "Verification") -> None:
        if not quiet:
            console.say(str(check))

    columns = (TextColumn("filming"), BarColumn(), MofNCompleteColumn(), TextColumn("frames,"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not is_live(console)) as bar:
        filming = bar.add_task("filming", total=None, visible=False)
        shown = api.replay(
            path,
            out,
            evolution=evolution,
            seed=seed,
            width=width or (256 if preview else 640),
            height=height or (144 if preview else 360),
            seconds=seconds,
            threads=threads,
            checked=checked,
            step_timeout=step_timeout,
            trust=trust,
            progress=lambda done, frames: bar.update(filming, completed=done, total=frames, visible=True),
        )
    kind = champion_of(path, trust).kind
    console.say(f"{_SHOWN[kind]:7} {shown}")


def robustness(
    path: Annotated[Path, typer.Argument(help="a run directory or a champion.npz", show_default=False)],
    episodes: Annotated[int, typer.Option(help="of each hardship")] = 20,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="write the numbers to this .csv too")] = None,
    threads: Threads = None,
    trust: Trust = False,
) -> None:
    """What is left of a champion's return when it is heavier, weaker, on ice, numb, pushed, or has lost a limb."""
    from evo.diagnosis.robustness import robustness as card_of
    from evo.storage.files import write_text

    card = card_of(path, episodes, threads, trust)
    Output().say(str(card))
    if out is not None:
        write_text(out, card.csv())
        Output().say(f"written {out}")
