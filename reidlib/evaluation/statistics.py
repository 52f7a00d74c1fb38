"""How sure a comparison is: intervals over seeds, equivalence, best of several, and verdicts.

A comparison is paired: `a[s]` and `b[s]` are the scores of two rows under seed s, which draws the data and
the weights of both. Scores may be fractions or percent; differences, intervals and margins are in the same
unit. The stated error rates assume that paired differences are close to normal, and they hold for one claim
that was fixed before its scores were seen.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from reidlib.evaluation.arrays import labels, to_numpy

MIN_SEEDS = 6  # with fewer, a verdict is "leaning" at most


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval; `count` seeds, or identities for the bootstrap."""

    estimate: float
    low: float
    high: float
    confidence: float
    count: int


def mean_interval(scores, confidence: float = 0.95) -> Interval:
    """The mean of scores (S,) over S ≥ 1 seeds with its Student t interval, unbounded for one seed.

    Raises ValueError if there is none or one is not finite.

    >>> mean_interval([0.5, 0.7]).estimate
    0.6
    """
    return _t_interval(_one_a_seed("scores", scores), confidence)


def paired_interval(a, b, confidence: float = 0.95) -> Interval:
    """The mean of a − b over seeds with its Student t interval.

    a, b: (S,) scores of the same S ≥ 1 seeds; with one seed the interval is unbounded.
    Raises ValueError if they differ in length, are empty or not finite.

    >>> round(paired_interval([0.6, 0.7, 0.8], [0.5, 0.6, 0.6]).estimate, 3)
    0.133
    """
    return _t_interval(_differences(a, b), confidence)


def verdict(interval: Interval) -> str:
    """What an interval of the difference (claimed row − other row) says about the claim.

    "replicates": the whole interval is above 0; "contradicted": it is below 0; "inconclusive": it contains 0.
    With fewer than six seeds an interval without 0 is only "leaning", to the side that the estimate's sign
    tells. Under no difference, 1 − confidence of the verdicts from six seeds or more are false, half on each
    side.

    >>> verdict(Interval(1.2, 0.4, 2.0, 0.95, count=6)), verdict(Interval(1.2, 0.4, 2.0, 0.95, count=3))
    ('replicates', 'leaning')
    """
    return _verdict(interval.low > 0, interval.high < 0, interval.count)


@dataclass(frozen=True)
class Equivalence:
    """A claim of sameness: the interval of the difference beside the margin it was judged by."""

    interval: Interval  # of level 1 − 2 · alpha, which is what two one-sided tests at alpha look at
    margin: float
    verdict: str


def equivalence(a, b, margin: float, alpha: float = 0.05) -> Equivalence:
    """Judges "a and b are the same" by two one-sided t tests (TOST) within a margin fixed beforehand.

    a, b: (S,) scores of the same seeds. "replicates": the interval of a − b lies inside (−margin, margin);
    "contradicted": it lies outside; otherwise "inconclusive"; with fewer than six seeds "leaning" at most.
    A false "replicates" and a false "contradicted" each have at most probability alpha, whatever the true
    difference is.
    Source: Schuirmann, "A comparison of the two one-sided tests procedure and the power approach", 1987.

    Raises ValueError if margin or alpha is out of range, and as `paired_interval`.

    >>> a, b = [70.1, 70.3, 69.9, 70.0, 70.2, 70.1], [70.0, 70.2, 70.0, 70.1, 70.1, 70.0]
    >>> equivalence(a, b, margin=1.0).verdict
    'replicates'
    """
    if not margin > 0 or not 0 < alpha < 0.5:
        raise ValueError(f"margin must be positive and alpha in (0, 0.5); got {margin} and {alpha}")
    interval = _t_interval(_differences(a, b), 1 - 2 * alpha)
    inside = -margin < interval.low and interval.high < margin
    outside = interval.low > margin or interval.high < -margin
    return Equivalence(interval, margin, _verdict(inside, outside, interval.count))


@dataclass(frozen=True)
class BestOfRows:
    """A claim that one row is the best, beside the row that came closest to it."""

    runner_up: int  # the other row with the highest mean
    interval: Interval  # best − runner-up
    verdict: str


def best_against_runner_up(scores, best: int, confidence: float = 0.95) -> BestOfRows:
    """Judges "row `best` is the best of all rows", where `best` was named beforehand (by the paper).

    scores: (R, S), R ≥ 2 rows, S seeds, the same for all rows. `interval` is for showing.
    "replicates": the interval of best − other is above 0 for every other row, and so for the runner-up
    whichever row that is. All must hold, so no correction is due (an intersection-union test).
    "contradicted": some other row is above `best` in an interval widened for R − 1 comparisons (Bonferroni).
    Otherwise "inconclusive"; with fewer than six seeds "leaning" at most, to the side that the sign tells.
    If another row is truly as good, "replicates" has at most probability (1 − confidence) / 2; if `best` is
    truly as good as every other, so has "contradicted". Passing the row that came out best in these very
    scores voids both.

    Raises ValueError if there are fewer than two rows, no such row, or values that are not finite.
    """
    scores = to_numpy(scores).astype(np.float64)
    if scores.ndim != 2 or len(scores) < 2 or scores.shape[1] < 1 or not np.isfinite(scores).all():
        raise ValueError(f"scores must be finite, (rows, seeds) with at least two rows; the shape is {scores.shape}")
    if not 0 <= best < len(scores):
        raise ValueError(f"best={best} is none of the {len(scores)} rows, which count from 0")
    others = [row for row in range(len(scores)) if row != best]
    runner_up = max(others, key=lambda row: scores[row].mean())
    widened = 1 - (1 - confidence) / len(others)
    differences = [scores[best] - scores[row] for row in others]
    above_all = all(_t_interval(difference, confidence).low > 0 for difference in differences)
    below_one = any(_t_interval(difference, widened).high < 0 for difference in differences)
    interval = _t_interval(scores[best] - scores[runner_up], confidence)
    return BestOfRows(runner_up, interval, _verdict(above_all, below_one, scores.shape[1]))


def smallest_detectable_difference(a, b, confidence: float = 0.95, power: float = 0.8) -> float:
    """The true difference that `paired_interval` would find different from 0 with probability `power`.

    a, b: (S,) scores of the same seeds; their paired standard deviation is taken as the true one. Shown
    beside an "inconclusive" verdict: effects below it could well have been missed. Infinite with one seed.
    Raises ValueError if power is not in (1 − confidence, 1), and as `paired_interval`.
    """
    differences = _differences(a, b)
    if not 1 - confidence < power < 1:
        raise ValueError(f"power must lie between 1 - confidence and 1; got {power}")
    seeds = len(differences)
    if seeds < 2:
        return float("inf")
    critical = stats.t.ppf((1 + confidence) / 2, seeds - 1)
    levels = (np.arange(4096) + 0.5) / 4096  # the deviation that a sample may show, as 4096 equally likely values
    reach = critical * np.sqrt(stats.chi2.ppf(levels, seeds - 1) / (seeds - 1))

    def missing_power(effect: float) -> float:  # effect in standard errors
        return np.mean(stats.norm.cdf(effect - reach) + stats.norm.cdf(-effect - reach)) - power

    enough = critical
    while missing_power(enough) < 0:
        enough *= 2
    effect = optimize.brentq(missing_power, 0, enough)
    return float(effect * differences.std(ddof=1) / np.sqrt(seeds))


def identity_bootstrap(
    average_precision, query_ids, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """The mean over queries with a percentile bootstrap interval that resamples identities, not queries.

    Queries of one person succeed and fail together, so the identity is what was sampled. average_precision:
    (Q,) as in RetrievalScores, NaN where the query is not valid (left out), or the difference of two rows'
    for the same queries; query_ids: (Q,) integers. It speaks of other people under the same training run, not
    of other seeds; below some 30 identities it is too narrow.
    Raises ValueError if the shapes differ or no query is valid.

    >>> identity_bootstrap([0.5, 0.7, float("nan")], [1, 2, 3]).count
    2
    """
    values = to_numpy(average_precision).astype(np.float64)
    ids = labels("query_ids", query_ids, values.size)
    valid = ~np.isnan(values)
    if values.ndim != 1 or not valid.any():
        raise ValueError(f"average_precision must be one-dimensional with a valid query; its shape is {values.shape}")
    identity, count = np.unique(ids[valid], return_inverse=True, return_counts=True)[1:]
    total = np.bincount(identity, weights=values[valid])
    drawn = np.random.default_rng(seed).multinomial(len(total), np.full(len(total), 1 / len(total)), size=resamples)
    means = (drawn @ total) / (drawn @ count)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(values[valid].mean()), float(low), float(high), confidence, len(total))


def _one_a_seed(name: str, values) -> np.ndarray:
    array = to_numpy(values).astype(np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, (seeds,), at least one; the shape is {array.shape}")
    return array


def _differences(a, b) -> np.ndarray:
    a, b = _one_a_seed("a", a), _one_a_seed("b", b)
    if len(a) != len(b):
        raise ValueError(f"a and b must be scores of the same seeds, in order; they have {len(a)} and {len(b)}")
    return a - b


def _t_interval(differences: np.ndarray, confidence: float) -> Interval:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    seeds, mean = len(differences), float(differences.mean())
    half = float("inf")
    if seeds > 1:
        half = stats.t.ppf((1 + confidence) / 2, seeds - 1) * differences.std(ddof=1) / np.sqrt(seeds)
    return Interval(mean, float(mean - half), float(mean + half), confidence, seeds)


def _verdict(holds: bool, fails: bool, seeds: int) -> str:
    if not holds and not fails:
        return "inconclusive"
    if seeds < MIN_SEEDS:
        return "leaning"
    return "replicates" if holds else "contradicted"
