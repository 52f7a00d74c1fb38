"""What holds in every outdoor world: twins, severities, company, strangers to each other; little of it is rendered."""

from collections import defaultdict
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest

from reidlib.data import validation_split
from reidlib.data.walkers import RENDERER, campus, pair, stills, street
from reidlib.data.walkers.body import Body
from reidlib.data.walkers.gait import Gait
from reidlib.data.walkers.loads import gait_under_load
from reidlib.data.walkers.scene import BoxError
from reidlib.data.walkers.wardrobe import Outfit
from reidlib.data.walkers.worlds import outdoors
from reidlib.data.walkers.worlds.wardrobes import CAMPUS_UNIFORM, STILLS_UNIFORM

WORLDS = (street, campus, pair, stills)
UNIFORMS = {street: Outfit(), campus: CAMPUS_UNIFORM, pair: Outfit(), stills: STILLS_UNIFORM}


@pytest.fixture(params=WORLDS, ids=lambda world: world.__name__)
def world(request):
    return request.param


def people(scene):
    return [scene.person, *(p.person for p in scene.passers_by)]


def everybody(scenes):
    return [p for scene in chain(*scenes.values()) for p in people(scene)]


def bare(scenes):
    """The same scenes with everybody replaced by one person."""
    nobody = {"body": Body(), "gait": Gait(), "outfit": Outfit()}

    def stripped(scene):
        others = tuple(replace(p, person=replace(p.person, **nobody)) for p in scene.passers_by)
        return replace(scene, person=replace(scene.person, **nobody), passers_by=others)

    return {key: tuple(map(stripped, found)) for key, found in scenes.items()}


def test_worlds_carry_the_version_of_the_renderer(plan, world):
    planned = plan(world, 0, num_ids=20)
    assert planned.renderer == validation_split(planned).renderer == RENDERER >= 2


def test_the_same_seed_gives_the_same_plan_and_others_differ(plan, scenes, world):
    planned = [plan.__wrapped__(world, seed, num_ids=20) for seed in (0, 0, 1)]  # not the cached ones
    one, same, other = map(scenes, planned)
    assert one == same and planned[0].fingerprint == planned[1].fingerprint != planned[2].fingerprint
    assert not {p.body for p in everybody(one)} & {p.body for p in everybody(other)}
    cameras = [{s.camera.scene_seed for s in chain(*found.values())} for found in (one, other)]
    assert len(cameras[0]) == len(cameras[1]) <= 8 and not cameras[0] & cameras[1]


def test_no_two_worlds_share_anybody_or_a_camera(plan, scenes):
    found = [scenes(plan(world, 0, num_ids=24)) for world in WORLDS]
    for one, other in combinations(found, 2):
        assert not {p.body for p in everybody(one)} & {p.body for p in everybody(other)}
        assert not {p.outfit for p in everybody(one)} & {p.outfit for p in everybody(other)}
        places = [{s.camera.scene_seed for s in chain(*world.values())} for world in (one, other)]
        assert not places[0] & places[1]


def test_where_all_walk_alike_everybody_has_the_same_body_and_gait(plan, scenes, world):
    twin = {"same_gait": True, "same_body": True, "gait_variation": 0.0}
    planned = [plan(world, 0, num_ids=24), plan(world, 0, num_ids=24, **twin)]
    usual, twins = map(scenes, planned)
    assert all(p.gait == gait_under_load(Gait(), p.outfit) for p in everybody(twins))
    assert {replace(p.body, gender=0, age=0) for p in everybody(twins)} == {replace(Body(), gender=0, age=0)}
    assert [p.outfit for p in everybody(twins)] == [p.outfit for p in everybody(usual)]
    assert bare(usual) == bare(twins)
    assert [t.attributes for t in planned[0].train] == [t.attributes for t in planned[1].train]


def test_where_all_look_alike_everybody_wears_the_same(plan, scenes, world):
    usual = scenes(plan(world, 0, num_ids=24))
    for change in (0.0, 1.0):
        twins = scenes(plan(world, 0, num_ids=24, same_appearance=True, clothes_change=change))
        assert {p.outfit for p in everybody(twins)} == {UNIFORMS[world]}
        assert [p.body for p in everybody(twins)] == [p.body for p in everybody(usual)]
        assert len({p.gait for p in everybody(twins)}) > 24
        assert bare(usual) == bare(twins)


def test_each_passage_is_a_walk_of_its_own_and_company_walks_as_ever(plan, scenes, world):
    usual, still = (scenes(plan(world, 0, num_ids=24, gait_variation=variation)) for variation in (1.0, 0.0))
    assert bare(usual) == bare(still)
    for key, found in usual.items():
        for one, other in zip(found, still[key]):
            assert one.person.gait != other.person.gait
            assert one.passers_by == other.passers_by
            assert replace(one.person, gait=Gait()) == replace(other.person, gait=Gait())
    followed = defaultdict(lambda: defaultdict(set))  # body: camera: the gaits of the walks past it
    for key, found in usual.items():
        followed[found[0].person.body][key[1]].add(found[0].person.gait)
    several = [cameras for cameras in followed.values() if len(cameras) > 1]
    assert len(several) > 10 and all(len(set.union(*cameras.values())) >= len(cameras) for cameras in several)


def test_some_dress_alike_and_nothing_else_changes(plan, scenes, world):
    usual, alike = (scenes(plan(world, 0, num_ids=24, alike=share)) for share in (0.0, 0.6))
    assert bare(usual) == bare(alike)
    tops = [{p.body: p.outfit.top_rgb for p in everybody(found)} for found in (usual, alike)]
    changed = [body for body, top in tops[0].items() if tops[1][body] != top]
    assert 0.3 < len(changed) / len(tops[0]) < 0.9
    assert len({tops[1][body] for body in changed}) < 0.5 * len(changed)


def test_light_differs_from_camera_to_camera_and_from_tracklet_to_tracklet(plan, scenes, world):
    names = ("gain", "gamma", "cast", "saturation", "haze", "blur", "noise")
    usual, same = (scenes(plan(world, 0, num_ids=24, light=light)) for light in (1.0, 0.0))
    lights = {tuple(getattr(s.camera, name) for name in names) for s in chain(*same.values())}
    assert len(lights) == 1
    gains = defaultdict(list)
    for key, found in usual.items():
        even = {name: getattr(found[0].camera, name) for name in names}
        assert replace(same[key][0], camera=replace(same[key][0].camera, **even)) == found[0]
        gains[key[1]].append(np.log(found[0].camera.gain))
    assert 0.03 < np.mean([np.std(found) for found in gains.values() if len(found) > 5]) < 0.09


def worn(tracklets):
    """(person, camera, outfit) of the identities' tracklets that show them."""
    for t in tracklets:
        if t.person_id > 0 and not t.attributes.get("wrong-target"):
            yield t.person_id, t.camera_id, getattr(t.source, "source", t.source).scenes[0].person.outfit


def test_clothes_change_between_cameras_and_not_within_one(plan, every, scenes, world):
    planned = [plan(world, 0, num_ids=24, clothes_change=change) for change in (0.0, 1.0)]
    assert bare(scenes(planned[0])) == bare(scenes(planned[1]))
    for benchmark, change in zip(planned, (False, True)):
        tops = defaultdict(lambda: defaultdict(set))
        for person, camera, outfit in worn(every(benchmark)):
            tops[person][camera].add(outfit.top_rgb)
        assert all(len(worn) == 1 for cameras in tops.values() for worn in cameras.values())
        several = [set.union(*cameras.values()) for cameras in tops.values() if len(cameras) > 1]
        assert all((len(found) > 1) == change for found in several)


def test_carried_things_are_all_that_differs_between_cameras_without_a_change(plan, every, world):
    outfits = defaultdict(set)
    for person, _, outfit in worn(every(plan(world, 0, num_ids=24))):
        outfits[person].add(replace(outfit, backpack=False, shoulder_bag=False, hand_bag=False))
    assert {len(found) for found in outfits.values()} == {1}


def test_severity_0_removes_and_leaves_the_rest_alone(plan, scenes, world):
    usual = scenes(plan(world, 0, num_ids=24))
    open_view = scenes(plan(world, 0, num_ids=24, occlusion=0.0))
    assert any(s.occluders for s in chain(*usual.values())) and any(s.passers_by for s in chain(*usual.values()))
    assert open_view == {k: tuple(replace(s, occluders=(), passers_by=()) for s in f) for k, f in usual.items()}

    tight = scenes(plan(world, 0, num_ids=24, box_error=0.0))
    identities = [key for key in usual if key[0] > 0]
    assert {tight[key][0].box_error for key in identities} == {BoxError()}
    assert all(usual[key][0].box_error != BoxError() for key in identities)

    plain = scenes(plan(world, 0, num_ids=24, clutter=0.0))
    for key, found in usual.items():
        assert plain[key] == tuple(replace(s, camera=replace(s.camera, clutter=0.0)) for s in found)


def test_more_severity_means_more(plan, scenes, world):
    def share(severity):
        found = list(chain(*scenes(plan(world, 0, num_ids=24, occlusion=severity)).values()))
        return np.mean([bool(s.occluders) for s in found]), np.mean([bool(s.passers_by) for s in found])

    assert all(little < much < most for little, much, most in zip(share(0.3), share(1.0), share(2.5)))


def test_whoever_else_is_seen_is_of_the_same_part_and_somebody_else(plan, every, world):
    benchmark = plan(world, 0, num_ids=80)
    own = {}
    for t in every(benchmark):
        if t.person_id > 0 and not t.attributes.get("wrong-target"):
            own[t.person_id] = getattr(t.source, "source", t.source).scenes[0].person.body
    trained = {own[t.person_id] for t in benchmark.train}
    tested = set(own.values()) - trained
    company = 0
    for t in every(benchmark):
        for scene in getattr(t.source, "source", t.source).scenes:
            others = {p.person.body for p in scene.passers_by}
            company += len(others)
            if t.person_id == 0:
                assert not {scene.person.body, *others} & (trained | tested)
            elif world is not pair:  # where other halves are trained on in every split
                assert others <= (trained if t in benchmark.train else tested)
            assert scene.person.body not in others
    assert company > 20


@pytest.mark.parametrize(("view", "pose"), [(0, 0), (359, 0), (45, 1), (315, 1), (90, 2), (270, 2), (135, 3), (180, 4)])
def test_pose_by_view(view, pose):
    assert outdoors.pose_class(view) == pose


def test_the_fingerprint_covers_the_labels(plan):
    benchmark = plan(campus, 0, num_ids=20)
    parts = (benchmark.train, benchmark.query, benchmark.gallery)
    first, *others = benchmark.train
    digests = {outdoors.benchmark("any", content, *parts).fingerprint for content in ("frames", "other frames")}
    for change in ({"person_id": 99}, {"camera_id": 9}, {"tracklet_id": 7}, {"view": 400}, {"attributes": {}}):
        train = [replace(first, **change), *others]
        digests.add(outdoors.benchmark("any", "frames", train, *parts[1:]).fingerprint)
    assert len(digests) == 7


@pytest.mark.parametrize("world", [street, stills])
def test_rendered_bytes_do_not_depend_on_the_number_of_workers(tmp_path, monkeypatch, every, world):
    found = []
    for workers in (1, 2):
        monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / str(workers)))
        found.append(world(5, num_ids=10, resolution=(32, 16), workers=workers, progress=False))
    one, two = found
    assert one.fingerprint == two.fingerprint
    for kind in ("frames", "masks"):
        a, b = (np.concatenate([getattr(t, kind)() for t in every(benchmark)]) for benchmark in found)
        assert np.array_equal(a, b)
        assert a.dtype == np.uint8 and a.shape[2:] == (32, 16)
    assert set(np.unique(a)) == {0, 1}
    assert one.train[0].truth("flow", [0]).shape == (1, 2, 32, 16)
