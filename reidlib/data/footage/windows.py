"""Parts of a picture: windows (rows and columns) around boxes, masks in them, and the colours there."""

import numpy as np

from reidlib.data.footage.foreground import Blob


def box_in(rows: np.ndarray, columns: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    """The box around pixels that are numbered within a window."""
    low = np.array([columns.min() + window[1].start, rows.min() + window[0].start], float)
    return np.concatenate([low, [np.ptp(columns) + 1, np.ptp(rows) + 1]])


def window_of(box: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of a box (left, top, width, height) in a picture of (height, width)."""
    left, top, width, height = box.astype(int)
    return slice(top, min(top + height, shape[0])), slice(left, min(left + width, shape[1]))


def mask_of(blob: Blob, labels: np.ndarray) -> tuple[np.ndarray, tuple[slice, slice]]:
    """The mask (bool) of a blob in the label map, and the window that the mask fills."""
    window = window_of(blob.box, labels.shape)
    return np.isin(labels[window], blob.labels), window


def colours_of(frame: np.ndarray, mask: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    """Colour histograms (2 · 512,), 8 levels a channel, of the upper and the lower half of a mask; the sum is 1."""
    levels = frame[window].astype(np.int64) >> 5
    lower = np.arange(len(mask))[:, None] * 2 >= len(mask)
    codes = ((lower * 8 + levels[..., 0]) * 8 + levels[..., 1]) * 8 + levels[..., 2]
    return np.bincount(codes[mask], minlength=1024) / max(mask.sum(), 1)
