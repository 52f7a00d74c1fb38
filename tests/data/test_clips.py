"""Frame samplers: what each promises, by exhaustive small cases and by hand."""

import numpy as np
import pytest

from reidlib.data.clips import (
    consecutive,
    constrained_random,
    dense_windows,
    evenly_spaced,
    read_clip,
    sample,
    successors,
)


@pytest.mark.parametrize("length", [8, 9, 16, 37])
def test_constrained_random_takes_one_frame_of_each_segment(length):
    rng = np.random.default_rng(0)
    drawn = np.array([constrained_random(length, 8, rng) for _ in range(2000)])
    lowest = np.floor(np.arange(8) * length / 8)
    highest = np.ceil(np.arange(1, 9) * length / 8) - 1
    assert (drawn >= lowest).all()
    assert (drawn <= highest).all()
    assert (drawn.min(axis=0) == lowest).all()  # and every frame of a segment can be drawn
    assert (drawn.max(axis=0) == highest).all()


def test_constrained_random_is_uniform_over_frames():
    rng = np.random.default_rng(0)
    drawn = np.concatenate([constrained_random(10, 4, rng) for _ in range(5000)])
    share = np.bincount(drawn, minlength=10) / len(drawn)
    assert np.abs(share - 0.1).max() < 0.01  # five standard errors


def test_evenly_spaced_by_hand():
    assert evenly_spaced(8, 8).tolist() == list(range(8))
    assert evenly_spaced(40, 4).tolist() == [5, 15, 25, 35]
    assert evenly_spaced(3, 6).tolist() == [0, 0, 1, 1, 2, 2]
    assert evenly_spaced(1, 4).tolist() == [0, 0, 0, 0]


def test_consecutive_keeps_its_stride_and_reaches_both_ends():
    rng = np.random.default_rng(0)
    drawn = np.array([consecutive(12, 4, rng, stride=3) for _ in range(200)])
    assert (np.diff(drawn, axis=1) == 3).all()
    assert set(drawn[:, 0]) == {0, 1, 2}
    assert drawn.max() == 11


def test_consecutive_runs_round_in_a_short_tracklet():
    rng = np.random.default_rng(0)
    assert consecutive(3, 5, rng).tolist() == [0, 1, 2, 0, 1]
    assert consecutive(5, 4, rng, stride=2).tolist() == [0, 2, 4, 1]


@pytest.mark.parametrize("length", range(1, 30))
@pytest.mark.parametrize("num_frames", [1, 4, 7])
def test_dense_windows_cover_every_frame(length, num_frames):
    windows = dense_windows(length, num_frames)
    assert windows.shape == (-(-length // num_frames), num_frames)
    assert set(windows.ravel()) == set(range(length))
    if length >= num_frames:
        assert (np.diff(windows, axis=1) == 1).all()
    if length % num_frames == 0:
        assert windows.ravel().tolist() == list(range(length))


def test_successors_are_the_next_frames():
    assert successors(np.array([0, 3, 8]), 10).tolist() == [[1], [4], [9]]
    assert successors(np.array([0, 5]), 10, count=3, time_step=2).tolist() == [[2, 4, 6], [7, 9, 9]]
    assert successors(np.array([0]), 1).tolist() == [[0]]


@pytest.mark.parametrize("sampling", ["random", "even", "consecutive"])
@pytest.mark.parametrize("length", [1, 2, 5, 30])
def test_sampled_frames_exist_and_have_successors_on_request(sampling, length):
    rng = np.random.default_rng(0)
    for _ in range(50):
        indices = sample(length, 4, rng, sampling, stride=2)
        assert indices.shape == (4,)
        assert indices.min() >= 0
        assert indices.max() < length
        for ahead in (1, 4):
            if length > ahead:
                assert sample(length, 4, rng, sampling, 2, ahead=ahead).max() < length - ahead


def test_samplers_depend_on_the_generator_alone():
    first = [constrained_random(30, 8, np.random.default_rng(3)) for _ in range(2)]
    assert (first[0] == first[1]).all()


def test_unknown_sampling_is_refused():
    with pytest.raises(ValueError, match="'random', 'even' or 'consecutive'"):
        sample(10, 4, np.random.default_rng(0), "dense")


def test_read_clip_reads_the_frames_and_their_successors(make_tracklet):
    whole = make_tracklet(1, 1, length=6)
    clip = read_clip(whole, np.array([4, 0]), masks=True, next_frames=1, truth=("parts",))
    assert (clip.frames == whole.frames()[[4, 0]]).all()
    assert clip.next_frames.shape[:2] == (2, 1) and (clip.next_frames[:, 0] == whole.frames()[[5, 1]]).all()
    several = read_clip(whole, np.array([1, 0]), next_frames=2, time_step=2).next_frames
    assert (several == whole.frames()[[[3, 5], [2, 4]]]).all()
    assert (clip.masks[:, 0] == (clip.truth["parts"] > 0)).all()


def test_read_clip_reads_the_truth_of_successors(make_tracklet):
    whole = make_tracklet(1, 1, length=6)
    found = read_clip(whole, np.array([1, 4]), next_frames=2, time_step=2, truth=("parts", "next_parts")).truth
    assert (found["parts"] == whole.truth("parts")[[1, 4]]).all()
    assert (found["next_parts"] == whole.truth("parts")[[[3, 5], [5, 5]]]).all()  # the last stands for those after it


def test_read_clip_says_what_is_missing(make_tracklet):
    bare = make_tracklet(7, 1, tracklet_id=3, parts=False)
    with pytest.raises(ValueError, match="tracklet 3 of person 7 has no silhouettes"):
        read_clip(bare, np.array([0]), masks=True)
    with pytest.raises(KeyError, match="flow"):
        read_clip(bare, np.array([0]), truth=("flow",))
