"""The foreground of pictures made by hand: what moves, but no shadow and no change of exposure."""

import cv2
import numpy as np
import pytest

from reidlib.data.footage.foreground import MEMORY_SECONDS, THIN, Background, blobs, cut_out


@pytest.fixture
def place(ground):
    """An empty place with some noise, (20, 120, 160, 3)."""
    rng = np.random.default_rng(1)
    noise = rng.integers(-3, 4, (20, 120, 160, 3))
    return (ground(120, 160, 20).transpose(0, 2, 3, 1) + noise).astype(np.uint8)


def with_block(picture: np.ndarray, colour: tuple[int, int, int], left: int = 60) -> np.ndarray:
    picture = picture.copy()
    picture[40:90, left : left + 20] = colour
    return picture


def found(background: Background, picture: np.ndarray) -> np.ndarray:
    return background.subtract(background.level(picture))


def agreement(mask: np.ndarray, left: int = 60) -> float:
    true = np.zeros(mask.shape, bool)
    true[40:90, left : left + 20] = True
    return (true & (mask > 0)).sum() / (true | (mask > 0)).sum()


def test_an_empty_picture_has_no_foreground(place):
    assert found(Background(list(place[:10]), 10), place[15]).mean() < 0.001


def test_a_block_is_found_to_the_pixel_or_nearly(place):
    assert agreement(found(Background(list(place[:10]), 10), with_block(place[15], (30, 30, 200)))) > 0.85


def test_whoever_stands_in_a_known_place_is_cut_out_of_one_picture(place):
    picture = with_block(place[15], (30, 30, 200))
    picture[5:12, 5:9] = 255  # something smaller
    mask = cut_out(picture, place[0])
    assert mask.dtype == np.uint8 and agreement(mask) > 0.85 and not mask[:20].any()
    assert not cut_out(place[0], place[0]).any()


def test_people_in_some_of_the_samples_are_not_background(place):
    samples = [with_block(p, (30, 30, 200)) if i < 4 else p for i, p in enumerate(place[:10])]
    background = Background(samples, 10)
    assert np.abs(background.picture[50:80, 65:75].astype(int) - 100).max() < 15
    assert agreement(found(background, samples[0])) > 0.85


def test_a_shadow_is_none_and_a_darker_thing_is(place):
    background = Background(list(place[:10]), 10)
    shadow = place[15].copy()
    shadow[40:90, 60:80] = (shadow[40:90, 60:80] * 0.75).astype(np.uint8)
    assert found(background, shadow).mean() < 0.002
    assert agreement(found(background, with_block(place[15], (30, 30, 30)))) > 0.85


def test_another_exposure_is_levelled_out(place):
    background = Background(list(place[:10]), 10)
    brighter = cv2.convertScaleAbs(with_block(place[15], (30, 30, 200)), alpha=1.25)
    assert agreement(found(background, brighter)) > 0.85


@pytest.mark.parametrize("sway", [1, 2])
def test_edges_that_tremble_are_no_foreground_and_a_block_before_them_is(place, sway):
    """The camera sways by a pixel or two over a floor of bright and dark stripes on its left half."""
    striped = place[15].copy()
    striped[:, :50][:, ::8], striped[:, :50][:, 1::8] = 160, 160
    shifts = [round(sway * np.sin(i)) for i in range(30)]
    pictures = [np.roll(striped, shift, axis=1)[:, 5:155] for shift in shifts]
    background = Background(pictures, 10)
    assert np.mean([found(background, picture) for picture in pictures]) < 0.002
    assert agreement(found(background, with_block(pictures[-1], (30, 30, 200)))) > 0.85
    assert Background([striped[:, 5:155]] * 30, 10).subtract(pictures[2]).mean() > 0.01  # what is not known to tremble


@pytest.mark.parametrize("walks", [True, False])
def test_who_walks_stays_in_the_foreground_and_other_things_fade(place, walks):
    background, picture = Background(list(place[:10]), 5), with_block(place[15], (30, 30, 200))
    seen = []
    for _ in range(int(2 * MEMORY_SECONDS * 5)):
        background.learn(background.level(picture), [np.array([58, 38, 24, 54.0])] if walks else [])
        seen.append(agreement(found(background, picture)) > 0.8)
    assert all(seen[: int(0.8 * MEMORY_SECONDS * 5)])
    assert seen[-1] == walks


def test_blobs_have_the_boxes_and_areas_of_their_pieces():
    mask = np.zeros((60, 80), np.uint8)
    mask[10:40, 5:15] = 1
    mask[20:50, 40:52] = 1
    mask[2:4, 70:72] = 1
    labels, pieces = blobs(mask, min_area=20)
    assert [(p.box.tolist(), p.area) for p in pieces] == [([5, 10, 10, 30], 300), ([40, 20, 12, 30], 360)]
    for one in pieces:
        assert np.isin(labels, one.labels).sum() == one.area


def test_a_long_thin_shadow_is_cut_off():
    mask = np.zeros((120, 200), np.uint8)
    mask[10:110, 20:50] = 1
    mask[106:110, 50:150] = 1  # four rows of a hundred
    assert THIN > 4 / 100
    labels, (one,) = blobs(mask, min_area=20)
    assert one.box.tolist() == [20, 10, 30, 100] and (labels > 0).sum() == one.area == 3000
