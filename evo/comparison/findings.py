"""Findings of a comparison as plain sentences, and whether the seeds support them."""

from collections.abc import Mapping, Sequence
from itertools import combinations, count

import numpy as np

from evo.comparison.member import Member, methods_of
from evo.comparison.notes import scoring_of
from evo.comparison.statistics import holm, least_p, rank_test
from evo.comparison.table import MethodRow
from evo.config.config import Config
from evo.numerics.formatting import number

# Level of the tests: the share of studies of equal methods in which chance may distinguish any two of them.
_LUCK = 0.05


def findings_of(members: Sequence[Member], rows: Sequence[MethodRow], thresholds: Mapping[str, float]) -> list[str]:
    """Return sentences on the rows: which method is best and by which tests, and which reaches a threshold first."""
    groups = methods_of(members)
    returns = {method: [member.report_mean for member in group] for method, group in groups.items()}
    ranked = [row for row in rows if not np.isnan(row.iqm)]
    if not ranked:
        return ["Every method has a champion that failed a report episode: there is nothing to rank."]
    best, *others = ranked
    found = [f"{best.method} ends highest: {_standing(best)}."]
    unranked = [row.method for row in rows if row not in ranked]
    found += [f"{method} is not ranked: a champion of it failed a report episode." for method in unranked]
    pairs = list(combinations([row.method for row in ranked], 2))  # the better one first
    alone = {(one, other): rank_test(returns[one], returns[other]) for one, other in pairs}
    adjusted = holm(alone)
    apart = [pair for pair in pairs if adjusted[pair] <= _LUCK]
    for other in others:
        pair = best.method, other.method
        p_value = f"p = {number(alone[pair])} against {best.method}"
        if len(pairs) > 1:
            p_value += f", corrected for all {len(pairs)} pairs {number(adjusted[pair])}"
        verdict = "a significant" if pair in apart else "no significant"
        at = _standing(other)
        if number(other.iqm) == number(best.iqm) and other.iqm < best.iqm:  # else one would not see why it is second
            at += f", {best.iqm - other.iqm:.2g} lower"
        found.append(f"{other.method} ends at {at}: {p_value}, {verdict} difference.")
    further = [f"{one} ends above {other}" for one, other in apart if one != best.method]
    if len(pairs) > len(others):
        found.append(f"Significant among the other pairs: {', '.join(further) or 'none'}.")
    if others:
        correction = ", with Holm's correction" if len(pairs) > 1 else ""
        found.append(
            f"The test is the two-sided exact rank test of the seeds at the {100 * _LUCK:.0f} % level{correction}."
        )
        found += _too_few(ranked, len(pairs))
        found += _quickest(ranked, thresholds, members[0].config)
    return found


def _too_few(rows: Sequence[MethodRow], pairs: int) -> list[str]:
    """Return a line where there are too few seeds for any result to be significant; else nothing."""
    needed = next(seeds for seeds in count(1) if least_p(seeds, seeds) <= _LUCK / pairs)
    least = min(least_p(one.seeds, other.seeds) for one, other in combinations(rows, 2))
    if least <= _LUCK / pairs:
        return []
    seeds = " or ".join(str(number) for number in sorted({row.seeds for row in rows}))
    return [
        f"With this number of seeds ({seeds}) no difference can be significant: the smallest p of the test is {least}, "
        f"and {len(rows)} methods need {float(_LUCK / pairs):.2g}, which {needed} seeds of each can reach."
    ]


def _quickest(rows: Sequence[MethodRow], thresholds: Mapping[str, float], config: Config) -> list[str]:
    """Return a line on the highest threshold that a median seed reached and its method ends at, if there is one.

    Scores while training are on other and fewer episodes than the ranking: the best of many is high by luck too. Where
    a method reached a higher threshold so but ends below it, a line for that method says both.
    """
    unit, (searched, reported) = config.task.kind.step_unit, scoring_of(config)
    lucky: dict[str, str] = {}
    for name, threshold in sorted(thresholds.items(), key=lambda item: -item[1]):
        reaching = [row for row in rows if np.isfinite(row.reached[name].steps)]
        there = [row for row in reaching if row.iqm >= threshold]
        if there:
            steps = min(there, key=lambda row: row.reached[name].steps)
            minutes = min(there, key=lambda row: row.reached[name].core_minutes)
            fewest = f"{steps.method} needs the fewest {unit}s ({steps.reached[name].steps:,.0f})"
            fewest += f" and {minutes.method} the fewest" if minutes is not steps else " and the fewest"
            fewest += f" core-minutes ({minutes.reached[name].core_minutes:,.2g})"
            most = "the highest threshold that a method's median seed reached and its champions hold"
            return [f"To reach {number(threshold)} ({name}), {most}, {fewest}.", *lucky.values()]
        for row in reaching:
            line = f"{row.method}'s median seed reached {number(threshold)} ({name}) on {searched}"
            lucky.setdefault(row.method, f"{line}, but {row.method} ends at {number(row.iqm)} on {reported}.")
    return [*lucky.values()]


def _standing(row: MethodRow) -> str:
    """Return `356 (354 to 357, 5 seeds)`: interquartile mean, and lowest and highest seed."""
    if row.seeds == 1:
        return f"{number(row.iqm)} (1 seed)"
    return f"{number(row.iqm)} ({number(row.least)} to {number(row.most)}, {row.seeds} seeds)"
