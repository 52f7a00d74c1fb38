"""What could have been seen: its power by simulation, and by the distributions of textbooks."""

import numpy as np
import pytest
from scipy import integrate, stats

from reidlib.evaluation.power import smallest_detectable_difference, smallest_detectable_margin
from reidlib.evaluation.statistics import equivalence, paired_interval, verdict

TRIALS = 3000


def plausible(rate, trials=TRIALS):
    """The interval that a binomial count of the rate leaves once in 10,000 times."""
    low, high = stats.binom.interval(0.9999, trials, rate)
    return low / trials, high / trials


def test_one_seed_sees_nothing():
    assert smallest_detectable_difference([70.0], [60.0]) == smallest_detectable_margin([70.0], [60.0]) == np.inf


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


def test_a_margin_of_the_detectable_size_is_shown_with_the_stated_power():
    rng = np.random.default_rng(13)
    exact = stats.zscore(rng.standard_normal(6), ddof=1) * 2.0  # a sample whose deviation is 2
    margin = smallest_detectable_margin(exact, np.zeros(6), power=0.8)
    samples = 2.0 * rng.standard_normal((TRIALS, 6))
    found = np.mean([equivalence(x, np.zeros(6), margin).verdict == "replicates" for x in samples])
    low, high = plausible(0.8)
    assert low < found < high


@pytest.mark.parametrize(("seeds", "power"), [(3, 0.5), (6, 0.8), (20, 0.95)])
def test_the_detectable_margin_has_the_power_of_the_exact_integral(seeds, power):
    """Over the deviation s that a sample shows, of the chance that its mean lies within the margin less t · s / √n."""
    sample = stats.zscore(np.random.default_rng(seeds).standard_normal(seeds), ddof=1)
    margin = smallest_detectable_margin(sample, np.zeros(seeds), power=power) * np.sqrt(seeds)
    critical, freedom = stats.t.ppf(0.95, seeds - 1), seeds - 1
    widest = freedom * (margin / critical) ** 2  # of chi squared: from there on no mean is near enough

    def inside(chi2):
        room = margin - critical * np.sqrt(chi2 / freedom)
        return (2 * stats.norm.cdf(room) - 1) * stats.chi2.pdf(chi2, freedom)

    assert integrate.quad(inside, 0, widest)[0] == pytest.approx(power, abs=2e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: smallest_detectable_difference([1.0, 2.0], [1.0, 1.0], power=0.01), "power"),
        (lambda: smallest_detectable_margin([1.0, 2.0], [1.0, 1.0], power=1.0), "power"),
        (lambda: smallest_detectable_margin([1.0, 2.0], [1.0, 1.0], alpha=0.5), "alpha"),
        (lambda: smallest_detectable_margin([1.0, 2.0], [1.0]), "same seeds"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
