"""`pair` follows iLIDS-VID and PRID-2011: two cameras, ten halvings."""

from itertools import combinations

import numpy as np
import pytest

from reidlib.data.walkers import pair, pair_splits
from reidlib.data.walkers.worlds.pair import Pair


def labels(tracklets):
    return [(t.person_id, t.camera_id) for t in tracklets]


def test_each_split_tests_on_half_of_the_persons_across_the_cameras(plan):
    splits = plan(pair_splits, 0)
    assert [b.name for b in splits] == [f"pair split {number}" for number in range(10)]
    assert {b.protocol for b in splits} == {"all"}
    for b in splits:
        tested = [t.person_id for t in b.query]
        assert len(tested) == len(set(tested)) == b.num_ids == 150  # as in iLIDS-VID
        assert labels(b.query) == [(person, 1) for person in tested]
        assert labels(b.gallery) == [(person, 2) for person in tested]
        assert sorted(labels((*b.train, *b.query, *b.gallery))) == [(p, c) for p in range(1, 301) for c in (1, 2)]


def test_the_splits_differ_and_divide_the_same_tracklets(plan, every):
    splits = plan(pair_splits, 0)
    for one, other in combinations(splits, 2):
        assert {t.person_id for t in one.query} != {t.person_id for t in other.query}
        assert set(every(one)) == set(every(other))
    assert len({b.fingerprint for b in splits}) == 10


def test_one_split_by_its_number(plan):
    one, same = plan(pair, 0, 3, num_ids=20), plan(pair_splits, 0, num_ids=20)[3]
    assert (one.name, one.fingerprint) == (same.name, same.fingerprint)
    assert labels(one.query) == labels(same.query)


def test_the_cameras_differ_in_side_height_and_light(plan):
    benchmark = plan(pair, 0)
    views = [np.array([t.view for t in part]) for part in (benchmark.query, benchmark.gallery)]
    from_front = [np.mean(np.abs(np.cos(np.deg2rad(v))) > 0.8) for v in views]
    assert from_front[0] > 0.7 and from_front[1] < 0.3
    low, high = (part[0].source.scenes[0].camera for part in (benchmark.query, benchmark.gallery))
    assert high.elevation - low.elevation > 15
    assert low.gain > 1.3 * high.gain and low.cast[0] / low.cast[2] > 1.3 * high.cast[0] / high.cast[2]


def test_without_a_gap_only_the_places_differ():
    (one, _), (other, _) = Pair(0, camera_gap=0.0).cameras
    assert one.scene_seed != other.scene_seed
    light = ("gain", "gamma", "cast", "saturation", "haze", "blur", "noise")
    assert [getattr(one, name) for name in light] == [getattr(other, name) for name in light]
    assert abs(one.elevation - other.elevation) < 2 and abs(one.distance - other.distance) < 2


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((10,), {}, "split=10: expected 0 to 9"),
        ((-1,), {}, "split=-1: expected 0 to 9"),
        ((), {"num_ids": 3}, "num_ids=3: expected at least 4"),
        ((), {"camera_gap": 1.5}, "camera_gap=1.5: expected 0 to 1"),
        ((), {"box_error": -1.0}, "box_error=-1.0: expected severities from 0 on"),
    ],
)
def test_bad_arguments(plan, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        plan(pair, 0, *arguments, **({"num_ids": 10} | options))
