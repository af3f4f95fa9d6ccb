"""The training loop, its clock and its budget.

The loop drives any learner: learn, log, score candidates for champion, save. Decisions depend only on counted steps,
never on the time, except where the budget is in minutes; so a run that was killed and resumed equals the uninterrupted
one to the bit, except for its clocks.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evo.config.config import Config
from evo.envs.engine import interruption
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError, printable
from evo.learners.learner import Candidate, Learner, check_candidate
from evo.numerics.randomness import report_seeds, selection_seeds
from evo.numerics.running_statistics import standard_error
from evo.numerics.validation import whole_number
from evo.problems.problem import Problem, evaluate_alone
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.provenance import Provenance
from evo.runs.signals import saving
from evo.storage.run_directory import RunDirectory, fossil_stride
from evo.storage.states import below

# A checkpoint is due when this much was done since the last: at most 2 % of the time is spent on saving.
CHECKPOINT_SECONDS, CHECKPOINT_SHARE = 2.0, 0.02
_SAID = 5  # number of distinct failure messages noted in a run
_MOST = 2**60  # of any count, with room to count on


@dataclass
class Clock:
    """Seconds of training and of selection, wall and processor, without compilation; they continue over a resume."""

    wall: float = 0.0
    cpu: float = 0.0
    selection: float = 0.0
    selection_cpu: float = 0.0

    def time_training(self, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        return result

    def time_selection(self, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.selection += time.perf_counter() - wall
        self.selection_cpu += time.process_time() - cpu
        return result


@dataclass
class Progress:
    """State that the loop keeps between steps; the learner keeps the rest."""

    champion: Champion | None = None
    last: Champion | None = None  # the learner's first candidate when candidates were last scored
    selection_score: float = float("nan")  # of the candidates last scored, and its standard error
    selection_error: float = float("nan")
    selected_at: int = -1  # steps when candidates were last scored
    next_selection: int = 0  # steps when they are scored next
    selection_steps: int = 0  # steps that scoring candidates has taken so far
    rows: int = 0
    clock: Clock = field(default_factory=Clock)
    # Since the last checkpoint; written just before the next, and recomputed by a resumed run that has no later one.
    fossils: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)
    saved: Champion | None = None  # the champion in champion.npz
    provenance: Provenance = field(default_factory=Provenance)

    def state(self) -> dict[str, np.ndarray]:
        numbers = [self.selection_score, self.selection_error, self.selected_at, self.next_selection]
        numbers += [self.selection_steps, self.rows]
        times = [self.clock.wall, self.clock.cpu, self.clock.selection, self.clock.selection_cpu]
        scored = {"champion": self.champion, "last": self.last}
        return {
            "progress": np.array(numbers, np.float64),
            "clock": np.array(times, np.float64),
            **{
                f"{place}/{name}": array
                for place, one in scored.items()
                if one is not None
                for name, array in one.arrays().items()
            },
        }

    @classmethod
    def restored(cls, state: Mapping[str, np.ndarray]) -> "Progress":
        selection_score, selection_error, selected_at, next_selection, selection_steps, rows = (
            float(number) for number in state["progress"]
        )
        champion, last = below("champion/", state), below("last/", state)
        return cls(
            champion=Champion.from_arrays(champion, "the checkpoint's champion") if champion else None,
            last=Champion.from_arrays(last, "the checkpoint's latest candidate") if last else None,
            selection_score=selection_score,
            selection_error=selection_error,
            selected_at=int(selected_at),
            next_selection=int(next_selection),
            selection_steps=int(selection_steps),
            rows=int(rows),
            clock=Clock(*(float(seconds) for seconds in state["clock"])),
        )


def spent(config: Config, learner: Learner, progress: Progress) -> str | None:
    """Return which part of the budget is used up, or None."""
    until, minutes = config.budget.until, config.budget.minutes
    generations, steps = config.budget.generations, config.budget.steps
    if until is not None and progress.champion is not None and progress.champion.score >= until:
        return f"reached {until:g}"
    if generations is not None and learner.generation >= generations:
        return f"{generations:,} generations"
    if steps is not None and learner.steps >= steps:
        return f"{steps:,} steps"
    if minutes is not None and progress.clock.wall + progress.clock.selection >= 60 * minutes:
        return f"{minutes:g} minutes"
    return learner.finished()


def over(config: Config, learner: Learner, progress: Progress) -> str | None:
    """Return why nothing is left to do, the budget spent and the champion reported; None where something is."""
    champion = progress.champion
    if champion is None or champion.report_returns is None or progress.selected_at != learner.steps:
        return None
    reason, reached = spent(config, learner, progress), learner.generation
    if reason is not None and reason == learner.finished():
        return f"finished at generation {reached:,}: {reason}; `evo run --from RUN` begins anew from its champion"
    return reason and (
        f"finished at generation {reached:,}: its budget ({reason}) is spent; a larger one goes on, "
        f"as in --generations {2 * reached or 100}"
    )


def train(
    config: Config, learner: Learner, judge: Problem, directory: RunDirectory, progress: Progress, watcher: Watcher
) -> str:
    """Learn until the budget is spent; return why it ended. An earlier exception is raised after everything is saved.

    judge: the problem as it is scored; the learner may train on an altered one.
    """
    saved, took, said = time.monotonic(), 0.0, set[str]()
    kept = False  # whether the newest checkpoint is up to date
    for text in getattr(learner, "notes", ()):  # only some learners have any
        watcher.note(text)
    try:
        while True:
            interruption.check()
            kept = False
            if learner.steps >= progress.next_selection:
                taken = _select(config, learner, judge, directory, progress, watcher)
                # Selection takes a fixed share of the training steps: the next waits until that share has accrued.
                progress.next_selection = learner.steps + round(taken / config.evaluation.selection_share)
            reason = spent(config, learner, progress)
            if reason:
                directory.record_end(reason)
                watcher.on_end(reason)
                break
            row = progress.clock.time_training(learner.step)
            for message in getattr(learner, "errors", ()):  # only some learners have any
                if message not in said and len(said) < _SAID:
                    said.add(message)
                    watcher.note(f"failed: {printable(message)}")
            _log(row, learner, directory, progress)
            watcher.on_generation(row)
            began = time.monotonic()
            if began - saved > max(CHECKPOINT_SECONDS, took / CHECKPOINT_SHARE):
                save(learner, directory, progress)
                saved, kept = time.monotonic(), True
                took = saved - began
        if progress.selected_at != learner.steps:
            _select(config, learner, judge, directory, progress, watcher)  # the last candidate may be the best
        if progress.last is not None:
            progress.last.save(directory.last_path)
        save(learner, directory, progress)
        if not judge.deterministic:
            watcher.phase("scoring the champion on the report episodes")
        _report(config, judge, directory, progress)
        save(learner, directory, progress)
    except EvoError:
        raise  # the disk refuses: the last whole checkpoint remains
    except BaseException:
        if not kept:
            save(learner, directory, progress)
        raise
    return reason


def save(learner: Learner, directory: RunDirectory, progress: Progress) -> None:
    """Write a checkpoint: the whole state of the loop and the learner."""
    with saving():
        _save(learner, directory, progress)


def _save(learner: Learner, directory: RunDirectory, progress: Progress) -> None:
    progress.provenance.record()
    stride = fossil_stride(learner.generation)
    for generation, arrays in progress.fossils.items():
        # a fast learner leaves thousands in a second; the newest determines which earlier ones are still wanted
        if generation % stride == 0 or generation == learner.generation:
            directory.save_fossil(generation, arrays)
    progress.fossils.clear()
    if progress.champion is not None and progress.champion is not progress.saved:
        _save_champion(directory, progress)
    state = {f"learner/{name}": array for name, array in learner.state().items()}
    directory.save_checkpoint(learner.steps, state | progress.state())


def _save_champion(directory: RunDirectory, progress: Progress) -> None:
    assert progress.champion is not None
    progress.champion.save(directory.champion_path)
    progress.saved = progress.champion


def restore(learner: Learner, state: Mapping[str, np.ndarray]) -> Progress:
    """Restore a learner from a checkpoint; return the loop's own part.

    Raises EvoError, or what a state that does not fit raises: KeyError, TypeError, ValueError, ArithmeticError.
    """
    own = learner.candidates()[0]
    learner.restore(below("learner/", state))
    progress = Progress.restored(state)
    scored = [one.candidate for one in (progress.champion, progress.last) if one is not None]
    for candidate in (*learner.candidates(), *scored):
        check_candidate(candidate, own, learner.problem)
    for name in ("generation", "steps", "episodes"):
        whole_number(name, getattr(learner, name), 0, _MOST)
    whole_number("rows", progress.rows, 0, _MOST)
    return progress


def _log(row: dict[str, float], learner: Learner, directory: RunDirectory, progress: Progress) -> None:
    row["selection"], row["selection_se"] = progress.selection_score, progress.selection_error
    row["selection_steps"] = progress.selection_steps
    row["wall_s"], row["cpu_s"] = progress.clock.wall, progress.clock.cpu
    row["selection_s"], row["selection_cpu_s"] = progress.clock.selection, progress.clock.selection_cpu
    directory.append_metrics(row)
    progress.rows += 1
    first = learner.candidates()[0]
    census: dict[str, np.ndarray] = getattr(learner, "census", dict)()  # only some learners have one
    progress.fossils[learner.generation] = {"params": first.params, **first.statistics.state(), **census}


def _select(
    config: Config, learner: Learner, judge: Problem, directory: RunDirectory, progress: Progress, watcher: Watcher
) -> int:
    """Score the candidates on the selection seeds; the best becomes the champion if it beats the one before.

    Returns the steps it took.
    """
    seeds = selection_seeds(config.evaluation.selection_episodes)
    candidates = learner.candidates()
    before = progress.clock.selection
    outcomes = progress.clock.time_selection(
        lambda: [evaluate_alone(judge, *candidate, seeds) for candidate in candidates]
    )
    taken = sum(outcome.steps for outcome in outcomes)
    scores = [_or_worst(outcome.returns[0].mean()) for outcome in outcomes]
    best = int(np.argmax(scores))
    current = getattr(learner, "current", 0)  # index of what was learned last, for learners that offer others before it
    facts = progress.provenance.facts()
    progress.last = _champion(config, learner, candidates[current], outcomes[current].returns[0], judge.metric, facts)
    if progress.champion is None or scores[best] > _or_worst(progress.champion.score):
        progress.champion = _champion(config, learner, candidates[best], outcomes[best].returns[0], judge.metric, facts)
        if progress.saved is None:  # the first champion is saved at once; later ones come with the checkpoints
            _save_champion(directory, progress)
    progress.selection_score, progress.selected_at = scores[best], learner.steps
    progress.selection_steps += taken
    progress.selection_error = standard_error(outcomes[best].returns[0])
    # what only gathers experience as yet will be slower once it learns; evolution learns by evaluating
    learns = getattr(learner, "learns", True)
    rate = taken / max(progress.clock.selection - before, 1e-9) if learns else math.nan
    watcher.on_selection(progress.champion, learner.steps, scores[best], rate)
    return taken


def _or_worst(value: float) -> float:
    """Return the value, or -inf for NaN, the mean return where an episode failed."""
    return float("-inf") if np.isnan(value) else float(value)


def _champion(
    config: Config,
    learner: Learner,
    candidate: Candidate,
    returns: np.ndarray,
    metric: str,
    facts: Mapping[str, str],
) -> Champion:
    return Champion(
        spec=config.task,
        network_text=config.network.layers,
        normalise=config.network.normalise,
        method=config.method.name,
        seed=config.seed,
        generation=learner.generation,
        steps=learner.steps,
        candidate=candidate,
        selection_returns=returns,
        report_returns=None,
        facts=facts,
        metric=metric,
        data=config.data.digest or "",
        clip_observation=config.network.clip_observation,
    )


def _report(config: Config, judge: Problem, directory: RunDirectory, progress: Progress) -> None:
    """Score the champion once on the report seeds, which nothing else has ever used."""
    assert progress.champion is not None
    if progress.champion.report_returns is None:
        seeds = report_seeds(config.evaluation.report_episodes)
        outcome = evaluate_alone(judge, *progress.champion.candidate, seeds)
        if np.isnan(outcome.returns).all():  # failures are not reported: the run fails again when it is resumed
            reasons = "; ".join([*outcome.failures, *outcome.errors[:1]])
            raise EngineError(f"the champion fails in every episode that it is scored on: {reasons}")
        progress.champion = progress.champion.with_report(outcome.returns[0], progress.provenance.marks())
