"""Pictures of a champion's network."""

from pathlib import Path
from typing import TYPE_CHECKING

from evo.envs.engine.names import actuator_names
from evo.envs.task import Task
from evo.errors import EvoError
from evo.learners.learner import Candidate
from evo.problems.control import Trajectory, Walking
from evo.problems.problem import Problem
from evo.problems.shared import NetworkProblem
from evo.problems.supervised import Supervised
from evo.runs.champion import Champion
from evo.runs.pictures.pictures import Pictures, Wishes
from evo.runs.record import Record
from evo.visualize.networks.diagram import Names, activity, diagram_of
from evo.visualize.page import Activity, plan, record_activity

if TYPE_CHECKING:  # matplotlib takes long to import
    from evo.visualize.networks.picture import LivePicture

STILLS = (".svg", ".png", ".pdf")  # suffixes of a picture of a network alone


class NetworkPictures(Pictures):
    """The champion's network: units by depth, links by weight."""

    label, suffix = "network", ".svg"

    def place(self, run: Record, wishes: Wishes) -> Path:
        return run.directory.plots / "network.svg"

    def check(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        from evo.visualize.plots import check_picture

        check_picture(path)
        if wishes.evolution or wishes.seed is not None:
            raise EvoError(f"{path.name} is to show the network alone; an episode is filmed to .mp4, .gif or .webp")
        check_network(champion)

    def draw(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        from evo.visualize.networks.picture import draw_network

        title = f"{champion.task_name}  {champion.method}  seed {champion.seed}" if run is None else run.title
        diagram = diagram_of(champion.network, champion.params)
        draw_network(diagram, names_of(champion.problem), f"{title}: {champion.reported_fitness}", path)


def check_network(champion: Champion) -> None:
    """Raise EvoError for a champion without a network."""
    if not isinstance(champion.problem, NetworkProblem):
        raise EvoError(f"{champion.task_name} is a {champion.kind}: its champion is a point, without a network")


def watch_network(champion: Champion, candidate: Candidate, trajectory: Trajectory, height: int) -> "LivePicture":
    """Return what a candidate's network does in an episode, in pictures `height` pixels high and a fifth wider."""
    from evo.visualize.networks.picture import LivePicture

    problem, network = champion.walking, champion.network
    values = activity(network, candidate.params, trajectory.observations, *problem.normalisation(candidate.statistics))
    return LivePicture(diagram_of(network, candidate.params), names_of(problem), values, round(1.2 * height), height)


class NetworkWatch:
    """Records what networks do in episodes; those with the champion's links stand where its own stands."""

    def __init__(self, champion: Champion) -> None:
        self._problem, self._network = champion.walking, champion.network
        self._plan = plan(diagram_of(champion.network, champion.params))

    def record(self, candidate: Candidate, trajectory: Trajectory, steps: int) -> Activity:
        """Return what a candidate's network does in the first `steps` of an episode."""
        statistics = self._problem.normalisation(candidate.statistics)
        values = activity(self._network, candidate.params, trajectory.observations[:steps], *statistics)
        diagram = diagram_of(self._network, candidate.params)
        planned = self._plan if self._plan.serves(diagram) else plan(diagram)
        return record_activity(diagram, planned, names_of(self._problem), values)


def names_of(problem: Problem) -> Names:
    """Return the names of a network's inputs and outputs, where its task or data set knows them."""
    if isinstance(problem, Supervised):
        return Names((), problem.dataset.labels if len(problem.dataset.labels) == problem.network.outputs else ())
    if not isinstance(problem, Walking) or not isinstance(problem.task, Task):
        return Names()
    task = problem.task
    actuators = () if task.choices else actuator_names(task.model)
    return Names(task.observation_names, actuators if len(actuators) == task.outputs else ())
