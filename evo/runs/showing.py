"""Choice of how a champion is shown: a film, a map of a function, or predictions on a data set."""

from collections.abc import Callable
from pathlib import Path

from evo.errors import EvoError
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.fitness import Verification
from evo.runs.pictures import Wishes, pictures_of
from evo.runs.run import Run, champion_of, path_of


def replay(
    path: Path | str | Run | Champion,
    out: Path | str | None = None,
    *,
    evolution: bool = False,
    seed: int | None = None,
    width: int = 640,
    height: int = 360,
    seconds: float = 20.0,
    threads: int | None = None,
    checked: Callable[[Verification], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    step_timeout: float | None = None,
    trust: bool = False,
) -> Path:
    """Film the champion of a run directory or champion file, or plot a function or predictions; return the path.

    out: .mp4, .gif or .webp for a film, .png for a strip of stills; videos/champion.mp4 in the run directory by
    default. evolution: film how the run learned instead, generation by generation. seed: the episode to show; by
    default the report episode of median return. seconds: of each episode at most, and 4 with `evolution`. threads:
    frames drawn at once; all processors by default. checked: called, before filming, with the verification of the
    champion's score. progress: called after each frame with the number drawn and the total. step_timeout: as of `run`;
    by default what the champion was scored with. trust: as of `load`. Raises EvoError.
    """
    given = path if isinstance(path, Champion) else None
    if given is not None and out is None:
        raise EvoError("a champion by itself has no folder: say where its film goes, evo.replay(champion, 'film.mp4')")
    source = Path() if given is not None else path_of(path)
    run = None if given is not None or source.is_file() else Run(source, trust)
    champion = given or (run.champion if run is not None else champion_of(source, trust))
    if step_timeout is not None:
        champion = champion.with_timeout(step_timeout)
    pictures = pictures_of(champion.spec.kind)
    wishes = Wishes(evolution, seed, width, height, seconds, threads, progress)
    if out is not None:
        target = Path(out)
    else:
        target = source.with_suffix(pictures.suffix) if run is None else pictures.place(run, wishes)
    # errors in the arguments are raised before the champion is scored again
    pictures.check(champion, run, target, wishes)
    if checked is not None:
        checked(champion.verify())
    pictures.draw(champion, run, target, wishes)
    return target


def show(run: Run, video: bool, watcher: Watcher, threads: int | None) -> None:
    """Make the pictures of a finished run; a failure to draw them is only noted."""
    try:
        if run.metrics:
            run.plot(run.directory.plots / "learning.png")
        pictures_of(run.config.task.kind).finish(run, video, watcher, threads)
    except EvoError as error:
        watcher.note(str(error))
