"""Scores and outcomes of hand-made features."""

import numpy as np
import pytest
from reidlib.papers.scoring import cross_view_entries, retrieval_entries

from reidlib.data import Benchmark, Tracklet
from reidlib.data.tracklets import ArrayFrames
from reidlib.papers import features

PIXELS = ArrayFrames(np.zeros((1, 3, 2, 2), np.uint8))


def walks(*labels):
    """Tracklets of (person, view, condition)."""
    return tuple(Tracklet(person, 1 + view // 90, PIXELS, view=view, condition=c) for person, view, c in labels)


@pytest.fixture
def gait():
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
    return features.TestFeatures(**arrays), benchmark


def test_cross_view_scores_by_hand(gait):
    scores, outcomes = cross_view_entries(*gait, ("nm", "cl", "all"), "euclidean")
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


def test_a_condition_without_probes_is_named(gait):
    with pytest.raises(ValueError, match="gait has no probes of condition 'bg'; known: .*'cl'.*'nm'"):
        cross_view_entries(*gait, ("bg",), "euclidean")


def test_retrieval_has_an_entry_for_each_gallery(gait):
    features, benchmark = gait
    scores, outcomes = retrieval_entries(features, benchmark, ("usual", "mixing"), "euclidean")
    assert scores["usual"]["counts"]["gallery"] == 4 and scores["mixing"]["counts"]["gallery"] == 8
    assert (
        scores["mixing"]["rank-1"] == 0.25
    )  # under "all" the first query finds itself; the others tie with a wrong one
    assert outcomes["usual"]["first_match_rank"] == [1, 1, 2, 1]
    assert outcomes["usual"]["average_precision"][0] == pytest.approx((1 / 1 + 2 / 3) / 2, abs=1e-5)
