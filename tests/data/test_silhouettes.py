"""Alignment by hand-computed cases and invariants, and packing."""

import pickle

import numpy as np
import pytest

import reidlib
from reidlib.data import gait, silhouettes
from reidlib.data.silhouettes import align, pack, pack_masks

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")


def picture(height, width, *boxes):
    """A mask of rectangles (top, bottom, left, right)."""
    mask = np.zeros((height, width), np.uint8)
    for top, bottom, left, right in boxes:
        mask[top:bottom, left:right] = 1
    return mask


def test_a_person_is_cropped_to_height_and_centred():
    # 32 rows become 64, so 10 columns become 20; the column that halves them is number 10 of 20 and goes to 22 of 44
    aligned = align([picture(48, 64, (5, 37, 40, 50))])
    assert aligned.shape == (1, 64, 44)
    assert aligned.dtype == np.uint8
    assert (aligned[0] == picture(64, 44, (0, 64, 12, 32))).all()


def test_the_centre_is_the_median_column_not_the_middle_of_the_box():
    # 20 columns of 64 and 30 columns of 8: 1280 + 240 pixels, half of them lie left of column 760 / 64 = 11 (from 0)
    aligned = align([picture(64, 100, (0, 64, 10, 30), (0, 8, 30, 60))])[0]
    assert (aligned == picture(64, 44, (0, 64, 22 - 11, 22 + 9), (0, 8, 22 + 9, 44))).all()


@pytest.mark.parametrize("shape", [(1, 64, 32), (64, 32, 3), (64,)])
def test_masks_of_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=rf"masks: expected \(H, W\) each, found shape \({shape[0]},.*; give masks"):
        align([np.ones((64, 32)), np.ones(shape)])


@pytest.mark.parametrize("shift", [-30, -15, 0, 25, 35])
def test_where_a_person_stands_does_not_matter(shift):
    """By shifts that are whole pixels after resizing: 40 rows become 64, 5 columns 8."""
    rng = np.random.default_rng(0)
    person = (rng.random((40, 20)) < 0.7).astype(np.uint8)
    person[0, 3] = person[-1, 9] = 1
    middle, moved = np.zeros((60, 100), np.uint8), np.zeros((70, 100), np.uint8)
    middle[10:50, 40:60] = person
    moved[25:65, 40 + shift : 60 + shift] = person
    assert (align([middle]) == align([moved])).all()


def test_how_large_a_person_is_does_not_matter_where_pixels_can_be_doubled():
    mask = picture(32, 40, (0, 32, 15, 25), (20, 32, 10, 30))
    assert (align([mask]) == align([mask.repeat(2, axis=0).repeat(2, axis=1)])).all()


def test_a_wide_person_is_cut_and_a_person_at_the_border_is_padded():
    assert align([picture(20, 80, (0, 20, 0, 80))]).all()
    assert (align([picture(64, 12, (0, 64, 0, 12))])[0] == picture(64, 44, (0, 64, 16, 28))).all()


@pytest.mark.parametrize("size", [(64, 44), (32, 22), (64, 64)])
def test_other_sizes(size):
    aligned = align([picture(64, 64, (0, 64, 24, 40))], size)
    half = size[0] // 8
    assert (aligned[0] == picture(*size, (0, size[0], size[1] // 2 - half, size[1] // 2 + half))).all()


def test_frames_without_a_silhouette_get_the_nearest_ones():
    small, wide, none = (
        picture(30, 30, (0, 30, 10, 20)),
        picture(30, 30, (0, 30, 5, 25)),
        picture(30, 30, (3, 9, 5, 11)),
    )
    assert none.sum() < silhouettes.MIN_PIXELS <= small.sum()
    shown = align([none, small, none, none, wide, none])
    one, other = align([small, wide])
    assert [next(n for n, known in enumerate((one, other)) if (frame == known).all()) for frame in shown] == [
        0, 0, 0, 1, 1, 1,
    ]  # fmt: skip
    dust = np.zeros((300, 300), np.uint8)
    dust[::20, ::20] = 1
    assert (align([dust, small])[0] == one).all()
    with pytest.raises(ValueError, match="silhouette of 40 pixels or more in one of 3 frames"):
        align([none, dust, none])


def test_packing_aligns_every_tracklet_once(make_walk, monkeypatch):
    walks = [make_walk(person, view, "nm", 1, length=3 + person) for person in (1, 2) for view in (0, 90)]
    packed = pack(walks, "key", (32, 22), workers=1, progress=False)
    for walk, one in zip(walks, packed):
        assert one.silhouettes().shape == (len(walk), 32, 22)
        assert (one.silhouettes() == align(walk.masks()[:, 0], (32, 22))).all()
        assert (one.silhouettes([2, 0]) == one.silhouettes()[[2, 0]]).all()
        assert (one.frames() == walk.frames()).all()
        assert walk.silhouettes() is None
    monkeypatch.setattr(silhouettes, "_align_all", None)  # from here on, it would fail to align
    again = pack(walks, "key", (32, 22), workers=1, progress=False)
    assert (again[3].silhouettes() == packed[3].silhouettes()).all()
    for key, size in (("other", (32, 22)), ("key", (64, 44))):
        with pytest.raises(TypeError):
            pack(walks, key, size, workers=1, progress=False)


def test_packed_silhouettes_are_pickled_by_name(make_walk):
    [one] = pack([make_walk(1, 0, "nm", 1, length=500)], "key", workers=1, progress=False)
    pickled = pickle.dumps(one.aligned)
    assert len(pickled) < 2000
    assert (pickle.loads(pickled)[[499]] == one.silhouettes([499])).all()


def test_the_bytes_do_not_depend_on_workers(make_walk):
    walks = [make_walk(person, 0, "nm", 1) for person in (1, 2, 3)]
    one, two = (pack(walks, f"{n}", workers=n, progress=False) for n in (1, 2))
    assert all((a.silhouettes() == b.silhouettes()).all() for a, b in zip(one, two))


def test_tracklets_without_silhouettes_are_left_out_with_a_warning(make_walk):
    walks = [make_walk(1, 0, "nm", 1), make_walk(2, 0, "nm", 1, size=(8, 8))]
    with pytest.warns(UserWarning, match="1 of 2 tracklets have no usable silhouette"):
        packed = pack(walks, "key", workers=1, progress=False)
    assert [tracklet.person_id for tracklet in packed] == [1]


def test_masks_are_needed(make_walk, make_tracklet):
    with pytest.raises(ValueError, match="expected masks in all of them"):
        pack([make_walk(1, 0, "nm", 1), make_tracklet(2, 1, parts=False)], "key")
    with pytest.raises(ValueError, match="expected one sequence or more"):
        pack_masks([], [], "key")


def test_a_packing_that_fails_leaves_no_array(make_walk):
    def broken():
        raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        pack_masks([broken], [1], "key", workers=1, progress=False)
    assert not list((reidlib.cache_folder() / "silhouettes").glob("*.npy"))


@real
def test_real_silhouettes_become_people_of_one_height():
    folders = sorted((SHARED / "data" / "silhouettes").glob("*/*/undefined"))
    assert len(folders) > 10
    for folder in folders[::3]:
        aligned = align(gait.read_masks(folder))
        assert len(aligned) == len(list(folder.glob("*.png")))
        shares = aligned.mean(axis=(1, 2))
        assert 0.15 < shares.min() <= shares.max() < 0.75
        below = np.cumsum(aligned.sum(axis=1), axis=1)
        median = (below > below[:, -1:] / 2).argmax(axis=1)
        assert np.abs(median - 22).max() <= 2  # but for what was cut off at the sides
        assert aligned[:, :4].any(axis=(1, 2)).all() and aligned[:, -4:].any(axis=(1, 2)).all()
