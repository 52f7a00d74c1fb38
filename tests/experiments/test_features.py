"""Features: scores and rankings computed by hand, files, and what cannot be read."""

from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from reidlib.data import ArrayFrames, Benchmark, Tracklet
from reidlib.experiments import Run
from reidlib.experiments import features as room
from reidlib.experiments.features import draw_ranked_lists, embed, load_features, save_features
from reidlib.models import ModelOutput, Network


def angles(*degrees):
    """Unit vectors (n, 2), times ten."""
    return 10 * np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], 1).astype(np.float32)


@pytest.fixture
def features():
    """Two queries of persons 1 and 2 under camera 1, at 0 and 90 degrees, and a gallery at growing angles."""
    return room.RetrievalFeatures(
        query_features=angles(0, 90),
        query_ids=np.array([1, 2]),
        query_cameras=np.array([1, 1]),
        gallery_features=angles(5, 10, 20, 30, 80),
        gallery_ids=np.array([1, -1, 0, 1, 2]),
        gallery_cameras=np.array([1, 2, 2, 2, 2]),
    )


def test_hand_computed_scores(features):
    scores = features.scores("cross-camera")
    # query 1: its own camera's entry and junk are left out, so the distractor is first and the match second
    assert scores.first_match_rank.tolist() == [2, 1]
    assert scores.average_precision.tolist() == [0.5, 1.0]
    assert scores.counts == {"queries": 2, "valid": 2, "gallery": 5, "distractors": 1, "junk": 1}
    assert features.scores("all").first_match_rank.tolist() == [1, 1]
    # under "all", matches of query 1 at ranks 1 and 3: (1 + 2/3) / 2, by trapezoids ((1 + 1) + (1/2 + 2/3)) / 4
    assert features.scores("all").average_precision[0] == pytest.approx(5 / 6)
    assert features.scores("all", average_precision="trapezoid").average_precision[0] == pytest.approx(19 / 24)


@pytest.mark.parametrize("refinement", [{}, {"rerank": {}}, {"expansion": {"threshold": 1.0}}])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_what_is_not_finite_is_called_by_its_name(features, metric, refinement):
    features.query_features[0, 0] = np.nan
    with pytest.raises(ValueError, match="query_features holds values that are not finite"):
        features.distances(metric, **refinement)


def test_metrics_differ_where_lengths_do(features):
    features.gallery_features[2] *= 5  # the distractor moves away, at the same angle
    assert features.scores("cross-camera", "cosine").first_match_rank[0] == 2
    assert features.scores("cross-camera", "euclidean").first_match_rank[0] == 1


def test_re_ranking_does_not_depend_on_lengths_under_cosine(features):
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(40, 8)).astype(np.float32)
    many = replace(
        features,
        query_features=rng.normal(size=(2, 8)).astype(np.float32),
        gallery_features=gallery,
        gallery_ids=rng.integers(1, 4, 40),
        gallery_cameras=rng.integers(1, 4, 40),
    )
    longer = replace(many, gallery_features=gallery * rng.uniform(1, 9, (40, 1)).astype(np.float32))
    found = {
        (metric, name): f.scores("cross-camera", metric, rerank={}).mean_ap
        for metric in ("cosine", "euclidean")
        for name, f in (("short", many), ("long", longer))
    }
    assert found["cosine", "short"] == pytest.approx(found["cosine", "long"])
    assert found["euclidean", "short"] != pytest.approx(found["euclidean", "long"])
    assert found["cosine", "short"] != pytest.approx(many.scores("cross-camera").mean_ap)


def test_expansion_comes_before_distances_and_re_ranking(features):
    expansion = {"threshold": 0.1}  # of unit features: 5.7 degrees, so 0, 5 and 10 degrees are linked
    expanded = replace(
        features,
        query_features=angles(7.5, 90),
        gallery_features=angles(5, 2.5, 20, 30, 80),
    )  # each the mean of the two others
    np.testing.assert_allclose(features.distances(expansion=expansion), expanded.distances(), atol=1e-6)
    np.testing.assert_allclose(
        features.distances(expansion=expansion, rerank={"k1": 2, "k2": 1}),
        expanded.distances(rerank={"k1": 2, "k2": 1}),
        atol=1e-5,
    )
    assert np.array_equal(features.distances("euclidean", expansion=expansion), features.distances("euclidean"))


def test_the_mean_over_strips_is_another_ranking():
    features = room.RetrievalFeatures(
        *(np.array([[0.0, 0, 0, 0]], np.float32), np.array([1]), np.array([1])),
        *(np.array([[3.0, 4, 0, 0], [3, 0, 3, 0]], np.float32), np.array([1, 2]), np.array([2, 2])),
    )
    np.testing.assert_allclose(features.distances("2 strips"), [[2.5, 3.0]])  # (5 + 0) / 2 and (3 + 3) / 2
    np.testing.assert_allclose(features.distances("euclidean"), [[5, 18**0.5]], rtol=1e-6)
    assert features.scores("all", "2 strips").cmc[1] == 1 and features.scores("all", "euclidean").cmc[1] == 0
    for wrong in ("3 strips", "0 strips", "many strips"):
        with pytest.raises(ValueError, match=f"metric='{wrong}': expected a number of strips that divides the 4"):
            features.distances(wrong)
    with pytest.raises(ValueError, match="metric='2 strips' is neither expanded nor re-ranked"):
        features.distances("2 strips", rerank={})


def test_mixing_returns_the_queries_to_the_gallery(features):
    mixed = features.mixing()
    assert mixed.gallery_ids.tolist() == [1, -1, 0, 1, 2, 1, 2]
    assert mixed.gallery_cameras.tolist() == [1, 2, 2, 2, 2, 1, 1]
    assert np.array_equal(mixed.gallery_features[5:], features.query_features)
    assert np.array_equal(mixed.query_features, features.query_features)
    # a query never meets itself across cameras
    assert mixed.scores("cross-camera").average_precision.tolist() == [0.5, 1.0]


def test_ranking_lists_what_counts(features):
    assert features.ranking(0, "cross-camera").tolist() == [2, 3, 4]
    assert features.ranking(1, "cross-camera").tolist() == [4, 3, 2, 0]
    assert features.ranking(0, "all").tolist() == [0, 2, 3, 4]


def test_queries_without_any_match_are_refused(features):
    alone = replace(features, gallery_cameras=np.ones(5, int))
    with pytest.raises(ValueError, match="none of 2 queries has a true match that counts.*'cross-camera'"):
        alone.scores("cross-camera")
    assert alone.scores("all").valid.all()


class MeanColour(Network):
    """The mean colour of a clip, and how much of it is mask."""

    optional_inputs = ("masks",)

    def forward(self, frames, masks=None):
        mean = frames.float().mean((1, 3, 4))
        return ModelOutput(mean if masks is None else torch.cat([mean, masks.mean((1, 2, 3, 4))[:, None]], 1))


@pytest.fixture
def benchmark():
    """40 tracklets of frames that are brighter from one to the next, query and gallery."""

    def tracklet(i):
        frames = np.zeros((9, 3, 8, 4), np.uint8)
        frames[:, 0] = 5 * i
        frames[:, 1] = 10 * np.arange(9)[:, None, None]
        parts = np.zeros((9, 8, 4), np.uint8)
        parts[:, :2] = 1
        return Tracklet(i % 7 + 1, i % 3 + 1, ArrayFrames(frames, parts))

    tracklets = tuple(map(tracklet, range(40)))
    return Benchmark((), tracklets[:3], tracklets, "cross-camera", "small", "small")


def test_every_tracklet_gets_its_feature_from_evenly_spaced_frames(benchmark):
    found = embed(MeanColour(), benchmark, Run("mean", "small", num_frames=3), progress=False)
    assert found.query_features.shape == (3, 3) and found.gallery_features.shape == (40, 3)
    np.testing.assert_allclose(found.gallery_features[:, 0] * 255, 5 * np.arange(40), atol=1e-3)
    np.testing.assert_allclose(found.gallery_features[:, 1] * 255, 40, atol=1e-3)  # frames around the middle one
    assert found.gallery_ids.tolist() == [t.person_id for t in benchmark.gallery]
    assert found.query_cameras.tolist() == [1, 2, 3]
    masked = embed(MeanColour(), benchmark, Run("mean", "small", num_frames=3, masks=True), progress=False)
    np.testing.assert_allclose(masked.query_features[:, 3], 0.25)


def test_a_network_that_does_not_look_at_masks_is_not_given_any(benchmark):
    class Plain(MeanColour):
        optional_inputs = ()

    with pytest.raises(ValueError, match="masks=True, but mean does not look at masks"):
        embed(Plain(), benchmark, Run("mean", "small", num_frames=3, masks=True), progress=False)


def test_features_that_tie_are_counted(features):
    assert room.tied_share(features) == 0
    alike = replace(features, gallery_features=features.gallery_features[[0, 0, 2, 3, 3]])
    assert room.tied_share(alike) == 4 / 7
    nothing = replace(
        features, query_features=0 * features.query_features, gallery_features=np.zeros((5, 2), np.float32)
    )
    assert room.tied_share(nothing) == 1
    nearly = features.query_features[[0]] * np.float32(1 + 1e-5)
    assert room.tied_share(replace(features, gallery_features=np.repeat(nearly, 5, 0))) == 5 / 7
    same = {name: getattr(features, f"gallery_{name}") for name in ("features", "ids", "cameras")}
    assert room.tied_share(replace(features, **{f"query_{name}": value for name, value in same.items()})) == 0


def test_ranked_lists_are_drawn_and_closed(features, tmp_path):
    frame = np.zeros((1, 3, 8, 4), np.uint8)
    pairs = (zip(getattr(features, f"{s}_ids"), getattr(features, f"{s}_cameras")) for s in ("query", "gallery"))
    query, gallery = (tuple(Tracklet(int(p), int(c), ArrayFrames(frame)) for p, c in part) for part in pairs)
    benchmark = SimpleNamespace(query=query, gallery=gallery, protocol="cross-camera")
    before = plt.get_fignums()
    draw_ranked_lists(features, benchmark, tmp_path / "lists", count=2)
    assert sorted(path.name for path in (tmp_path / "lists").iterdir()) == ["query-0.png", "query-1.png"]
    assert plt.get_fignums() == before


def test_files(features, tmp_path):
    path = tmp_path / "new" / "features.npz"
    save_features(features, path)
    found = load_features(path)
    for name, values in vars(features).items():
        np.testing.assert_allclose(getattr(found, name), values, rtol=1e-3, atol=1e-2)
    assert found.query_features.dtype == np.float32
    assert found.gallery_ids.tolist() == [1, -1, 0, 1, 2]


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 truncated", "npy"])
def test_what_is_no_npz_is_named(tmp_path, content):
    path = tmp_path / "x.npz"
    if content == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x.npz cannot be read as .npz.*numpy.savez\(path, query_features="):
        load_features(path)
    with pytest.raises(ValueError, match=r"nowhere.npz cannot be read as .npz"):
        load_features(tmp_path / "nowhere.npz")


def test_what_does_not_fit_is_named(features, tmp_path):
    path = tmp_path / "x.npz"
    arrays = dict(vars(features))
    np.savez(path, **{name: a for name, a in arrays.items() if name != "query_cameras"})
    with pytest.raises(ValueError, match="x.npz lacks query_cameras; expected query_features, query_ids"):
        load_features(path)
    np.savez(path, **arrays | {"gallery_ids": np.arange(4)})
    with pytest.raises(ValueError, match=r"gallery_features has shape \(5, 2\).*there are 4 and 5"):
        load_features(path)
    np.savez(path, **arrays | {"query_features": np.zeros(2)})
    with pytest.raises(ValueError, match=r"query_features has shape \(2,\); expected \(N, D\)"):
        load_features(path)
