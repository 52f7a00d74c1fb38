"""Splits into halves, drawn and given."""

import pytest

from reidlib.data.two_cameras import drawn_splits, split_benchmark


def test_drawn_splits_are_ten_different_halvings_and_the_same_at_every_call():
    people = [3, 5, 8, 13, 21, 34, 55, 89, 144]
    splits = drawn_splits(people)
    assert len(splits) == 10
    assert len({tuple(test) for _, test in splits}) > 5
    for train, test in splits:
        assert sorted([*train, *test]) == people
        assert (len(train), len(test)) == (5, 4)
    assert drawn_splits(people[::-1]) == splits


def test_two_persons_are_needed():
    with pytest.raises(ValueError, match="1 persons under both cameras: expected two or more"):
        drawn_splits([7])


@pytest.fixture
def cameras(make_tracklet):
    return tuple({person: make_tracklet(person, camera) for person in (1, 2, 3, 4)} for camera in (1, 2))


def test_queries_are_under_camera_1_and_the_gallery_under_camera_2(cameras):
    benchmark = split_benchmark(cameras, [([1, 2], [3, 4]), ([4, 2], [1])], 1, "pair")
    assert [(t.person_id, t.camera_id) for t in benchmark.train] == [(4, 1), (4, 2), (2, 1), (2, 2)]
    assert [(t.person_id, t.camera_id) for t in (*benchmark.query, *benchmark.gallery)] == [(1, 1), (1, 2)]
    assert (benchmark.name, benchmark.protocol, benchmark.num_ids) == ("pair split 1", "all", 2)


def test_fingerprints_tell_splits_names_and_lengths(cameras, make_tracklet):
    splits = [([1, 2], [3, 4]), ([3, 4], [1, 2])]
    longer = ({**cameras[0], 1: make_tracklet(1, 1, length=9)}, cameras[1])
    benchmarks = [
        split_benchmark(cameras, splits, 0, "pair"),
        split_benchmark(cameras, splits, 1, "pair"),
        split_benchmark(cameras, splits, 0, "other"),
        split_benchmark(longer, splits, 0, "pair"),
    ]
    assert len({benchmark.fingerprint for benchmark in benchmarks}) == 4
    assert split_benchmark(cameras, splits, 0, "pair").fingerprint == benchmarks[0].fingerprint


@pytest.mark.parametrize("split", [-1, 1])
def test_a_split_that_does_not_exist_is_refused(cameras, split):
    with pytest.raises(ValueError, match=f"split={split}: expected 0 to 0"):
        split_benchmark(cameras, [([1, 2], [3, 4])], split, "pair")


def test_persons_who_are_missing_are_named(cameras):
    del cameras[1][3]
    with pytest.raises(ValueError, match=r"pair split 0: expected person 3 under both cameras \(2 of the 5 persons"):
        split_benchmark(cameras, [([1, 2], [3, 4, 9])], 0, "pair")
