"""Intervals of success rates.

How seeds are pooled: every trial of every training seed counts once, and a rate is successes over trials. The
intervals treat these trials as independent. They therefore say how far chance in the trials can move a rate,
not how much another training run would differ; for that, the report lists the rates of the single seeds. The
same scenes are used for every policy, which would allow paired tests; treating the policies as independent
leaves that advantage unused and makes the intervals of differences rather too wide than too narrow.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

_Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Interval:
    """A closed interval, of shares unless said otherwise."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson(successes: int, trials: int) -> Interval:
    """95 % score interval of a proportion (Wilson 1927; Newcombe 1998, Stat. Med. 17:857, method 3).

    Args:
        successes: between 0 and `trials`.
        trials: at least 1.

    Raises:
        ValueError: if the numbers are not those of a proportion.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} of {trials} is not a proportion.")
    rate, z2 = successes / trials, _Z_95**2
    centre = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z_95 * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    # At the ends the formula gives exactly 0 and 1, save for rounding.
    low = 0.0 if successes == 0 else max(centre - half, 0.0)
    high = 1.0 if successes == trials else min(centre + half, 1.0)
    return Interval(low, high)


def newcombe(successes: int, trials: int, other_successes: int, other_trials: int) -> Interval:
    """95 % hybrid score interval of the difference of two independent proportions, first minus other.

    Newcombe 1998, Stat. Med. 17:873, method 10: without continuity correction.

    Raises:
        ValueError: if the numbers are not those of proportions.
    """
    first, other = wilson(successes, trials), wilson(other_successes, other_trials)
    rate, other_rate = successes / trials, other_successes / other_trials
    difference = rate - other_rate
    low = difference - math.hypot(rate - first.low, other.high - other_rate)
    high = difference + math.hypot(first.high - rate, other_rate - other.low)
    return Interval(low, high)
