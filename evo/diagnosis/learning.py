"""Findings from a run's metrics."""

import numpy as np

from evo.algorithms import convergence
from evo.diagnosis.behaviour import nothing_left_to_earn
from evo.diagnosis.evidence import Evidence, course_of
from evo.diagnosis.machine import Finding
from evo.learners import persistent_es, ppo
from evo.learners.local_search import STUCK
from evo.numerics.formatting import number

_MOVES = ("learning_rate", "step")  # options that scale a method's steps
_REACHES = ("sigma", "initial_spread", "spread")  # options that scale its exploration
_WIDTHS = ("sigma", "step", "diversity", "spread")  # columns of a search's width

# Limits from the runs in runs/reference, studies included, and from runs of 2 million steps on evo/Quadruped-v0.
_COLLAPSED = 1e-3  # of a search's first width; those runs narrow it to a twentieth
_TOO_ALIKE = 1e-4  # of the return and its noise; individuals there differ by two hundredths and more
_FALLEN = 0.5  # of the earlier gain, or times the noise where there was none; none of those lost 0.03 while sinking
# The least true share of the apparent gain of a generation's best; there 0.38 and more, except for one GA's 0.12.
_LUCKY = 1 / 3
_FAILED = 0.01  # of the episodes
_ALIVE = 0.1  # of the gain: individuals that differ by less have converged

_AGAIN = "if that is not good enough, begin again with another seed, or with restarts (--method ipop)"
_SMALLER_STEPS = "take smaller steps (a lower method.learning_rate)"

# Reasons for which a search stops, and what to try.
STOPPED = {
    convergence.COLLAPSED: f"{_AGAIN}, or begin with larger steps",
    convergence.NO_EFFECT: f"{_AGAIN}, or begin with larger steps",
    convergence.ALIKE: "mutate more, and keep fewer elites",
    convergence.AT_REST: f"{_AGAIN}, or use a larger population",
    convergence.STAGNATION: f"{_AGAIN}, or score each individual on more episodes (--set evaluation.episodes=4)",
    convergence.FLAT: "give a reward that tells better from worse, or begin with larger steps",
    convergence.DIVERGED: (
        "begin with larger steps (a hundred times method.sigma); if they grow again the fitness has no top: "
        "normalise observations (--set network.normalise=true), or give bounds (method.low, method.high)"
    ),
    convergence.TOO_SMALL: "begin with larger steps (method.sigma), or nearer to zero",
    persistent_es.DIVERGED: _SMALLER_STEPS,
    ppo.DIVERGED: _SMALLER_STEPS,
    convergence.CONDITION: "normalise observations (--set network.normalise=true), or use --method sep-cma-es",
}


def stopped_search(evidence: Evidence) -> Finding | None:
    """Find a search that stopped because it has nothing more to find."""
    advice = STOPPED.get(evidence.ended or "")
    if advice is None or nothing_left_to_earn(evidence):
        return None
    if not evidence.trajectories:  # a function: a search at rest may be at the best point
        advice = "if that is not the best, begin elsewhere (--seed 1), or with restarts (--method bipop)"
    return Finding("stopped by itself", False, evidence.ended or "", advice)


def stuck(evidence: Evidence) -> Finding | None:
    """Find a local search that ended in a local optimum."""
    if not (evidence.ended or "").startswith(STUCK):
        return None
    advice = "begin from more places (--set method.restarts=20), or search with a population (--method bipop)"
    return Finding("stuck", False, f"{evidence.ended}: the nearest hollow, which need not be the deepest", advice)


def failed_episodes(evidence: Evidence) -> Finding | None:
    """Find episodes that failed."""
    failures, episodes = float(np.sum(evidence.metrics["failures"])), float(evidence.metrics["episodes"][-1])
    reasons = sorted({trajectory.failure for trajectory in evidence.trajectories if trajectory.failure})
    if failures <= _FAILED * episodes and not reasons:
        return None
    told = f"; the champion's own: {', '.join(reasons)}" if reasons else ""
    advice = "take shorter time steps (task.timestep, task.frame_skip), weaker motors, or smaller steps in the search"
    return Finding(
        "failed episodes",
        False,
        f"{failures:,.0f} of {episodes:,.0f} episodes in training failed{told}",
        advice if evidence.trajectories else "see where the function refuses, and begin away from there",
    )


def flat_fitness(evidence: Evidence) -> Finding | None:
    """Find a population whose individuals all have the same fitness."""
    last = np.array_split(evidence.metrics["std"], 3)[2]
    equal = int(np.sum(last == 0))
    if not evidence.population or 2 * equal <= len(last) or nothing_left_to_earn(evidence) or falling(evidence):
        return None
    return Finding(
        "flat fitness",
        False,
        f"in {equal} of the last {len(last)} generations all individuals earned exactly the same",
        f"{_larger(evidence)}, or give a reward that tells better from worse",
    )


def too_alike(evidence: Evidence) -> Finding | None:
    """Find individuals whose returns hardly differ."""
    course = course_of(evidence)
    if course is None or course.gaining or not evidence.population:
        return None
    if not 0 < course.spread < _TOO_ALIKE * (abs(course.start) + course.noise):
        return None
    return Finding(
        "steps too small",
        False,
        f"the individuals of a generation earn the same to within {course.spread:.1g}, and nothing gets better",
        _larger(evidence),
    )


def collapsed_search(evidence: Evidence) -> Finding | None:
    """Find a search whose width fell to a thousandth or less, and not because it was told to."""
    if evidence.settings.get("method.anneal_generations"):
        return None
    for column in _WIDTHS:
        width = evidence.metrics.get(column)
        if width is not None and width[-1] < _COLLAPSED * width[0]:
            return Finding(
                "collapsed search",
                False,
                f"its {column} fell from {width[0]:.3g} to {width[-1]:.3g}: it looks at one point only",
                f"use a larger population, more mutation, or larger steps to begin with; {_AGAIN}",
            )
    return None


def falling(evidence: Evidence) -> Finding | None:
    """Find a run that loses most of its held-out gain, or falls from where it began."""
    course = course_of(evidence)
    if course is None:
        return None
    lost = course.peak - course.end
    if course.learned and not (course.sinking and lost > _FALLEN * (course.peak - course.first)):
        return None
    if not course.learned and lost <= _FALLEN * course.noise:
        return None
    smaller = evidence.scale_options(0.2, *_MOVES) or evidence.scale_options(0.2, *_REACHES)
    return Finding(
        "falling fitness",
        False,
        f"on held-out episodes it earned {number(course.peak)}, and at last {number(course.end)}",
        f"take smaller steps{f' ({smaller})' if smaller else ''}, or {evidence.more_episodes}",
    )


def lucky(evidence: Evidence) -> Finding | None:
    """Find a generation's best that are much worse on held-out episodes."""
    altered = any(name.startswith("training.") for name in evidence.settings)  # then returns are not comparable
    course = course_of(evidence)
    if course is None or altered or not evidence.population:
        return None
    best = float(np.median(np.array_split(evidence.metrics["best"], 3)[2]))
    promised = best - course.first
    if promised <= course.noise or course.end - course.first >= _LUCKY * promised:
        return None
    return Finding(
        "lucky best",
        False,
        f"the best of a generation earns {number(best)}, but on held-out episodes only {number(course.end)}",
        f"it is chosen for its luck, or does not last: {evidence.more_episodes}, and take smaller steps",
    )


def nothing_learned(evidence: Evidence) -> Finding | None:
    """Find a run without any candidate better than the first, and none clearly worse."""
    course = course_of(evidence)
    if course is None or course.learned or nothing_left_to_earn(evidence) or falling(evidence):
        return None
    return Finding(
        "nothing learned",
        False,
        f"nothing earned more on held-out episodes than what it began with, {number(course.first)}",
        "go on for longer, take other steps (larger, or smaller), or try another method (evo list)",
    )


def no_improvement(evidence: Evidence) -> Finding | None:
    """Find a run whose last third brought nothing, though its individuals still differ."""
    course = course_of(evidence)
    if course is None or course.gaining or not course.learned or nothing_left_to_earn(evidence):
        return None
    if course.spread < _ALIVE * (course.peak - course.first) or falling(evidence) or stopped_search(evidence):
        return None
    wider = evidence.scale_options(2.0, "initial_deviation", "sigma")
    search = "use a larger population" if evidence.population else f"explore more ({wider})"
    return Finding(
        "no improvement",
        False,
        f"the last third of the run brought nothing better; it has levelled off at {number(evidence.score)}",
        f"{_AGAIN}, {search}, or use a larger network",
    )


def _larger(evidence: Evidence) -> str:
    options = evidence.scale_options(10, *_MOVES, *_REACHES)
    return f"take larger steps ({options})" if options else "take larger steps"


LEARNING = (
    stopped_search,
    failed_episodes,
    flat_fitness,
    too_alike,
    collapsed_search,
    falling,
    lucky,
    nothing_learned,
    no_improvement,
)
