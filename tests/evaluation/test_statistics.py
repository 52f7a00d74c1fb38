"""Statistics: textbook values, and error rates by simulation under no effect.

Each simulated rate must lie in the interval that a binomial count of the stated rate leaves once in 10,000
times.
"""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from reidlib.evaluation.statistics import (
    Interval,
    best_against_runner_up,
    equivalence,
    holm,
    identity_bootstrap,
    mean_interval,
    paired_interval,
    paired_p_value,
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
    assert paired_p_value([70.0], [60.0]) == 1


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


def test_the_p_value_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(3)
    for shift in (-2.0, 0.0, 0.7):
        a, b = rng.standard_normal((2, 6))
        a = a + shift
        assert paired_p_value(a, b) == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert paired_p_value([1.0, 2.0], [1.0, 2.0]) == 1  # no difference and no deviation
    assert paired_p_value([1.0, 2.0], [2.0, 3.0]) == 0


def test_the_p_value_of_sameness_is_the_larger_of_two_one_sided_tests():
    rng = np.random.default_rng(4)
    for shift in (-3.0, -0.9, 0.0, 0.4, 3.0):
        a, b = 0.5 * rng.standard_normal((2, 6)) + np.array([[shift], [0]])
        above = stats.ttest_1samp(a - b, -1, alternative="greater").pvalue
        below = stats.ttest_1samp(a - b, 1, alternative="less").pvalue
        same, other = max(above, below), min(1 - above, 1 - below)
        assert equivalence(a, b, margin=1).p_value == pytest.approx(min(same, other))


def test_the_p_value_of_the_best_is_the_worst_of_its_tests_or_the_corrected_one_against_it():
    rng = np.random.default_rng(5)
    scores = rng.standard_normal((4, 8)) + np.array([[3.0], [0], [0.5], [1]])
    tests = [stats.ttest_rel(scores[0], other) for other in scores[1:]]
    assert all(test.statistic > 0 for test in tests)
    assert best_against_runner_up(scores, 0).p_value == pytest.approx(max(test.pvalue for test in tests))
    against = [stats.ttest_rel(scores[1], scores[other]) for other in (0, 2, 3)]
    assert min(test.statistic for test in against) < 0
    lowest = min(test.pvalue for test in against if test.statistic < 0)
    assert best_against_runner_up(scores, 1).p_value == pytest.approx(3 * lowest)


@pytest.mark.parametrize("kind", ["above", "same", "best"])
def test_a_verdict_and_its_p_value_agree(kind):
    rng = np.random.default_rng(6)
    seen = set()
    for _ in range(300):
        scores = rng.standard_normal((3, 6)) + 2 * rng.standard_normal((3, 1))
        if kind == "best":
            found = best_against_runner_up(scores, 0)
        elif kind == "same":
            found = equivalence(scores[0], scores[1], margin=1.5)
        if kind == "above":
            said, p = verdict(paired_interval(scores[0], scores[1])), paired_p_value(scores[0], scores[1])
        else:
            said, p = found.verdict, found.p_value
        assert (p < 0.05) == (said != "inconclusive")
        seen.add(said)
    assert seen == {"replicates", "contradicted", "inconclusive"}


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.02], [0.02, 0.02]),
        ([0.03, 0.01], [0.03, 0.02]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.5, 0.9, 0.001, 1.0], [1.0, 1.0, 0.004, 1.0]),
    ],
)
def test_holm_by_hand(p_values, adjusted):
    assert holm(np.array(p_values)) == pytest.approx(adjusted)


def test_holm_is_closed_testing_with_bonferroni():
    """A hypothesis falls if every set of hypotheses that it is in falls, by its smallest p value times its size."""
    rng = np.random.default_rng(7)
    for size in (1, 2, 3, 4, 5, 6):
        for p_values in (rng.uniform(0, 1, size), rng.uniform(0, 0.05, size), rng.integers(0, 3, size) / 20):
            sets = [list(chosen) for n in range(1, size + 1) for chosen in combinations(range(size), n)]
            tests = {tuple(chosen): min(1, len(chosen) * p_values[chosen].min()) for chosen in sets}
            closed = [max(p for chosen, p in tests.items() if i in chosen) for i in range(size)]
            assert holm(p_values) == pytest.approx(closed)


def test_a_family_without_an_effect_has_a_false_verdict_as_rarely_as_stated():
    rng = np.random.default_rng(12)
    families = rng.uniform(size=(TRIALS, 8))
    families[:, :3] = 1e-6  # three true effects, which are found and leave the rest five
    found = np.array([holm(p_values) < 0.05 for p_values in families])
    low, high = plausible(1 - (1 - 0.05 / 5) ** 5)
    assert found[:, :3].all() and low < found[:, 3:].any(axis=1).mean() < high


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
        (lambda: holm([0.5, 1.2]), r"p_values must be \(tests,\) in \[0, 1\]"),
        (lambda: holm([0.5, np.nan]), "p_values"),
        (lambda: identity_bootstrap([np.nan], [1]), "valid query"),
        (lambda: identity_bootstrap([0.5, 0.5], [1]), "query_ids must be 2 integers"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
