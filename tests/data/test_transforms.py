"""Random transforms: one draw for the whole clip, everything in it aligned."""

import numpy as np
import pytest

from reidlib.data.clips import Clip
from reidlib.data.transforms import MEAN_COLOUR, Chain, RandomCrop, RandomErasing, RandomFlip

HEIGHT, WIDTH = 32, 16
LABELS = np.array([1, 2, 11], np.uint8)


def coded_clip(num_frames=3):
    """Every pixel tells where it was, row in red and column in green; masks and parts (without sides) follow."""
    row, column = np.mgrid[1 : HEIGHT + 1, 1 : WIDTH + 1].astype(np.uint8)
    image = np.stack([row, column, np.full_like(row, 7)])
    frames = np.repeat(image[None], num_frames, axis=0)
    code = np.repeat(LABELS[(row + column) % 3][None], num_frames, axis=0)
    return Clip(frames, masks=(code > 2).astype(np.uint8)[:, None], next_frames=frames.copy(), truth={"parts": code})


def assert_aligned(clip):
    """All frames are alike, and masks and parts belong to the pixels shown, or to background."""
    assert (clip.frames == clip.frames[:1]).all()
    assert (clip.frames == clip.next_frames).all()
    row, column, mark = clip.frames[:, 0], clip.frames[:, 1], clip.frames[:, 2]
    code = np.where(mark == 7, LABELS[(row + column) % 3], 0)
    assert (clip.truth["parts"] == code).all()
    assert (clip.masks[:, 0] == (code > 2)).all()


@pytest.mark.parametrize("transform", [RandomFlip(), RandomCrop(0.2), RandomErasing(), Chain()])
@pytest.mark.parametrize("num_frames", [1, 3])
def test_everything_in_a_clip_moves_together(transform, num_frames):
    rng = np.random.default_rng(0)
    original = coded_clip(num_frames)
    changed = 0
    for _ in range(60):
        clip = transform(original, rng)
        assert clip.frames.shape == original.frames.shape
        assert clip.frames.dtype == np.uint8
        assert_aligned(clip)
        changed += (clip.frames != original.frames).any()
    assert changed > 15
    assert (original.frames == coded_clip(num_frames).frames).all()  # the clip given stays as it was


def test_flip_mirrors_with_its_probability():
    clip = coded_clip()
    rng = np.random.default_rng(0)
    flips = [RandomFlip(0.3)(clip, rng).frames[0, 1, 0, 0] == WIDTH for _ in range(2000)]
    assert abs(np.mean(flips) - 0.3) < 0.05
    assert (RandomFlip(1.0)(clip, rng).frames == clip.frames[..., ::-1]).all()


def test_a_flip_makes_a_left_arm_a_right_one():
    parts = np.array([[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]], np.uint8)
    clip = Clip(np.zeros((1, 3, 3, 4), np.uint8), truth={"parts": parts})
    flipped = RandomFlip(1.0)(clip, np.random.default_rng(0)).truth["parts"]
    assert flipped.tolist() == [[[4, 2, 1, 0], [8, 5, 6, 3], [11, 9, 10, 7]]] and flipped.dtype == np.uint8


def test_crop_moves_by_every_offset_up_to_its_padding():
    clip = coded_clip(1)
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(1000):
        frame = RandomCrop(2 / HEIGHT)(clip, rng).frames[0]
        shown = frame[2] == 7
        down, right = np.argwhere(shown)[0] - (frame[:2, *np.argwhere(shown)[0]] - 1).astype(int)
        seen.add((int(down), int(right)))
        assert shown.sum() == (HEIGHT - abs(down)) * (WIDTH - abs(right))  # the rest is black
        assert (frame[:, ~shown] == 0).all()
    assert seen == {(down, right) for down in range(-2, 3) for right in range(-2, 3)}


def test_erasing_covers_one_rectangle_of_allowed_size():
    clip = coded_clip()
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(300):
        frame = RandomErasing(1.0, area=(0.1, 0.3))(clip, rng).frames[0]
        covered = (frame == MEAN_COLOUR).all(axis=0)
        rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
        assert covered.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)  # a full rectangle
        shares.append(covered.mean())
        assert 0.3 / 1.4 < len(rows) / len(columns) < 1.4 / 0.3  # up to rounding
    assert min(shares) > 0.08
    assert max(shares) < 0.32
    assert np.ptp(shares) > 0.15


def test_a_transform_depends_on_the_generator_alone():
    one, same, other = (Chain()(coded_clip(), np.random.default_rng(seed)).frames for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize("name", ["flow", "joints"])
def test_truth_that_would_not_move_with_the_pixels_is_refused(name):
    clip = Clip(coded_clip().frames, truth={name: np.zeros((3, 2, HEIGHT, WIDTH), np.float32)})
    with pytest.raises(ValueError, match="only 'parts' moves with the pixels"):
        RandomFlip(1.0)(clip, np.random.default_rng(0))


def test_aligned_silhouettes_stay_as_they_are():
    silhouettes = np.random.default_rng(0).integers(0, 2, (5, 8, 6), dtype=np.uint8)
    clip = Clip(coded_clip().frames, silhouettes=silhouettes)
    assert (Chain()(clip, np.random.default_rng(0)).silhouettes == silhouettes).all()


def test_a_crop_may_be_left_to_chance():
    rng = np.random.default_rng(0)
    frames = rng.integers(1, 256, (1, 3, 64, 32), np.uint8)
    changed = [bool((RandomCrop(probability=0.5)(Clip(frames), rng).frames != frames).any()) for _ in range(400)]
    # A crop moves by up to two pixels in each direction; one in 25 moves by none.
    assert np.mean(changed) == pytest.approx(0.5 * 24 / 25, abs=0.08)
