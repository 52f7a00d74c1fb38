"""Tracklets over packed arrays, and the splits that make benchmarks of them."""

import functools
import pickle
from dataclasses import replace

import numpy as np
import pytest

from reidlib.data import ArrayFrames, Benchmark, Tracklet, half_split, validation_split
from reidlib.data.tracklets import WithTruth, fingerprint, identities


def doubled(indices: np.ndarray, factor: int) -> np.ndarray:
    """Ground truth on demand."""
    return indices * factor


@pytest.fixture
def arrays(tmp_path):
    """Twelve frames, mapped from files, and their values in memory."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (12, 3, 8, 4), dtype=np.uint8)
    parts = rng.integers(0, 4, (12, 8, 4), dtype=np.uint8)
    np.save(tmp_path / "frames.npy", frames)
    np.save(tmp_path / "parts.npy", parts)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("frames", "parts")]
    return frames, parts, *mapped


def test_a_source_can_be_given_one_more_truth(arrays):
    frames, parts, *_ = arrays
    source = ArrayFrames(frames, parts, 3, 8, {"joints": np.arange(12)})
    more = WithTruth(source, "gait", np.arange(5.0) ** 2)
    assert len(more) == 5 and (more.frames([1]) == frames[[4]]).all() and (more.masks([1]) == source.masks([1])).all()
    assert more.truth("gait", [4, 0]).tolist() == [16, 0]
    assert more.truth("joints", [4, 0]).tolist() == source.truth("joints", [4, 0]).tolist() == [7, 3]
    with pytest.raises(KeyError):
        source.truth("gait", [0])


def test_array_frames_gives_its_own_range(arrays):
    frames, parts, mapped_frames, mapped_parts = arrays
    joints = np.arange(12)
    truth = {"joints": joints, "flow": functools.partial(doubled, factor=2)}
    tracklet = Tracklet(1, 1, ArrayFrames(mapped_frames, mapped_parts, 3, 8, truth))
    assert len(tracklet) == 5
    assert (tracklet.frames() == frames[3:8]).all()
    assert (tracklet.frames([4, 0]) == frames[[7, 3]]).all()
    assert tracklet.masks([1]).dtype == np.uint8
    assert (tracklet.masks([1])[0, 0] == (parts[4] > 0)).all()
    assert (tracklet.truth("parts", [2]) == parts[5]).all()
    assert tracklet.truth("joints", [0, 4]).tolist() == [3, 7]
    assert tracklet.truth("flow", [0, 4]).tolist() == [0, 8]  # numbers within the tracklet


def test_array_frames_without_parts(arrays):
    tracklet = Tracklet(1, 1, ArrayFrames(arrays[0]))
    assert tracklet.masks() is None
    with pytest.raises(KeyError, match="'parts' here; known: none"):
        tracklet.truth("parts")


def test_frames_outside_a_tracklet_are_refused(arrays):
    tracklet = Tracklet(1, 1, ArrayFrames(arrays[0], start=2, stop=6))
    for index in (-1, 4):
        with pytest.raises(IndexError, match="expected numbers from 0 to 3"):
            tracklet.frames([index])
    for start, stop in ((3, 3), (0, 13), (-1, 2)):
        with pytest.raises(ValueError, match="non-empty range of the 12"):
            ArrayFrames(arrays[0], start=start, stop=stop)


def test_mapped_arrays_are_pickled_by_name_and_shared(arrays):
    frames, parts, mapped_frames, mapped_parts = arrays
    sources = [ArrayFrames(mapped_frames, mapped_parts, i, i + 2, {"j": mapped_parts}) for i in range(5)]
    pickled = pickle.dumps(sources)
    assert len(pickled) < 2000 < frames.nbytes + parts.nbytes + 1000
    assert mapped_frames[:1].tobytes() not in pickled
    copies = pickle.loads(pickled)
    for number, copy in enumerate(copies):
        assert (copy.frames([0, 1]) == frames[number : number + 2]).all()
        assert (copy.truth("j", [1]) == parts[number + 1]).all()
    assert copies[0]._frames is copies[4]._frames


def test_a_part_of_a_mapped_array_is_pickled_with_its_values(arrays):
    copy = pickle.loads(pickle.dumps(ArrayFrames(arrays[2][4:])))
    assert (copy.frames([0]) == arrays[0][4]).all()


def test_identities_leave_out_distractors_and_junk(make_tracklet):
    tracklets = [make_tracklet(person, 1) for person in (7, 0, 2, -1, 7)]
    assert identities(tracklets) == [2, 7]
    benchmark = Benchmark(tuple(tracklets), (), (), "all", "", "")
    assert (benchmark.num_ids, benchmark.renderer) == (2, 0)


def test_fingerprint_tells_borders_and_order():
    assert fingerprint("ab", b"c") == fingerprint(b"ab", "c")
    assert len({fingerprint(*parts) for parts in (("ab", "c"), ("a", "bc"), ("c", "ab"), ("abc",))}) == 4


@pytest.fixture
def crowd(make_tracklet):
    """Twenty identities with three tracklets each, a distractor and junk, as training tracklets."""
    people = [
        make_tracklet(person, camera, tracklet_id=number)
        for person in range(1, 21)
        for number, camera in enumerate((1, 1, 2), start=1)
    ]
    others = (make_tracklet(0, 1), make_tracklet(-1, 1))

    def build(protocol):
        return Benchmark((*people, *others), (make_tracklet(50, 1),), (), protocol, "crowd", "f", renderer=7)

    return build


def test_validation_split_across_cameras(crowd):
    whole = crowd("cross-camera")
    split = validation_split(whole, fraction=0.25, seed=1)
    held_out = set(identities(split.query))
    assert len(held_out) == 5
    assert split.query == split.gallery
    assert len(split.query) == 15
    assert set(identities(split.train)) == set(range(1, 21)) - held_out
    assert all(t.person_id > 0 for t in split.train)
    assert (split.protocol, split.renderer) == ("cross-camera", 7)


def test_validation_split_under_all_keeps_queries_out_of_the_gallery(crowd):
    split = validation_split(crowd("all"), fraction=0.25)
    assert len(split.query) == 5
    assert len(identities(split.query)) == 5
    assert len(split.gallery) == 10
    assert not set(split.query) & set(split.gallery)


def test_validation_split_is_drawn_by_its_seed(crowd):
    whole = crowd("cross-camera")
    one, same, other = (validation_split(whole, seed=seed) for seed in (0, 0, 1))
    assert one.train == same.train
    assert one.fingerprint == same.fingerprint
    assert one.train != other.train
    assert len({whole.fingerprint, one.fingerprint, other.fingerprint}) == 3


@pytest.mark.parametrize("fraction", [0, 0.01, 0.99])
def test_validation_split_needs_identities_on_either_side(crowd, fraction):
    with pytest.raises(ValueError, match="of 20 identities: expected some on either side"):
        validation_split(crowd("all"), fraction)


def test_half_split_halves_the_identities(crowd):
    tracklets = crowd("all").train
    splits = [half_split(tracklets, seed, "crowd") for seed in range(3)]
    for split in splits:
        assert split.num_ids == 10
        assert split.query == split.gallery
        assert set(identities(split.train)) | set(identities(split.query)) == set(range(1, 21))
        assert split.protocol == "cross-camera"
    assert len({split.fingerprint for split in splits}) == 3
    assert half_split(tracklets[1:], 0, "crowd").fingerprint != splits[0].fingerprint


def test_a_benchmark_is_mapped_tracklet_by_tracklet(small_benchmark):
    seen = []

    def change(tracklet):
        seen.append(tracklet)
        return None if tracklet.person_id == 0 else replace(tracklet, camera_id=tracklet.camera_id + 10)

    found = small_benchmark.map(change, "cameras moved")
    assert seen == small_benchmark.everybody and len(seen) == len(set(seen))
    for part in ("train", "query", "gallery"):
        kept = [t for t in getattr(small_benchmark, part) if t.person_id != 0]
        assert [(t.person_id, t.camera_id) for t in getattr(found, part)] == [
            (t.person_id, t.camera_id + 10) for t in kept
        ]
    assert found.fingerprint not in (small_benchmark.fingerprint, small_benchmark.map(change, "otherwise").fingerprint)
    both = replace(small_benchmark, query=small_benchmark.gallery).map(change, "x")
    assert both.query == both.gallery  # one tracklet stays one


def test_all_training_identities_may_be_searched(small_benchmark):
    found = validation_split(small_benchmark, fraction=1.0)
    assert identities(found.query) == identities(small_benchmark.train) and not found.train
    with pytest.raises(ValueError, match=r"fraction=0.01 of 3 identities"):
        validation_split(small_benchmark, fraction=0.01)
