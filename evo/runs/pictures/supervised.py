"""Pictures of predictions on a data set."""

from pathlib import Path

from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.pictures.pictures import Pictures, Wishes
from evo.runs.record import Record


class AnswerPictures(Pictures):
    """The loss over the examples seen; the champion's predictions on the test split."""

    def curve(self, run: Record, path: Path) -> None:
        from evo.visualize.plots import loss_curve

        loss_curve(run.metrics, run.champion.metric, run.title, path)

    def place(self, run: Record, wishes: Wishes) -> Path:
        return run.directory.plots / "answers.png"

    def draw(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        title = champion.task_name if run is None else run.title
        draw_answers(champion, f"{title}: {champion.reported_fitness}", path)

    def finish(self, run: Record, video: bool, watcher: Watcher, threads: int | None) -> None:
        wishes = Wishes()
        self.draw(run.champion, run, self.place(run, wishes), wishes)


def draw_answers(champion: Champion, title: str, path: Path) -> None:
    """Draw a champion's predictions on the test split of its data set. Raises EvoError."""
    from evo.visualize.predictions import answers_picture

    answers_picture(champion.supervised, champion.params, title, path)
