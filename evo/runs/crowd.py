"""Films of a crowd: a run's champion among individuals of the generation that the run evaluates next."""

from pathlib import Path

from evo.envs.engine import interruption
from evo.envs.engine.physics import available_threads
from evo.errors import EvoError, one_line
from evo.evaluation.workers import Threads
from evo.learners.evolution import Evolution
from evo.learners.learner import Candidate, check_candidate
from evo.runs.champion import Champion
from evo.runs.checkpoint import restore_learner
from evo.runs.pictures.pictures import Wishes
from evo.runs.record import Record
from evo.runs.replay import typical_seed
from evo.runs.tiles import Tile, film_tiles
from evo.visualize.colours import ORANGE, TEAL


def film_crowd(run: Record, champion: Champion, path: Path, wishes: Wishes, count: int) -> None:
    """Film the champion and `count - 1` individuals side by side, in one episode; all of them where there are fewer.

    Raises EvoError, also where the run keeps no population.
    """
    shown = [("champion", f"of generation {champion.generation:,}", champion.candidate, ORANGE)]
    generation, individuals = individuals_of(run, champion, count - 1)
    shown += [(f"no. {number:,}", f"of generation {generation:,}", one, TEAL) for number, one in individuals]
    seed = typical_seed(champion) if wishes.seed is None else wishes.seed
    tiles = []
    for name, note, candidate, colour in shown:
        interruption.check()
        tiles.append(Tile(champion.task, champion.rollout_of(candidate, seed), name, note, colour))
    film_tiles(tiles, path, wishes)


def individuals_of(run: Record, champion: Champion, most: int) -> tuple[int, list[tuple[int, Candidate]]]:
    """Return the generation that a run evaluates next, and individuals of its population by their number.

    They are drawn again from the newest checkpoint's state, evenly spaced in the population, at most `most` of them;
    the first is number 1. Raises EvoError where there is no checkpoint, or no population in it.
    """
    checkpoint = run.directory.newest_checkpoint()
    if checkpoint is None:
        films = f"`{run.command('replay')}` films its champion"
        raise EvoError(f"{run.path} keeps no checkpoint to draw a generation from; {films}")
    learner, _ = restore_learner(run.config, run.directory, checkpoint[1], Threads(available_threads()))
    evolution = f"`{run.command('replay', '--evolution')}` films how it learned"
    if not isinstance(learner, Evolution):
        raise EvoError(f"{run.config.method.name} keeps no population of which a crowd could be drawn; {evolution}")
    if (over := learner.finished()) is not None:
        raise EvoError(f"the search of {run.path} is over ({over}): it has no next generation; {evolution}")
    found = learner.individuals(most)
    try:
        for _, candidate in found:
            check_candidate(candidate, champion.candidate, champion.problem)
    except ValueError as error:
        raise EvoError(f"the checkpoint of {run.path} is not of its champion: {one_line(error)}") from error
    return learner.generation + 1, found
