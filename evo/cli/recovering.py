"""`evo recover`: a creature that lost a limb finds another gait in its map."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo.cli import completion
from evo.cli.options import Quiet, Threads, Trust
from evo.runs.terminal import Output

if TYPE_CHECKING:
    from evo.runs.recovery import Trial


def recover(
    path: Annotated[
        Path,
        typer.Argument(
            help="a run directory whose method fills an archive", show_default=False, autocompletion=completion.runs
        ),
    ],
    lose: Annotated[
        str, typer.Option("--lose", help="limbs that it loses, by the names of bodies with commas between them")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="other damage, an option of the task, e.g. task.strength=0.5; repeatable"),
    ] = None,
    trials: Annotated[int, typer.Option("--trials", help="trials at most")] = 20,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="file for the gait found, .npz (default: recovered/LIMBS.npz in the run)"),
    ] = None,
    threads: Threads = None,
    quiet: Quiet = False,
    trust: Trust = False,
) -> None:
    """Damage a creature and let it find another gait in its map, by trial and error (Cully 2015)."""
    from evo.config.values import pairs_of
    from evo.errors import EvoError
    from evo.numerics.formatting import number
    from evo.runs.fitness import measure_text
    from evo.runs.recovery import name_damage, recover
    from evo.runs.run import Run
    from evo.storage.paths import command, from_here

    console, run = Output(), Run(path, trust)
    options = dict(pairs_of(settings or ()))
    if wrong := [key for key in options if not key.startswith("task.")]:
        raise EvoError(f"damage is an option of the task, as in task.strength=0.5; got {wrong[0]!r}")
    options = {key.removeprefix("task."): value for key, value in options.items()}

    def tried(count: int, trial: "Trial") -> None:
        came = "" if trial.distance is None else f", {measure_text('x', trial.distance)}"
        expected, measured = number(trial.expected), number(trial.measured)
        console.say(f"trial {count:<3} cell {trial.cell}: expected {expected}, measured {measured}{came}")

    out = out or path / "recovered" / f"{name_damage(lose, options)}.npz"
    found = recover(run, lose, trials, options, threads, out, None if quiet else tried)
    if not quiet:
        why = "as good as 0.9 of the best that is expected" if found.satisfied else "the trials are used up"
        console.say(f"ended: {why}")
    console.say(str(found))
    place = from_here(out, Path.cwd())
    console.say(f"gait    {place}")
    if not quiet:
        console.say(f"next    {command('replay', place, config=run.directory.config_text)}   films it with the damage")
