"""Choice of how a champion is shown: a film, a map of a function, or predictions on a data set."""

from collections.abc import Callable
from pathlib import Path

from evo.config.resolve import DATASET, FUNCTION, WORLD
from evo.errors import EvoError
from evo.problems.function import Landscape
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.fitness import Verification
from evo.runs.replay import check_film, film, film_evolution
from evo.runs.run import Run, champion_of, path_of
from evo.storage.run_directory import RunDirectory


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
    champion = champion_of(source, trust) if given is None else given
    if step_timeout is not None:
        champion = champion.with_timeout(step_timeout)
    run = None if given is not None or source.is_file() else Run(source, trust)
    target = Path(out) if out is not None else _picture_of(champion, source, run, evolution)
    # errors in the arguments are raised before the champion is scored again
    if champion.kind == WORLD:
        check_film(target, width, height, seconds, seed)
        if evolution and run is None:
            raise EvoError(f"{given or source} is a champion alone; how it evolved is in its run directory")
    else:
        from evo.visualize.plots import check_picture  # matplotlib is imported only to draw

        check_picture(target)
        if evolution or seed is not None:
            raise EvoError(f"{champion.task_name} is a {champion.kind}: there is no film of it, only a picture")
        if champion.kind == FUNCTION and run is None:
            raise EvoError(
                f"{champion.task_name} is a function: its champion is a point; how it was found is in its run directory"
            )
    if checked is not None:
        checked(champion.verify())
    if champion.kind == FUNCTION and run is not None:
        return run.plot_landscape(target)
    if champion.kind == DATASET:
        from evo.visualize.predictions import answers_picture

        if run is not None:
            return run.plot_answers(target)
        title = f"{champion.task_name}: {champion.reported_fitness}"
        answers_picture(champion.supervised, champion.params, title, target)
    elif evolution and run is not None:
        film_evolution(run, champion, target, width, height, min(seconds, 4.0), threads=threads, progress=progress)
    else:
        film(champion, target, seed, width, height, seconds, threads, progress)
    return target


def _picture_of(champion: Champion, source: Path, run: Run | None, evolution: bool) -> Path:
    """Return the default path of a champion's picture: beside its file, or in its run directory."""
    if run is None:
        return source.with_suffix(".mp4" if champion.kind == WORLD else ".png")
    if champion.kind == WORLD:
        return run.directory.videos / ("evolution.mp4" if evolution else "champion.mp4")
    return run.directory.plots / ("landscape.png" if champion.kind == FUNCTION else "answers.png")


def show(directory: RunDirectory, video: bool, watcher: Watcher, threads: int | None) -> None:
    """Make the pictures of a finished run; a failure to draw them is only noted."""
    finished = Run(directory.path)
    try:
        if finished.metrics:
            finished.plot(directory.plots / "learning.png")
        kind = finished.config.kind
        if kind == DATASET:
            finished.plot_answers(directory.plots / "answers.png")
        elif kind == FUNCTION:
            problem = finished.champion.problem
            if isinstance(problem, Landscape) and problem.cheap:
                finished.plot_landscape(directory.plots / "landscape.png")
        elif video:
            watcher.phase("filming the champion")
            replay(directory.path, threads=threads, progress=watcher.filmed)
    except EvoError as error:
        watcher.note(str(error))
