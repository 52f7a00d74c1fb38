"""Distances against their definitions in float64."""

import numpy as np
import pytest
import torch

from reidlib.evaluation import pairwise_distances, strip_distances
from reidlib.evaluation.distances import nearest

RNG = np.random.default_rng(0)


def euclidean(a, b):
    return np.sqrt(((a[:, None].astype(float) - b[None].astype(float)) ** 2).sum(axis=-1))


@pytest.mark.parametrize(("dtype", "tolerance"), [("f4", 2e-5), ("f8", 1e-12)])
def test_euclidean_distances_are_those_of_the_definition(dtype, tolerance):
    a, b = RNG.standard_normal((7, 33)).astype(dtype), RNG.standard_normal((11, 33)).astype(dtype)
    result = pairwise_distances(a, b)
    assert result.dtype == np.dtype(dtype)
    np.testing.assert_allclose(result, euclidean(a, b), rtol=tolerance)


def test_a_common_offset_costs_no_digits():
    a, b = RNG.standard_normal((7, 33)) + 1000, RNG.standard_normal((11, 33)) + 1000
    a, b = a.astype("f4"), b.astype("f4")
    np.testing.assert_allclose(pairwise_distances(a, b), euclidean(a, b), rtol=1e-4)


def test_cosine_distances_are_those_of_the_definition():
    a, b = RNG.standard_normal((5, 8)), RNG.standard_normal((6, 8))
    b[0], b[1], a[0] = 3 * a[1], -2 * a[1], 0
    expected = 1 - (a[1:] @ b.T) / np.linalg.norm(a[1:], axis=1)[:, None] / np.linalg.norm(b, axis=1)
    result = pairwise_distances(a, b, "cosine")
    np.testing.assert_allclose(result[1:], expected, atol=1e-12)
    np.testing.assert_array_equal(result[0], 1)  # a zero vector
    assert result[1, 0] == pytest.approx(0, abs=1e-12)
    assert result[1, 1] == pytest.approx(2)
    assert result.min() >= 0
    assert result.max() <= 2


def test_identical_features_are_at_distance_zero_up_to_rounding_and_never_nan():
    a = RNG.standard_normal((20, 64)).astype("f4")
    own = np.diagonal(pairwise_distances(a, a))
    assert np.isfinite(own).all()
    assert own.max() < 0.02


def test_concatenated_strips_are_one_long_vector_and_mean_strips_are_averaged():
    a, b = RNG.standard_normal((4, 3, 5)), RNG.standard_normal((6, 3, 5))
    np.testing.assert_allclose(
        strip_distances(a, b, "concatenate"), euclidean(a.reshape(4, 15), b.reshape(6, 15)), rtol=1e-12
    )
    mean = sum(euclidean(a[:, p], b[:, p]) for p in range(3)) / 3
    np.testing.assert_allclose(strip_distances(a, b, "mean"), mean, rtol=1e-12)


def test_the_two_strip_conventions_rank_differently():
    probe, gallery = np.zeros((1, 2, 1)), np.array([[[3.0], [3.0]], [[0.0], [5.0]]])
    assert strip_distances(probe, gallery, "mean").argmin() == 1  # 3 against 2.5
    assert strip_distances(probe, gallery, "concatenate").argmin() == 0  # 4.24 against 5


@pytest.mark.parametrize("call", [pairwise_distances, lambda a, b: pairwise_distances(a, b, "cosine")])
def test_tensors_in_tensors_out(call):
    a, b = RNG.standard_normal((4, 6)).astype("f4"), RNG.standard_normal((5, 6)).astype("f4")
    result = call(torch.from_numpy(a).requires_grad_(), b)
    assert isinstance(result, torch.Tensor)
    assert not result.requires_grad
    np.testing.assert_array_equal(result.numpy(), call(a, b))


def test_strips_as_tensors_and_half_precision():
    a = torch.from_numpy(RNG.standard_normal((4, 2, 6)))
    np.testing.assert_array_equal(strip_distances(a, a).numpy(), strip_distances(a.numpy(), a.numpy()))
    half = pairwise_distances(a[:, 0].bfloat16(), a[:, 1].bfloat16())
    assert half.dtype == torch.float32


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((0, 3)), np.zeros((2, 3)), "a must have 2 non-empty"),
        (np.zeros((2, 3)), np.zeros(3), "b must have 2 non-empty"),
        (np.zeros((2, 3)), np.zeros((2, 4)), "differ in feature shape"),
        (np.array([[1.0, np.nan]]), np.zeros((2, 2)), "a holds values that are not finite"),
        (np.zeros((2, 2)), np.array([[1.0, np.inf]]), "b holds values that are not finite"),
    ],
)
def test_bad_features_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        pairwise_distances(a, b)


def strips(metric):
    def call(a, b):
        return strip_distances(a.reshape(len(a), 2, -1), b.reshape(len(b), 2, -1), metric)

    return call


METRICS = {
    "euclidean": pairwise_distances,
    "cosine": lambda a, b: pairwise_distances(a, b, "cosine"),
    "mean": strips("mean"),
    "concatenate": strips("concatenate"),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("dtype", "exponents"), [("f4", (-140, -126, -80, 80, 124)), ("f8", (-1060, -1000, -600, 600, 1019))]
)
def test_no_scale_of_the_features_is_too_large_or_too_small(metric, dtype, exponents):
    rng = np.random.default_rng(1)
    a, b = (rng.integers(-8, 9, (n, 8)).astype(dtype) / 8 for n in (5, 6))  # exact at every scale
    expected = METRICS[metric](a, b)
    for exponent in exponents:
        result = METRICS[metric](np.ldexp(a, exponent), np.ldexp(b, exponent))
        wanted = expected if metric == "cosine" else np.ldexp(expected, exponent)
        np.testing.assert_array_equal(result, wanted)


def test_every_row_has_a_scale_of_its_own_under_cosine():
    a = RNG.standard_normal((6, 8)).astype("f4")
    scales = np.array([[1e-37], [1e-25], [1], [1e10], [1e25], [3e37]], "f4")
    expected = pairwise_distances(a, a, "cosine")
    np.testing.assert_allclose(pairwise_distances(a * scales, a, "cosine"), expected, atol=1e-6)
    np.testing.assert_allclose(pairwise_distances(a, a * scales, "cosine"), expected, atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("factor", [6e4, 1e-3])
def test_half_precision_is_compared_in_single(metric, factor):
    a, b = ((RNG.random((n, 8)) * factor).astype("f2") for n in (5, 6))
    expected = METRICS[metric](a.astype("f4"), b.astype("f4"))
    assert np.isfinite(expected).all() and expected.max() > 0
    np.testing.assert_array_equal(METRICS[metric](a, b), expected)
    np.testing.assert_array_equal(METRICS[metric](torch.from_numpy(a), torch.from_numpy(b)).numpy(), expected)


@pytest.mark.parametrize("metric", ["euclidean", "mean", "concatenate"])
def test_distances_that_no_number_holds_are_refused(metric):
    a = np.full((1, 2), 3e38, "f4")
    with pytest.raises(ValueError, match="too large for float32"):
        METRICS[metric](a, -a)
    assert METRICS[metric](a.astype("f8"), -a).max() > 5e38


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"metric='manhattan'.*'euclidean', 'cosine'"):
        pairwise_distances(np.zeros((1, 1)), np.zeros((1, 1)), "manhattan")
    with pytest.raises(ValueError, match=r"reduce='sum'.*'mean', 'concatenate'"):
        strip_distances(np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), "sum")


def test_nearest_is_a_stable_sort_cut_short():
    for _ in range(300):
        distances = RNG.integers(0, 4, (int(RNG.integers(1, 5)), int(RNG.integers(1, 9)))).astype("f4")
        k = int(RNG.integers(1, 11))
        np.testing.assert_array_equal(nearest(distances, k), np.argsort(distances, axis=1, kind="stable")[:, :k])
