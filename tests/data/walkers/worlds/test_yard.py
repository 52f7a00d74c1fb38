"""`yard` follows CASIA-E and HID: its structure on plans, both layouts on a small rendering."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from reidlib.data import casia_e, export
from reidlib.data.gait import gait_validation_split
from reidlib.data.walkers import yard


def key(tracklet):
    return tracklet.person_id, tracklet.condition, tracklet.tracklet_id, tracklet.view


def every(benchmark):
    return [*benchmark.train, *benchmark.query, *benchmark.gallery]


def test_partition_of_a_fifth_of_hid(plan):
    benchmark = plan(yard, 0, num_ids=201)
    assert benchmark.num_ids == 100  # of 500
    gallery = Counter(t.person_id for t in benchmark.gallery)
    assert set(gallery) == set(range(101, 202)) and set(gallery.values()) == {1}
    queries = Counter(t.person_id for t in benchmark.query)
    assert set(queries) == set(gallery) and set(queries.values()) == set(range(5, 14))  # as many of some as of others
    walks = Counter(t.person_id for t in every(benchmark))
    assert abs(np.mean(list(walks.values())) - 10) < 0.8  # standard error 0.18
    assert benchmark.protocol == "all"


def test_gallery_and_queries_are_those_of_casia_e_as_well(plan):
    benchmark = plan(yard, 0, num_ids=201)
    assert {t.condition for t in benchmark.gallery} == {"H-scene1-nm", "L-scene1-nm"}
    assert {t.condition for t in benchmark.query} == {
        f"{height}-{scene}-{condition}"
        for height in "HL"
        for scene in ("scene2", "scene3")
        for condition in ("nm", "bg", "cl")
    }
    assert {t.condition.split("-")[1] for t in benchmark.train} == {"scene1", "scene2", "scene3"}
    assert {t.view for t in every(benchmark)} == set(range(0, 181, 15))
    assert all(t.camera_id == t.view // 15 + 1 for t in every(benchmark))
    assert len({key(t) for t in every(benchmark)}) == len(every(benchmark))


def test_heights_are_elevations_and_scenes_have_their_light(plan):
    cameras = defaultdict(set)
    for t in every(plan(yard, 0, num_ids=201)):
        height, scene, _ = t.condition.split("-")
        cameras[height, scene].add(t.source.scenes[0].camera)
    assert len(cameras) == 6 and all(len(found) == 1 for found in cameras.values())
    found = {place: next(iter(camera)) for place, camera in cameras.items()}
    assert len({camera.scene_seed for camera in found.values()}) == 6
    assert all(found["H", s].elevation > found["L", s].elevation + 10 for s in ("scene1", "scene2", "scene3"))
    assert found["H", "scene1"].clutter < found["H", "scene2"].clutter == 1.0


def test_things_are_in_the_way_in_scene3_alone(plan):
    def share(occlusion):
        found = defaultdict(list)
        for t in every(plan(yard, 0, num_ids=100, occlusion=occlusion)):
            found[t.condition.split("-")[1]].append(bool(t.source.scenes[0].occluders))
        return {scene: np.mean(there) for scene, there in found.items()}

    assert share(0.0) == {"scene1": 0, "scene2": 0, "scene3": 0}
    much = share(1.0)
    assert much["scene1"] == much["scene2"] == 0
    assert 0.23 < much["scene3"] < 0.43  # a third of about 400


def test_people_dress_by_condition(plan):
    outfits = defaultdict(set)
    for t in every(plan(yard, 0, num_ids=201)):
        outfits[t.person_id, t.condition.split("-")[-1]].add(t.source.scenes[0].person.outfit)
    assert all(len(found) == 1 for found in outfits.values())
    for person in range(1, 202):
        worn = [outfits[person, c] for c in ("nm", "bg", "cl") if (person, c) in outfits]
        assert len(set.union(*worn)) == len(worn)


def test_the_validation_split_has_one_gallery_walk_an_identity(plan):
    split = gait_validation_split(plan(yard, 0, num_ids=201), fraction=1 / 4)
    gallery = Counter(t.person_id for t in split.gallery)
    assert len(gallery) == 25 and set(gallery.values()) == {1}
    assert {t.condition.split("-")[1] for t in split.query} == {"scene2", "scene3"}
    assert {t.person_id for t in split.query} <= set(gallery)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REIDLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield yard(0, num_ids=6, num_frames=2, resolution=(32, 22), workers=1, progress=False)


def test_round_trip_through_casia_e(tmp_path, rendered):
    export.casia_e(rendered, tmp_path / "casia_e", progress=False)
    loaded = casia_e.load(tmp_path / "casia_e", size=(32, 22), workers=1, progress=False)
    for part in ("train", "query", "gallery"):
        one, other = ({key(t): t for t in getattr(b, part)} for b in (rendered, loaded))
        assert one.keys() == other.keys() and len(one) == len(getattr(rendered, part))
        assert all((one[name].silhouettes() == other[name].silhouettes()).all() for name in one)


def test_round_trip_through_hid(tmp_path, rendered):
    export.hid(rendered, tmp_path / "hid", progress=False)
    loaded = casia_e.load_hid(tmp_path / "hid", size=(32, 22), workers=1, progress=False)
    for part in ("train", "query", "gallery"):
        one, other = (sorted(getattr(b, part), key=lambda t: t.person_id) for b in (rendered, loaded))
        assert [t.person_id for t in one] == [t.person_id for t in other]
        pixels = [Counter(t.silhouettes().tobytes() for t in found) for found in (one, other)]
        assert pixels[0] == pixels[1]
