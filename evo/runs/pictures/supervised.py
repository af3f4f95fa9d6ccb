"""Pictures of predictions on a data set."""

from pathlib import Path

from evo.errors import EvoError
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.pictures.pictures import Pictures, Wishes
from evo.runs.record import Record
from evo.visualize.charts import Row
from evo.visualize.curves import loss_curve


class AnswerPictures(Pictures):
    """The loss over the examples seen; the champion's predictions on the test split, or the picture that it paints."""

    def curve(self, run: Record) -> list[Row]:
        return loss_curve(run.metrics, run.champion.metric)

    def place(self, run: Record, wishes: Wishes) -> Path:
        return run.directory.plots / ("painting.png" if _paints(run.champion) else "answers.png")

    def check(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        super().check(champion, run, path, wishes)
        if _paints(champion) and path.suffix.lower() != ".png":
            raise EvoError(f"cannot paint {path.name!r}: the suffix must be .png")

    def draw(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        if _paints(champion):
            from evo.visualize.painting import painting

            return painting(champion.supervised, champion.params, wishes.width, path)
        title = champion.task_name if run is None else run.title
        return draw_answers(champion, f"{title}: {champion.reported_fitness}", path)

    def finish(self, run: Record, video: bool, watcher: Watcher, threads: int | None) -> None:
        wishes = Wishes()
        if _paints(run.champion):
            title = f"{run.title}: {run.champion.reported_fitness}"
            draw_answers(run.champion, title, run.directory.plots / "answers.png")
        self.draw(run.champion, run, self.place(run, wishes), wishes)


def _paints(champion: Champion) -> bool:
    from evo.datasets.picture import NAME as PICTURE  # it brings Pillow

    return champion.supervised.dataset.name == PICTURE


def draw_answers(champion: Champion, title: str, path: Path) -> None:
    """Draw a champion's predictions on the test split of its data set. Raises EvoError."""
    from evo.visualize.predictions import answers_picture

    answers_picture(champion.supervised, champion.params, title, path)
