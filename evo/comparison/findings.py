"""What the numbers say, in plain sentences, and what they do not."""

from collections.abc import Mapping, Sequence
from itertools import count
from math import comb

import numpy as np

from evo.comparison.member import Member, methods_of
from evo.comparison.statistics import difference_interval
from evo.comparison.table import MethodRow
from evo.numbers import number

# In what share of studies luck alone may tell any two methods apart where all are equal.
_LUCK = 0.05


def findings_of(members: Sequence[Member], rows: Sequence[MethodRow], thresholds: Mapping[str, float]) -> list[str]:
    """Sentences on the rows, the best first: who ends highest, and whether the seeds tell; who is quick to what."""
    groups = methods_of(members)
    returns = {method: [member.report_mean for member in group] for method, group in groups.items()}
    ranked = [row for row in rows if not np.isnan(row.iqm)]
    if not ranked:
        return ["Every method has a champion that failed a report episode: there is nothing to rank."]
    best, *others = ranked
    found = [
        f"{best.method} ends highest: {number(best.iqm)}{_interval(best.low, best.high)} over {_seeds(best.seeds)}."
    ]
    unranked = [row.method for row in rows if row not in ranked]
    found += [f"{method} is not ranked: a champion of it failed a report episode." for method in unranked]
    # Bonferroni: a share of the luck for each pair that the best might have been found in
    pairs = max(comb(len(ranked), 2), 1)
    confidence, needed = 1.0 - _LUCK / pairs, _seeds_needed(pairs)
    for other in others:
        low, high = difference_interval(returns[best.method], returns[other.method], confidence=confidence)
        against = f"Against {other.method}, at {number(other.iqm)}{_interval(other.low, other.high)}"
        if low != low:
            verdict = "no interval of the difference: that takes at least two seeds of each"
        else:
            apart = low > 0 and min(best.seeds, other.seeds) >= needed
            verdict = (
                f"the difference is {number(low)} to {number(high)} ({_confidence(confidence, pairs)}); these seeds "
            )
            verdict += "tell the two apart" if apart else "do not tell the two apart"
        found.append(f"{against}: {verdict}.")
    if others:
        found += _quickest(ranked, thresholds, members[0].config.step_unit)
    if others and any(row.seeds < needed for row in ranked):
        found.append(
            f"It takes {needed} seeds of each to tell {len(ranked)} methods apart: with fewer, luck alone too often "
            "puts all seeds of one above all of another."
        )
    return found


def _seeds_needed(pairs: int) -> int:
    """The fewest seeds of each that can tell two methods apart, where there are so many pairs of methods.

    Of two methods that are equal, all n seeds of one lie above all n of the other, whichever it is, with a chance of
    2 / (2n over n): in one study of 10 with 3 seeds, of 35 with 4, of 126 with 5. The bootstrap of seeds that do not
    mix has no difference of 0 at any confidence, so that this chance itself must be within a pair's share of the luck.
    """
    return next(seeds for seeds in count(1) if 2 / comb(2 * seeds, seeds) <= _LUCK / pairs)


def _confidence(confidence: float, pairs: int) -> str:
    one = f"{100 * confidence:.4g} % interval"
    return one if pairs == 1 else f"{one}: {100 * (1 - _LUCK):g} % for all {pairs} pairs of methods at once"


def _quickest(rows: Sequence[MethodRow], thresholds: Mapping[str, float], unit: str) -> list[str]:
    """On the highest threshold that a median seed of any method reached."""
    for name, threshold in sorted(thresholds.items(), key=lambda item: -item[1]):
        there = [row for row in rows if np.isfinite(row.reached[name].steps)]
        if there:
            steps = min(there, key=lambda row: row.reached[name].steps)
            minutes = min(there, key=lambda row: row.reached[name].core_minutes)
            fewest = f"{steps.method} needs the fewest {unit}s ({steps.reached[name].steps:,.0f})"
            fewest += f" and {minutes.method} the fewest" if minutes is not steps else " and the fewest"
            fewest += f" core-minutes ({minutes.reached[name].core_minutes:,.2g})"
            return [f"To {number(threshold)} ({name}), the highest that a method's median seed reached, {fewest}."]
    return []


def _interval(low: float, high: float) -> str:
    return f" [{number(low)}, {number(high)}]" if low == low else ""


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"
