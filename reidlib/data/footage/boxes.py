"""Boxes (left, top, width, height) in pixels: their overlap, who belongs to whom, and agreement with the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m) in [0, 1]."""
    shared = intersection(a, b)
    return shared / np.maximum(np.prod(a[:, None, 2:], -1) + np.prod(b[:, 2:], -1) - shared, 1e-9)


def intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Area in square pixels that boxes (n, 4) and (m, 4) share: (n, m)."""
    low = np.maximum(a[:, None, :2], b[:, :2])
    high = np.minimum((a[:, :2] + a[:, 2:])[:, None], b[:, :2] + b[:, 2:])
    return np.prod(np.maximum(high - low, 0), axis=-1)


def around(boxes: Sequence[np.ndarray]) -> np.ndarray:
    """The smallest box (4,) that holds all of one or more boxes (4,)."""
    low = np.min([box[:2] for box in boxes], axis=0)
    return np.concatenate([low, np.max([box[:2] + box[2:] for box in boxes], axis=0) - low])


def assign(overlaps: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """Pairs (row, column), each at most once, of overlap `threshold` or more, with the largest sum (Hungarian)."""
    gain = np.where(overlaps >= threshold, overlaps, 0.0)
    return [(int(i), int(j)) for i, j in zip(*linear_sum_assignment(gain, maximize=True)) if gain[i, j] > 0]


@dataclass(frozen=True)
class BoxScores:
    """Boxes found against true ones. recall, precision: fractions in [0, 1], NaN where there is nothing to count.
    switches: how often a true track is found under another number than before (CLEAR MOT's mismatches)."""

    recall: float
    precision: float
    switches: int
    matched: int
    found: int
    true: int


def box_scores(found: np.ndarray, true: np.ndarray, threshold: float = 0.5) -> BoxScores:
    """Match boxes frame by frame, one to one: pairs of the frame before stay as long as they overlap by `threshold` or
    more, the others are chosen so that such overlaps sum up to the most.

    found, true: (n, 6) frame, track number, left, top, width, height. The procedure is that of Bernardin and
    Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT metrics" (2008). Where the true boxes
    have no numbers, all 0 or below, every frame is matched by itself and there are no switches. ValueError for other
    shapes.
    """
    if any(rows.ndim != 2 or rows.shape[1] != 6 for rows in (found, true)):
        raise ValueError(f"expected rows of frame, number and box, (n, 6); got {found.shape} and {true.shape}")
    matched, switches, last = 0, 0, {}
    for frame in np.unique(true[:, 0]):
        ours, theirs = (rows[rows[:, 0] == frame] for rows in (found, true))
        overlaps = overlap(ours[:, 2:], theirs[:, 2:])
        stays = ours[:, 1:2] == [last.get(truth) for truth in theirs[:, 1]]
        for i, j in assign(np.where(overlaps >= threshold, overlaps + 2 * stays, 0), threshold):
            matched += 1
            number, truth = ours[i, 1], theirs[j, 1]
            if truth > 0:
                switches += int(last.get(truth, number) != number)
                last[truth] = number
    shares = (matched / len(rows) if len(rows) else float("nan") for rows in (true, found))
    return BoxScores(*shares, switches, matched, len(found), len(true))
