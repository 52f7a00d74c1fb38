"""Silhouettes for gait networks: all of one height, centred on the person, and packed into one array.

The usual procedure, that of Chao, He, Zhang, Feng, "GaitSet: regarding gait as a set for cross-view gait
recognition", AAAI 2019: the silhouette is cropped to the person's height, resized to 64 pixels in height with its
aspect kept, centred on the column that halves its pixels, and cut to 64 × 64; of these, the middle 44 columns are used.
A silhouette of fewer than 40 pixels is none (their rule: grey values of at most 10 000 in sum). Two details differ
from the published code: pixels stay 0 and 1, and where a frame has no silhouette the nearest one stands in instead of
the frame being left out, so that silhouettes and colour frames go together.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from reidlib.data.packing import pack_rows
from reidlib.data.tracklets import Rows, Tracklet

SIZE = (64, 44)  # height and width that gait networks take
MIN_PIXELS = 40


def align(masks: Iterable[np.ndarray], size: tuple[int, int] = SIZE) -> np.ndarray:
    """Silhouettes of one person, each (H, W) with the person non-zero, aligned to `size`: uint8 (n, h, w) of 0 and 1.

    The sizes of the masks may differ. ValueError if one is no (H, W), or none has `MIN_PIXELS` pixels or more.
    """
    masks = list(masks)
    aligned = _align_all(masks, size)
    if aligned is None:
        raise ValueError(f"masks: expected a silhouette of {MIN_PIXELS} pixels or more in one of {len(masks)} frames")
    return aligned


def _align_all(masks: Iterable[np.ndarray], size: tuple[int, int]) -> np.ndarray | None:
    """The masks aligned, the nearest usable one standing in for each that is not; None if none is usable."""
    masks = [np.asarray(mask) != 0 for mask in masks]
    if wrong := [mask.shape for mask in masks if mask.ndim != 2]:
        raise ValueError(f"masks: expected (H, W) each, found shape {wrong[0]}; give masks[:, 0] of (n, 1, H, W)")
    aligned = [_align_one(mask, size) for mask in masks]
    usable = np.array([number for number, one in enumerate(aligned) if one is not None])
    if not usable.size:
        return None
    nearest = usable[np.abs(np.arange(len(aligned))[:, None] - usable).argmin(axis=1)]
    return np.stack([aligned[number] for number in nearest])


def _align_one(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    height, width = size
    if mask.sum() < MIN_PIXELS:
        return None
    rows = np.flatnonzero(mask.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    new_width = max(round(mask.shape[1] * height / (bottom - top)), 1)
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    box = (0, top, mask.shape[1], bottom)
    person = np.asarray(image.resize((new_width, height), Image.Resampling.BILINEAR, box)) >= 128
    if not person.any():  # thin lines that resizing has wiped out
        return None
    below = np.cumsum(person.sum(axis=0))
    centre = int(np.searchsorted(below, below[-1] / 2, side="right"))
    left = centre - width // 2
    aligned = np.zeros(size, np.uint8)
    aligned[:, max(-left, 0) : new_width - left] = person[:, max(left, 0) : left + width]
    return aligned


def pack(
    tracklets: Sequence[Tracklet],
    key: str,
    size: tuple[int, int] = SIZE,
    workers: int | None = None,
    progress: bool = True,
) -> list[Tracklet]:
    """The tracklets with their masks aligned, all in one array of the user's cache folder, made once.

    key: a hash that decides the masks' bytes, such as the fingerprint of a rendered benchmark. Tracklets without any
    usable silhouette are left out, with a warning. ValueError if a tracklet has no masks.
    """
    if any(tracklet.masks([0]) is None for tracklet in tracklets):
        raise ValueError("tracklets: expected masks in all of them; take a benchmark that brings them")
    readers = [partial(_masks, tracklet) for tracklet in tracklets]
    packed = pack_masks(readers, [len(tracklet) for tracklet in tracklets], key, size, workers, progress)
    if without := sum(rows is None for rows in packed):
        warnings.warn(
            f"{without} of {len(tracklets)} tracklets have no usable silhouette, and are left out", stacklevel=2
        )
    return [replace(tracklet, aligned=rows) for tracklet, rows in zip(tracklets, packed) if rows is not None]


def _masks(tracklet: Tracklet) -> np.ndarray:
    return tracklet.masks()[:, 0]


def pack_masks(
    readers: Sequence[Callable[[], Iterable[np.ndarray]]],
    lengths: Sequence[int],
    key: str,
    size: tuple[int, int] = SIZE,
    workers: int | None = None,
    progress: bool = True,
) -> list[Rows | None]:
    """The aligned silhouettes of many sequences; None for one without any that is usable.

    readers: one for each sequence, giving its masks when called; lengths: how many. key, workers: see `pack_rows`.
    """
    if not readers:
        raise ValueError("readers: expected one sequence or more")
    aligned = [partial(_align_or_zero, reader, length, size) for reader, length in zip(readers, lengths)]
    rows = pack_rows("silhouettes", key, aligned, lengths, size, "aligning silhouettes", workers, progress)
    return [one if one[[0]].any() else None for one in rows]  # unusable sequences are all zero


def _align_or_zero(reader: Callable[[], Iterable[np.ndarray]], length: int, size: tuple[int, int]) -> np.ndarray:
    aligned = _align_all(reader(), size)
    return np.zeros((length, *size), np.uint8) if aligned is None else aligned
