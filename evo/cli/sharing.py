"""`evo export` and `evo import`: a champion's policy for other programs, a run for other people, and back."""

from pathlib import Path
from typing import Annotated

import typer

from evo.cli import completion
from evo.cli.options import Trust
from evo.runs.terminal import Output


def export(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="a run directory; for a policy, a champion.npz too",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="run.evo.zip: the run, to be sent to others (default: named after the run); policy.npz or "
            "policy.onnx: its policy, for other programs",
            show_default=False,
        ),
    ] = None,
    trust: Trust = False,
) -> None:
    """Export a run as one .zip to be shared, or its champion's policy (.npz, .onnx); the file's ending says which."""
    from evo.errors import EvoError
    from evo.export.formats import SUFFIXES
    from evo.runs.record import champion_of
    from evo.runs.run import Run
    from evo.runs.sharing import bundle_path, export_run
    from evo.storage.bundle import is_bundle
    from evo.storage.memory import size_text

    if file is None or is_bundle(file):
        if path.is_file():
            raise EvoError(f"{path} is a file: a zip is made of a run directory, a policy.npz or .onnx of either")
        run, target = Run(path, trust), file or bundle_path(path)
        export_run(run, target)
        Output().say(f"zip     {target} ({size_text(target.stat().st_size)}): `evo replay` and `evo import` read it")
        return
    if file.suffix not in SUFFIXES:
        raise EvoError(f"a run is exported to a file .zip, a policy to {' or '.join(SUFFIXES)}; got {str(file)!r}")
    _, difference = champion_of(path, trust).export_and_check(file)
    Output().say(f"policy  {file}: its outputs differ from the champion's by at most {difference:.2g}")


def import_(
    path: Annotated[Path, typer.Argument(metavar="ZIP", help="a run that `evo export` wrote", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="run directory (default: a new one in runs/)")] = None,
) -> None:
    """Make a run directory of an exported run, checked as a stranger's file; nothing in it is executed."""
    from evo.runs.sharing import import_run
    from evo.storage.bundle import Bundle
    from evo.storage.paths import command

    console = Output()

    def told(bundle: Bundle) -> None:
        console.say(f"zip     {path}: {bundle.summary}")

    made = import_run(path, out, told)
    console.say(f"run     {made}")
    text = (made / "config.toml").read_text()
    console.say(f"next    {command('replay', made, config=text)}   checks its score and films it")
    console.say(f"        {command('view', made, config=text)}   makes its page")


def gallery(
    folder: Annotated[Path, typer.Argument(help="a folder of runs")] = Path("runs"),
    out: Annotated[Path, typer.Option("--out", "-o", help="folder of the gallery")] = Path("gallery"),
    seconds: Annotated[float, typer.Option("--seconds", help="most seconds of an episode to show")] = 10.0,
    trust: Trust = False,
) -> None:
    """Make a gallery of the runs in a folder: a page that leads to a page of each creature, to put on the web."""
    from evo.runs.gallery import make_gallery

    console = Output()
    made = make_gallery(folder, out, seconds, trust, lambda name: console.say(f"shown   {name}"))
    console.say(f"gallery {made}: open it in a browser, or publish its folder")
