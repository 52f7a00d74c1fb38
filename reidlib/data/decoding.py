"""What the pixels of image files mean, in whatever mode they are saved: colours of frames, persons in masks.

Masks come in many codes: 0 and 1, 0 and 255, grey values of a lossy file, one bit, 16 bits, a palette, labels of the
body's parts, an alpha channel; and some show black persons on white. One file alone cannot tell (nearly black: a lossy
mask of nobody, or one of 0 and 1?), so that the rule looks at masks of the whole tracklet, see `mask_code`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

COLOURED = 64  # a picture has colours where its channels differ by more; lossy files of grey pictures differ a little
HALF = 128  # the level from which on a pixel of a black and white mask is white


def rgb(image: Image.Image) -> Image.Image:
    """An image as RGB, turned as its EXIF orientation says. Grey becomes RGB; what is transparent becomes black.

    16 bits are brought to eight by dividing by 256. ValueError for 32 bits, whose range is not known.
    """
    ImageOps.exif_transpose(image, in_place=True)
    if (deep := _deep_values(image)) is not None:
        return Image.fromarray((deep >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return image.convert("RGB")


def mask_levels(image: Image.Image) -> Image.Image:
    """A mask as 8-bit grey levels, of which a `MaskCode` tells the person; turned as its EXIF orientation says.

    16 bits are divided by 256 if eight do not hold them. Where an alpha channel is not the same everywhere, it is the
    mask. In a palette of colours all but black is 255. ValueError for other pictures in colours, which are no masks,
    and for 32 bits.
    """
    ImageOps.exif_transpose(image, in_place=True)
    if (deep := _deep_values(image)) is not None:
        return Image.fromarray((deep if deep.max() < 256 else deep >> 8).astype(np.uint8))
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if len(set(alpha.getextrema())) > 1:
            return alpha
    if image.mode in ("1", "L"):
        return image.convert("L")
    colours = np.asarray(image.convert("RGB"))
    levels = colours.max(axis=2)
    if (levels - colours.min(axis=2)).max() > COLOURED:
        if image.mode != "P":
            raise ValueError("expected a mask in grey levels, black and white or a palette, found a picture in colours")
        levels = np.where(levels > 0, np.uint8(255), np.uint8(0))
    return Image.fromarray(levels)


def _deep_values(image: Image.Image) -> np.ndarray | None:
    """The values of an image of 16 bits, None for one of eight or less."""
    if image.mode in ("I", "F"):
        raise ValueError(f"expected 8 or 16 bits, found 32 (mode {image.mode}); save it with 8 bits")
    return np.asarray(image) if image.mode.startswith("I;16") else None


@dataclass(frozen=True)
class MaskCode:
    """How a tracklet's masks say who is person: levels from `threshold` on or, if `inverted`, those below it."""

    threshold: int = HALF
    inverted: bool = False

    def person(self, levels: np.ndarray) -> np.ndarray:
        """Masks of 0 and 1, uint8 of the shape of the levels."""
        return ((levels >= self.threshold) != self.inverted).astype(np.uint8)


def mask_code(masks: Sequence[np.ndarray]) -> MaskCode:
    """The code of a tracklet's masks, levels (H, W) each, of any sizes.

    Where some level reaches 128, the masks are black and white, and 128 divides them; otherwise they hold 1, or labels,
    and all but 0 counts. A person covers less than half of a picture's border: if more than half of it is foreground,
    over all masks that show both person and background, the masks are inverted. (Masks of one level alone are taken as
    they are: all white is a person who fills the picture, all black is nobody.)
    """
    code = MaskCode(HALF if any(levels.max() >= HALF for levels in masks) else 1)
    borders = [_border(found) for levels in masks if len(np.unique(found := code.person(levels))) > 1]
    return MaskCode(code.threshold, bool(borders) and float(np.concatenate(borders).mean()) > 0.5)


def _border(mask: np.ndarray) -> np.ndarray:
    """The pixels along the four sides of a mask."""
    return np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
