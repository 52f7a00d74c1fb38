"""k-reciprocal re-ranking against a plain transcription of the published algorithm."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from reidlib.evaluation import k_reciprocal_rerank, reranking


def published(query, gallery, k1, k2, lambda_value):
    """The algorithm item by item, on dense float64 vectors and Python sets."""
    items = np.concatenate([query, gallery]).astype(np.float64)
    total, split = len(items), len(query)
    distance = cdist(items, items, "sqeuclidean")
    peak = distance.max(axis=0)
    scaled = (distance / np.where(peak == 0, 1, peak)).T
    order = distance - 2 * np.eye(total)  # oneself first
    ranked = [np.argsort(row, kind="stable").tolist() for row in order]

    def reciprocal(item, k):
        return {other for other in ranked[item][: k + 1] if item in ranked[other][: k + 1]}

    encoded = np.zeros((total, total))
    for item in range(total):
        near = reciprocal(item, k1)
        robust = set(near)
        for candidate in near:
            theirs = reciprocal(candidate, int(np.around(k1 / 2)))
            if len(theirs & near) > 2 / 3 * len(theirs):
                robust |= theirs
        robust = sorted(robust)
        weight = np.exp(-scaled[item, robust])
        encoded[item, robust] = weight / weight.sum()
    if k2 != 1:
        encoded = np.stack([encoded[ranked[item][:k2]].mean(axis=0) for item in range(total)])
    result = np.empty((split, len(gallery)))
    for q in range(split):
        for g in range(len(gallery)):
            shared = np.minimum(encoded[q], encoded[split + g]).sum()
            either = np.maximum(encoded[q], encoded[split + g]).sum()
            result[q, g] = (1 - lambda_value) * (1 - shared / either) + lambda_value * scaled[q, split + g]
    return result


def people(rng, num_ids, each, dims=8, spread=0.8):
    """Features that cluster by identity, in random order."""
    features = np.repeat(rng.standard_normal((num_ids, dims)), each, axis=0)
    return rng.permutation(features + spread * rng.standard_normal(features.shape))


@pytest.mark.parametrize(
    ("k1", "k2", "lambda_value"),
    [
        (20, 6, 0.3),
        (20, 1, 0.3),
        (5, 2, 0.0),
        (7, 3, 0.5),
        (1, 1, 0.3),
        (2, 9, 0.9),
        (20, 6, 1.0),
        (25, 40, 0.1),
    ],
)
def test_float64_agrees_with_the_published_algorithm(k1, k2, lambda_value):
    rng = np.random.default_rng(k1 + k2)
    for num_ids, each, queries in ((12, 8, 20), (30, 3, 45), (4, 30, 1)):
        features = people(rng, num_ids, each)
        case = features[:queries], features[queries:], k1, k2, lambda_value
        np.testing.assert_allclose(k_reciprocal_rerank(*case), published(*case), rtol=0, atol=1e-10)


def test_many_tiny_galleries_agree_even_where_k_exceeds_the_number_of_items():
    rng = np.random.default_rng(0)
    for _ in range(300):
        queries, gallery = int(rng.integers(1, 5)), int(rng.integers(1, 8))
        features = rng.standard_normal((queries + gallery, int(rng.integers(1, 4))))
        k1, k2 = int(rng.integers(1, 15)), int(rng.integers(1, 9))
        case = features[:queries], features[queries:], k1, k2, float(rng.random())
        np.testing.assert_allclose(k_reciprocal_rerank(*case), published(*case), rtol=0, atol=1e-10)


def test_ties_and_duplicates_follow_the_documented_order():
    rng = np.random.default_rng(1)
    for _ in range(100):
        half = rng.integers(-2, 3, (8, 2)).astype(np.float64)
        features = np.concatenate([half, -half])  # mean zero: every distance is an exact integer, with many ties
        case = features[:6], features[6:], int(rng.integers(1, 8)), int(rng.integers(1, 5)), 0.3
        np.testing.assert_allclose(k_reciprocal_rerank(*case), published(*case), rtol=0, atol=1e-10)


def test_blocks_change_nothing(monkeypatch):
    features = people(np.random.default_rng(2), 15, 6)
    expected = published(features[:31], features[31:], 10, 4, 0.3)
    monkeypatch.setattr(reranking, "_ROWS", 7)
    monkeypatch.setattr(reranking, "_ENTRIES", 100)
    ours = k_reciprocal_rerank(features[:31], features[31:], k1=10, k2=4)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-10)


def test_float32_is_close_to_float64():
    features = people(np.random.default_rng(3), 20, 8, dims=64)
    exact = k_reciprocal_rerank(features[:40], features[40:])
    single = k_reciprocal_rerank(features[:40].astype("f4"), features[40:].astype("f4"))
    assert exact.dtype == np.float64
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, atol=1e-5)


def test_results_are_fractions_and_identical_features_do_no_harm():
    features = people(np.random.default_rng(4), 10, 5)
    result = k_reciprocal_rerank(features[:10], features[10:])
    assert result.min() >= 0
    assert result.max() <= 1
    same = k_reciprocal_rerank(np.ones((30, 3)), np.ones((40, 3)), k1=5, k2=2)
    assert np.isfinite(same).all()


def test_lambda_one_keeps_the_scaled_squared_distances():
    features = people(np.random.default_rng(5), 10, 4)
    squared = cdist(features, features, "sqeuclidean")
    result = k_reciprocal_rerank(features[:9], features[9:], lambda_value=1.0)
    np.testing.assert_allclose(result, squared[:9, 9:] / squared[:9].max(axis=1, keepdims=True), atol=1e-12)


def test_neighbours_that_share_their_neighbours_come_closer():
    # A chain a-b-c of one person next to a stranger s that is as far from a as c is.
    query, gallery = [[0.0, 0.0]], [[1.0, 0.0], [2.0, 0.0], [0.0, 2.1], [0.0, 9.0], [0.0, 9.5], [9.0, 9.0]]
    result = k_reciprocal_rerank(query, gallery, k1=2, k2=1, lambda_value=0.0)[0]
    assert result[1] < result[2]


@pytest.mark.parametrize("exponent", [-120, -80, 80, 120])
def test_the_scale_of_the_features_changes_nothing(exponent):
    features = people(np.random.default_rng(7), 8, 4).astype("f4")
    expected = k_reciprocal_rerank(features[:9], features[9:], k1=5, k2=3)
    scaled = np.ldexp(features, exponent)
    np.testing.assert_array_equal(k_reciprocal_rerank(scaled[:9], scaled[9:], k1=5, k2=3), expected)


def test_tensors_in_tensors_out():
    features = people(np.random.default_rng(6), 6, 4).astype("f4")
    result = k_reciprocal_rerank(torch.from_numpy(features[:5]), torch.from_numpy(features[5:]), k1=4, k2=2)
    assert isinstance(result, torch.Tensor)
    np.testing.assert_array_equal(result.numpy(), k_reciprocal_rerank(features[:5], features[5:], k1=4, k2=2))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"k1": 0}, "k1 and k2"), ({"k2": 0}, "k1 and k2"), ({"lambda_value": 1.5}, "lambda_value in")],
)
def test_bad_parameters_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        k_reciprocal_rerank(np.zeros((2, 2)), np.zeros((3, 2)), **options)


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match="gallery_features holds values that are not finite"):
        k_reciprocal_rerank(np.zeros((2, 2)), np.array([[np.nan, 0.0]]))
    with pytest.raises(ValueError, match="query_features must have 2 non-empty"):
        k_reciprocal_rerank(np.zeros((0, 2)), np.zeros((2, 2)))
