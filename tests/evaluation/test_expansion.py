"""Query expansion against loops that follow the definitions."""

import numpy as np
import pytest
import torch

from reidlib.evaluation import average_query_expansion, cluster_query_expansion, expansion


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def average_oracle(query, gallery, k, alpha):
    queries, entries = unit(query), unit(gallery)

    def expand(feature, own=None):
        others = [i for i in range(len(entries)) if i != own]
        near = sorted(others, key=lambda i: -(feature @ entries[i]))[:k]
        return unit(feature + sum(max(feature @ entries[i], 0) ** alpha * entries[i] for i in near))

    return np.array([expand(f) for f in queries]), np.array([expand(f, i) for i, f in enumerate(entries)])


@pytest.mark.parametrize(("k", "alpha"), [(1, 0), (3, 0), (4, 3.0), (2, 1.0), (50, 2.0)])
def test_average_expansion_follows_its_definition(k, alpha, monkeypatch):
    monkeypatch.setattr(expansion, "_ROWS", 4)
    rng = np.random.default_rng(0)
    query, gallery = rng.standard_normal((5, 6)) + 0.5, rng.standard_normal((11, 6)) + 0.5
    for ours, expected in zip(
        average_query_expansion(query, gallery, k, alpha), average_oracle(query, gallery, k, alpha)
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_average_expansion_of_a_query_does_not_see_the_other_queries():
    rng = np.random.default_rng(1)
    query, gallery = rng.standard_normal((6, 4)), rng.standard_normal((9, 4))
    together = average_query_expansion(query, gallery, 3, 1.0)[0]
    alone = [average_query_expansion(query[i : i + 1], gallery, 3, 1.0)[0][0] for i in range(6)]
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_a_gallery_of_one_has_no_neighbours():
    query, gallery = average_query_expansion([[0.0, 1.0]], [[2.0, 0.0]], k=3, alpha=0)
    np.testing.assert_allclose(gallery, [[1.0, 0.0]])
    np.testing.assert_allclose(query, unit(np.array([[1.0, 1.0]])))


def cluster_oracle(features, threshold):
    """Clusters by walking from link to link."""
    distance = np.linalg.norm(features[:, None] - features[None], axis=-1)
    unseen, clusters = set(range(len(features))), []
    while unseen:
        cluster, edge = set(), [unseen.pop()]
        while edge:
            item = edge.pop()
            cluster.add(item)
            linked = {other for other in unseen if distance[item, other] <= threshold}
            unseen -= linked
            edge += linked
        clusters.append(sorted(cluster))
    return clusters


@pytest.mark.parametrize("leave_one_out", [True, False])
def test_cluster_expansion_follows_its_definition(leave_one_out):
    rng = np.random.default_rng(2)
    sizes = set()
    for _ in range(100):
        features = rng.standard_normal((14, 2))
        threshold = float(rng.uniform(0.2, 1.0))
        expected = features.copy()
        for cluster in cluster_oracle(features, threshold):
            sizes.add(len(cluster))
            for item in cluster:
                chosen = [other for other in cluster if other != item or not leave_one_out]
                if len(cluster) > 1:
                    expected[item] = features[chosen].mean(axis=0)
        ours = cluster_query_expansion(features[:5], features[5:], threshold, leave_one_out)
        np.testing.assert_allclose(np.concatenate(ours), expected, atol=1e-12)
    assert len(sizes) > 6  # from singletons to long chains


@pytest.mark.parametrize("exponent", [-120, -80, 80, 120])
def test_the_scale_of_the_features_changes_nothing_but_the_scale(exponent):
    rng = np.random.default_rng(5)
    query, gallery = rng.standard_normal((5, 4)).astype("f4"), rng.standard_normal((20, 4)).astype("f4")
    scaled = np.ldexp(query, exponent), np.ldexp(gallery, exponent)
    for ours, expected in zip(
        average_query_expansion(*scaled, 3, 2.0), average_query_expansion(query, gallery, 3, 2.0)
    ):
        np.testing.assert_array_equal(ours, expected)
    threshold, changed = 1.2, 0
    for ours, expected, before in zip(
        cluster_query_expansion(*scaled, threshold * 2.0**exponent),
        cluster_query_expansion(query, gallery, threshold),
        (query, gallery),
    ):
        np.testing.assert_array_equal(ours, np.ldexp(expected, exponent))
        changed += (expected != before).any(axis=1).sum()
    assert 0 < changed < 25  # some are linked and some are not


LINKS = {"single": np.min, "complete": np.max, "average": np.mean}


def agglomerated(features, threshold, linkage):
    """Clusters from the bottom up: the two nearest are joined until none are within the threshold."""
    distance = np.linalg.norm(features[:, None] - features[None], axis=-1)
    clusters = [[i] for i in range(len(features))]
    while len(clusters) > 1:
        apart = {
            (a, b): LINKS[linkage](distance[np.ix_(clusters[a], clusters[b])])
            for a in range(len(clusters))
            for b in range(a)
        }
        a, b = min(apart, key=apart.get)
        if apart[a, b] > threshold:
            break
        clusters[b] += clusters.pop(a)
    return clusters


@pytest.mark.parametrize("linkage", LINKS)
@pytest.mark.parametrize("own_share", [0.0, 0.3, 1.0])
def test_clusters_are_joined_from_the_bottom_up_and_features_keep_their_share(linkage, own_share):
    rng = np.random.default_rng(6)
    for _ in range(20):
        features, threshold = rng.standard_normal((16, 3)), float(rng.uniform(0.5, 2.0))
        expected = features.copy()
        for cluster in agglomerated(features, threshold, linkage):
            for item in cluster:
                if others := [other for other in cluster if other != item]:
                    expected[item] = own_share * features[item] + (1 - own_share) * features[others].mean(axis=0)
        ours = cluster_query_expansion(features[:6], features[6:], threshold, linkage=linkage, own_share=own_share)
        np.testing.assert_allclose(np.concatenate(ours), expected, atol=1e-12)


def test_a_relative_threshold_serves_features_of_any_scale():
    rng = np.random.default_rng(7)
    query, gallery = rng.standard_normal((5, 3)), rng.standard_normal((15, 3))
    expected = cluster_query_expansion(query, gallery, 0.5, linkage="average", relative=True)
    assert 0 < (np.concatenate(expected) != np.concatenate([query, gallery])).any(axis=1).sum() < 20
    larger = cluster_query_expansion(37 * query, 37 * gallery, 0.5, linkage="average", relative=True)
    np.testing.assert_allclose(np.concatenate(larger), 37 * np.concatenate(expected), atol=1e-12)


def test_average_linkage_does_not_chain():
    """Ten features in a row, one apart: single linkage joins all, average and complete linkage only pairs."""
    row = np.arange(10.0)[:, None]
    single, average, complete = (
        cluster_query_expansion(row[:1], row[1:], 1.0, leave_one_out=False, linkage=linkage)[1] for linkage in LINKS
    )
    assert len(np.unique(single)) == 1
    assert len(np.unique(average)) == len(np.unique(complete)) == 5


def test_any_threshold_is_a_distance():
    query, gallery = np.array([[0.0]], "f4"), np.array([[2e38], [-2e38]], "f4")
    for threshold in (1e200, np.inf):
        assert cluster_query_expansion(query, gallery, threshold)[0].tolist() == [[0]]
        assert cluster_query_expansion(query, gallery, threshold)[1][0] == pytest.approx(-1e38)
    np.testing.assert_array_equal(cluster_query_expansion(query, gallery, 1e-300)[1], gallery)


def test_two_linked_features_change_places_and_a_singleton_stays():
    query, gallery = cluster_query_expansion([[0.0, 1.0]], [[0.0, 2.0], [50.0, 0.0]], threshold=2.0)
    np.testing.assert_allclose(query, [[0.0, 2.0]])
    np.testing.assert_allclose(gallery, [[0.0, 1.0], [50.0, 0.0]])


def test_the_plain_mean_makes_all_members_coincide_and_leaving_one_out_does_not():
    features = np.random.default_rng(3).standard_normal((6, 3))
    plain = np.concatenate(cluster_query_expansion(features[:2], features[2:], np.inf, leave_one_out=False))
    np.testing.assert_allclose(plain, np.tile(features.mean(axis=0), (6, 1)), atol=1e-12)
    others = np.concatenate(cluster_query_expansion(features[:2], features[2:], np.inf))
    np.testing.assert_allclose(others, (features.sum(axis=0) - features) / 5, atol=1e-12)


@pytest.mark.parametrize(
    "call",
    [lambda q, g: average_query_expansion(q, g, 2, 1.0), lambda q, g: cluster_query_expansion(q, g, 1.0)],
)
def test_tensors_in_tensors_out(call):
    rng = np.random.default_rng(4)
    query, gallery = rng.standard_normal((3, 4)).astype("f4"), rng.standard_normal((5, 4)).astype("f4")
    for ours, expected in zip(call(torch.from_numpy(query), torch.from_numpy(gallery)), call(query, gallery)):
        assert ours.dtype == torch.float32
        np.testing.assert_array_equal(ours.numpy(), expected)


@pytest.mark.parametrize(("k", "alpha"), [(0, 1.0), (2, -1.0)])
def test_bad_parameters_of_average_expansion_are_refused(k, alpha):
    with pytest.raises(ValueError, match="k must be at least 1"):
        average_query_expansion(np.ones((1, 2)), np.ones((2, 2)), k, alpha)


@pytest.mark.parametrize("threshold", [-1.0, float("nan")])
def test_bad_thresholds_are_refused(threshold):
    with pytest.raises(ValueError, match="threshold is a Euclidean distance"):
        cluster_query_expansion(np.ones((1, 2)), np.ones((2, 2)), threshold)


def test_unknown_linkages_and_impossible_shares_are_refused():
    with pytest.raises(ValueError, match="linkage='ward' is not known"):
        cluster_query_expansion(np.ones((1, 2)), np.ones((2, 2)), 1.0, linkage="ward")
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="own_share is what a feature keeps"):
            cluster_query_expansion(np.ones((1, 2)), np.ones((2, 2)), 1.0, own_share=share)
