"""Cutting camera pictures to the person."""

import numpy as np
import pytest

from reidlib.data import ArrayFrames
from reidlib.data.crops import PersonCrops


def test_the_box_has_the_persons_height_a_margin_and_the_aspect_of_the_resolution():
    frames = np.zeros((1, 3, 80, 100), np.uint8)
    parts = np.zeros((1, 80, 100), np.uint8)
    parts[0, 20:60, 45:55] = 1  # 40 high with 2 above and below: 44 × 22 around column 50
    frames[0, 0], frames[0, 1] = np.mgrid[:80, :100]
    cut = PersonCrops(ArrayFrames(frames, parts), (44, 22))
    assert cut.frames([0])[0, 0, :, 0].tolist() == list(range(18, 62))
    assert cut.frames([0])[0, 1, 0].tolist() == list(range(39, 61))
    masks = cut.masks([0])
    assert masks.shape == (1, 1, 44, 22)
    assert masks[0, 0, 2:42, 6:16].all() and masks.sum() == 400


def test_frames_without_a_mask_get_the_nearest_box_and_borders_are_black():
    frames = np.full((3, 3, 20, 20), 255, np.uint8)
    parts = np.zeros((3, 20, 20), np.uint8)
    parts[1, :, :4] = 1
    cut = PersonCrops(ArrayFrames(frames, parts), (22, 11))
    assert len(cut) == 3
    shown = cut.frames([0, 1, 2])
    assert (shown == shown[1]).all()
    assert not shown[:, :, 0].any() and not shown[:, :, :, 0].any()
    assert (shown[:, :, 5:15, 5:] == 255).all()
    assert cut.masks([0]).sum() == 0


def test_a_wide_pose_is_not_cut():
    parts = np.zeros((1, 40, 60), np.uint8)
    parts[0, 10:30, 5:55] = 1
    assert PersonCrops(ArrayFrames(np.zeros((1, 3, 40, 60), np.uint8), parts), (100, 50)).masks([0]).sum() == 20 * 50


def test_nobody_in_any_frame_and_truth_are_refused():
    empty = PersonCrops(ArrayFrames(np.zeros((2, 3, 8, 8), np.uint8), np.zeros((2, 8, 8), np.uint8)), (8, 4))
    with pytest.raises(ValueError, match="expected a person in one of 2 frames"):
        empty.frames([0])
    with pytest.raises(KeyError, match="flow"):
        empty.truth("flow", [0])
