"""`street` follows MARS. Most of this is tested on the plan, with a stand-in for the renderer; a little is rendered."""

import functools
import importlib
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from scipy.stats import binom

from reidlib.data import Tracklet
from reidlib.data.attributes import MARS
from reidlib.data.walkers import street
from reidlib.data.walkers.body import Body
from reidlib.data.walkers.gait import Gait
from reidlib.data.walkers.scene import MOTIONS, BoxError
from reidlib.data.walkers.wardrobe import Outfit, attributes

module = importlib.import_module("reidlib.data.walkers.worlds.street")  # the package gives the function of that name


@functools.cache
def plan(*arguments, **options):
    """The benchmark of `street(…)` with the sightings themselves as frame sources, nothing rendered."""

    def pack(name, sightings, resolution, workers, progress):
        labels = ("person_id", "camera_id", "tracklet_id", "view", "attributes")
        return [Tracklet(source=s, **{label: getattr(s, label) for label in labels}) for s in sightings], "content"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "pack", pack)
        return street(*arguments, **options)


def key(tracklet):
    return tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id


def every(benchmark):
    """All tracklets of a benchmark, once."""
    return list({id(t): t for t in (*benchmark.train, *benchmark.query, *benchmark.gallery)}.values())


def scenes(benchmark):
    """{(person, camera, number): scenes} of all tracklets."""
    return {key(t): t.source.scenes for t in every(benchmark)}


def people(scene):
    return [scene.person, *(p.person for p in scene.passers_by)]


def within(count, number, probability):
    """Whether `count` of `number` is a likely outcome: but for one case in a million."""
    low, high = binom.interval(1 - 1e-6, number, probability)
    return low <= count <= high


def test_identities_and_queries():
    benchmark = plan(3, num_ids=100, junk=True)
    train, test = ({t.person_id for t in part} for part in (benchmark.train, benchmark.query))
    assert train == set(range(1, 61)) and benchmark.num_ids == 60
    assert test <= set(range(61, 101))
    assert {t.person_id for t in benchmark.gallery} <= set(range(61, 101)) | {0, -1}
    assert {t.camera_id for t in every(benchmark)} == set(range(1, 7))
    queries = Counter((t.person_id, t.camera_id) for t in benchmark.query)
    assert set(queries.values()) == {1}
    seen_by = defaultdict(set)
    for tracklet in every(benchmark):
        seen_by[tracklet.person_id].add(tracklet.camera_id)
    pairs = {(p, c) for p in range(61, 101) for c in seen_by[p] if len(seen_by[p]) > 1}
    assert set(queries) == pairs
    assert max(len(cameras) for p, cameras in seen_by.items() if p > 0) <= 6
    assert len({key(t) for t in every(benchmark)}) == len(every(benchmark))
    assert benchmark.protocol == "cross-camera" and benchmark.name == "street"


def unmatched(benchmark):
    cameras = defaultdict(set)
    for tracklet in benchmark.gallery:
        cameras[tracklet.person_id].add(tracklet.camera_id)
    return sum(not cameras[q.person_id] - {q.camera_id} for q in benchmark.query)


def test_some_queries_have_no_match_in_the_usual_set_up_and_all_have_one_in_mixing():
    usual, mixing = plan(0, num_ids=250, junk=True), plan(0, "mixing", num_ids=250, junk=True)
    assert 0.03 < unmatched(usual) / len(usual.query) < 0.12  # MARS: 140 of 1980, 7 %
    assert unmatched(mixing) == 0
    assert list(map(key, usual.query)) == list(map(key, mixing.query))
    assert not set(map(key, usual.query)) & set(map(key, usual.gallery))
    assert sorted(map(key, mixing.gallery)) == sorted([*map(key, usual.query), *map(key, usual.gallery)])
    assert usual.fingerprint != mixing.fingerprint


def test_distractors_and_junk_are_as_many_as_in_mars():
    with_junk, without = plan(0, num_ids=250, junk=True), plan(0, num_ids=60)
    ids = np.array([t.person_id for t in with_junk.gallery])
    real = (ids > 0).sum()
    assert abs((ids == 0).sum() - 3248 / 6082 * real) < 0.01 * real
    assert abs((ids == -1).sum() - 870 / 6082 * real) < 0.01 * real
    assert min(t.person_id for t in without.gallery) == 0
    with_junk = plan(0, num_ids=60, junk=True)
    assert [key(t) for t in without.gallery] == [key(t) for t in with_junk.gallery if t.person_id >= 0]
    assert with_junk.fingerprint != without.fingerprint


def test_attributes_are_the_columns_of_mars_for_identities_only():
    names = {a.name: a.num_codes for a in MARS.attributes}
    for tracklet in every(plan(0, num_ids=250, junk=True)):
        if tracklet.person_id > 0:
            assert tracklet.attributes.keys() == names.keys()
            assert all(0 <= code < names[name] for name, code in tracklet.attributes.items())
        else:
            assert tracklet.attributes == {}


def test_motion_is_as_skewed_as_in_mars():
    tracklets = [t for t in every(plan(0, num_ids=250, junk=True)) if t.person_id > 0]
    counts = Counter(t.attributes["motion"] for t in tracklets)
    for code, share in enumerate((0.8971, 0.0039, 0.0092, 0.0877, 0.0021)):  # of the 16360 annotated tracklets
        assert within(counts[code], len(tracklets), share), code
    assert all(t.source.scenes[0].motion == MOTIONS[t.attributes["motion"]] for t in tracklets)


def test_flags_say_what_the_scenes_hold():
    tracklets = [t for t in every(plan(0, num_ids=250, junk=True)) if t.person_id > 0]
    seen = Counter()
    for t in tracklets:
        first, last = t.source.scenes[0], t.source.scenes[-1]
        flags = {name for name in (a.name for a in MARS.quality) if t.attributes[name]}
        assert ("occlusion" in flags) == bool(first.occluders or last.occluders)
        assert ("multi-person" in flags) == bool(first.passers_by or last.passers_by)
        assert ("background-dominant" in flags) == (max(first.box_error.scale, last.box_error.scale) > 0.2)
        assert ("target-change" in flags) == (first.person != last.person)
        assert ("target-miss" in flags) == (first.box_error != last.box_error)
        assert len(t.source.scenes) == 1 + bool(flags & {"target-change", "target-miss"})
        if "target-miss" in flags:
            assert "cut-out" in flags
        seen.update(flags)
    for name, share in (("target-change", 0.0127), ("target-miss", 0.0009), ("wrong-target", 0.0015)):
        assert within(seen[name], len(tracklets), share)
    assert within(seen["multi-person"], len(tracklets), module.PASSERS_BY)
    assert all(seen[a.name] for a in MARS.quality)


def test_identity_columns_describe_the_person_of_the_label():
    benchmark = plan(0, num_ids=250, junk=True)
    columns = defaultdict(list)
    for t in every(benchmark):
        scene = t.source.scenes[0]
        if t.person_id > 0:
            columns[t.person_id].append(
                [t.attributes[a] for a in ("top color", "bottom color", "gender", "age", "hair")]
            )
            if not t.attributes["wrong-target"]:
                worn = attributes(scene.person.outfit, scene.person.body)
                assert {name: t.attributes[name] for name in worn} == worn
    assert all(row == rows[0] for rows in columns.values() for row in rows)
    assert len({tuple(rows[0]) for rows in columns.values()}) > 100
    changed = {t.person_id for t in every(benchmark) if t.person_id > 0 and t.attributes["hand bag"]} & {
        t.person_id for t in every(benchmark) if t.person_id > 0 and not t.attributes["hand bag"]
    }
    assert 0.04 < len(changed) / 250 < 0.2  # MARS: 11 % of the persons are seen with and without


@pytest.mark.parametrize(("view", "pose"), [(0, 0), (359, 0), (45, 1), (315, 1), (90, 2), (270, 2), (135, 3), (180, 4)])
def test_pose_by_view(view, pose):
    assert module._pose(view) == pose


def test_whoever_else_is_seen_is_of_the_same_split_and_somebody_else():
    benchmark = plan(0, num_ids=250, junk=True)
    own = {
        t.person_id: t.source.scenes[0].person.body for t in every(benchmark) if not t.attributes.get("wrong-target")
    }
    split = {body: "train" if person <= 150 else "test" for person, body in own.items() if person > 0}
    company = Counter()
    for t in every(benchmark):
        if t.person_id == 0:
            bodies = [p.body for scene in t.source.scenes for p in people(scene)]
            assert not split.keys() & set(bodies)  # distractors and their company are nobody's match
            continue
        others = [p.person.body for scene in t.source.scenes for p in scene.passers_by]
        if t.attributes.get("target-change") or t.attributes.get("wrong-target"):
            others.append(t.source.scenes[-1].person.body)
        for body in others:
            company[split[body]] += 1
            if t.person_id > 0:
                assert split[body] == ("train" if t.person_id <= 150 else "test")
                assert body != own[t.person_id]
    assert min(company.values()) > 100


def test_the_same_seed_gives_the_same_plan_and_others_differ():
    one, same, other = plan(0, num_ids=20), plan(0, num_ids=20), plan(1, num_ids=20)
    assert scenes(one) == scenes(same) and one.fingerprint == same.fingerprint
    bodies = [{p.body for s in chain(*scenes(b).values()) for p in people(s)} for b in (one, other)]
    assert not bodies[0] & bodies[1]
    cameras = [{s.camera for s in chain(*scenes(b).values())} for b in (one, other)]
    assert [len(found) for found in cameras] == [6, 6] and not cameras[0] & cameras[1]


def same_but_for_people(one, other):
    """Whether two plans have the same labels and draws, and differ in who is seen only."""

    def stripped(scene):
        nobody = Body(), Gait(), Outfit()
        bare = replace(scene.person, **dict(zip(("body", "gait", "outfit"), nobody)))
        return replace(scene, person=bare, passers_by=tuple(replace(p, person=bare) for p in scene.passers_by))

    def draws(benchmark):
        return {k: tuple(map(stripped, found)) for k, found in scenes(benchmark).items()}

    queries = [list(map(key, b.query)) for b in (one, other)]
    return draws(one) == draws(other) and queries[0] == queries[1]


def everybody(benchmark):
    return [p for scene in chain(*scenes(benchmark).values()) for p in people(scene)]


def test_in_the_world_of_one_gait_everybody_has_the_same_body_and_gait():
    usual, twins = plan(0, num_ids=60, junk=True), plan(0, num_ids=60, junk=True, same_gait=True)
    assert {p.gait for p in everybody(twins)} == {Gait()}
    assert {replace(p.body, gender=0, age=0) for p in everybody(twins)} == {replace(Body(), gender=0, age=0)}
    assert [p.outfit for p in everybody(twins)] == [p.outfit for p in everybody(usual)]
    assert same_but_for_people(usual, twins)
    assert [t.attributes for t in twins.train] == [t.attributes for t in usual.train]


def test_in_the_world_of_one_appearance_everybody_wears_the_same():
    usual = plan(0, num_ids=60, junk=True)
    twins = plan(0, num_ids=60, junk=True, same_appearance=True)
    assert {p.outfit for p in everybody(twins)} == {Outfit()}
    assert [(p.body, p.gait) for p in everybody(twins)] == [(p.body, p.gait) for p in everybody(usual)]
    assert same_but_for_people(usual, twins)
    dressed = plan(0, num_ids=60, junk=True, same_appearance=True, clothes_change=1.0)
    assert {p.outfit for p in everybody(dressed)} == {Outfit()}


def test_clothes_change_between_cameras_and_not_within_one():
    usual, changed = plan(0, num_ids=60, junk=True), plan(0, num_ids=60, junk=True, clothes_change=1.0)
    assert same_but_for_people(usual, changed)
    for benchmark, number in ((usual, 1), (changed, 2)):
        tops = defaultdict(lambda: defaultdict(set))
        for t in every(benchmark):
            if t.person_id > 0 and not t.attributes["wrong-target"]:
                tops[t.person_id][t.camera_id].add(t.source.scenes[0].person.outfit.top_rgb)
        assert all(len(found) == 1 for cameras in tops.values() for found in cameras.values())
        several = [set.union(*cameras.values()) for cameras in tops.values() if len(cameras) > 1]
        assert all((len(found) > 1) == (number == 2) for found in several)


def test_severity_0_removes_and_leaves_the_rest_alone():
    usual = plan(0, num_ids=60, junk=True)
    open_view = plan(0, num_ids=60, junk=True, occlusion=0.0)
    assert not any(s.occluders or s.passers_by for s in chain(*scenes(open_view).values()))
    assert any(s.occluders for s in chain(*scenes(usual).values()))
    for name, found in scenes(usual).items():
        bare = tuple(replace(s, occluders=(), passers_by=()) for s in found)
        assert scenes(open_view)[name] == bare

    tight = plan(0, num_ids=60, junk=True, box_error=0.0)
    boxes = [t.source.scenes[0].box_error for t in every(tight) if t.person_id > 0]
    assert set(boxes) == {BoxError()}
    assert all(s.box_error != BoxError() for s in scenes(usual)[key(usual.train[0])])

    plain = plan(0, num_ids=60, junk=True, clutter=0.0)
    assert {s.camera.clutter for s in chain(*scenes(plain).values())} == {0.0}
    for name, found in scenes(usual).items():
        assert scenes(plain)[name] == tuple(replace(s, camera=replace(s.camera, clutter=0.0)) for s in found)


def test_more_severity_means_more():
    def share(severity):
        found = list(chain(*scenes(plan(0, num_ids=60, junk=True, occlusion=severity)).values()))
        return np.mean([bool(s.occluders) for s in found]), np.mean([bool(s.passers_by) for s in found])

    assert all(half < whole < double for half, whole, double in zip(share(0.5), share(1.0), share(2.0)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"setup": "all"}, 'setup=\'all\': expected "usual" or "mixing"'),
        ({"num_ids": 9}, "num_ids=9: expected at least 10"),
        ({"occlusion": -0.5}, "occlusion=-0.5.*severities from 0 on"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        plan(0, **options)


def pixels(benchmark):
    return [np.concatenate([getattr(t, kind)() for t in every(benchmark)]) for kind in ("frames", "masks")]


def test_rendered_bytes_do_not_depend_on_the_number_of_workers(tmp_path, monkeypatch):
    found = []
    for workers in (1, 2):
        monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / str(workers)))
        found.append(street(5, num_ids=10, resolution=(32, 16), junk=True, workers=workers, progress=False))
    one, two = found
    assert one.fingerprint == two.fingerprint
    for a, b in zip(pixels(one), pixels(two)):
        assert np.array_equal(a, b)
    frames, masks = pixels(one)
    assert frames.shape == (len(masks), 3, 32, 16) and frames.dtype == np.uint8
    assert set(np.unique(masks)) == {0, 1}
    tracklet = one.train[0]
    assert len(tracklet) == sum(s.num_frames for s in module._sighting(*first_sighting()).scenes)
    assert tracklet.truth("flow", [0, 1]).shape == (2, 2, 32, 16)


def first_sighting():
    """The arguments of the first training sighting of the street of seed 5 with ten people."""
    world = module.Street(5, "")
    first = next(module._sightings(world, range(1, 7)))
    return world, 1, first.camera_id - 1, 1, range(1, 7), 1
