"""Statistics: textbook values, and error rates by simulation under no effect.

Each simulated rate must lie in the interval that a binomial count of the stated rate leaves once in 10,000
times.
"""

import numpy as np
import pytest
from scipy import stats

from reidlib.evaluation.statistics import (
    Interval,
    best_against_runner_up,
    equivalence,
    identity_bootstrap,
    mean_interval,
    paired_interval,
    smallest_detectable_difference,
    verdict,
)

TRIALS = 3000


def plausible(rate, trials=TRIALS):
    low, high = stats.binom.interval(0.9999, trials, rate)
    return low / trials, high / trials


def share(verdicts, wanted):
    return verdicts.count(wanted) / len(verdicts)


def test_the_interval_is_that_of_the_one_sample_t_test():
    a, b = np.array([5.1, 4.9, 5.6, 5.8, 5.0, 5.2]), np.array([4.7, 5.0, 5.1, 5.2, 4.6, 5.1])
    ours = paired_interval(a, b, confidence=0.9)
    theirs = stats.ttest_rel(a, b).confidence_interval(0.9)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.estimate == pytest.approx((a - b).mean())
    assert ours.count == 6


def test_the_interval_by_hand():
    # Differences 1, 2, 3: mean 2, deviation 1, and t at 97.5 % with 2 degrees of freedom is 4.303.
    ours = paired_interval([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
    assert ours.high - 2 == pytest.approx(4.30265 / np.sqrt(3), rel=1e-5)


def test_one_seed_says_nothing():
    ours = paired_interval([70.0], [60.0])
    assert (ours.low, ours.high) == (-np.inf, np.inf)
    assert verdict(ours) == "inconclusive"
    assert smallest_detectable_difference([70.0], [60.0]) == np.inf


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0.1, 2.0, 6, "replicates"),
        (-2.0, -0.1, 6, "contradicted"),
        (-0.1, 2.0, 6, "inconclusive"),
        (0.0, 2.0, 6, "inconclusive"),
        (0.1, 2.0, 5, "leaning"),
        (-2.0, -0.1, 3, "leaning"),
        (-0.1, 2.0, 3, "inconclusive"),
    ],
)
def test_the_verdict_rule(low, high, count, expected):
    assert verdict(Interval((low + high) / 2, low, high, 0.95, count)) == expected


@pytest.mark.parametrize("seeds", [6, 10])
def test_false_verdicts_without_a_difference_are_as_rare_as_stated(seeds):
    rng = np.random.default_rng(seeds)
    data = 5 * rng.standard_normal((TRIALS, seeds))  # how hard a seed's data are, which both rows share
    a, b = data + rng.standard_normal((TRIALS, seeds)), data + rng.standard_normal((TRIALS, seeds))
    verdicts = [verdict(paired_interval(x, y)) for x, y in zip(a, b)]
    low, high = plausible(0.025)
    assert low < share(verdicts, "replicates") < high
    assert low < share(verdicts, "contradicted") < high


def test_three_seeds_never_give_more_than_leaning():
    rng = np.random.default_rng(0)
    verdicts = {verdict(paired_interval(x + 3, np.zeros(3))) for x in rng.standard_normal((300, 3))}
    assert verdicts == {"leaning", "inconclusive"}


@pytest.mark.parametrize("deviation", [0.3, 3.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_equivalence_errs_at_the_margin_no_more_than_stated(deviation, side):
    rng = np.random.default_rng(1)
    samples = side * 1.0 + deviation * rng.standard_normal((TRIALS, 6))
    verdicts = [equivalence(x, np.zeros(6), margin=1.0).verdict for x in samples]
    low, high = plausible(0.05)
    assert share(verdicts, "replicates") < high
    assert share(verdicts, "contradicted") < high
    if deviation == 0.3:  # the margin is wide against the noise: the rates are reached
        assert share(verdicts, "replicates") > low
        assert share(verdicts, "contradicted") > low


def test_equivalence_finds_what_is_there():
    rng = np.random.default_rng(2)
    noise = 0.2 * rng.standard_normal(8)
    assert equivalence(noise, np.zeros(8), margin=1.0).verdict == "replicates"
    assert equivalence(noise + 5, np.zeros(8), margin=1.0).verdict == "contradicted"
    assert equivalence(noise - 5, np.zeros(8), margin=1.0).verdict == "contradicted"
    assert equivalence(noise + 1, np.zeros(8), margin=1.0).verdict == "inconclusive"
    assert equivalence(noise[:4], np.zeros(4), margin=1.0).verdict == "leaning"
    result = equivalence(noise, np.zeros(8), margin=1.0)
    assert result.interval == paired_interval(noise, np.zeros(8), confidence=0.9)


def best_verdicts(means, best, seed, trials=TRIALS):
    rng = np.random.default_rng(seed)
    samples = np.array(means)[:, None] + rng.standard_normal((trials, len(means), 6))
    samples += 4 * rng.standard_normal((trials, 1, 6))  # shared by the rows of a seed
    choose = (lambda x: int(x.mean(axis=1).argmax())) if best == "chosen" else (lambda x: best)
    return [best_against_runner_up(x, choose(x)).verdict for x in samples]


def test_a_tied_best_is_confirmed_no_more_often_than_stated():
    verdicts = best_verdicts([0.0, 0.0, -30.0, -30.0], best=0, seed=3)  # the worst case: one equal rival alone
    low, high = plausible(0.025)
    assert low < share(verdicts, "replicates") < high


def test_among_equal_rows_no_verdict_is_false_more_often_than_stated():
    verdicts = best_verdicts([0.0] * 5, best=2, seed=4)
    high = plausible(0.025)[1]
    assert share(verdicts, "replicates") < high
    assert share(verdicts, "contradicted") < high


def test_naming_the_best_row_after_seeing_the_scores_voids_the_rate():
    verdicts = best_verdicts([0.0, 0.0], best="chosen", seed=5)
    assert share(verdicts, "replicates") > plausible(0.025)[1]


def test_a_clear_best_is_confirmed_and_a_clear_impostor_contradicted():
    assert share(best_verdicts([8.0, 0.0, 1.0], best=0, seed=6, trials=200), "replicates") > 0.95
    assert share(best_verdicts([8.0, 0.0, 1.0], best=2, seed=6, trials=200), "contradicted") > 0.95
    rng = np.random.default_rng(7)
    result = best_against_runner_up(np.array([[8.0], [0.0], [1.0]]) + 0.1 * rng.standard_normal((3, 6)), best=0)
    assert result.runner_up == 2
    assert result.interval.estimate == pytest.approx(7, abs=0.3)
    few = best_against_runner_up(np.array([[8.0], [0.0], [1.0]]) + 0.1 * rng.standard_normal((3, 3)), best=0)
    assert few.verdict == "leaning"


def test_a_difference_of_the_detectable_size_is_found_with_the_stated_power():
    rng = np.random.default_rng(8)
    exact = stats.zscore(rng.standard_normal(6), ddof=1) * 2.0  # a sample whose deviation is 2
    size = smallest_detectable_difference(exact, np.zeros(6), power=0.8)
    samples = size + 2.0 * rng.standard_normal((TRIALS, 6))
    found = np.mean([verdict(paired_interval(x, np.zeros(6))) != "inconclusive" for x in samples])
    low, high = plausible(0.8)
    assert low < found < high


@pytest.mark.parametrize(("seeds", "power"), [(3, 0.5), (6, 0.8), (20, 0.95)])
def test_the_detectable_difference_has_the_power_of_the_noncentral_t(seeds, power):
    sample = stats.zscore(np.random.default_rng(seeds).standard_normal(seeds), ddof=1)
    effect = smallest_detectable_difference(sample, np.zeros(seeds), power=power) * np.sqrt(seeds)
    critical = stats.t.ppf(0.975, seeds - 1)
    assert stats.nct.sf(critical, seeds - 1, effect) == pytest.approx(power, abs=2e-3)


def test_the_detectable_difference_shrinks_with_seeds_and_grows_with_power():
    rng = np.random.default_rng(9)
    sizes = [
        smallest_detectable_difference(stats.zscore(rng.standard_normal(n), ddof=1), np.zeros(n)) for n in (2, 6, 30)
    ]
    assert sizes[0] > sizes[1] > sizes[2]
    sample = rng.standard_normal(6)
    easy, hard = (smallest_detectable_difference(sample, np.zeros(6), power=p) for p in (0.5, 0.99))
    assert easy < hard


def queries_of(rng, identities, each):
    """Average precisions that vary between people more than within them; the true mean is 0.5."""
    person = rng.uniform(0.2, 0.8, identities)
    return np.repeat(person, each) + rng.uniform(-0.1, 0.1, identities * each), np.repeat(np.arange(identities), each)


def test_the_bootstrap_interval_covers_the_truth_as_often_as_stated():
    rng = np.random.default_rng(10)
    trials, covered, naive = 400, 0, 0
    for _ in range(trials):
        values, ids = queries_of(rng, 80, 4)
        interval = identity_bootstrap(values, ids, resamples=300)
        covered += interval.low < 0.5 < interval.high
        interval = identity_bootstrap(values, np.arange(len(ids)), resamples=300)
        naive += interval.low < 0.5 < interval.high
    assert 0.90 < covered / trials < 0.985
    assert naive / trials < 0.80  # resampling queries would be far too sure


def test_the_bootstrap_leaves_out_invalid_queries_and_repeats_itself():
    values, ids = queries_of(np.random.default_rng(11), 20, 3)
    values[:3] = np.nan
    interval = identity_bootstrap(values, ids)
    assert interval.count == 19
    assert interval.estimate == pytest.approx(np.nanmean(values))
    assert interval.low < interval.estimate < interval.high
    assert interval == identity_bootstrap(values[3:], ids[3:])
    assert interval != identity_bootstrap(values, ids, seed=1)
    constant = identity_bootstrap(np.full(9, 0.3), np.repeat([1, 2, 3], 3))
    assert (constant.low, constant.high) == pytest.approx((0.3, 0.3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired_interval([1.0, 2.0], [1.0]), "same seeds"),
        (lambda: paired_interval([], []), "a must be finite"),
        (lambda: paired_interval([1.0], [np.nan]), "b must be finite"),
        (lambda: mean_interval([np.nan]), "scores must be finite"),
        (lambda: mean_interval([]), "scores must be finite"),
        (lambda: paired_interval([1.0], [1.0], confidence=95), "confidence"),
        (lambda: equivalence([1.0], [1.0], margin=0), "margin"),
        (lambda: best_against_runner_up(np.zeros((1, 6)), 0), "at least two rows"),
        (lambda: best_against_runner_up(np.zeros((2, 6)), 2), "none of the 2 rows"),
        (lambda: smallest_detectable_difference([1.0, 2.0], [1.0, 1.0], power=0.01), "power"),
        (lambda: identity_bootstrap([np.nan], [1]), "valid query"),
        (lambda: identity_bootstrap([0.5, 0.5], [1]), "query_ids must be 2 integers"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
