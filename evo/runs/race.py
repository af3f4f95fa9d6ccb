"""Films of races: champions of several runs side by side, in the same episode and on the same clock."""

from collections.abc import Sequence
from pathlib import Path

from evo.envs.engine import interruption
from evo.errors import EvoError
from evo.runs.champion import Champion
from evo.runs.pictures.pictures import Wishes
from evo.runs.tiles import Tile, check_tiles, common_seed, film_tiles
from evo.runs.viewing import Shown
from evo.visualize.colours import colours_of


def film_race(racers: Sequence[Shown], path: Path, wishes: Wishes) -> None:
    """Film champions side by side; `check_race` has checked the wishes. Raises EvoError.

    All act in the episode of one seed, by default one that is typical of all of them; runs of different tasks act each
    in its own.
    """
    champions = [racer.champion for racer in racers]
    seed = common_seed(champions) if wishes.seed is None else wishes.seed
    alone = len({champion.task_name for champion in champions}) == 1
    colours = colours_of(str(place) for place in range(len(racers)))
    tiles = []
    for racer, colour in zip(racers, colours.values(), strict=True):
        interruption.check()
        champion = racer.champion
        note = f"{champion.method} seed {champion.seed}" if alone else f"{champion.task_name} {champion.method}"
        tiles.append(Tile(champion.task, champion.rollout(seed), racer.name, note, colour))
    film_tiles(tiles, path, wishes)


def check_race(champions: Sequence[Champion], path: Path, wishes: Wishes) -> None:
    """Raise EvoError for a race that cannot be filmed, before any work is done for it."""
    if wishes.evolution or wishes.network or wishes.scenes is not None or wishes.crowd is not None:
        raise EvoError("a race is of champions: leave out --evolution, --scenes, --crowd and --network")
    if len(champions) < 2:
        raise EvoError("a race is of several runs: name two or more, or leave out --race")
    check_tiles(len(champions), path, wishes)
    for champion in champions:
        if not champion.spec.kind.acts:
            raise EvoError(f"{champion.task_name} is a {champion.kind}, and creatures race: leave its run out")
