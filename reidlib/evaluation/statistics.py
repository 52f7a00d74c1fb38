"""How sure a comparison is: intervals over seeds, equivalence, best of several, verdicts, and Holm's procedure.

A comparison is paired: `a[s]` and `b[s]` are the scores of two rows under seed s, which draws the data and
the weights of both. Scores may be fractions or percent; differences, intervals and margins are in the same
unit. The stated error rates assume that paired differences are close to normal, and they hold for one claim
that was fixed before its scores were seen; `holm` says which of several claims are left if all are to hold together.
What an experiment could have seen is in `reidlib.evaluation.power`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

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
    return _t_interval(paired_differences(a, b), confidence)


def paired_p_value(a, b) -> float:
    """The p value of the two-sided paired t test of no difference, to which `paired_interval` belongs.

    a, b: (S,) scores of the same S ≥ 1 seeds. It is below 1 − confidence where the interval leaves 0 out; 1 for one
    seed. Raises ValueError as `paired_interval`.

    >>> round(paired_p_value([0.6, 0.7, 0.8], [0.5, 0.6, 0.6]), 3)
    0.057
    """
    differences = paired_differences(a, b)
    return 2 * min(_upper_tail(differences), _upper_tail(-differences))


def holm(p_values) -> np.ndarray:
    """The p values of a family of tests after Holm's step-down procedure, (N,), as their order was.

    p_values: (N,) in [0, 1], N ≥ 0. Calling those significant whose adjusted value is below alpha makes one false call
    or more with at most probability alpha, whatever the tests' dependence and however many hypotheses are true.
    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.

    Raises ValueError if one is not in [0, 1].

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = to_numpy(p_values).astype(np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p_values must be (tests,) in [0, 1]; got {values}")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


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
    p_value: float  # of the verdict that is closer: below alpha where it is "replicates" or "contradicted"


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
    differences = paired_differences(a, b)
    interval = _t_interval(differences, 1 - 2 * alpha)
    inside = -margin < interval.low and interval.high < margin
    outside = interval.low > margin or interval.high < -margin
    both_ways = (differences, -differences)
    p_inside = max(_upper_tail(way, -margin) for way in both_ways)
    p_outside = min(_upper_tail(way, margin) for way in both_ways)
    return Equivalence(interval, margin, _verdict(inside, outside, interval.count), min(p_inside, p_outside))


@dataclass(frozen=True)
class BestOfRows:
    """A claim that one row is the best, beside the row that came closest to it."""

    runner_up: int  # the other row with the highest mean
    interval: Interval  # best − runner-up
    verdict: str
    p_value: float  # below 1 − confidence where the verdict of six seeds is "replicates" or "contradicted"


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
    p_above = max(2 * _upper_tail(difference) for difference in differences)
    p_below = min(2 * _upper_tail(-difference) for difference in differences) * len(others)
    return BestOfRows(runner_up, interval, _verdict(above_all, below_one, scores.shape[1]), min(p_above, p_below, 1.0))


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


def paired_differences(a, b) -> np.ndarray:
    """a − b, (S,) float64, of scores (S,) of the same S ≥ 1 seeds. ValueError if they differ in length, are empty or
    not finite."""
    a, b = _one_a_seed("a", a), _one_a_seed("b", b)
    if len(a) != len(b):
        raise ValueError(f"a and b must be scores of the same seeds, in order; they have {len(a)} and {len(b)}")
    return a - b


def _one_a_seed(name: str, values) -> np.ndarray:
    array = to_numpy(values).astype(np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, (seeds,), at least one; the shape is {array.shape}")
    return array


def _t_interval(differences: np.ndarray, confidence: float) -> Interval:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    seeds, mean = len(differences), float(differences.mean())
    half = float("inf")
    if seeds > 1:
        half = stats.t.ppf((1 + confidence) / 2, seeds - 1) * differences.std(ddof=1) / np.sqrt(seeds)
    return Interval(mean, float(mean - half), float(mean + half), confidence, seeds)


def _upper_tail(differences: np.ndarray, bound: float = 0.0) -> float:
    """The p value of the one-sided t test of a mean above `bound`; a half where one seed says nothing."""
    seeds, excess = len(differences), float(differences.mean()) - bound
    error = differences.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else np.inf
    statistic = excess / error if error > 0 else np.copysign(np.inf, excess) if excess else 0.0
    return float(stats.t.sf(statistic, max(seeds - 1, 1)))


def _verdict(holds: bool, fails: bool, seeds: int) -> str:
    if not holds and not fails:
        return "inconclusive"
    if seeds < MIN_SEEDS:
        return "leaning"
    return "replicates" if holds else "contradicted"
