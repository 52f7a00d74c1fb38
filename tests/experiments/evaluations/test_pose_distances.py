"""Distances within people by pose, and who is found instead, on features that are made up."""

from types import SimpleNamespace

import numpy as np
import pytest

from reidlib.experiments import Run
from reidlib.experiments.evaluations import columns_of, pose_distances
from reidlib.experiments.features import RetrievalFeatures

RUN = Run("agw", "street", evaluation="pose-distances")


def directions(*degrees):
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def tracklet(view, motion=0):
    return SimpleNamespace(view=view, attributes={} if motion is None else {"motion": motion})


@pytest.fixture
def measured(monkeypatch):
    def make(protocol="cross-camera", **run):
        query = (tracklet(10), tracklet(350))
        gallery = (tracklet(350), tracklet(190, 2), tracklet(10, 3), tracklet(0, None), tracklet(80), tracklet(0))
        features = RetrievalFeatures(
            *(directions(0, 180), np.array([1, 2]), np.array([1, 1])),
            gallery_features=directions(60, 90, 0, 10, 180, 5),
            gallery_ids=np.array([1, 1, 1, 0, 2, -1]),
            gallery_cameras=np.array([2, 3, 1, 2, 2, 2]),
        )
        monkeypatch.setattr(pose_distances, "embed", lambda *arguments: features)
        benchmark = SimpleNamespace(query=query, gallery=gallery, protocol=protocol, name="made up")
        return pose_distances.measure(None, benchmark, Run("agw", "street", **run), False)

    return make


def test_pairs_are_those_of_other_cameras_by_how_far_apart_they_look(measured):
    found = measured()
    distances = found.scores["distances"]
    # person 1: 20 degrees apart at 60, opposite at 90, and one of the same camera; person 2: 90 degrees apart at 0
    assert distances["near pose"] == pytest.approx(0.5)
    assert distances["far pose"] == pytest.approx((1 + 0) / 2)
    assert distances["other motion"] == pytest.approx(1)
    assert distances["same person"] == pytest.approx((0.5 + 1 + 0) / 3)
    # query 1 to person 2, query 2 to person 1; distractors and junk are nobody
    assert distances["other people"] == pytest.approx((2 + 1.5 + 1 + 2) / 4)
    assert distances["same to other people"] == pytest.approx(0.5 / 1.625)
    assert found.units["near pose"] == "cosine distance" and found.units["same to other people"] == "ratio"


def test_who_is_nearest_where_it_is_wrong(measured):
    found = measured().scores["rank 1"]
    # query 1: the distractor at 10 degrees, for the nearer ones are of its own camera and junk; query 2 is right
    assert found == {"wrong at rank 1": 0.5, "distractor at rank 1": 0.5, "distractors among the wrong": 1}
    mixed = measured(setups=("usual", "mixing")).scores["rank 1"]
    assert mixed == found  # the queries themselves are of their own camera
    assert set(columns_of(RUN)) > {"far pose", "distractor at rank 1"}


def test_it_is_for_data_with_cameras(measured):
    with pytest.raises(ValueError, match="made up has the protocol 'all'; distances are measured across cameras"):
        measured("all")
