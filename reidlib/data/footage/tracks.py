"""Tracks that somebody else's tracker has found, from a file in the format of the MOT challenge, in place of ours."""

from pathlib import Path

import numpy as np

from reidlib.data.footage.foreground import Blob
from reidlib.data.footage.tracking import MIN_SHARE, Sighting


def read_tracks(path: str | Path) -> np.ndarray:
    """Boxes of tracks, float (n, 6): frame from 0, number of the track from 1, left, top, width, height in pixels.

    One box a line, "frame, id, left, top, width, height", with frames from 1 and more columns or none (Leal-Taixé et
    al., "MOTChallenge 2015: towards a benchmark for multi-target tracking"); further columns, confidence and what else
    there may be, are not looked at, and empty lines are passed over. FileNotFoundError, or ValueError with file and
    number of the line, for anything else, such as detections that belong to no track, or a track with two boxes in one
    frame.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file; give a text file of tracks in the MOT format")
    rows, seen = [], {}
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}: {line.strip()[:60]!r}"
        try:
            row = [float(value) for value in line.split(",")[:6]]
        except ValueError:
            row = []
        if len(row) < 6 or not np.isfinite(row).all():
            raise ValueError(f"{where}: expected six numbers or more, frame, id, left, top, width, height, with commas")
        if row[0] < 1 or row[0] % 1:
            raise ValueError(f"{where}: frame {row[0]:g}; expected a whole number from 1 on")
        if row[1] < 1 or row[1] % 1:
            raise ValueError(
                f"{where}: id {row[1]:g}; expected a whole number from 1 on. Boxes without one are detections: let a "
                "tracker join them first"
            )
        if min(row[4:]) <= 0:
            raise ValueError(f"{where}: {row[4]:g} × {row[5]:g} pixels; expected a width and a height above 0")
        if other := seen.get((row[0], row[1])):
            raise ValueError(f"{where}: track {row[1]:g} has a box in frame {row[0]:g} already, in line {other}")
        seen[row[0], row[1]] = number
        rows.append([row[0] - 1, *row[1:]])
    if not rows:
        raise ValueError(f"{path} holds no tracks; expected lines of frame, id, left, top, width, height")
    return np.array(rows)


class GivenTracks:
    """Stands in for a `Tracker`: the boxes (n, 6) of `read_tracks`, each with the foreground that lies in it.

    Where boxes overlap, a pixel goes to the one whose middle is nearest, in units of its size. ValueError if a box lies
    outside the picture of (height, width).
    """

    def __init__(self, tracks: np.ndarray, resolution: tuple[int, int], path: str | Path):
        limit = np.array(resolution[::-1])
        for frame, number, *box in tracks:
            if (np.array(box[:2]) >= limit).any() or (np.array(box[:2]) + box[2:] <= 0).any():
                raise ValueError(
                    f"{path}: the box of track {number:g} in frame {frame + 1:g} lies outside the picture of "
                    f"{limit[0]} × {limit[1]} pixels; are these the tracks of another video?"
                )
        self._limit, self._frame, self.walkers = limit, -1, []
        self._at = {frame: tracks[tracks[:, 0] == frame, 1:] for frame in np.unique(tracks[:, 0])}
        self._last = {int(number): tracks[tracks[:, 1] == number, 0].max() for number in np.unique(tracks[:, 1])}
        self.frames = int(tracks[:, 0].max()) + 1

    @property
    def alive(self) -> set[int]:
        """Numbers of the tracks that have boxes in later frames."""
        return {number for number, last in self._last.items() if last > self._frame}

    def believed(self, number: int, boxes: list[np.ndarray]) -> bool:
        """All are."""
        return True

    def step(self, frame: np.ndarray, labels: np.ndarray, found: list[Blob]) -> list[Sighting]:
        """Go on by one frame, whose foreground is `found` in the (H, W) `labels`."""
        self._frame += 1
        here = self._at.get(self._frame, np.zeros((0, 5)))
        low, high = here[:, 1:3].clip(0, self._limit - 1), (here[:, 1:3] + here[:, 3:]).clip(1, self._limit)
        middle, half = (low + high) / 2, np.maximum(high - low, 1) / 2
        self.walkers = [*np.column_stack([low, high - low])]
        known = [label for blob in found for label in blob.labels]
        sightings = []
        for i, number in enumerate(here[:, 0].astype(int)):
            (left, top), (right, lower) = np.floor(low[i]).astype(int), np.ceil(high[i]).astype(int)
            y, x = np.mgrid[top:lower, left:right] + 0.5
            distance = np.stack([((x - m[0]) / h[0]) ** 2 + ((y - m[1]) / h[1]) ** 2 for m, h in zip(middle, half)])
            inside = np.stack([(abs(x - m[0]) <= h[0]) & (abs(y - m[1]) <= h[1]) for m, h in zip(middle, half)])
            foreground = np.isin(labels[top:lower, left:right], known)
            mine = inside[i] & (np.where(inside, distance, np.inf).argmin(axis=0) == i)
            shared = (foreground & ~mine).sum() > MIN_SHARE * max(foreground.sum(), 1)
            window = slice(top, lower), slice(left, right)
            sightings.append(Sighting(number, self.walkers[i], foreground & mine, window, bool(shared)))
        return sightings
