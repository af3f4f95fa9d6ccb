"""Films of champions that act in a world."""

from pathlib import Path

from evo.errors import EvoError
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.pictures.pictures import Pictures, Wishes
from evo.runs.record import Record


class Films(Pictures):
    """A film of an episode, of how the run learned, or of a generation; or a page of it."""

    label, suffix = "film", ".mp4"

    def place(self, run: Record, wishes: Wishes) -> Path:
        name = "evolution" if wishes.evolution else "champion" if wishes.crowd is None else "crowd"
        return run.directory.videos / f"{name}{'-network' if wishes.network else ''}.mp4"

    def check(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        from evo.runs.evolution_film import check_scenes
        from evo.runs.pictures.network import check_network
        from evo.runs.replay import check_film
        from evo.runs.tiles import check_tiles
        from evo.runs.viewing import check_view, is_page, world_of

        if wishes.crowd is not None:
            if wishes.evolution or wishes.network:
                raise EvoError("a crowd is a film of one generation: leave out --evolution and --network")
            check_tiles(wishes.crowd, path, wishes)
        elif is_page(path):
            world_of(champion)
            check_view(wishes.seconds, wishes.seed)
            if wishes.network:
                raise EvoError(f"a page shows no network: film it beside the creature, to {path.stem}.mp4")
        else:
            check_film(path, wishes.width, wishes.height, wishes.seconds, wishes.seed)
        if wishes.network:
            check_network(champion)
        if wishes.scenes is not None:
            check_scenes(wishes.scenes)
            if not wishes.evolution:
                raise EvoError("scenes are those of a film of how a run learned: add --evolution")
        if wishes.poster and (is_page(path) or path.suffix.lower() == ".png"):
            raise EvoError(f"{path.name!r} is a still or a page, and a poster lies beside a film: try {path.stem}.mp4")
        if wishes.evolution and run is None:
            raise EvoError(f"{champion} is a champion alone; how it evolved is in its run directory")
        if wishes.crowd is not None and run is None:
            raise EvoError(f"{champion} is a champion alone; its generation is in its run directory")

    def draw(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        from evo.runs.crowd import film_crowd
        from evo.runs.evolution_film import LONGEST, SCENES, film_evolution
        from evo.runs.replay import film
        from evo.runs.viewing import FOSSILS, Shown, is_page, view

        if is_page(path):
            shown = Shown(champion, run, champion.task_name if run is None else run.path.name)
            view([shown], FOSSILS if wishes.evolution else 0, wishes.seconds, wishes.seed).save(path)
            return
        if wishes.crowd is not None and run is not None:
            film_crowd(run, champion, path, wishes, wishes.crowd)
            return
        size, threads, progress = (wishes.width, wishes.height), wishes.threads, wishes.progress
        if wishes.evolution and run is not None:
            seconds, scenes = min(wishes.seconds, LONGEST), wishes.scenes or SCENES
            film_evolution(
                run, champion, path, *size, seconds, scenes, wishes.network, threads, progress, wishes.poster
            )
        else:
            film(champion, path, wishes.seed, *size, wishes.seconds, wishes.network, threads, progress, wishes.poster)

    def finish(self, run: Record, video: bool, watcher: Watcher, threads: int | None) -> None:
        if video:
            watcher.phase("filming the champion")
            wishes = Wishes(threads=threads, progress=watcher.on_frame)
            self.draw(run.champion, run, self.place(run, wishes), wishes)
