"""Films of champions that act in a world."""

from pathlib import Path

from evo.errors import EvoError
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.pictures.pictures import Pictures, Wishes
from evo.runs.record import Record

_SCENE = 4.0  # seconds at most of each episode of a film of how a run learned


class Films(Pictures):
    """A film of an episode, or of how the run learned."""

    label, suffix = "film", ".mp4"

    def place(self, run: Record, wishes: Wishes) -> Path:
        return run.directory.videos / ("evolution.mp4" if wishes.evolution else "champion.mp4")

    def check(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        from evo.runs.replay import check_film

        check_film(path, wishes.width, wishes.height, wishes.seconds, wishes.seed)
        if wishes.evolution and run is None:
            raise EvoError(f"{champion} is a champion alone; how it evolved is in its run directory")

    def draw(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        from evo.runs.replay import film, film_evolution

        size, threads, progress = (wishes.width, wishes.height), wishes.threads, wishes.progress
        if wishes.evolution and run is not None:
            seconds = min(wishes.seconds, _SCENE)
            film_evolution(run, champion, path, *size, seconds, threads=threads, progress=progress)
        else:
            film(champion, path, wishes.seed, *size, wishes.seconds, threads, progress)

    def finish(self, run: Record, video: bool, watcher: Watcher, threads: int | None) -> None:
        if video:
            watcher.phase("filming the champion")
            wishes = Wishes(threads=threads, progress=watcher.on_frame)
            self.draw(run.champion, run, self.place(run, wishes), wishes)
