"""Frames and masks in every mode that files are saved in, against arrays of known content."""

import io

import numpy as np
import pytest
from PIL import Image

from reidlib.data.decoding import MaskCode, mask_code, mask_levels, rgb

GREY = np.arange(0, 256, 51, dtype=np.uint8).reshape(2, 3)  # 0, 51, … 255
COLOURS = np.stack([GREY, GREY[::-1], 255 - GREY], axis=2)
PERSON = np.zeros((12, 8), np.uint8)
PERSON[2:11, 3:6] = 1


def reopened(image, ending="PNG", **options):
    """The image as it comes back from a file."""
    file = io.BytesIO()
    image.save(file, ending, **options)
    return Image.open(file)


def palette(colours, values):
    image = Image.fromarray(values.astype(np.uint8)).convert("L")
    image.putpalette([level for colour in colours for level in colour])
    return image


def transparent(values, alpha):
    return Image.fromarray(np.dstack([values, alpha]))


FRAMES = {
    "grey": (Image.fromarray(GREY), np.dstack([GREY] * 3)),
    "16 bits": (Image.fromarray(GREY.astype(np.uint16) * 257), np.dstack([GREY] * 3)),
    "1 bit": (Image.fromarray(GREY > 100), np.dstack([255 * (GREY > 100)] * 3)),
    "palette": (palette(COLOURS.reshape(-1, 3), np.arange(6).reshape(2, 3)), COLOURS),
    "alpha of one value": (transparent(COLOURS, np.full((2, 3), 255, np.uint8)), COLOURS),
    "transparent": (
        transparent(COLOURS, np.where(GREY > 100, 255, 0).astype(np.uint8)),
        COLOURS * (GREY > 100)[..., None],
    ),
    "grey with alpha": (transparent(GREY, np.full((2, 3), 255, np.uint8)), np.dstack([GREY] * 3)),
}


@pytest.mark.parametrize("mode", FRAMES)
def test_frames_of_any_mode_become_rgb(mode):
    image, expected = FRAMES[mode]
    found = rgb(reopened(image))
    assert found.mode == "RGB"
    assert np.asarray(found).tolist() == expected.tolist()


def test_cmyk_becomes_rgb():
    ink = Image.fromarray(np.dstack([255 - COLOURS, np.zeros((2, 3), np.uint8)]), "CMYK")
    assert np.abs(np.asarray(rgb(reopened(ink, "TIFF"))).astype(int) - COLOURS).max() <= 1


@pytest.mark.parametrize("mode", ["I", "F"])
@pytest.mark.parametrize("decode", [rgb, mask_levels])
def test_32_bits_are_refused(mode, decode):
    with pytest.raises(ValueError, match=f"expected 8 or 16 bits, found 32 .mode {mode}.; save it with 8"):
        decode(reopened(Image.fromarray(GREY).convert(mode), "TIFF"))


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(1, lambda a: a), (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1)), (8, np.rot90)],
)
@pytest.mark.parametrize(("ending", "decode"), [("PNG", rgb), ("TIFF", rgb), ("PNG", mask_levels)])
def test_pictures_are_turned_as_their_exif_orientation_says(orientation, turned, ending, decode):
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = np.asarray(decode(reopened(Image.fromarray(GREY), ending, exif=exif)))
    assert (found[..., 0] if found.ndim == 3 else found).tolist() == turned(GREY).tolist()


def test_a_damaged_exif_block_costs_nothing():
    image = reopened(Image.fromarray(GREY), "JPEG", exif=b"Exif\0\0garbage")
    assert rgb(image).size == (3, 2)


BLACK, WHITE, RED, NAVY = (0, 0, 0), (255, 255, 255), (128, 0, 0), (0, 0, 64)
MASKS = {  # a person whose pixels are 1
    "0 and 255": lambda p: Image.fromarray(p * 255),
    "0 and 1": lambda p: Image.fromarray(p),
    "1 bit": lambda p: Image.fromarray(p.astype(bool)),
    "16 bits, full": lambda p: Image.fromarray(p.astype(np.uint16) * 65535),
    "16 bits, 0 and 1": lambda p: Image.fromarray(p.astype(np.uint16)),
    "16 bits, 0 and 255": lambda p: Image.fromarray(p.astype(np.uint16) * 255),
    "palette": lambda p: palette([BLACK, WHITE], p),
    "palette, white first": lambda p: palette([WHITE, BLACK], 1 - p),
    "palette of dark colours": lambda p: palette([BLACK, RED, NAVY], p * (1 + (np.indices(p.shape)[0] % 2))),
    "labels of parts": lambda p: Image.fromarray((p * (1 + np.indices(p.shape)[0])).astype(np.uint8)),
    "RGB": lambda p: Image.fromarray(np.dstack([p * 255] * 3)),
    "opaque": lambda p: transparent(np.dstack([p * 255] * 3), np.full(p.shape, 255, np.uint8)),
    "cut-out": lambda p: transparent(np.dstack([p * 0 + 30] * 3), p * 255),
    "grey levels": lambda p: Image.fromarray(np.where(p, 250 - np.indices(p.shape)[1], 3).astype(np.uint8)),
}


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("code", MASKS)
def test_masks_of_any_code_show_the_same_person(code, inverted):
    written = [1 - PERSON if inverted else PERSON, np.roll(1 - PERSON if inverted else PERSON, 1, axis=1)]
    levels = [np.asarray(mask_levels(reopened(MASKS[code](mask)))) for mask in written]
    found = mask_code(levels)
    assert found.inverted == inverted
    assert found.person(levels[0]).tolist() == PERSON.tolist()
    assert found.person(levels[1]).dtype == np.uint8


def test_lossy_masks_are_divided_at_128():
    levels = np.asarray(mask_levels(reopened(Image.fromarray(PERSON.repeat(5, 0).repeat(5, 1) * 255), "JPEG")))
    assert len(np.unique(levels)) > 2
    assert mask_code([levels]).person(levels).tolist() == PERSON.repeat(5, 0).repeat(5, 1).tolist()
    steps = np.array([[0, 127, 128, 255]])
    assert mask_code([steps]).person(steps).tolist() == [[0, 0, 1, 1]]


def test_all_masks_of_a_tracklet_are_read_by_one_code():
    noise, bright = np.full((4, 4), 3, np.uint8), np.full((4, 4), 255, np.uint8)
    assert mask_code([noise, bright]) == MaskCode(128)  # 3 is noise in a file of nobody
    assert mask_code([noise]) == MaskCode(1)  # and a label where nothing is brighter


@pytest.mark.parametrize("level", [0, 1, 255])
def test_masks_of_one_level_are_taken_as_they_are(level):
    mask = np.full((5, 4), level, np.uint8)
    assert (mask_code([mask]).person(mask) == (level > 0)).all()
    white_beside_person = [np.full((12, 8), 255, np.uint8), PERSON * 255]
    assert not mask_code(white_beside_person).inverted  # the first does not vote


def test_the_border_decides_over_the_whole_tracklet():
    close = np.ones((12, 8), np.uint8)  # so near that most of the border is covered
    close[:2, :3] = 0
    assert mask_code([close]).inverted
    assert not mask_code([close, PERSON, PERSON]).inverted
    half = np.zeros((12, 8), np.uint8)
    half[6:] = 1  # exactly half of the border: kept
    assert mask_code([half]) == MaskCode(1)


def test_pictures_in_colours_are_no_masks():
    with pytest.raises(ValueError, match="expected a mask in grey levels, .* found a picture in colours"):
        mask_levels(reopened(Image.fromarray(COLOURS)))
