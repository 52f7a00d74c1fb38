"""Successors of frames, cut with the frames' own boxes: the street stands still and the person moves on.

A tracker's box follows the person, so that a frame and the next one differ most in the street behind. Where it is known
how the boxes lie in the camera's picture, which rendered tracklets tell (`Tracklet.later`), the next frame can be cut
where this one was; what moves is then what the person does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import numpy as np

from reidlib.data.packing import pack_rows
from reidlib.data.tracklets import Rows, Tracklet, fingerprint

Windows = Literal["tracked", "fixed"]


def pack_successors(
    tracklets: Sequence[Tracklet], count: int, time_step: int = 1, workers: int | None = None, progress: bool = True
) -> list[Tracklet]:
    """The tracklets with the `count` successors of every frame, `time_step` apart, cut with the frame's own box.

    They are rendered once, in `workers` processes (by default one for each core), into one array of the user's cache
    folder, and read from there by `Tracklet.later`, for this count and time step alone. ValueError if a tracklet does
    not know them.
    """
    for tracklet in tracklets:
        check_later(tracklet)
    key = fingerprint(*(tracklet.later.key for tracklet in tracklets), repr((count, time_step)))
    readers = [partial(t.later, np.arange(len(t)), count, time_step) for t in tracklets]
    shape = (count, *tracklets[0].frames([0]).shape[1:])
    lengths = [len(tracklet) for tracklet in tracklets]
    rows = pack_rows("successors", key, readers, lengths, shape, "rendering successors", workers, progress)
    return [replace(t, later=PackedLater(one, t.later.key, count, time_step)) for t, one in zip(tracklets, rows)]


def check_windows(windows: str) -> None:
    """ValueError for what is no kind of `Windows`."""
    if windows not in get_args(Windows):
        raise ValueError(f"windows={windows!r}: expected 'tracked' or 'fixed'")


def check_later(tracklet: Tracklet) -> None:
    """ValueError if the tracklet does not know how the boxes lie in the camera's picture."""
    if tracklet.later is None:
        raise ValueError(
            f"windows='fixed': tracklet {tracklet.tracklet_id} of person {tracklet.person_id} does not say where its "
            "boxes lay in the camera's picture; recorded data have tracked boxes only, leave windows out"
        )


def recut(labels: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Label maps (N, H, W), cut out of a standing picture with boxes `own`, as boxes `other` cut them out: (N, H, W).

    Boxes are (N, 3), as the ground truth "box" has them: centre and height in the picture. Every pixel takes the label
    of the one that its middle lies in; 0 is what `own` does not reach. Both boxes are of one scene: where a tracker
    slips to somebody else, the boxes before and after have nothing to do with one another.
    """
    height, width = labels.shape[1:]
    ratio, shift = other[:, 2:] / own[:, 2:], (other[:, :2] - own[:, :2]) * height / own[:, 2:]  # in pixels of `own`
    places = []
    for size, along in ((height, shift[:, 1:]), (width, shift[:, :1])):
        middles = np.arange(size) + 0.5 - 0.5 * size
        places.append(np.floor(middles * ratio + along + 0.5 * size).astype(int))  # (N, size)
    (rows, columns), numbers = places, np.arange(len(labels))[:, None, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None]
    found = labels[numbers, rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None]]
    return np.where(inside, found, 0)


@dataclass(frozen=True)
class PackedLater:
    """The successors of one tracklet's frames, `count` each, `time_step` apart, as they were packed."""

    rows: Rows
    key: str
    count: int
    time_step: int

    def __call__(self, indices: Sequence[int], count: int, time_step: int) -> np.ndarray:
        """See `Later`. ValueError for others than were packed."""
        if (count, time_step) != (self.count, self.time_step):
            raise ValueError(
                f"count={count}, time_step={time_step}: expected {self.count} and {self.time_step}, which were packed"
            )
        return self.rows[indices]
