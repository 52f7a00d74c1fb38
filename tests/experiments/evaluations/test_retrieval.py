"""Scores and outcomes of hand-made features."""

from dataclasses import replace

import numpy as np
import pytest

from reidlib.data import Benchmark, Tracklet
from reidlib.data.tracklets import ArrayFrames
from reidlib.experiments import Run
from reidlib.experiments import features as room
from reidlib.experiments.evaluations import clusters, cross_view, find_evaluation, measure, retrieval

PIXELS = ArrayFrames(np.zeros((1, 3, 2, 2), np.uint8))


def walks(*labels):
    """Tracklets of (person, view, condition)."""
    return tuple(Tracklet(person, 1 + view // 90, PIXELS, view=view, condition=c) for person, view, c in labels)


@pytest.fixture
def gait(monkeypatch):
    """Two people and views; a probe's feature is one number, the nearest gallery entry that whose number is nearest."""
    query = walks((1, 0, "nm"), (2, 90, "nm"), (1, 0, "cl"), (2, 90, "cl"))
    gallery = walks((1, 0, "nm"), (2, 0, "nm"), (1, 90, "nm"), (2, 90, "nm"))
    benchmark = Benchmark((), query, gallery, "all", "gait", "")
    numbers = {"query": [0.0, 9.0, 9.0, 9.0], "gallery": [1.0, 8.0, 7.0, 2.0]}
    arrays = {}
    for side, tracklets in (("query", query), ("gallery", gallery)):
        arrays[f"{side}_features"] = np.array(numbers[side], np.float32)[:, None]
        arrays[f"{side}_ids"] = np.array([t.person_id for t in tracklets])
        arrays[f"{side}_cameras"] = np.array([t.camera_id for t in tracklets])
    monkeypatch.setattr(retrieval, "embed", lambda *a: room.RetrievalFeatures(**arrays))
    monkeypatch.setattr(cross_view, "embed", lambda *a: room.RetrievalFeatures(**arrays))
    monkeypatch.setattr(clusters, "embed", lambda *a: room.RetrievalFeatures(**arrays))
    return benchmark


def test_cross_view_scores_by_hand(gait):
    run = Run("x", "lab", evaluation="cross-view", conditions=("nm", "cl", "all"), metric="euclidean")
    found = measure(None, gait, run)
    scores, outcomes = found.scores, found.cases
    # Probe 1 at 0 degrees has number 0: at 0 degrees 1 beats 8 (right), at 90 degrees 2 beats 7 (wrong).
    # Probe 2 at 90 degrees has number 9: at 0 degrees 8 beats 1 (right), at 90 degrees 7 beats 2 (wrong).
    assert outcomes["nm"] == {"person_id": [1, 2], "view": [0, 90], "first_match_rank": [[1, 2], [1, 2]]}
    assert (scores["nm"]["including"], scores["nm"]["excluding"]) == (0.5, 0.5)
    # In other clothes person 1 has number 9 as well: wrong at 0 degrees, right at 90.
    assert outcomes["cl"]["first_match_rank"] == [[2, 1], [1, 2]]
    assert (scores["cl"]["including"], scores["cl"]["excluding"]) == (0.5, 1.0)
    assert outcomes["all"]["first_match_rank"] == [[1, 2], [1, 2], [2, 1], [1, 2]]
    assert scores["all"]["counts"] == {"queries": 4, "gallery": 4}
    assert scores["all"]["protocol"] == "cross-view"
    # In other clothes: the probe at 0 degrees is right over the other view, that at 90 as well.
    assert (scores["cl"]["probe 0"], scores["cl"]["probe 90"]) == (1.0, 1.0)
    assert (scores["cl"]["difference 0"], scores["cl"]["difference 90"]) == (0.0, 1.0)
    assert (scores["nm"]["difference 0"], scores["nm"]["difference 90"]) == (0.5, 0.5)


def test_clusters_by_hand(gait):
    run = Run("x", "yard", evaluation="clusters", expansion={"threshold": 1.0, "own_share": 0.5}, metric="euclidean")
    # 0, 1, 2 are of persons 1, 1, 2, and 9, 9, 9, 8, 7 of 2, 1, 2, 2, 1
    mates = (2 * 1 / 2 + 3 * 2 / 4 + 2 * 1 / 4) / 8
    expected = {"purity": 5 / 8, "mates": mates, "alone": 0, "size": 4}
    assert measure(None, gait, run).scores["clusters"] == pytest.approx(expected)
    joined = replace(run, expansion={"threshold": 9.0, "relative": True})  # of the mean distance
    assert measure(None, gait, joined).scores["clusters"]["size"] == 8
    apart = measure(None, gait, replace(run, expansion={"threshold": 0.0})).scores["clusters"]
    assert apart["alone"] == 5 / 8 and apart["mates"] == pytest.approx((2 * 1 / 2 + 0) / 3)
    with pytest.raises(ValueError, match="x is searched without expansion"):
        measure(None, gait, replace(run, expansion=None))


def test_a_condition_without_probes_is_named(gait):
    with pytest.raises(ValueError, match="gait has no probes of condition 'bg'; known: .*'cl'.*'nm'"):
        measure(None, gait, Run("x", "lab", evaluation="cross-view", conditions=("bg",)))


def test_retrieval_has_an_entry_for_each_gallery(gait):
    found = measure(None, gait, Run("x", "lab", setups=("usual", "mixing"), metric="euclidean"))
    scores, outcomes = found.scores, found.cases
    assert scores["usual"]["counts"]["gallery"] == 4 and scores["mixing"]["counts"]["gallery"] == 8
    assert (
        scores["mixing"]["rank-1"] == 0.25
    )  # under "all" the first query finds itself; the others tie with a wrong one
    assert outcomes["usual"]["first_match_rank"] == [1, 1, 2, 1]
    assert outcomes["usual"]["average_precision"][0] == pytest.approx((1 / 1 + 2 / 3) / 2, abs=1e-5)


def test_strata_hold_the_queries_of_a_condition_or_of_a_view_difference(gait):
    scores = measure(None, gait, Run("x", "lab", metric="euclidean")).scores
    assert scores["usual, nm"] == {"rank-1": 1.0, "mAP": pytest.approx(0.833333), "counts": {"valid": 2}}
    assert scores["usual, cl"]["rank-1"] == 0.5 and scores["usual, cl"]["counts"] == {"valid": 2}
    # everybody is in the gallery at both views, so that every query has a match at its own
    assert scores["usual, 0 to 15 degrees"]["counts"] == {"valid": 4} and "usual, 15 to 30 degrees" not in scores


def test_view_differences_are_those_to_the_nearest_match(gait):
    query, gallery = (
        walks((1, 350, "nm"), (2, 90, "nm"), (3, 0, "nm")),
        walks((1, 10, "nm"), (1, 180, "nm"), (2, 0, "nm")),
    )
    assert retrieval._smallest_angles(query, gallery)[:2].tolist() == [20, 90]
    assert np.isnan(retrieval._smallest_angles(query, gallery)[2])


def test_training_people_are_searched_among_themselves(monkeypatch):
    train = walks((1, 0, ""), (1, 90, ""), (2, 0, ""), (2, 90, ""))
    test = walks((3, 0, ""), (3, 90, ""))
    benchmark = Benchmark(train, test, test, "cross-camera", "street", "")
    seen = []

    def embed(network, searched, run, progress):
        seen.append([t.person_id for t in searched.query])
        ids = np.array(seen[-1])
        cameras = np.array([t.camera_id for t in searched.query])
        return room.RetrievalFeatures(*(np.eye(4, dtype=np.float32)[ids], ids, cameras) * 2)

    monkeypatch.setattr(retrieval, "embed", embed)
    scores = measure(None, benchmark, Run("x", "street", setups=("usual", "training people"))).scores
    assert seen == [[3, 3], [1, 1, 2, 2]]
    assert scores["training people"]["rank-1"] == 1.0 and scores["training people"]["counts"]["queries"] == 4
    with pytest.raises(ValueError, match="setups=.*'all'.*expected some of usual, mixing, training people"):
        measure(None, benchmark, Run("x", "street", setups=("all",)))


def test_several_kinds_are_measured_together(gait):
    run = Run("x", "lab", evaluation=("retrieval", "cross-view"), conditions=("nm",), metric="euclidean")
    found = measure(None, gait, run)
    assert {"usual", "nm"} <= found.scores.keys() and {"usual", "nm"} == found.cases.keys()
    assert measure(None, gait, Run("x", "lab", evaluation=())).scores == {}
    with pytest.raises(ValueError, match="no evaluation is called 'tracking'"):
        find_evaluation("tracking")
