"""From a file to tracklets: a block whose boxes are known, and a rendered plaza with its exact truth."""

from collections import Counter

import numpy as np
import pytest

from reidlib import shared_folder
from reidlib.data import silhouettes
from reidlib.data.batches import evaluation_batches as batches_of
from reidlib.data.footage import FLAGS, MIN_ROWS, UNKNOWN_PERSON, box_scores, follow, write_video
from reidlib.data.walkers.plaza import plaza


def rows(tracklets) -> np.ndarray:
    return np.concatenate(
        [np.column_stack([t.numbers, np.full(len(t.boxes), t.tracklet_id), t.boxes]) for t in tracklets]
    )


def test_the_block_is_one_tracklet_with_its_boxes_and_times(block):
    path, boxes = block
    (one,) = follow(path, camera_id=3, progress=False)
    assert (one.person_id, one.camera_id, one.tracklet_id, one.video) == (UNKNOWN_PERSON, 3, 1, "block.avi")
    assert set(one.numbers) >= set(range(11, 59)) and set(one.numbers) <= set(boxes)
    assert (
        np.abs(one.boxes - [boxes[number] for number in one.numbers]).max() <= 4
    )  # Motion JPEG spreads colours by two pixels
    assert one.times == pytest.approx(one.numbers / 10)
    assert one.seconds == pytest.approx((one.numbers[0] / 10, (one.numbers[-1] + 1) / 10))
    assert one.flags == ()


def test_crops_show_the_block_where_the_mask_is(block):
    (one,) = follow(block[0], progress=False)
    frames, masks = one.frames(), one.masks()
    assert frames.shape == (len(one), 3, 128, 64) and masks.shape == (len(one), 1, 128, 64)
    inside = frames.transpose(0, 2, 3, 1)[masks[:, 0] > 0]
    assert np.abs(np.median(inside, axis=0) - [200, 30, 30]).max() < 12  # red is first
    share = masks.mean((1, 2, 3))
    expected = (1 / 1.1) * (16 / 48 * 2 / 1.1)  # of height and of width, with the margin
    assert np.abs(share - expected).max() < 0.12


def test_long_tracklets_are_thinned_out_evenly(block):
    (one,) = follow(block[0], max_frames=8, progress=False)
    assert 4 <= len(one) <= 8 and len(set(np.diff(one.kept))) == 1
    assert len(one.numbers) == len(one.boxes) > 40


def test_flags_of_who_stands_and_of_who_is_cut_off(tmp_path, ground):
    frames = ground(96, 200, 80).copy()
    red = np.array([200, 30, 30])[:, None, None]
    frames[20:50, :, 40:80, 60:80] = red  # comes from nowhere, stands, is gone
    frames[20:50, :, 50:96, 150:170] = red  # and somebody whose feet are below the picture
    tracklets = list(follow(write_video(tmp_path / "stand.avi", frames, 10), progress=False))
    assert sorted(t.flags for t in tracklets) == [("cut off", "standing"), ("standing",)]


def test_a_moving_camera_is_warned_of(tmp_path):
    rng = np.random.default_rng(0)
    scenery = rng.integers(0, 256, (3, 12, 100), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    frames = np.stack([scenery[:, :, 9 * i : 9 * i + 128] for i in range(60)])
    path = write_video(tmp_path / "pan.avi", frames, 10)
    with pytest.warns(UserWarning, match=r"pan.avi: most of the picture changes all the time.*fixed camera"):
        list(follow(path, progress=False))


def test_the_same_file_gives_the_same_tracklets(rendered):
    _, path, first = rendered
    for one, other in zip(first, follow(path, progress=False), strict=True):
        assert np.array_equal(one.boxes, other.boxes) and one.flags == other.flags
        assert np.array_equal(one.frames(), other.frames()) and np.array_equal(one.masks(), other.masks())


def test_rendered_people_are_found(rendered):
    scene, _, tracklets = rendered
    scores = box_scores(rows(tracklets), scene.boxes(min_pixels=150))
    assert scores.recall > 0.85 and scores.precision > 0.85
    assert scores.switches <= 8  # ten passes that meet many times


def test_masks_are_those_of_the_people(rendered):
    """Whoever is followed alone: as many pixels in the masks, scaled back, as the person truly has."""
    scene, _, tracklets = rendered
    ratios = []
    for t in (t for t in tracklets if not t.flags):
        for mask, at in zip(t.masks()[:, 0], t.kept):
            left, top, width, height = t.boxes[at].round().astype(int)
            true = (scene.labels[t.numbers[at], top : top + height, left : left + width] > 0).sum()
            window = max(1.1 * height, 2 * width)  # the crop's height in pixels of the video
            ratios.append(mask.sum() * (window / 128) ** 2 / true)
    assert 0.8 < np.median(ratios) < 1.2


def test_tracklets_go_through_batches_and_alignment(rendered):
    tracklets = rendered[2]
    batch = next(iter(batches_of(tracklets, num_frames=4, batch_size=3, masks=True)))
    assert batch.frames.shape == (3, 4, 3, 128, 64) and batch.masks.shape == (3, 4, 1, 128, 64)
    assert batch.person_ids.tolist() == [UNKNOWN_PERSON] * 3
    assert silhouettes.align(tracklets[0].masks()[:, 0]).shape == (len(tracklets[0]), 64, 44)


def test_boxes_lie_in_the_picture(rendered):
    boxes = np.concatenate([t.boxes for t in rendered[2]])
    assert boxes.min() >= 0
    assert (boxes[:, 0] + boxes[:, 2]).max() <= 320 and (boxes[:, 1] + boxes[:, 3]).max() <= 240


def test_flags_are_known(rendered):
    assert {flag for t in rendered[2] for flag in t.flags} <= set(FLAGS)


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_a_lone_walker_in_a_small_picture_is_one_tracklet_a_pass(tmp_path, seed):
    """120 rows, of which the walker has 45: the pieces of a body are a few pixels there."""
    scene = plaza(seed, num_people=1, passes=2, gap=10.5, fps=25, resolution=(120, 160))
    tracklets = list(follow(write_video(tmp_path / "lone.avi", scene.frames, 25), progress=False))
    assert len(tracklets) <= 3  # an arm may stay behind at the border
    tracklets = [t for t in tracklets if "short" not in t.flags]
    assert len(tracklets) == 2
    scores = box_scores(rows(tracklets), scene.boxes(min_pixels=60))
    assert scores.recall > 0.8 and scores.precision > 0.8 and scores.switches == 0


@pytest.mark.parametrize(("width", "height", "flagged"), [(16, 48, False), (40, 48, True), (11, 56, True)])
def test_who_has_no_walkers_shape_is_flagged(tmp_path, ground, width, height, flagged):
    frames = ground(96, 200, 50).copy()
    for n in range(10, 34):  # too few for the line of heights, which would have a wide one cut into several
        frames[n, :, 30 : 30 + height, 5 * n - 40 : 5 * n - 40 + width] = np.array([200, 30, 30])[:, None, None]
    tracklets = list(follow(write_video(tmp_path / "shape.avi", frames, 10), progress=False))
    assert [("not upright" in t.flags) for t in tracklets] == [flagged]


@pytest.mark.parametrize(("height", "count"), [(MIN_ROWS - 6, 0), (MIN_ROWS + 6, 1)])
def test_who_has_too_few_rows_is_nobody(tmp_path, ground, height, count):
    frames = ground(96, 200, 60).copy()
    for n in range(10, 50):
        frames[n, :, 30 : 30 + height, 3 * n : 3 * n + 10] = np.array([200, 30, 30])[:, None, None]
    path = write_video(tmp_path / "small.avi", frames, 10)
    assert len(list(follow(path, progress=False))) == count
    assert not list(follow(path, min_height=0.5, progress=False))


@pytest.mark.parametrize(("person", "clothes"), [(5, "d3"), (7, "d3"), (8, "d3"), (9, "d3"), (4, "d4")])
def test_a_real_walker_who_comes_four_times_is_followed_four_times(person, clothes):
    folder = shared_folder()
    if folder is None:
        pytest.skip("no recorded footage here; set REIDLIB_SHARED to the folder that holds data/footage")
    path = folder / "data" / "footage" / "kth_walking" / f"person{person:02}_walking_{clothes}_uncomp.avi"
    tracklets = [t for t in follow(path, progress=False) if not {"short", "few pixels", "not upright"} & {*t.flags}]
    directions = Counter(np.sign(t.boxes[-1, 0] - t.boxes[0, 0]) for t in tracklets)
    assert directions == {1: 2, -1: 2}  # to and fro, twice
