"""`crowd` follows OU-MVLP: its structure on plans, its layout on a small rendering."""

from collections import defaultdict

import pytest

from reidlib.data import export, oumvlp
from reidlib.data.gait import gait_validation_split
from reidlib.data.walkers import crowd


def key(tracklet):
    return tracklet.person_id, tracklet.tracklet_id, tracklet.view


def every(benchmark):
    return [*benchmark.train, *benchmark.query, *benchmark.gallery]


@pytest.mark.parametrize(("num_ids", "train", "test"), [(200, 100, 100), (21, 10, 11)])
def test_partition_and_counts(plan, num_ids, train, test):
    benchmark = plan(crowd, 0, num_ids=num_ids)
    assert benchmark.num_ids == train
    assert {t.person_id for t in benchmark.query} == {t.person_id for t in benchmark.gallery}
    assert [len(part) for part in (benchmark.train, benchmark.query, benchmark.gallery)] == [
        28 * train, 14 * test, 14 * test,
    ]  # fmt: skip
    assert {t.tracklet_id for t in benchmark.query} == {0} and {t.tracklet_id for t in benchmark.gallery} == {1}
    assert benchmark.protocol == "all"


def test_the_partition_is_the_official_one_at_every_size(plan):
    """Of n subjects, as of 10 307: those of odd number are trained on, but for the last."""
    official = [int(person) for person in oumvlp.official_partition()[0]]
    for num_ids in (200, 20):
        trained = sorted({t.person_id for t in plan(crowd, 0, num_ids=num_ids).train})
        assert trained == official[: len(trained)] and official[len(trained)] > num_ids
    assert {t.person_id for t in plan(crowd, 0, num_ids=21).train} == {1, 3, 5, 7, 9, 11, 13, 15, 17, 19}


def test_seven_cameras_see_each_way_at_once(plan):
    cameras, walks = defaultdict(set), defaultdict(set)
    for t in every(plan(crowd, 0, num_ids=20)):
        scene = t.source.scenes[0]
        cameras[t.view % 180].add(scene.camera)
        walks[t.person_id, t.tracklet_id, t.view >= 180].add((scene.phase, scene.person))
        assert t.camera_id == oumvlp.VIEWS.index(t.view) + 1
    assert set(cameras) == set(range(0, 91, 15)) and all(len(found) == 1 for found in cameras.values())
    assert len(set.union(*cameras.values())) == 7
    assert all(len(found) == 1 for found in walks.values())
    assert len(set.union(*walks.values())) == 20 * 4  # two sequences, forth and back


def test_clothes_stay_the_same(plan):
    outfits = defaultdict(set)
    for t in every(plan(crowd, 0, num_ids=20)):
        outfits[t.person_id].add(t.source.scenes[0].person.outfit)
    assert all(len(found) == 1 for found in outfits.values()) and len(set.union(*outfits.values())) == 20


def test_the_validation_split_searches_sequence_1_for_sequence_0(plan):
    split = gait_validation_split(plan(crowd, 0, num_ids=20), fraction=0.3)
    assert len(split.query) == len(split.gallery) == 3 * 14
    assert {t.tracklet_id for t in split.query} == {0} and {t.tracklet_id for t in split.gallery} == {1}


def test_round_trip(tmp_path, monkeypatch):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    ours = crowd(0, num_ids=5, num_frames=2, resolution=(32, 22), workers=1, progress=False)
    export.oumvlp(ours, tmp_path / "oumvlp", progress=False)
    loaded = oumvlp.load(tmp_path / "oumvlp", size=(32, 22), workers=1, progress=False)
    for part in ("train", "query", "gallery"):
        one, other = ({key(t): t for t in getattr(b, part)} for b in (ours, loaded))
        assert one.keys() == other.keys() and len(one) == len(getattr(ours, part))
        for name in one:
            assert (one[name].silhouettes() == other[name].silhouettes()).all()
            assert (one[name].camera_id, one[name].condition) == (other[name].camera_id, other[name].condition)
