"""`campus` follows DukeMTMC-VideoReID: counts of the published data set, its protocol, its annotation."""

import csv
from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy.stats import binom

import reidlib
from reidlib.data.attributes import DUKE
from reidlib.data.walkers import campus
from reidlib.data.walkers.worlds.campus import (
    DUKE_CAMERA_USE,
    DUKE_CAMERAS_PER_ID,
    DUKE_COMPANY,
    DUKE_MOTIONS,
    DUKE_OCCLUSION,
    DUKE_POSES,
    DUKE_SLIPS,
)


def key(tracklet):
    return tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id


def within(count, number, probability):
    low, high = binom.interval(1 - 1e-6, number, probability)
    return low <= count <= high


@pytest.fixture(scope="module")
def annotation():
    """The rows of the published annotation."""
    if reidlib.shared_folder() is None:
        pytest.skip("needs the real annotation (REIDLIB_SHARED)")
    with open(reidlib.shared_folder() / "data" / "attributes" / "duke_attributes.csv") as file:
        rows = list(csv.DictReader(file))
    return [{name: int(cell) for name, cell in row.items()} for row in rows]


def test_frequencies_are_those_of_the_annotation(annotation):
    def shares(column, codes):
        counts = Counter(row[column] for row in annotation)
        return [counts[code] / len(annotation) for code in codes]

    cameras = defaultdict(set)
    for row in annotation:
        cameras[row["person_id"]].add(row["camera_id"])
    seen = Counter(len(found) for found in cameras.values())
    assert seen.pop(1) == 408
    poses = shares("pose", range(5))
    for constant, expected in (
        (DUKE_CAMERAS_PER_ID, [seen[n] / 1404 for n in range(1, 7)]),
        (DUKE_CAMERA_USE, shares("camera_id", range(1, 9))),
        (DUKE_MOTIONS, shares("motion", range(5))),
        (DUKE_POSES, np.array(poses) / sum(poses)),
        ((DUKE_OCCLUSION, DUKE_COMPANY), [shares(name, [1])[0] for name in ("occlusion", "muti-person")]),
        ([*DUKE_SLIPS.values()], [shares(name, [1])[0] for name in DUKE_SLIPS]),
    ):
        assert np.abs(np.subtract(constant, expected)).max() < 0.001


def test_identities_tracklets_and_queries(plan, every):
    benchmark = plan(campus, 0, num_ids=362)
    train, query = ({t.person_id for t in part} for part in (benchmark.train, benchmark.query))
    assert train == set(range(1, 141)) and query == set(range(141, 281))  # 702 of 1812 each
    assert len(benchmark.query) == 140  # one a person
    strangers = [t for t in benchmark.gallery if t.person_id > 280]
    assert [t.person_id for t in strangers] == list(range(281, 363))  # 408 of 1812, a tracklet each
    pairs = Counter((t.person_id, t.camera_id) for t in every(benchmark))
    assert set(pairs.values()) == {1} and {camera for _, camera in pairs} == set(range(1, 9))
    assert {t.tracklet_id for t in every(benchmark)} == set(range(1, len(every(benchmark)) + 1))
    # Duke: 2196 tracklets of 702 persons, 2636 - 408 of the 702 others
    assert len(benchmark.train) / 140 == pytest.approx(2196 / 702, abs=0.3)
    assert (len(benchmark.gallery) - len(strangers)) / 140 == pytest.approx((2636 - 408) / 702, abs=0.3)
    assert (benchmark.protocol, benchmark.name) == ("cross-camera", "campus")


def test_every_query_has_a_match_and_the_set_ups_differ_by_the_queries(plan):
    mixing, usual = plan(campus, 0, num_ids=100), plan(campus, 0, "usual", num_ids=100)
    assert list(map(key, mixing.query)) == list(map(key, usual.query))
    assert sorted(map(key, mixing.gallery)) == sorted(map(key, (*usual.gallery, *usual.query)))
    assert not set(map(key, usual.gallery)) & set(map(key, usual.query))
    for benchmark in (mixing, usual):
        places = {(t.person_id, t.camera_id) for t in benchmark.gallery}
        for query in benchmark.query:
            assert any(p == query.person_id and c != query.camera_id for p, c in places)
    assert mixing.fingerprint != usual.fingerprint


def test_attributes_are_the_columns_of_duke_for_everybody(plan, every):
    names = {a.name: a.num_codes for a in DUKE.attributes}
    for t in every(plan(campus, 0)):
        assert t.attributes.keys() == names.keys()
        assert all(0 <= code < names[name] for name, code in t.attributes.items())


def test_motion_pose_and_company_are_as_frequent_as_in_duke(plan, every):
    tracklets = every(plan(campus, 0))
    for column, shares in (("motion", DUKE_MOTIONS), ("pose", DUKE_POSES)):
        counts = Counter(t.attributes[column] for t in tracklets)
        for code, share in enumerate(shares):
            assert within(counts[code], len(tracklets), share), (column, code)
    for flag, share in (("occlusion", DUKE_OCCLUSION), ("multi-person", DUKE_COMPANY), *DUKE_SLIPS.items()):
        assert within(sum(t.attributes[flag] for t in tracklets), len(tracklets), share), flag


def test_clothes_are_as_frequent_as_in_duke(plan, annotation):
    people = {t.person_id: t.attributes for t in plan(campus, 0).train}
    for attribute in DUKE.id_relevant:
        if attribute.name == "gender":  # as frequent as everywhere in the rendered worlds
            continue
        for code in range(attribute.num_codes):
            share = np.mean([row[attribute.name] == code for row in annotation])
            found = np.mean([a[attribute.name] == code for a in people.values()])
            assert abs(found - share) < 0.12, (attribute.name, code)  # 155 persons


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("all",), {}, 'setup=\'all\': expected "mixing" or "usual"'),
        ((), {"num_ids": 9}, "num_ids=9: expected at least 10"),
        ((), {"clutter": -1.0}, "clutter=-1.0.*severities from 0 on"),
    ],
)
def test_bad_arguments(plan, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        plan(campus, 0, *arguments, **options)
