"""Choice of how champions are shown: a film, a map of a function, or predictions on a data set."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from evo.errors import EvoError
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.fitness import Verification
from evo.runs.pictures import Wishes, pictures_of, replay_pictures
from evo.runs.pictures.pictures import FILM_SIZE, TILED_SIZE
from evo.runs.pictures.species import has_species
from evo.runs.record import champion_of
from evo.runs.run import Run, path_of
from evo.storage.files import check_writable

if TYPE_CHECKING:
    from evo.runs.viewing import Page, Shown


def replay(
    path: Path | str | Run | Champion | Sequence[Path | str | Run | Champion],
    out: Path | str | None = None,
    *,
    evolution: bool = False,
    scenes: int | None = None,
    crowd: int | None = None,
    network: bool = False,
    cell: str | None = None,
    front: int | None = None,
    seed: int | None = None,
    width: int | None = None,
    height: int | None = None,
    seconds: float = 20.0,
    poster: bool = False,
    threads: int | None = None,
    checked: Callable[[Verification], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    step_timeout: float | None = None,
    trust: bool = False,
) -> Path:
    """Film the champion of a run directory or champion file, or plot a function or predictions; return the path.

    Several runs or champions race: they are filmed side by side in tiles, by default to race.mp4.

    out: .mp4, .gif or .webp for a film, .png for a strip of stills, .html for a page to turn around; by default
    videos/champion.mp4 in the run directory. evolution: film how the run learned instead, generation by generation.
    scenes: of that film at most, 6 by default; the last is the champion's. crowd: film so many tiles instead: the
    champion among individuals of the generation that the run would evaluate next, drawn from its checkpoint.
    network: film beside it what the network does; to .svg, .png or .pdf, and on a data set, draw the network alone.
    cell: show the elite of this cell of the run's archive, `12` or in a grid `3,7`, in place of the champion.
    front: show the individual at this place of the run's front, from 0 on, in place of the champion.
    seed: the episode to show; by default the report episode of median return. width, height: of the film, pixels; by
    default 640 by 360, and in tiles 1280 by 720. seconds: of each episode at most, and 4 in a film with `evolution`.
    poster: also write a still beside the film, as NAME.png. threads: frames drawn at once; all processors by default.
    checked: called, before filming, with the verification of each champion's score. progress: called after each frame
    with the number drawn and the total. step_timeout: as of `run`; by default what the champion was scored with. trust:
    as of `load`. Raises EvoError.
    """
    several = None if isinstance(path, str) or not isinstance(path, Sequence) else list(path)
    wide, high = TILED_SIZE if several is not None or crowd is not None else FILM_SIZE
    wide, high = wide if width is None else width, high if height is None else height
    wishes = Wishes(evolution, network, seed, wide, high, seconds, threads, progress, scenes, poster, crowd)
    if several is not None:
        if cell is not None or front is not None:
            raise EvoError("a race is of champions: leave out cell and front")
        return _race(several, Path("race.mp4" if out is None else out), wishes, checked, step_timeout, trust)
    given = path if isinstance(path, Champion) else None
    if given is not None and out is None:
        raise EvoError("a champion by itself has no folder: say where its film goes, evo.replay(champion, 'film.mp4')")
    source = Path() if given is not None else path_of(path)
    run = None if given is not None or source.is_file() else Run(source, trust)
    champion = given or (run.champion if run is not None else champion_of(source, trust))
    if cell is not None and front is not None:
        raise EvoError("a run has an archive or a front: give cell or front, not both")
    if cell is not None:
        champion = _whole(run, f"cell {cell!r}", "archive", wishes).elite(cell)
    elif front is not None:
        champion = _whole(run, f"front {front}", "front", wishes).solution(front)
    if step_timeout is not None:
        champion = champion.with_timeout(step_timeout)
    pictures = replay_pictures(champion.spec.kind, network, None if out is None else Path(out))
    if out is not None:
        target = Path(out)
    else:
        target = source.with_suffix(pictures.suffix) if run is None else pictures.place(run, wishes)
        target = target if cell is None else target.with_stem(f"cell-{cell.replace(',', '-').replace(' ', '')}")
        target = target if front is None else target.with_stem(f"front-{front}")
    # errors in the arguments are raised before the champion is scored again
    pictures.check(champion, run, target, wishes)
    check_writable(target)
    if checked is not None:
        checked(champion.verify())
    pictures.draw(champion, run, target, wishes)
    return target


def view(
    *runs: Path | str | Run | Champion,
    out: Path | str | None = None,
    seconds: float | None = None,
    fossils: int = 10,
    cells: int | None = None,
    seed: int | None = None,
    trust: bool = False,
) -> "Page":
    """Return a page of the champions of runs or champion files, to turn around; several stand side by side in lanes.

    A run alone that left an archive is shown as an atlas: its map, and elites that walk where they are chosen.

    out: .html file to write it to. seconds: of each episode at most, 10 by default, 4 in an atlas. fossils: of each run
    at most, from its first generation on. cells: elites at most that walk in an atlas, 60 by default; 0 shows the
    champion and fossils instead. seed: of every episode; by default each champion's report episode of median return,
    and an elite's held-out one. trust: as of `load`. Raises EvoError.
    """
    from evo.runs.atlas import CELLS, view_archive
    from evo.runs.viewing import check_page, check_view
    from evo.runs.viewing import view as view_of

    if out is not None:
        check_page(Path(out))
    check_view(10.0 if seconds is None else seconds, seed, fossils, cells or 0)
    shown = [_shown(one, trust) for one in runs]
    run = shown[0].run if len(shown) == 1 else None
    if run is not None and cells != 0 and (cells or run.archive_path.exists()):
        page = view_archive(run, CELLS if cells is None else cells, 4.0 if seconds is None else seconds, seed)
    elif cells:
        raise EvoError("cells are those of one run's archive: name one run directory, or leave out cells")
    else:
        page = view_of(shown, fossils, 10.0 if seconds is None else seconds, seed)
    if out is not None:
        page.save(out)
    return page


def _race(
    paths: Sequence[Path | str | Run | Champion],
    out: Path,
    wishes: Wishes,
    checked: Callable[[Verification], None] | None,
    step_timeout: float | None,
    trust: bool,
) -> Path:
    """Film champions side by side; return the path. Raises EvoError."""
    from evo.runs.race import check_race, film_race

    racers = [_shown(one, trust) for one in paths]
    if step_timeout is not None:
        racers = [one._replace(champion=one.champion.with_timeout(step_timeout)) for one in racers]
    check_race([one.champion for one in racers], out, wishes)
    check_writable(out)
    if checked is not None:
        for one in racers:
            checked(one.champion.verify())
    film_race(racers, out, wishes)
    return out


def _whole(run: Run | None, what: str, has: str, wishes: Wishes) -> Run:
    """Return the run that has an archive or a front, of which one individual is shown. Raises EvoError."""
    if run is None:
        raise EvoError(f"{what}: a champion file has no {has}; name its run directory")
    if wishes.evolution:
        raise EvoError(f"{what} is shown alone: leave out evolution, which shows how the run learned")
    if wishes.crowd is not None:
        raise EvoError(f"{what} is shown alone: leave out crowd, which shows a generation")
    return run


def _shown(given: Path | str | Run | Champion, trust: bool) -> "Shown":
    from evo.runs.viewing import Shown

    if isinstance(given, Champion):
        return Shown(given, None, given.task_name)
    source = path_of(given)
    if source.is_file():
        return Shown(champion_of(source, trust), None, source.name)
    run = given if isinstance(given, Run) else Run(source, trust)
    return Shown(run.champion, run, run.path.resolve().name)


def show(run: Run, video: bool, watcher: Watcher, threads: int | None) -> None:
    """Make the pictures of a finished run; a failure to draw them is only noted."""
    try:
        if run.metrics:
            run.plot(run.directory.plots / "learning.png")
        if run.archive_path.exists():
            run.plot_archive(run.directory.plots / "archive.png")
        if run.front_path.exists():
            run.plot_front(run.directory.plots / "front.png")
        if has_species(run):
            run.plot_species(run.directory.plots / "species.png")
            run.plot_ancestry(run.directory.plots / "ancestry.png")
            with suppress(EvoError):  # some methods with species evolve points without a network
                run.plot_network(run.directory.plots / "network.svg")
        pictures_of(run.config.task.kind).finish(run, video, watcher, threads)
    except EvoError as error:
        watcher.note(str(error))
