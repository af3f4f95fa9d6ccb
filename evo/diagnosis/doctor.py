"""evo doctor: examines this machine or a cluster, or diagnoses a run."""

from pathlib import Path

from evo.cluster.nodes import DIFFERENT
from evo.diagnosis.behaviour import BEHAVIOUR
from evo.diagnosis.evidence import Evidence, evidence_of
from evo.diagnosis.learning import LEARNING, failed_episodes, flat_fitness, stopped_search, stuck
from evo.diagnosis.machine import Finding, examine
from evo.errors import EvoError
from evo.problems.named_functions import best_is_zero
from evo.runs.run import Run

FINDINGS = (*LEARNING, *BEHAVIOUR)
# On a function there are no actions and no chance; how far apart fitness lies is the function's property.
_SOLVED = 1e-8  # distance from a best value that is known
ON_A_FUNCTION = (stopped_search, stuck, failed_episodes, flat_fitness)


def doctor(run: Run | Path | str | None = None, trust: bool = False, workers: str | None = None) -> list[Finding]:
    """Return the findings on this machine; or, given a run or its directory, what it reached and what is wrong with it.

    trust: whether modules that its files name may be imported. workers: as of `evo.run`, a cluster to examine. Raises
    EvoError where there is no run, or one that has not finished a generation, or no cluster.
    """
    if workers is not None:
        if run is not None:
            raise EvoError("doctor examines a run or a cluster (--workers), not both at once")
        from evo.diagnosis.cluster import examine_cluster

        return examine_cluster(workers)
    if run is None:
        return examine()
    finished = run if isinstance(run, Run) else Run(run, trust)
    wrong = diagnose(evidence_of(finished))
    learned = [Finding("learning", True, "nothing wrong found", "")]
    return [_reached(finished), *_mixed(finished), *(wrong or learned)]


def diagnose(evidence: Evidence) -> list[Finding]:
    """Return what is wrong with a run, and what to try; empty where nothing was found."""
    if best_is_zero(evidence.settings["task.name"]) and evidence.score > -_SOLVED:
        return []
    findings = FINDINGS if evidence.trajectories else ON_A_FUNCTION
    return [finding for one in findings if (finding := one(evidence)) is not None]


def _mixed(run: Run) -> list[Finding]:
    """Return how a run's bits may be others than those of threads: accepted by its user, or a fault."""
    return [
        Finding("bits", line != DIFFERENT, f"of {line}", "do not trust this run: one of its machines computes wrongly")
        for line in run.mixed
    ]


def _reached(run: Run) -> Finding:
    champion, metrics = run.champion, run.metrics
    at = f"champion of generation {champion.generation} of {metrics['generation'][-1]:.0f}"
    spent = f"after {metrics['steps'][-1]:,.0f} {run.config.task.kind.step_unit}s"
    ended = f"; ended: {run.ended}" if run.ended else ""
    return Finding("reached", True, f"{champion.reported_fitness}, {at}, {spent}{ended}", "")
