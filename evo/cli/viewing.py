"""`evo view`: creatures on a page that can be turned around."""

from pathlib import Path
from typing import Annotated

import typer

from evo.cli.options import Runs, Trust, named_or_latest
from evo.runs.terminal import Output


def view(
    paths: Runs = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="file: .html (default: view.html, of one run in its folder videos)"),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", help="most seconds of an episode to show (default: 10; in an atlas 4)"),
    ] = None,
    fossils: Annotated[int, typer.Option("--fossils", help="most fossils of a run to show; 0: champions alone")] = 10,
    cells: Annotated[
        int | None,
        typer.Option("--cells", help="most elites of an archive that walk (default: 60); 0: no atlas"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="seed of the episodes (default: that of the episode of median return)")
    ] = None,
    mujoco: Annotated[bool, typer.Option("--mujoco", help="open MuJoCo's own viewer instead, on this display")] = False,
    trust: Trust = False,
) -> None:
    """Make one HTML file of recorded creatures to turn around; several runs stand in lanes, an archive is an atlas."""
    from evo.api import running as api

    console = Output()
    paths = named_or_latest(paths, console)
    if mujoco:
        _show_in_mujoco(paths, out, 10.0 if seconds is None else seconds, seed, trust)
        return
    if out is None:
        out = paths[0] / "videos" / "view.html" if len(paths) == 1 and paths[0].is_dir() else Path("view.html")
    api.view(*paths, out=out, seconds=seconds, fossils=fossils, cells=cells, seed=seed, trust=trust)
    console.say(f"page    {out} ({out.stat().st_size / 1e6:.1f} MB): open it in a browser")


def _show_in_mujoco(paths: list[Path], out: Path | None, seconds: float, seed: int | None, trust: bool) -> None:
    from evo.errors import EvoError
    from evo.runs.mujoco_viewer import show_in_mujoco
    from evo.runs.record import champion_of

    if len(paths) > 1 or out is not None:
        raise EvoError("MuJoCo's viewer shows one run and writes no file: leave out --out and all runs but one")
    show_in_mujoco(champion_of(paths[0], trust), seconds, seed)
