"""evo doctor: is this machine fit to run evo, or what is wrong with a run?"""

from pathlib import Path

from evo.diagnosis.behaviour import BEHAVIOUR
from evo.diagnosis.evidence import Evidence, evidence_of
from evo.diagnosis.learning import LEARNING
from evo.examination import Finding, examine
from evo.finished import Run

FINDINGS = (*LEARNING, *BEHAVIOUR)


def doctor(run: Run | Path | str | None = None) -> list[Finding]:
    """Everything examined of this machine; or, given a run or its directory, what it reached and what is wrong with it.

    Raises EvoError where there is no run, or one that has not finished a generation.
    """
    if run is None:
        return examine()
    finished = run if isinstance(run, Run) else Run(run)
    wrong = diagnose(evidence_of(finished))
    learned = [Finding("learning", True, "nothing wrong found", "")]
    return [_reached(finished), *(wrong or learned)]


def diagnose(evidence: Evidence) -> list[Finding]:
    """What is wrong with a run, and what to try; nothing where nothing was found."""
    return [finding for one in FINDINGS if (finding := one(evidence)) is not None]


def _reached(run: Run) -> Finding:
    champion, metrics = run.champion, run.metrics
    at = f"champion of generation {champion.generation} of {metrics['generation'][-1]:.0f}"
    spent = f"after {metrics['steps'][-1]:,.0f} env steps"
    ended = f"; ended: {run.ended}" if run.ended else ""
    return Finding("reached", True, f"{champion.reported_fitness}, {at}, {spent}{ended}", "")
