"""Champion: the best candidate of a run in one self-contained file, with the score that it must reproduce."""

import functools
import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evo.cluster.named import workers_of
from evo.config.resolve import resolve_config
from evo.config.sections import EvaluationSettings, NetworkSettings
from evo.config.task_spec import TaskSpec
from evo.datasets import Split
from evo.envs.engine.compile import KernelError
from evo.envs.engine.physics import EngineError, available_threads
from evo.errors import EvoError, one_line
from evo.evaluation.evaluator import AnyTask
from evo.evaluation.workers import Threads, Workers
from evo.learners.learner import Candidate, check_candidate
from evo.networks import Network
from evo.numerics.formatting import RETURN
from evo.numerics.platform_facts import platform_facts
from evo.numerics.randomness import report_seeds, selection_seeds
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.control import Trajectory, Walking
from evo.problems.problem import Evaluation, Problem, evaluate_alone
from evo.problems.supervised import Supervised
from evo.runs.champion_file import FORMAT, arrays_of, fields_of, read_champion
from evo.runs.fitness import Fitness, Verification
from evo.runs.policy import BatchPolicy, Policy
from evo.runs.provenance import NODES
from evo.storage.files import write_arrays
from evo.visualize.notebook import box, facts


@dataclass(frozen=True, eq=False, repr=False)
class Champion:
    """The best candidate of a run, as scored on the selection seeds; see `evaluate`, `policy`, `rollout`, `verify`."""

    spec: TaskSpec
    network_text: str
    normalise: bool
    method: str
    seed: int
    generation: int
    steps: int
    candidate: Candidate
    selection_returns: np.ndarray
    report_returns: np.ndarray | None
    facts: Mapping[str, str]
    metric: str = RETURN
    data: str = ""  # digest of its data set
    clip_observation: float = math.inf

    @property
    def task_name(self) -> str:
        """The full name of its task."""
        return self.spec.name

    @property
    def task_options(self) -> Mapping[str, Any]:
        """The options of its task that have a value."""
        return self.spec.given

    @property
    def step_timeout(self) -> float | None:
        """Seconds that a reset or step of its task may take, where that is an environment of Gymnasium's."""
        return self.spec.source.step_timeout

    @property
    def kind(self) -> str:
        """The kind of its task: `world`, `function` or `data set`. Raises EvoError where the task is not found."""
        return self.spec.kind.name

    @property
    def params(self) -> np.ndarray:
        """Parameters, (size,): float32 of a network, float64 of a point."""
        return self.candidate.params

    @property
    def statistics(self) -> ObservationStatistics:
        """Statistics that normalise observations: `statistics=` of `evo.evaluate` and `evo.rollout`.

        Empty, with a count of 0, where its network does not normalise.
        """
        return self.candidate.statistics

    @property
    def task(self) -> AnyTask:
        """Its task, with the options that it is scored under. Raises EvoError where that is no world."""
        return self.walking.task

    def __repr__(self) -> str:
        network = f" {self.network_text}," if self.network_text else ""
        return (
            f"Champion({self.task_name!r},{network} {self.method}, generation {self.generation}, "
            f"{self.reported_fitness})"
        )

    def summary(self) -> str:
        """Return its contents, a line each."""
        normalised = ", observations normalised" if self.normalise else ""
        lines = [
            f"task: {self.task_name}",
            f"network: {self.network_text}{normalised}" if self.network_text else "a point",
            f"parameters: {len(self.params):,} of {self.params.dtype}",
            f"made by {self.method}, seed {self.seed}, in generation {self.generation:,}, after {self.steps:,} steps",
            f"chosen by {Fitness(self.selection_returns, self.metric)}",
            "" if self.report_returns is None else f"reported {self.reported_fitness}",
            f"made with {NODES} {self.facts[NODES]}" if NODES in self.facts else "",
            *(f"task.{name} = {value!r}" for name, value in self.task_options.items()),
        ]
        return "\n".join(filter(None, lines))

    def _repr_html_(self) -> str:
        return box("Champion", facts(self.list_facts()))

    def list_facts(self) -> list[tuple[str, str]]:
        """Return what it is and does, as names and texts, for notebooks."""
        chosen = Fitness(self.selection_returns, self.metric)
        network = f"{self.network_text}, {len(self.params):,} parameters" if self.network_text else "a point"
        return [
            ("task", self.task_name),
            ("network", network),
            ("method", f"{self.method}, seed {self.seed}"),
            ("champion of", f"generation {self.generation:,}, after {self.steps:,} steps"),
            ("score", f"{chosen}, by which it was chosen"),
            ("report", "not yet" if self.report_returns is None else str(self.reported_fitness)),
            *((name, self.facts[name]) for name in (NODES,) if name in self.facts),
        ]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the compiled problem out of copies and pickles."""
        return {name: value for name, value in self.__dict__.items() if name != "problem"}

    @property
    def score(self) -> float:
        """Mean return on the selection seeds."""
        return float(np.mean(self.selection_returns))

    @property
    def digest(self) -> str:
        """SHA-256 of its parameters and statistics, in hexadecimal: equal for equal champions."""
        state = self.candidate.statistics.state()
        parts = (self.candidate.params, *(np.asarray(state[name], np.float64) for name in sorted(state)))
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()

    @property
    def reported_fitness(self) -> Fitness:
        """Its returns on the report seeds; on the selection seeds while there is no report yet."""
        return Fitness(self.selection_returns if self.report_returns is None else self.report_returns, self.metric)

    @functools.cached_property
    def problem(self) -> Problem:
        """The problem it is scored on, with all processors that this process may use."""
        return self.problem_on(Threads(available_threads()))

    def problem_on(self, workers: Workers) -> Problem:
        """Return the problem it is scored on, by `workers`.

        Raises EvoError where its parts do not fit each other.
        """
        network = NetworkSettings(self.network_text, self.normalise, self.clip_observation)
        problem = self.spec.problem(network, workers, EvaluationSettings())
        statistics = self.candidate.statistics
        try:
            problem.check(self.params)
        except ValueError as error:
            raise EvoError(f"a damaged champion: {error}, on {self.task_name}") from error
        if {len(statistics.mean), len(statistics.m2)} != {len(problem.no_statistics().mean)}:
            raise EvoError(f"a damaged champion: its statistics do not fit {self.task_name}'s observations")
        if self.data not in ("", self.spec.kind.digest(self.spec.made)):
            raise EvoError(f"the examples of {self.task_name} are no longer those that this champion was made with")
        if problem.cast(self.params).dtype != self.params.dtype:
            raise EvoError(f"a damaged champion: parameters of {self.task_name} are not {self.params.dtype}")
        problem.origin = self._origin
        return problem

    def _origin(self) -> tuple[str, bool]:
        """Return a configuration that makes its problem again, for scoring."""
        task = {f"task.{name}": value for name, value in self.task_options.items()}
        network = {"layers": self.network_text, "normalise": self.normalise, "clip_observation": self.clip_observation}
        named = {f"network.{name}": value for name, value in network.items()}
        named |= {"evaluation.step_timeout": self.step_timeout, "data.digest": self.data or None}
        named = {key: value for key, value in named.items() if key not in self.spec.kind.without and value is not None}
        return resolve_config(flags={"task.name": self.task_name} | task | named).toml(), False

    @property
    def walking(self) -> Walking:
        """The problem it is scored on, where that is a world. Raises EvoError where it is none."""
        return self._walking(self.problem)

    def walking_on(self, workers: Workers) -> Walking:
        """Return the world it is scored on, by `workers`. Raises EvoError where it is none."""
        return self._walking(self.problem_on(workers))

    def _walking(self, problem: Problem) -> Walking:
        if not isinstance(problem, Walking):
            raise EvoError(f"{self.task_name} is a {self.kind}: its champion {self.spec.kind.champion}")
        return problem

    @property
    def supervised(self) -> Supervised:
        """The problem it is scored on, where that is a data set. Raises EvoError where it is none."""
        problem = self.problem
        if not isinstance(problem, Supervised):
            raise EvoError(f"{self.task_name} is a {self.kind}, and no data set")
        return problem

    @property
    def network(self) -> Network:
        """Its network; with `params`, what `evo.rollout` and `evo.evaluate` take."""
        network = getattr(self.problem, "network", None)
        return network if isinstance(network, Network) else self.walking.network

    def on_options(self, options: Mapping[str, Any]) -> "Champion":
        """Return it on its task with other options; it has no report there.

        Raises EvoError for options that the task does not take, or under which the champion cannot act.
        """
        asked = {"task.name": self.task_name}
        asked |= {f"task.{name}": value for name, value in self.task_options.items()}
        given = {f"task.{name}": value for name, value in options.items()}
        spec = TaskSpec(self.spec.source, resolve_config(asked, [*given.items()]).task.options)
        changed = replace(self, spec=spec, data="", report_returns=None)
        network = NetworkSettings(changed.network_text, changed.normalise, changed.clip_observation)
        problem = changed.spec.problem(network, Threads(1), EvaluationSettings())
        words = ", ".join(f"{key}={value}" for key, value in given.items())
        try:
            problem.check(self.params)
        except ValueError as error:
            raise EvoError(f"{words}: the champion of {self.task_name} does not fit: {one_line(error)}") from error
        has, needs = len(self.statistics.mean), len(problem.no_statistics().mean)
        if has != needs:
            raise EvoError(f"{words}: the champion of {self.task_name} has {has} observations, and this needs {needs}")
        return changed

    def evaluate(
        self,
        episodes: int | Split = 100,
        seeds: np.ndarray | None = None,
        options: Mapping[str, Any] | None = None,
        workers: Workers | str | None = None,
    ) -> Fitness:
        """Return its returns on the report seeds or the given ones, or its score on a split of a data set.

        A split is given as in `champion.evaluate(digits.test)`. options: of its task, in place of those it was scored
        under, as in `{"friction": 0.5}`. workers: evaluate episodes elsewhere, as of `evo.run`; a split is scored here.
        Raises EvoError.
        """
        if options:
            return self.on_options(options).evaluate(episodes, seeds, workers=workers)
        if isinstance(episodes, Split):
            answers = self.supervised.answers(self.params, self._fitting(episodes))
            return Fitness(self.supervised.score(answers), self.metric)
        names, asked = self.problem.measures, report_seeds(episodes) if seeds is None else np.asarray(seeds)
        problem = self.problem if workers is None else self.problem_on(workers_of(None, workers))
        outcome = self._score(asked, problem, bool(names))
        measures = dict(zip(names, outcome.measures[0].tolist(), strict=True)) if names else {}
        return Fitness(outcome.returns[0], self.metric, outcome.steps, measures)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Return predictions for inputs prepared as its data set prepares them, (examples, …).

        They are indices of classes, int64 (examples, predictions), or numbers, float32 (examples, predictions,
        outputs), in the data set's unit. Raises EvoError.
        """
        data = self.supervised.dataset
        try:
            asked = self.supervised.prepare_inputs(inputs)
        except (TypeError, ValueError) as error:
            raise EvoError(f"inputs of {self.task_name}: {one_line(error)}") from error
        outputs = self.supervised.answers(self.params, self._fitting(asked)).outputs
        assert outputs is not None
        return outputs[0].argmax(axis=2) if data.labels else outputs[0] * data.scale + data.offset

    def _fitting(self, split: Split) -> Split:
        """Return the split. Raises EvoError where its examples are not like the data set's."""
        try:
            replace(self.supervised.dataset, test=split)  # checks shapes, classes and symbols
        except ValueError as error:
            raise EvoError(f"these examples are not {self.task_name}'s: {one_line(error)}") from error
        return split

    def _score(self, seeds: np.ndarray, problem: Problem, measured: bool = False) -> Evaluation:
        """Evaluate it on the episodes of `seeds`. Raises EvoError where it cannot be evaluated."""
        with self._said():
            return evaluate_alone(problem, *self.candidate, seeds, measured)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turn errors of the engine and of compilation into EvoError."""
        try:
            yield
        except (EngineError, KernelError) as error:
            raise EvoError(f"{self.task_name}: {error}") from error

    def policy(self) -> Policy:
        """Return its policy: a function from an observation to an action."""
        return Policy(self.walking, self.candidate)

    def export(self, target: Path | str) -> Any:
        """Write its policy to `policy.npz` or `policy.onnx` and return the path; for `"torch"` return a torch module.

        Each is compared with it on random observations first. Raises EvoError where it acts otherwise, by more than
        float32 rounding, or has layers that cannot be exported.
        """
        return self.export_and_check(target)[0]

    def export_and_check(self, target: Path | str) -> tuple[Any, float]:
        """Return what `export` does, and the largest difference of its outputs from the champion's."""
        from evo.runs.exporting import export_policy

        about = {"task": self.task_name, "network": self.network_text, "method": self.method, "score": self.score}
        return export_policy(self.walking, self.candidate, about, target)

    def batch_policy(self, rows: int) -> BatchPolicy:
        """Return its policy for `rows` environments at once: a function from observations to actions."""
        return BatchPolicy(self.walking, self.candidate, rows)

    def rollout(self, seed: int) -> Trajectory:
        """Record one episode of it. Raises EvoError."""
        return self.rollout_of(self.candidate, seed)

    def rollout_of(self, candidate: Candidate, seed: int) -> Trajectory:
        """Record one episode of another candidate of its run. Raises EvoError."""
        with self._said():
            return self.walking.rollout(candidate.params, seed, candidate.statistics)

    def verify(self) -> Verification:
        """Score it again on its selection seeds and compare every bit."""
        seeds = selection_seeds(len(self.selection_returns))
        outcome = self._score(seeds, self.problem)
        again = outcome.returns[0]
        here = {NODES: "none", **platform_facts()} if NODES in self.facts else platform_facts()
        names = sorted({*self.facts, *here})
        pairs = {name: (self.facts.get(name, "unknown"), here.get(name, "unknown")) for name in names}
        return Verification(
            recorded=self.score,
            reproduced=float(np.mean(again)),
            exact=bool(np.array_equal(again, self.selection_returns, equal_nan=True)),
            differences={name: pair for name, pair in pairs.items() if pair[0] != pair[1]},
            failures=(*outcome.failures, *outcome.errors),
        )

    def fossil(self, arrays: Mapping[str, np.ndarray]) -> Candidate:
        """Return a generation's candidate from the arrays of a file.

        Raises EvoError where they do not fit this champion.
        """
        try:
            found = Candidate(arrays["params"], ObservationStatistics.restored(arrays))
            check_candidate(found, self.candidate, self.problem)
        except (KeyError, TypeError, ValueError) as error:
            raise EvoError(f"a damaged fossil: {one_line(error)}") from error
        return found

    def with_timeout(self, seconds: float) -> "Champion":
        """Return the same champion, scored with another step_timeout.

        Raises EvoError, also where its task takes none.
        """
        config = {"task.name": self.task_name, "evaluation.step_timeout": seconds}
        checked = resolve_config(config, task=self.spec).evaluation.step_timeout
        return replace(self, spec=TaskSpec.find(self.task_name, self.spec.options, checked))

    def with_report(self, returns: np.ndarray, facts: Mapping[str, str]) -> "Champion":
        """Return the same champion with its report returns, and facts that they depend on besides."""
        return replace(self, report_returns=returns, facts={**self.facts, **facts})

    def arrays(self) -> dict[str, np.ndarray]:
        """Return it as plain arrays."""
        about = {
            "format": FORMAT,
            "task": {"name": self.task_name, "options": dict(self.task_options)},
            "network": {
                "layers": self.network_text,
                "normalise": self.normalise,
                "clip_observation": self.clip_observation,
            },
            "measure": self.metric,  # as the files of every version call it
            "data": self.data,
            "method": self.method,
            "seed": self.seed,
            "generation": self.generation,
            "steps": self.steps,
            "platform": dict(self.facts),
            **({} if self.step_timeout is None else {"step_timeout": self.step_timeout}),
        }
        scores = {"selection_returns": self.selection_returns}
        if self.report_returns is not None:
            scores["report_returns"] = self.report_returns
        return arrays_of(about, self.candidate, scores)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], source: str, trust: bool = False) -> "Champion":
        """Return the champion in arrays. Raises EvoError naming `source` where they are no champion.

        trust: whether modules that it names may be imported.
        """
        return cls(**fields_of(arrays, source, trust))

    def save(self, path: Path | str) -> None:
        """Write it whole or not at all, as .npz. Raises EvoError."""
        write_arrays(Path(path), self.arrays())

    @classmethod
    def load(cls, path: Path | str, trust: bool = False) -> "Champion":
        """Read a champion file. Raises EvoError where it is missing, damaged, oversized or no champion.

        trust: whether modules that it names may be imported (see `evo.envs.reference`).
        """
        return cls.from_arrays(read_champion(Path(path)), str(path), trust)
