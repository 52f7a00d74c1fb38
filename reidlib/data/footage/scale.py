"""How tall a person is in the picture, by where the feet are; and pieces of foreground united to persons so tall.

On flat ground before a camera that is nearly level, a person's height in pixels is linear in the row of the feet
(Hoiem, Efros, Hebert, "Putting objects in perspective", IJCV 2008). The line is learnt from the walkers themselves.
"""

from collections import deque
from dataclasses import replace

import numpy as np

from reidlib.data.footage.boxes import around
from reidlib.data.footage.foreground import Blob

MIN_POINTS = 30  # boxes of walkers before the line is used
KEPT = 600  # newest boxes that it is fitted to
TOLERANCE = 1.2  # a person may be so much taller than the line says
GAP = 0.35  # of a person's height, that may lie between two pieces of one person
TALLEST = 5.0  # height by width of a person, while there is no line


class Scale:
    """The line height = a + b · row, by least squares with Huber's weights over the newest `KEPT` boxes."""

    def __init__(self, picture_height: int):
        self._points: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._spread = (0.03 * picture_height) ** 2  # keeps the slope small where all feet are in nearly one row
        self._line = (0.0, 0.0, 0.0)
        self._new = 0

    def add(self, box: np.ndarray) -> None:
        """Learn from the box (left, top, width, height) of somebody who walks and is seen whole."""
        self._points.append((box[1] + box[3], box[3]))
        self._new += 1
        if len(self._points) >= MIN_POINTS and self._new >= MIN_POINTS // 3:
            self._fit()

    def height(self, row: float) -> float | None:
        """Expected height in pixels of a person with the feet in this row; None before there are `MIN_POINTS`."""
        middle, height, slope = self._line
        return max(height + slope * (row - middle), 0.3 * height) if height else None

    def _fit(self) -> None:
        rows, heights = np.array(self._points).T
        weights = np.ones(len(rows))
        for _ in range(5):
            middle, height = np.average(rows, weights=weights), np.average(heights, weights=weights)
            shift = rows - middle
            slope = (weights * shift * (heights - height)).sum() / (weights * (shift**2 + self._spread)).sum()
            error = np.abs(heights - height - slope * shift)
            weights = np.minimum(1, 0.1 * height / np.maximum(error, 1e-6))
        self._line, self._new = (float(middle), float(height), float(slope)), 0


def unite(found: list[Blob], scale: Scale) -> list[Blob]:
    """Join pieces that lie above one another as those of one person do, tall ones first.

    Half of the narrower one's width must lie over or under the other, with a gap of at most `GAP` heights, and together
    they must not be taller than a person there.
    """
    united: list[Blob] = []
    for blob in sorted(found, key=lambda b: (-b.box[3], b.labels)):
        for i, other in enumerate(united):
            joined = _join(other, blob)
            if _is_person(other.box, blob.box, joined.box, scale):
                united[i] = joined
                break
        else:
            united.append(blob)
    return united


def _join(a: Blob, b: Blob) -> Blob:
    return replace(a, labels=a.labels + b.labels, box=around([a.box, b.box]), area=a.area + b.area)


def _is_person(a: np.ndarray, b: np.ndarray, joined: np.ndarray, scale: Scale) -> bool:
    over = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    gap = max(a[1], b[1]) - min(a[1] + a[3], b[1] + b[3])
    expected = scale.height(joined[1] + joined[3])
    near = over >= 0.5 * min(a[2], b[2]) and gap <= GAP * (expected or joined[3])
    return bool(near and joined[3] <= tallest(joined, scale))


def tallest(box: np.ndarray, scale: Scale) -> float:
    """How many pixels high a person with the feet and the width of this box is at most."""
    expected = scale.height(box[1] + box[3])
    return TALLEST * box[2] if expected is None else TOLERANCE * expected
