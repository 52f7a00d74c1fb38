"""Other attributes for the same tracklets."""

from collections import Counter

import numpy as np
import pytest

from reidlib.data import ArrayFrames, Benchmark, Tracklet
from reidlib.data.labels import WAYS, relabelled, with_attributes

FRAMES = ArrayFrames(np.zeros((1, 3, 2, 2), np.uint8))


@pytest.fixture
def benchmark():
    """Six people with two or three tracklets each, whose attributes name the person and the tracklet; two to search."""

    def tracklets(people):
        return tuple(
            Tracklet(person, 1, FRAMES, number, attributes={"of": person, "number": number})
            for person in people
            for number in range(2 + person % 2)
        )

    test = tracklets((7, 8))
    return Benchmark(tracklets(range(1, 7)), test, test, "cross-camera", "small", "small")


def attributes(benchmark):
    return [(t.person_id, t.attributes.get("of"), t.attributes.get("number")) for t in benchmark.train]


def test_permuted_attributes_describe_one_other_person(benchmark):
    found = attributes(with_attributes(benchmark, "permuted"))
    described = {person: {of for p, of, _ in found if p == person} for person in range(1, 7)}
    assert all(len(of) == 1 and person not in of for person, of in described.items())
    assert set.union(*described.values()) == set(range(1, 7))  # everybody's description is somebody's


def test_shuffled_attributes_are_the_same_ones_elsewhere(benchmark):
    found = attributes(with_attributes(benchmark, "shuffled"))
    assert Counter(a[1:] for a in found) == Counter(a[1:] for a in attributes(benchmark))
    assert len({person for person, of, _ in found if person != of}) >= 4
    assert any(len({of for p, of, _ in found if p == person}) > 1 for person in range(1, 7))


@pytest.mark.parametrize("way", WAYS)
def test_only_training_changes_and_the_fingerprint_says_so(benchmark, way):
    found = with_attributes(benchmark, way, seed=3)
    assert found.query == benchmark.query and found.gallery == benchmark.gallery
    assert [t.person_id for t in found.train] == [t.person_id for t in benchmark.train]
    assert (found.fingerprint == benchmark.fingerprint) == (way == "true")
    assert attributes(found) == attributes(with_attributes(benchmark, way, seed=3))
    if way in ("permuted", "shuffled"):
        others = {with_attributes(benchmark, way, seed=seed).fingerprint for seed in range(3)}
        assert len(others) == 3
    if way == "none":
        assert not any(t.attributes for t in found.train)


def test_predicted_attributes_replace_those_of_the_tracklets_that_are_named(benchmark):
    first = benchmark.train[0]
    found = relabelled(benchmark, {first: {"hat": 1}}, "by hand")
    assert found.train[0].attributes == {"hat": 1} and found.train[1:] == benchmark.train[1:]


def test_what_cannot_be_done_is_named(benchmark):
    with pytest.raises(ValueError, match="attributes='wrong': expected one of true, permuted, shuffled, none"):
        with_attributes(benchmark, "wrong")
    bare = with_attributes(benchmark, "none")
    with pytest.raises(ValueError, match="the training tracklets of small have no attributes"):
        with_attributes(bare, "permuted")
