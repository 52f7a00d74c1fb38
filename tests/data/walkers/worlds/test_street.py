"""`street` follows MARS. All but one test looks at the plan, with a stand-in for the renderer."""

import functools
from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy.stats import binom

from reidlib.data.attributes import MARS
from reidlib.data.walkers import street
from reidlib.data.walkers.scene import MOTIONS
from reidlib.data.walkers.wardrobe import attributes
from reidlib.data.walkers.worlds import outdoors


@pytest.fixture
def plan(plan):
    """`plan(seed, setup, **options)`: the street with its scenes as `tracklet.source.scenes`, nothing rendered."""
    return functools.partial(plan, street)


def key(tracklet):
    return tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id


def people(scene):
    return [scene.person, *(p.person for p in scene.passers_by)]


def within(count, number, probability):
    """Whether `count` of `number` is a likely outcome: but for one case in a million."""
    low, high = binom.interval(1 - 1e-6, number, probability)
    return low <= count <= high


def test_identities_and_queries(plan, every):
    benchmark = plan(3, num_ids=100, junk=True)
    train, test = ({t.person_id for t in part} for part in (benchmark.train, benchmark.query))
    assert train == set(range(1, 39)) and benchmark.num_ids == 38
    assert test <= set(range(39, 101))
    assert {t.person_id for t in benchmark.gallery} <= set(range(39, 101)) | {0, -1}
    assert {t.camera_id for t in every(benchmark)} == set(range(1, 7))
    queries = Counter((t.person_id, t.camera_id) for t in benchmark.query)
    assert set(queries.values()) == {1}
    seen_by = defaultdict(set)
    for tracklet in every(benchmark):
        seen_by[tracklet.person_id].add(tracklet.camera_id)
    pairs = {(p, c) for p in range(39, 101) for c in seen_by[p] if len(seen_by[p]) > 1}
    assert set(queries) == pairs
    assert max(len(cameras) for p, cameras in seen_by.items() if p > 0) <= 6
    assert len({key(t) for t in every(benchmark)}) == len(every(benchmark))
    assert benchmark.protocol == "cross-camera" and benchmark.name == "street"


def unmatched(benchmark):
    cameras = defaultdict(set)
    for tracklet in benchmark.gallery:
        cameras[tracklet.person_id].add(tracklet.camera_id)
    return sum(not cameras[q.person_id] - {q.camera_id} for q in benchmark.query)


def test_some_queries_have_no_match_in_the_usual_set_up_and_all_have_one_in_mixing(plan):
    usual, mixing = plan(0, num_ids=250, junk=True), plan(0, "mixing", num_ids=250, junk=True)
    assert 0.03 < unmatched(usual) / len(usual.query) < 0.12  # MARS: 140 of 1980, 7 %
    assert unmatched(mixing) == 0
    assert list(map(key, usual.query)) == list(map(key, mixing.query))
    assert not set(map(key, usual.query)) & set(map(key, usual.gallery))
    assert sorted(map(key, mixing.gallery)) == sorted([*map(key, usual.query), *map(key, usual.gallery)])
    assert usual.fingerprint != mixing.fingerprint


def test_distractors_and_junk_are_as_many_as_in_mars(plan):
    with_junk, without = plan(0, num_ids=250, junk=True), plan(0, num_ids=60)
    ids = np.array([t.person_id for t in with_junk.gallery])
    real = (ids > 0).sum()
    assert abs((ids == 0).sum() - 3248 / 6082 * real) < 0.01 * real
    assert abs((ids == -1).sum() - 870 / 6082 * real) < 0.01 * real
    assert min(t.person_id for t in without.gallery) == 0
    with_junk = plan(0, num_ids=60, junk=True)
    assert [key(t) for t in without.gallery] == [key(t) for t in with_junk.gallery if t.person_id >= 0]
    assert with_junk.fingerprint != without.fingerprint


def test_attributes_are_the_columns_of_mars_for_identities_only(plan, every):
    names = {a.name: a.num_codes for a in MARS.attributes}
    for tracklet in every(plan(0, num_ids=250, junk=True)):
        if tracklet.person_id > 0:
            assert tracklet.attributes.keys() == names.keys()
            assert all(0 <= code < names[name] for name, code in tracklet.attributes.items())
        else:
            assert tracklet.attributes == {}


def test_motion_is_as_skewed_as_in_mars(plan, every):
    tracklets = [t for t in every(plan(0, num_ids=250, junk=True)) if t.person_id > 0]
    counts = Counter(t.attributes["motion"] for t in tracklets)
    for code, share in enumerate((0.8971, 0.0039, 0.0092, 0.0877, 0.0021)):  # of the 16360 annotated tracklets
        assert within(counts[code], len(tracklets), share), code
    assert all(t.source.scenes[0].motion == MOTIONS[t.attributes["motion"]] for t in tracklets)


def test_flags_say_what_the_scenes_hold(plan, every):
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
    assert within(seen["multi-person"], len(tracklets), 1.5 * outdoors.Outdoors.passers_by)  # at a street's occlusion
    assert all(seen[a.name] for a in MARS.quality)


def test_identity_columns_describe_the_person_of_the_label(plan, every):
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


def test_whoever_else_is_seen_is_of_the_same_split_and_somebody_else(plan, every):
    benchmark = plan(0, num_ids=250, junk=True)
    own = {
        t.person_id: t.source.scenes[0].person.body for t in every(benchmark) if not t.attributes.get("wrong-target")
    }
    split = {body: "train" if person <= 94 else "test" for person, body in own.items() if person > 0}
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
                assert split[body] == ("train" if t.person_id <= 94 else "test")
                assert body != own[t.person_id]
    assert min(company.values()) > 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"setup": "all"}, 'setup=\'all\': expected "usual" or "mixing"'),
        ({"num_ids": 9}, "num_ids=9: expected at least 10"),
        ({"occlusion": -0.5}, "occlusion=-0.5.*severities from 0 on"),
    ],
)
def test_bad_arguments(plan, options, message):
    with pytest.raises(ValueError, match=message):
        plan(0, **options)
