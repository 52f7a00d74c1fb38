"""What the gait worlds share: how people dress and walk, and how walks are rendered."""

from dataclasses import fields, replace

import numpy as np
import pytest

from reidlib.data.silhouettes import align
from reidlib.data.walkers import RENDERER, crowd, lab, yard
from reidlib.data.walkers.body import Body
from reidlib.data.walkers.cameras import Camera
from reidlib.data.walkers.gait import Gait
from reidlib.data.walkers.loads import gait_under_load
from reidlib.data.walkers.worlds import walks
from reidlib.data.walkers.worlds.walks import BAGS, WalkWorld

WORLD = WalkWorld(0, "test", clothes_change=1.0)
SKIN_AND_HAIR = ("skin_rgb", "hair_rgb", "long_hair", "hat", "skirt", "shoe_rgb")


def outfit(world, index, condition, walk="1"):
    return world.walker(index, condition, walk).outfit


@pytest.mark.parametrize("world", [lab, crowd, yard])
def test_worlds_carry_the_version_of_the_renderer(plan, world):
    assert plan(world, 0, num_ids=4).renderer == RENDERER >= 2


def test_clothes_are_the_persons_and_the_conditions_whatever_the_walk():
    for condition in ("nm", "bg", "cl"):
        for index in range(1, 20):
            assert outfit(WORLD, index, condition, "1") == outfit(WORLD, index, condition, "2")
        assert len({outfit(WORLD, index, condition) for index in range(1, 20)}) == 19


def test_a_bag_is_all_that_bg_adds_and_nobody_has_one_otherwise():
    added = []
    for index in range(1, 60):
        usual, carrying = outfit(WORLD, index, "nm"), outfit(WORLD, index, "bg")
        assert not any(getattr(usual, bag) for bag in BAGS) and not usual.coat
        (bag,) = (bag for bag in BAGS if getattr(carrying, bag))
        assert replace(carrying, **{bag: False}) == usual
        added.append(bag)
    assert all(added.count(bag) > 8 for bag in BAGS)  # 59 draws of three


def test_cl_changes_clothes_and_leaves_skin_hair_and_body():
    coats = 0
    for index in range(1, 60):
        usual, changed = WORLD.walker(index, "nm", "1"), WORLD.walker(index, "cl", "1")
        assert changed.body == usual.body
        assert changed.gait.hip_swing <= usual.gait.hip_swing  # shorter in a coat
        assert replace(changed.gait, hip_swing=1.0) == replace(usual.gait, hip_swing=1.0)
        assert all(getattr(changed.outfit, name) == getattr(usual.outfit, name) for name in SKIN_AND_HAIR)
        assert changed.outfit.top_rgb != usual.outfit.top_rgb and not changed.outfit.short_sleeves
        assert not any(getattr(changed.outfit, bag) for bag in BAGS)
        coats += changed.outfit.coat > 0
    assert 22 < coats < 49  # six of ten, but for one case in ten thousand


def test_without_a_change_of_clothes_cl_is_nm():
    same = replace(WORLD, clothes_change=0.0)
    for index in range(1, 10):
        assert same.walker(index, "cl", "1") == same.walker(index, "nm", "1")


def test_gait_differs_less_from_walk_to_walk_than_from_person_to_person():
    gaits = [[WORLD.walker(index, "nm", str(walk)).gait for walk in range(10)] for index in range(1, 40)]
    for field in fields(Gait):
        values = np.array([[getattr(gait, field.name) for gait in own] for own in gaits])
        within, among = values.std(axis=1).mean(), values.mean(axis=1).std()
        assert 0 < within < 0.5 * among, field.name
    still = replace(WORLD, gait_variation=0.0)
    assert len({still.walker(1, "nm", str(walk)).gait for walk in range(10)}) == 1


def test_twins_of_gait_of_body_and_of_appearance():
    alike, dressed_alike = replace(WORLD, same_gait=True, same_body=True), replace(WORLD, same_appearance=True)
    for condition in ("nm", "bg", "cl"):
        bodies = {replace(alike.walker(index, condition, "1").body, gender=0, age=0) for index in range(1, 10)}
        assert bodies == {replace(Body(), gender=0, age=0)}
        still = [replace(alike, gait_variation=0.0).walker(index, condition, "1") for index in range(1, 10)]
        assert [w.gait for w in still] == [gait_under_load(Gait(), w.outfit) for w in still]
        assert [outfit(alike, i, condition) for i in range(1, 10)] == [
            outfit(WORLD, i, condition) for i in range(1, 10)
        ]
        assert len({outfit(dressed_alike, index, condition) for index in range(1, 10)}) == 1
        ours = [dressed_alike.walker(i, condition, "1") for i in range(1, 10)]
        assert [w.body for w in ours] == [WORLD.walker(i, condition, "1").body for i in range(1, 10)]
        assert len({w.gait for w in ours}) == 9
    assert len({outfit(dressed_alike, 1, condition) for condition in ("nm", "bg", "cl")}) == 3


def test_one_walk_is_one_for_all_cameras_that_see_it():
    camera = Camera()
    seen = list(WORLD.walk(3, "nm-1", "nm", 1, [(1, 0, camera), (2, 90, camera)], 5))
    scenes = [sighting.scenes[0] for sighting in seen]
    for name in ("person", "phase", "num_frames", "fps", "motion"):
        assert len({getattr(scene, name) for scene in scenes}) == 1, name
    assert np.isclose(scenes[1].view - scenes[0].view, 90)
    assert abs(scenes[0].view) < 10
    assert scenes[0].seed != scenes[1].seed and scenes[0].box_error != scenes[1].box_error
    (other,) = WORLD.walk(3, "nm-2", "nm", 2, [(1, 0, camera)], 5)
    assert other.scenes[0].phase != scenes[0].phase and other.scenes[0].person.gait != scenes[0].person.gait


def render_yard(**options):
    settings = {"num_ids": 4, "num_frames": 3, "resolution": (32, 22), "workers": 1, "progress": False}
    return yard(0, **settings | options)


def every(benchmark):
    return [*benchmark.train, *benchmark.query, *benchmark.gallery]


def test_rendered_bytes_do_not_depend_on_the_number_of_workers(tmp_path, monkeypatch):
    found = []
    for workers in (1, 2):
        monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / str(workers)))
        found.append(render_yard(workers=workers))
    one, two = found
    assert one.fingerprint == two.fingerprint
    for read in ("frames", "masks", "silhouettes"):
        ours, theirs = ([getattr(t, read)() for t in every(benchmark)] for benchmark in found)
        assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))
    smaller = render_yard(silhouette_size=(16, 11))
    assert smaller.train[0].silhouettes().shape == (3, 16, 11)
    assert smaller.fingerprint != one.fingerprint
    for t in every(one):
        assert t.frames().shape == (3, 3, 32, 22) and t.masks().shape == (3, 1, 32, 22)
        assert (t.silhouettes() == align(t.masks()[:, 0], (32, 22))).all()


@pytest.mark.parametrize("world", [lab, crowd, yard])
@pytest.mark.parametrize(
    ("options", "message"),
    [({"num_ids": 3}, "num_ids=3: expected at least 4"), ({"box_error": -1.0}, "box_error=-1.0: expected severities")],
)
def test_bad_arguments(world, options, message):
    with pytest.raises(ValueError, match=message):
        world(0, **options)


def test_nobody_lives_in_two_worlds(plan):
    bodies = [
        {t.source.scenes[0].person.body for t in every(plan(world, 0, num_ids=8))} for world in (lab, crowd, yard)
    ]
    bodies.append({walks.World(0, "").identity(index).body for index in range(1, 30)})  # those of `street`
    assert [len(found) for found in bodies] == [8, 8, 8, 29]
    assert len(set.union(*bodies)) == sum(map(len, bodies))
