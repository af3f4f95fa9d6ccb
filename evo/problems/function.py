"""Landscape: the problem of maximising a function of a vector."""

import inspect
import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np

from evo.envs.engine import interruption
from evo.envs.engine.physics import EngineError
from evo.envs.foreign import contained
from evo.errors import one_line
from evo.evaluation.workers import Threads
from evo.genomes.population import Population
from evo.numerics.blas_threads import one_thread
from evo.numerics.formatting import RETURN
from evo.numerics.randomness import generator
from evo.numerics.running_statistics import ObservationStatistics
from evo.numerics.validation import whole_number
from evo.problems.classic_functions import Function
from evo.problems.outcome import NOTHING, Found, Outcome, UnusableOutcome, read_outcome, stack
from evo.problems.problem import Evaluation, fitness_of
from evo.problems.shared import WorkersProblem
from evo.storage.memory import check_bytes

_NUMBER_BYTES = 64  # least number of bytes that each of its numbers takes in a search
REFUSED = "the function refused"
_SLICE_NUMBERS = 2**20  # numbers of the points of a slice of a formula


class Landscape(WorkersProblem):
    """A function of `size` numbers, each customarily between `low` and `high`; float64 throughout.

    name: the task's. A step is an evaluation. It has no network, no observations and no film.
    """

    step_unit = "evaluation"
    metric = RETURN
    measures: tuple[str, ...] = ()
    messages = 3
    deterministic = True
    cheap = True
    """Whether it may be evaluated many times more only to be plotted."""
    tolerant = False
    """Whether the search goes on where every individual failed."""
    errors: tuple[str, ...] = ()
    """Distinct messages about individuals of the last evaluation that failed."""

    def __init__(self, name: str, size: int, low: float, high: float) -> None:
        super().__init__(Threads(1))
        self.name, self.low, self.high = name, float(low), float(high)
        self._size = whole_number("dim", size, 1)
        check_bytes(f"{name} of {self._size:,} numbers", _NUMBER_BYTES * self._size, "take fewer (dim)")
        if not (low < high and math.isfinite(high - low)):
            raise ValueError(f"low={low:g}, high={high:g}: the domain must be finite and low below high")

    @abstractmethod
    def heights(self, points: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Return the fitness of points (individuals, size), float64 (individuals, seeds); NaN where there is none.

        A deterministic function returns a single column.
        """

    @property
    def size(self) -> int:
        return self._size

    def clocks(self, steps: int, passes: int = 1) -> dict[str, float]:
        return {}

    def prepare(self) -> None:
        pass

    def initial(self, random: np.random.Generator) -> np.ndarray:
        """Return a point drawn uniformly from the domain."""
        return random.uniform(self.low, self.high, self.size)

    def describe(self, params: np.ndarray, seed: int) -> dict[str, Any]:
        return {"domain": (self.low, self.high)}

    def cast(self, params: np.ndarray) -> np.ndarray:
        return np.asarray(params, np.float64)

    def no_statistics(self) -> ObservationStatistics:
        return ObservationStatistics.empty(0)

    def judge(self, points: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the fitness as `heights` does, measures (individuals, measures), objectives (individuals, objectives).

        The two are means over the seeds, NaN where it failed on one; without columns where there are none.
        """
        none = np.zeros((len(points), 0))
        return self.heights(points, seeds), none, none

    def check(self, params: np.ndarray) -> None:
        if params.shape != (self.size,):
            raise ValueError(f"a point of shape {params.shape}; {self.name} takes {self.size} numbers")

    def evaluate_here(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool,
        measured: bool,
    ) -> Evaluation:
        heights, measures, objectives = self.judge(population.dense(), seeds)
        failed = int(np.isnan(heights).sum())
        returns = np.broadcast_to(heights, (len(population), len(seeds))) if self.deterministic else heights
        return Evaluation(
            fitness=fitness_of(returns),
            returns=returns,
            episodes=heights.size,
            steps=heights.size,
            failures={REFUSED: failed} if failed else {},
            errors=self.errors,
            statistics=np.zeros((0, 1)),
            measures=measures,
            objectives=objectives,
        )

    def slice_shape(self, episodes: int) -> tuple[int, int]:
        """Return one individual of a user's function, which may take hours; about a million numbers of a formula."""
        return (max(1, _SLICE_NUMBERS // self.size) if self.cheap else 1), episodes


@final
class ClassicLandscape(Landscape):
    """A classic function to be minimised: fitness is its negative value, at most 0.

    rotated: whether it is rotated around its optimum, so that it is not separable. The rotation is drawn from
    `instance`, uniform over all (Haar), the same in every run: Stewart 1980, "The Efficient Generation of Random
    Orthogonal Matrices with an Application to Condition Estimators".
    """

    def __init__(self, name: str, function: Function, size: int, rotated: bool, instance: int) -> None:
        super().__init__(name, size, function.low, function.high)
        self.function, self.rotated = function, rotated
        self.instance = whole_number("instance", instance, 0)

    @cached_property
    def rotation(self) -> np.ndarray:
        """The orthogonal matrix, (size, size)."""
        normal = generator(self.instance, "rotation", self.size).standard_normal((self.size, self.size))
        with one_thread():
            orthogonal, upper = np.linalg.qr(normal)
        return orthogonal * np.sign(np.diag(upper))

    def heights(self, points: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        if self.rotated:
            # einsum, not a matrix product: an individual's sums must not depend on how many others there are
            turned = np.einsum("ij,kj->ik", points - self.function.optimum, self.rotation)
            points = turned + self.function.optimum
        return -self.function.values(points)[:, None]


@final
class OwnLandscape(Landscape):
    """A user's Python function, `fitness(x)` or `fitness(x, seed)`: a point x, float64 (size,), to a number or Outcome.

    It is called for one individual after the other. A function with a seed is noisy: it is called once an episode.
    on_error: `stop`: EngineError where it raises or returns no finite number; the part of the population evaluated so
    far is kept, and the same evaluation resumes there. `worst`: the individual is as bad as the worst of the others,
    and where all failed, as the worst so far.
    """

    def __init__(
        self, name: str, function: Callable[..., float | Outcome], size: int, low: float, high: float, on_error: str
    ) -> None:
        super().__init__(name, size, low, high)
        if on_error not in ("stop", "worst"):
            raise ValueError(f"on_error={on_error!r}: must be 'stop' or 'worst'")
        self.function, self.on_error, self.tolerant = function, on_error, on_error == "worst"
        self.deterministic, self.cheap = not takes_seed(function), False
        # Points and seeds of an interrupted evaluation, and the fitness found so far, in order of individuals and,
        # within one, of episodes.
        self._asked, self._seeds = np.zeros((0, size)), np.zeros(0, np.int64)
        self._found: list[Found] = []

    def heights(self, points: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        return self.judge(points, seeds)[0]

    def judge(self, points: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        columns = 1 if self.deterministic else len(seeds)
        same = np.array_equal(points, self._asked) and (self.deterministic or np.array_equal(seeds, self._seeds))
        if not same or len(self._found) >= len(points) * columns:
            self._asked, self._seeds, self._found = np.array(points), np.array(seeds, np.int64), []
        self.errors = ()
        for place in range(len(self._found), len(points) * columns):
            individual, episode = divmod(place, columns)
            arguments = () if self.deterministic else (int(seeds[episode]),)
            self._found.append(self._ask(np.array(points[individual]), arguments, f"{individual} of {len(points)}"))
        found, self._found = self._found, []
        self._asked, self._seeds = np.zeros((0, self.size)), np.zeros(0, np.int64)
        fitness, measures, objectives = (part.reshape(len(points), columns, -1) for part in _arrays(found))
        return fitness[:, :, 0], measures.mean(axis=1), objectives.mean(axis=1)

    def _ask(self, point: np.ndarray, arguments: tuple[int, ...], individual: str) -> Found:
        found, problem = NOTHING, ""
        with interruption.waiting():
            try:
                with contained():
                    found = read_outcome(self.function(point, *arguments))
                _arrays([next((one for one in self._found if one.measures is not None), found), found])
            except UnusableOutcome as error:
                problem = one_line(error)
            except Exception as error:  # a user's function may fail in any way
                problem = f"{type(error).__name__}: {one_line(error)}"
        if not problem:
            return found
        if self.on_error == "stop":
            raise EngineError(
                f"individual {individual}: {problem}; what was evaluated is kept: mend the function, or write "
                'on_error = "worst" in config.toml, and resume'
            )
        if problem not in self.errors and len(self.errors) < self.messages:
            self.errors = (*self.errors, problem)
        return NOTHING

    def state(self) -> dict[str, np.ndarray]:
        fitness, measures, objectives = _arrays(self._found)
        state = {"asked": self._asked, "seeds": self._seeds, "found": fitness}
        told = {"measures": measures, "objectives": objectives}
        return state | {name: array for name, array in told.items() if array.size}  # most functions return a number

    def restore(self, state: Mapping[str, Any]) -> None:
        self._asked, self._seeds, fitness = (np.array(state[name]) for name in ("asked", "seeds", "found"))
        none = np.zeros((len(fitness), 0))
        rows = zip(fitness.tolist(), state.get("measures", none), state.get("objectives", none), strict=True)
        self._found = [NOTHING if np.isnan(row[0]) else Found(*row) for row in rows]


def _arrays(found: Sequence[Found]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return fitness (evaluations,), measures and objectives (evaluations, numbers). Raises UnusableOutcome."""
    return (
        np.array([one.fitness for one in found]),
        stack("measures", [one.measures for one in found]),
        stack("objectives", [one.objectives for one in found]),
    )


def takes_seed(function: Callable[..., float | Outcome]) -> bool:
    """Return whether its second argument is an episode's seed. Raises ValueError for other positional arguments."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, one in inspect.signature(function).parameters.items() if one.kind in kinds]
    if len(names) > 2 or (len(names) == 2 and names[1] != "seed"):
        raise ValueError(f"takes {', '.join(names)}: must be x, or x and seed; options come after a *")
    return len(names) == 2
