"""What an experiment of so many seeds could have seen: shown beside an "inconclusive" verdict.

As in `reidlib.evaluation.statistics`, a comparison is paired: a, b (S,) are the scores of two rows under the same S
seeds. Their paired standard deviation is taken as the true one, and differences as normal.
"""

from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

from reidlib.evaluation.statistics import paired_differences


def smallest_detectable_difference(a, b, confidence: float = 0.95, power: float = 0.8) -> float:
    """The true difference that `paired_interval` would find different from 0 with probability `power`.

    Effects below it could well have been missed. In the unit of the scores; infinite with one seed.
    Raises ValueError if power is not in (1 − confidence, 1), and as `paired_interval`.
    """
    differences = paired_differences(a, b)
    if not 1 - confidence < power < 1:
        raise ValueError(f"power must lie between 1 - confidence and 1; got {power}")
    if len(differences) < 2:
        return float("inf")
    reach = _half_widths(len(differences), (1 + confidence) / 2)

    def seen(effect: float) -> float:  # effect in standard errors
        return np.mean(stats.norm.cdf(effect - reach) + stats.norm.cdf(-effect - reach))

    return _smallest(seen, power) * _standard_error(differences)


def smallest_detectable_margin(a, b, alpha: float = 0.05, power: float = 0.8) -> float:
    """The margin within which `equivalence` would find two rows that are truly the same with probability `power`.

    In the unit of the scores; infinite with one seed. A claim of sameness within a smaller margin could well have been
    missed. Raises ValueError if alpha is not in (0, 0.5) or power not in (0, 1), and as `paired_interval`.
    """
    differences = paired_differences(a, b)
    if not 0 < alpha < 0.5 or not 0 < power < 1:
        raise ValueError(f"alpha must lie between 0 and 0.5 and power between 0 and 1; got {alpha} and {power}")
    if len(differences) < 2:
        return float("inf")
    reach = _half_widths(len(differences), 1 - alpha)

    def shown(margin: float) -> float:  # margin in standard errors
        return np.mean(np.maximum(2 * stats.norm.cdf(margin - reach) - 1, 0))

    return _smallest(shown, power) * _standard_error(differences)


def _half_widths(seeds: int, level: float) -> np.ndarray:
    """The half widths that an interval may have, in true standard errors, as 4096 equally likely values."""
    levels = (np.arange(4096) + 0.5) / 4096  # of the deviation that a sample shows
    return stats.t.ppf(level, seeds - 1) * np.sqrt(stats.chi2.ppf(levels, seeds - 1) / (seeds - 1))


def _smallest(probability: Callable[[float], float], power: float) -> float:
    """Where a probability that grows from below `power` towards 1 reaches it."""
    enough = 1.0
    while probability(enough) < power:
        enough *= 2
    return optimize.brentq(lambda value: probability(value) - power, 0, enough)


def _standard_error(differences: np.ndarray) -> float:
    return float(differences.std(ddof=1) / np.sqrt(len(differences)))
