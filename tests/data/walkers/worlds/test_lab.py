"""`lab` follows CASIA-B: its structure on plans, its pictures on a small rendering."""

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest

from reidlib.data import casia_b, export
from reidlib.data.gait import gait_validation_split
from reidlib.data.silhouettes import align
from reidlib.data.walkers import lab

SMALL = {"num_ids": 4, "num_frames": 3, "resolution": (32, 22), "workers": 1, "progress": False}


def key(tracklet):
    return tracklet.person_id, tracklet.condition, tracklet.tracklet_id, tracklet.view


def by_key(tracklets):
    found = {key(t): t for t in tracklets}
    assert len(found) == len(tracklets)
    return found


def every(benchmark):
    return [*benchmark.train, *benchmark.query, *benchmark.gallery]


def test_at_full_size_it_has_the_counts_of_casia_b(plan):
    benchmark = plan(lab, 0, num_ids=124)
    assert benchmark.num_ids == 74 and {t.person_id for t in benchmark.train} == set(range(1, 75))
    assert {t.person_id for t in benchmark.query} == {t.person_id for t in benchmark.gallery} == set(range(75, 125))
    assert len(benchmark.train) == 74 * 110 and len(benchmark.gallery) == 50 * 4 * 11
    # Published accuracies are multiples of 1 / 12 100: a condition's 1100 queries, each against eleven views.
    assert Counter(t.condition for t in benchmark.query) == {"nm": 1100, "bg": 1100, "cl": 1100}
    assert {(t.condition, t.tracklet_id) for t in benchmark.gallery} == {("nm", number) for number in (1, 2, 3, 4)}
    walks = {("nm", 5), ("nm", 6), ("bg", 1), ("bg", 2), ("cl", 1), ("cl", 2)}
    assert {(t.condition, t.tracklet_id) for t in benchmark.query} == walks
    assert benchmark.protocol == "all" and benchmark.name == "lab"
    assert all(len(t) == 12 for t in every(benchmark))


def test_by_default_it_is_half_of_casia_b(plan):
    benchmark = plan(lab, 0)
    assert benchmark.num_ids == 37
    assert [len(p) for p in (benchmark.train, benchmark.query, benchmark.gallery)] == [4070, 1650, 1100]


def test_each_walk_is_seen_by_eleven_cameras_at_once(plan):
    walks, cameras = defaultdict(list), defaultdict(set)
    for t in every(plan(lab, 0)):
        walks[key(t)[:3]].append(t)
        cameras[t.camera_id, t.view].add(t.source.scenes[0].camera)
    assert set(cameras) == {(place + 1, 18 * place) for place in range(11)}
    assert all(len(found) == 1 for found in cameras.values()) and len(set.union(*cameras.values())) == 11
    for seen in walks.values():
        assert sorted(t.view for t in seen) == list(range(0, 181, 18))
        scenes = [t.source.scenes[0] for t in seen]
        assert len({(s.person, s.phase) for s in scenes}) == 1
        errors = [s.view - t.view for s, t in zip(scenes, seen)]
        assert np.ptp(errors) < 1e-9 and abs(errors[0]) < 10


def test_outfits_by_condition(plan):
    outfits = defaultdict(set)
    for t in every(plan(lab, 0)):
        outfits[t.person_id, t.condition].add(t.source.scenes[0].person.outfit)
    assert all(len(found) == 1 for found in outfits.values())
    for person in range(1, 63):
        assert len(set.union(*(outfits[person, condition] for condition in ("nm", "bg", "cl")))) == 3
    for t in every(plan(lab, 0, clothes_change=0.0)):
        if t.condition != "bg":
            assert {t.source.scenes[0].person.outfit} == outfits[t.person_id, "nm"]


def test_a_setting_changes_what_it_says_and_nothing_else(plan):
    usual = {key(t): t.source.scenes[0] for t in every(plan(lab, 0, num_ids=8))}
    for options in (
        {"clothes_change": 0.3},
        {"same_gait": True},
        {"same_body": True},
        {"same_appearance": True},
        {"alike": 0.5},
        {"gait_variation": 0.0},
    ):
        for t in every(plan(lab, 0, num_ids=8, **options)):
            scene, before = t.source.scenes[0], usual[key(t)]
            assert replace(scene, person=before.person) == before
            if "clothes_change" in options and t.condition != "cl":
                assert scene == before
    assert {t.source.scenes[0].camera.gain for t in every(plan(lab, 0, num_ids=8, light=0.0))} == {1.0}
    plain, tight = plan(lab, 0, num_ids=8, clutter=0.7), plan(lab, 0, num_ids=8, box_error=0.0)
    assert {t.source.scenes[0].camera.clutter for t in every(plain)} == {0.7}
    for t in every(tight):
        scene, before = t.source.scenes[0], usual[key(t)]
        assert scene.box_error != before.box_error and replace(scene, box_error=before.box_error) == before


def test_the_same_seed_gives_the_same_plan_and_others_differ(plan):
    one, other = plan(lab, 0), plan(lab, 1)
    assert one.fingerprint != other.fingerprint
    bodies = [{t.source.scenes[0].person.body for t in every(b)} for b in (one, other)]
    assert [len(found) for found in bodies] == [62, 62] and not bodies[0] & bodies[1]


def test_the_validation_split_keeps_the_rule_of_who_is_gallery(plan):
    benchmark = plan(lab, 0)
    split = gait_validation_split(benchmark, fraction=1 / 3, seed=4)
    held_out = {t.person_id for t in split.query}
    assert len(held_out) == 12 and held_out == {t.person_id for t in split.gallery}
    trained = {t.person_id for t in split.train}
    assert held_out | trained == set(range(1, 38)) and not held_out & trained
    assert len(split.train) == 25 * 110 and len(split.gallery) == 12 * 44 and len(split.query) == 12 * 66
    assert {(t.condition, t.tracklet_id) for t in split.gallery} == {("nm", number) for number in (1, 2, 3, 4)}
    assert {(t.condition, t.tracklet_id) for t in split.query} == {
        (t.condition, t.tracklet_id) for t in benchmark.query
    }
    assert split.protocol == "all"
    assert split.fingerprint != gait_validation_split(benchmark, fraction=1 / 3, seed=5).fingerprint


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REIDLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield lab(0, **SMALL)


def test_frames_masks_and_silhouettes_go_together(rendered):
    for t in rendered.query[::17]:
        masks = t.masks()
        assert t.frames().shape == (3, 3, 32, 22) and masks.shape == (3, 1, 32, 22)
        assert (t.silhouettes() == align(masks[:, 0], (32, 22))).all()
        for mask, silhouette in zip(masks[:, 0], t.silhouettes()):
            rows = np.flatnonzero(mask.any(axis=1))
            assert silhouette.any(axis=1).all()  # of full height
            assert np.ptp(rows) > 0.75 * 32  # the box is cut around the person
    joints = rendered.query[0].truth("joints")
    assert joints.shape == (3, 14, 3)


def test_colour_frames_show_the_person_where_the_mask_is(rendered):
    """What differs from the plain room overlaps with the mask, and more with the own frame's than with another's."""
    overlaps = []
    for t in rendered.train:
        frames, masks = t.frames().astype(float), t.masks()[:, 0] > 0
        room = np.median(frames[..., [0, 1, 2, -3, -2, -1]], axis=-1, keepdims=True)
        found = np.abs(frames - room).max(axis=1) > 24
        overlaps.append([(found[0] & mask).sum() / (found[0] | mask).sum() for mask in masks[[0, -1]]])
    own, other = np.transpose(overlaps)
    assert np.mean(own) > 0.7
    assert np.mean(own - other) > 0.1 and (own > other).mean() > 0.9


def test_round_trip(tmp_path, rendered):
    export.casia_b(rendered, tmp_path / "silhouettes", tmp_path / "rgb", progress=False)
    assert (tmp_path / "silhouettes" / "003" / "cl-02" / "162" / "003-cl-02-162-001.png").is_file()
    loaded = casia_b.load(
        tmp_path / "silhouettes",
        tmp_path / "rgb",
        cut=False,
        resolution=(32, 22),
        size=(32, 22),
        workers=1,
        progress=False,
    )
    for part in ("train", "query", "gallery"):
        ours, theirs = by_key(getattr(rendered, part)), by_key(getattr(loaded, part))
        assert ours.keys() == theirs.keys()
        for name in list(ours)[::13]:
            one, other = ours[name], theirs[name]
            assert one.camera_id == other.camera_id
            for read in ("frames", "masks", "silhouettes"):
                assert (getattr(one, read)() == getattr(other, read)()).all(), read
