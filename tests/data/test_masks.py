"""Other masks and silhouettes of the same tracklets."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from reidlib.data import Benchmark, Tracklet, walkers
from reidlib.data.masks import QUALITIES, with_masks, with_silhouettes
from reidlib.data.tracklets import ArrayFrames

SIZE = (32, 22)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path))


def block(left, top=8, bottom=56):
    """A mask of 64 x 32 pixels: a block eight wide."""
    mask = np.zeros((64, 32), np.uint8)
    mask[top:bottom, left : left + 8] = 1
    return mask


@pytest.fixture
def benchmark():
    """Two people of three frames: one moves to the right while growing, the other stands; the first is also queried."""
    moving = np.stack([block(4), block(8, 4), block(12, 2)])
    standing = np.stack([block(12, 20, 50)] * 3)
    frames = np.random.default_rng(0).integers(0, 256, (3, 3, 64, 32), np.uint8)
    one = Tracklet(1, 1, ArrayFrames(frames, moving), 1)
    other = Tracklet(2, 1, ArrayFrames(frames, standing), 1)
    return Benchmark((one, other), (one,), (other,), "all", "blocks", "f", renderer=3)


@pytest.mark.parametrize(("quality", "height", "width"), [("eroded", 46, 6), ("dilated", 50, 10), ("full", 64, 32)])
def test_a_rim_is_taken_or_added(benchmark, quality, height, width):
    changed = with_masks(benchmark, quality).train[0].masks([0])
    assert changed.shape == (1, 1, 64, 32) and changed.dtype == np.uint8
    assert (changed[0, 0].any(1).sum(), changed[0, 0].any(0).sum(), changed.sum()) == (height, width, height * width)


def test_noise_turns_over_a_share_of_the_pieces_near_the_person(benchmark):
    noisy = with_masks(benchmark, "noisy").train[0].masks()
    wrong = noisy != benchmark.train[0].masks()
    pieces = wrong[:, 0].reshape(3, 16, 4, 8, 4).mean(axis=(2, 4))
    assert set(np.unique(pieces)) == {0, 1}  # whole pieces of 4 x 4 pixels
    near = 12 + 2, 2 + 2  # a block of 12 x 2 pieces, and its neighbours
    assert 0.05 < pieces[0].sum() / np.prod(near) < 0.3
    assert not pieces[0][:, 5:].any() and (pieces[0] != pieces[1]).any()


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_frame_s_mask_is_always_the_same_and_frames_stay(benchmark, quality):
    found = with_masks(benchmark, quality)
    for old, new in zip(benchmark.train, found.train):
        masks = new.masks()
        assert np.array_equal(new.masks([2, 0]), masks[[2, 0]])
        assert np.array_equal(pickle.loads(pickle.dumps(new.source)).masks([1]), masks[[1]])
        assert np.array_equal(new.frames(), old.frames()) and np.array_equal(new.truth("parts"), old.truth("parts"))
    assert found.query[0] is found.train[0]
    assert (found.fingerprint == benchmark.fingerprint) == (quality == "true")
    assert found.renderer == benchmark.renderer == 3


def test_extracted_masks_come_from_the_pictures_and_are_packed_once(monkeypatch):
    lab = walkers.lab(0, num_ids=4, resolution=(64, 44), workers=1, progress=False)
    few = Benchmark(lab.train[:3], lab.train[:1], (), "all", "few", lab.fingerprint)
    found = with_masks(few, "extracted", progress=False)
    for old, new in zip((*few.train, *few.query), (*found.train, *found.query)):
        true, masks = old.masks(), new.masks()
        assert masks.shape == true.shape and masks.dtype == np.uint8 and masks.max() == 1
        assert 0.6 < (true & masks).sum() / (true | masks).sum() < 1
        assert np.array_equal(pickle.loads(pickle.dumps(new.source)).masks([1]), masks[[1]])
        assert np.array_equal(new.frames([1]), old.frames([1]))
    monkeypatch.setattr("reidlib.data.masks.cut_out", None)  # would fail if it were called again
    again = with_masks(few, "extracted", progress=False)
    assert np.array_equal(again.train[2].masks(), found.train[2].masks()) and again.fingerprint == found.fingerprint
    silhouettes = with_silhouettes(few, "extracted", SIZE, progress=False).train[0].silhouettes()
    assert silhouettes.shape == (len(few.train[0]), *SIZE) and silhouettes.any()
    assert len({found.fingerprint, few.fingerprint, with_masks(few, "eroded").fingerprint}) == 3


def test_extracted_masks_need_the_empty_place(benchmark):
    with pytest.raises(KeyError, match="no ground truth 'empty' here"):
        with_masks(benchmark, "extracted", progress=False)


def test_silhouettes_are_made_of_the_masks(benchmark):
    true = with_silhouettes(benchmark, "true", SIZE, progress=False)
    assert true.train[0].silhouettes().shape == (3, *SIZE)
    thinner = with_silhouettes(benchmark, "eroded", SIZE, progress=False)
    assert thinner.train[0].silhouettes([0]).sum() < true.train[0].silhouettes([0]).sum()
    assert np.array_equal(thinner.train[0].masks(), benchmark.train[0].masks())
    one, other = (t.silhouettes() for t in with_silhouettes(benchmark, "full", SIZE, progress=False).train)
    assert np.array_equal(one, other) and (one == one[0]).all() and one[0].sum() == 32 * 16  # of half the masks' size
    assert true.fingerprint != thinner.fingerprint and true.renderer == benchmark.renderer


def test_still_silhouettes_do_not_walk_and_constant_ones_know_nobody(benchmark):
    true, still, constant = (
        with_silhouettes(benchmark, quality, SIZE, progress=False).train for quality in ("true", "still", "constant")
    )
    for moving, standing, nobody in zip(true, still, constant):
        assert len(standing.aligned) == len(nobody.aligned) == len(moving)
        assert np.array_equal(standing.silhouettes(), moving.silhouettes([1, 1, 1]))
        assert np.array_equal(nobody.silhouettes(), true[0].silhouettes([1, 1, 1]))
        assert np.array_equal(pickle.loads(pickle.dumps(standing.aligned))[[2]], standing.silhouettes([2]))
    assert not np.array_equal(still[0].silhouettes(), still[1].silhouettes())


def test_shuffled_silhouettes_are_the_same_in_another_order(benchmark):
    masks = np.zeros((8, 64, 32), np.uint8)
    for number, mask in enumerate(masks):
        mask[8:56, 8 : 12 + 2 * number] = 1  # wider and wider
    frames = np.zeros((8, 3, 64, 32), np.uint8)
    growing = replace(benchmark, train=tuple(Tracklet(person, 1, ArrayFrames(frames, masks), 2) for person in (3, 4)))
    true, shuffled, again = (
        with_silhouettes(growing, quality, SIZE, progress=False).train for quality in ("true", "shuffled", "shuffled")
    )
    before = true[0].silhouettes()
    assert len(np.unique(before, axis=0)) == 8
    for other, same in zip(shuffled, again, strict=True):
        after = other.silhouettes()
        assert sorted(map(bytes, before)) == sorted(map(bytes, after)) and not np.array_equal(before, after)
        assert np.array_equal(after, same.silhouettes()) and np.array_equal(after[[5, 0]], other.silhouettes([5, 0]))
    assert not np.array_equal(shuffled[0].silhouettes(), shuffled[1].silhouettes())


def test_tracklets_without_a_silhouette_are_left_out(benchmark):
    empty = Tracklet(3, 1, ArrayFrames(np.zeros((2, 3, 64, 32), np.uint8), np.zeros((2, 64, 32), np.uint8)), 1)
    more = Benchmark((*benchmark.train, empty), benchmark.query, (*benchmark.gallery, empty), "all", "blocks", "g")
    with pytest.warns(UserWarning, match="1 of 3 tracklets have no usable silhouette"):
        found = with_silhouettes(more, "true", SIZE, progress=False)
    assert [t.person_id for t in (*found.train, *found.gallery)] == [1, 2, 2]
    with pytest.raises(ValueError, match="blocks: expected usable silhouettes, found none in 1 tracklets' masks"):
        with_silhouettes(Benchmark((empty,), (empty,), (empty,), "all", "blocks", "i"), "still", SIZE, progress=False)


def test_unknown_qualities_and_data_without_masks_are_refused(benchmark):
    known = "true, eroded, dilated, noisy, full, extracted"
    with pytest.raises(ValueError, match=f"quality='good': expected one of {known}$"):
        with_masks(benchmark, "good")
    with pytest.raises(ValueError, match="expected one of .*still"):
        with_silhouettes(benchmark, "moving", SIZE)
    bare = Tracklet(1, 1, ArrayFrames(np.zeros((1, 3, 4, 2), np.uint8)))
    without = Benchmark((bare,), (bare,), (bare,), "all", "bare", "h")
    for change in (lambda: with_masks(without, "full").train[0].masks(), lambda: with_silhouettes(without, "true")):
        with pytest.raises(ValueError, match="masks: expected a benchmark that brings them"):
            change()
