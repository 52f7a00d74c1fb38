"""Clusters against hand-computed cases and invariants; that they are joined from the bottom up is tested with the
expansion."""

import math

import numpy as np
import pytest

from reidlib.evaluation import cluster_scores, feature_clusters


def test_linkages_on_a_line():
    query, gallery = [[0.0]], [[1.0], [2.0], [9.0]]
    assert feature_clusters(query, gallery, 1.0)[1].tolist() == [0, 0, 1]
    assert feature_clusters(query, gallery, 1.0, "complete")[1].tolist() == [0, 1, 2]
    # {0, 1} and {2} are 2 apart by their farthest members, 1.5 in the mean
    for linkage, reach in (("complete", 2.0), ("average", 1.5)):
        assert feature_clusters(query, gallery, reach, linkage)[1].tolist() == [0, 0, 1]
        assert feature_clusters(query, gallery, reach - 0.01, linkage)[1].tolist() == [0, 1, 2]


def test_a_relative_threshold_is_a_share_of_the_mean_distance():
    query, gallery = np.array([[0.0]]), np.array([[1.0], [2.0], [9.0]])  # pairs are 1, 2, 9, 1, 8 and 7 apart
    mean = 28 / 6
    for size in (1.0, 1e-3, 1e30):
        for share, expected in ((0.99 / mean, [1, 2, 3]), (1.01 / mean, [0, 0, 1]), (7.01 / mean, [0, 0, 0])):
            assert feature_clusters(size * query, size * gallery, share, relative=True)[1].tolist() == expected
    assert feature_clusters(query, query[[0, 0]], 0.0, relative=True)[1].tolist() == [0, 0]  # nothing is apart


def test_clusters_are_numbered_as_they_are_met_whatever_the_scale():
    features = np.random.default_rng(0).standard_normal((40, 3)).astype("f4")
    for linkage in ("single", "average", "complete"):
        found = np.concatenate(feature_clusters(features[:10], features[10:], 0.8, linkage))
        first = [np.flatnonzero(found == number)[0] for number in range(found.max() + 1)]
        assert first == sorted(first) and 1 < len(first) < 40
        scaled = feature_clusters(features[:10] * 2.0**70, features[10:] * 2.0**70, 0.8 * 2.0**70, linkage)
        np.testing.assert_array_equal(np.concatenate(scaled), found)


def test_scores_by_hand():
    found = cluster_scores([5, 5, 5, 2, 2, 2, 2, 2, 9], [1, 1, 2, 2, 1, 2, 2, 1, 7])
    # five has persons 1, 1, 2; two has 2, 1, 2, 2, 1; nine has one item
    assert found.purity == pytest.approx((2 + 3 + 1) / 9)
    assert found.mates == pytest.approx((2 * 1 / 2 + 0 + 3 * 2 / 4 + 2 * 1 / 4) / 8)
    assert (found.alone, found.size) == (pytest.approx(1 / 9), 3)


def test_scores_at_the_ends():
    ids = [3, 3, 4, 4, 4]
    assert cluster_scores([0, 0, 1, 1, 1], ids)[:3] == (1, 1, 0)
    alone = cluster_scores(range(5), ids)
    assert (alone.purity, alone.alone, alone.size) == (1, 1, 1) and math.isnan(alone.mates)
    together = cluster_scores([0] * 5, ids)
    assert (together.purity, together.mates) == (0.6, pytest.approx((2 * 1 + 3 * 2) / 5 / 4))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="ids: expected one item or more"):
        cluster_scores([], np.array([], int))
    with pytest.raises(ValueError, match="clusters must be 2 integers"):
        cluster_scores([0], [1, 2])
