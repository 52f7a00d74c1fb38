"""Following people from frame to frame: prediction, assignment of foreground to tracks, blobs that hold several people.

Each track is an alpha-beta filter (a Kalman filter of constant velocity in its steady state: the gains are fixed) over
the centre of a box, with a smoothed size. The Hungarian method pairs predictions with blobs, by overlap and colours; a
track left over whose prediction lies in another one's blob shares that blob, and every pixel of it goes to the nearest
prediction, in units of its size; what such a piece says of the position counts less. A blob that stays too wide for one
person is cut into several.
"""

from dataclasses import dataclass

import numpy as np

from reidlib.data.footage.boxes import around, assign, intersection, overlap
from reidlib.data.footage.foreground import Blob
from reidlib.data.footage.scale import Scale, tallest, unite
from reidlib.data.footage.windows import box_in, colours_of, mask_of, window_of

MIN_OVERLAP = 0.1  # of prediction and blob, weighted by how alike their colours are, to be a pair
SETTLED = 3  # frames in which a track has been seen, before it may share a blob
CONFIRM_SECONDS = 0.4  # a track is believed after so long, three frames at least
MISSED_SECONDS = 1.0  # how long a track goes on without being seen
HIDDEN_SECONDS = 2.5  # the same while its prediction lies in another one's blob
MIN_SHARE = 0.2  # of its box that a person's piece of a blob covers, to count as seen
UPRIGHT = 0.3  # of a person's height that a column of the mask holds where a body is
WIDE = 0.5  # of a person's height: one person, striding, has not as many such columns for `WIDE_SECONDS`
WIDE_SECONDS = 0.5
SHOULDERS = 0.33  # of a person's height, the width that each of several people is given
MOST = 6  # people that one blob is split into
WALKED = 0.5  # heights of the own box that a track has moved, to be somebody who walks


@dataclass(frozen=True)
class Sighting:
    """A track in one frame: box (left, top, width, height), and the person's pixels (H, W) bool of the whole picture
    inside `window`, its rows and columns. shared: the blob also holds other tracks."""

    number: int
    box: np.ndarray
    mask: np.ndarray
    window: tuple[slice, slice]
    shared: bool


@dataclass
class _Track:
    number: int
    centre: np.ndarray  # (x, y) pixels
    size: np.ndarray  # (width, height) pixels
    colours: np.ndarray  # as in `colours_of`, a running mean
    velocity: np.ndarray  # pixels a frame
    seen: int = 1
    missed: int = 0
    odd: int = 0  # frames in a row whose blob was no good for the size
    wide: int = 0  # frames in a row whose blob was too wide for one person
    in_step: int = 0  # frames in which it went just above or below an older track, less those in which it did not
    hidden: bool = False
    walks: bool = False

    def __post_init__(self) -> None:
        self.start = self.centre
        self.whole: list[np.ndarray] = []  # boxes that the scale has not learnt from yet

    @property
    def box(self) -> np.ndarray:
        return np.concatenate([self.centre - self.size / 2, self.size])

    def update(self, box: np.ndarray, sure: bool) -> None:
        """Correct the prediction by a measured box; one that is not `sure` counts less."""
        position, speed, size = (0.6, 0.25, 0.4) if sure else (0.2, 0.05, 0.0)
        error = box[:2] + box[2:] / 2 - self.centre
        self.centre = self.centre + position * error
        self.velocity = self.velocity + speed * error
        self.size = self.size + size * (box[2:] - self.size)
        self.seen, self.missed, self.hidden = self.seen + 1, 0, False
        self.walks = self.walks or np.hypot(*(self.centre - self.start)) > WALKED * self.size[1]


class Tracker:
    """The tracks of one video. resolution: (height, width) of the picture; min_height: pixels of a person at least."""

    def __init__(self, resolution: tuple[int, int], fps: float, min_height: float):
        self._resolution, self._fps, self._min_height = resolution, fps, min_height
        self._tracks: list[_Track] = []
        self._count = 0
        self._scale = Scale(resolution[0])
        self._absorbed: set[int] = set()  # numbers of tracks that turned out to be a part of another one's person

    @property
    def walkers(self) -> list[np.ndarray]:
        """Boxes of the tracks that have moved."""
        return [track.box for track in self._tracks if track.walks]

    @property
    def alive(self) -> set[int]:
        """Numbers of the tracks that may still be seen again."""
        return {track.number for track in self._tracks}

    def believed(self, number: int, boxes: list[np.ndarray]) -> bool:
        """Whether the track of this number, seen in these boxes, is taken for somebody of his own."""
        high = np.median([box[3] for box in boxes]) >= self._min_height
        return bool(self._established(len(boxes)) and high and number not in self._absorbed)

    def _established(self, seen: int) -> bool:
        return seen >= max(CONFIRM_SECONDS * self._fps, 3)

    def step(self, frame: np.ndarray, labels: np.ndarray, found: list[Blob]) -> list[Sighting]:
        """Go on by one frame (H, W, 3) uint8, whose foreground is (H, W) `labels` and its blobs."""
        for track in self._tracks:
            track.centre = track.centre + track.velocity
        self._absorb()
        found = unite(found, self._scale)
        pieces, sharing = self._distribute(frame, labels, found)
        sightings = []
        for members in sharing:
            group = [self._tracks[i] for i in members]
            own = [blob for i in members for blob in pieces.get(i, ())]
            sightings += self._observe(group, own, frame, labels)
            if len(group) == 1 and group[0].wide > WIDE_SECONDS * self._fps:
                sightings += self._split(group[0], sightings.pop(), frame)
        seen = {sighting.number for sighting in sightings}
        for track in self._tracks:
            track.missed += track.number not in seen
        self._tracks = [track for track in self._tracks if self._goes_on(track)]
        taken = {label for blobs in pieces.values() for blob in blobs for label in blob.labels}
        new = [blob for blob in found if blob.labels[0] not in taken and self._fits(blob)]
        return sightings + [self._begin(blob, frame, labels) for blob in new]

    def _absorb(self) -> None:
        """Unite tracks that have gone in step, one above the other, for as long as it takes to believe a track: so do
        head and legs of somebody whose coat has the colour of the ground. Until then neither teaches the scale."""
        for i, young in enumerate(self._tracks):
            older = next((old for old in self._tracks[:i] if self._in_step(old, young)), None)
            young.in_step = max(young.in_step + (1 if older else -1), 0)
            if older:
                older.in_step = max(older.in_step, 1)
            if young.in_step >= CONFIRM_SECONDS * self._fps:
                box = around([older.box, young.box])
                older.centre, older.size, older.whole = box[:2] + box[2:] / 2, box[2:], []
                older.start = older.centre
                self._absorbed.add(young.number)
        self._tracks = [track for track in self._tracks if track.number not in self._absorbed]

    def _in_step(self, a: _Track, b: _Track) -> bool:
        """Whether two tracks go the same way one above the other, and are no taller together than a person."""
        joined = around([a.box, b.box])
        over = joined[2] <= a.size[0] + b.size[0] - 0.5 * min(a.size[0], b.size[0])
        gap = joined[3] - a.size[1] - b.size[1]
        speed = max(np.hypot(*a.velocity), np.hypot(*b.velocity))
        return bool(
            over
            and -0.1 * joined[3] <= gap <= 0.5 * joined[3]
            and joined[3] <= tallest(joined, self._scale)
            and a.missed + b.missed == 0
            and np.hypot(*(a.velocity - b.velocity)) < 0.6 * speed
        )

    def _distribute(
        self, frame: np.ndarray, labels: np.ndarray, found: list[Blob]
    ) -> tuple[dict[int, list[Blob]], list[list[int]]]:
        """Blobs of each track that has one, and the groups of tracks that share theirs (most groups hold one)."""
        if not found or not self._tracks:
            return {}, []
        predicted, measured = (np.array([entry.box for entry in entries]) for entries in (self._tracks, found))
        alike = np.minimum(
            np.array([track.colours for track in self._tracks])[:, None],
            np.array([colours_of(frame, *mask_of(blob, labels)) for blob in found]),
        ).sum(-1)
        pairs = assign(overlap(predicted, measured) * (0.25 + 0.75 * alike), MIN_OVERLAP)
        track_of = {j: i for i, j in pairs}
        pieces = {i: [found[j]] for i, j in pairs}
        groups = {i: [i] for i in pieces}
        shared = intersection(predicted, measured)
        for i in set(range(len(self._tracks))) - pieces.keys():
            track, j = self._tracks[i], int(shared[i].argmax())
            covered = shared[i, j] > 0.4 * track.size.prod()
            track.hidden = bool(covered and track.seen >= SETTLED)
            if track.hidden and j in track_of and track.size[1] > 0.5 * self._tracks[track_of[j]].size[1]:
                groups[track_of[j]].append(i)
        for j in set(range(len(found))) - track_of.keys():
            i = int(shared[:, j].argmax())
            if i in pieces and shared[i, j] > 0.3 * measured[j, 2:].prod():
                pieces[i].append(found[j])
        return pieces, list(groups.values())

    def _observe(self, group: list[_Track], own: list[Blob], frame: np.ndarray, labels: np.ndarray) -> list[Sighting]:
        """Sightings of the tracks that share these blobs."""
        box = around([blob.box for blob in own])
        window = window_of(box, labels.shape)
        foreground = np.isin(labels[window], [label for blob in own for label in blob.labels])
        if len(group) == 1:
            return [self._alone(group[0], box, frame, foreground, window)]
        rows, columns = foreground.nonzero()
        points = np.stack([columns, rows], -1) + [window[1].start, window[0].start] + 0.5
        distance = np.stack([(((points - t.centre) / (t.size / 2)) ** 2).sum(-1) for t in group])
        nearest = distance.argmin(axis=0)
        sightings = []
        for i, track in enumerate(group):
            mine = (nearest == i) & (distance[i] < 2.5)
            if mine.sum() < MIN_SHARE * track.size.prod():
                track.hidden = True
                continue
            mask = np.zeros_like(foreground)
            mask[rows[mine], columns[mine]] = True
            track.update(box_in(rows[mine], columns[mine], window), sure=False)
            sightings.append(Sighting(track.number, self._inside(track.box), mask, window, True))
        return sightings

    def _alone(
        self, track: _Track, box: np.ndarray, frame: np.ndarray, mask: np.ndarray, window: tuple[slice, slice]
    ) -> Sighting:
        """A track with its blobs for itself; a size that changes at once is not believed for a while."""
        whole, cut = self._complete(box, track.size), self._at_edge(box)
        ratio = whole[2:] / track.size
        entering = cut and track.seen < self._fps
        odd = self._established(track.seen) and not entering and (ratio.max() > 1.6 or ratio[1] < 0.7)
        track.odd = track.odd + 1 if odd else 0
        track.wide = track.wide + 1 if self._crowd(box, mask) > 1 else 0
        sure = not odd or track.odd > MISSED_SECONDS * self._fps
        track.update(whole, sure)
        if sure:
            track.colours = 0.9 * track.colours + 0.1 * colours_of(frame, mask, window)
        if sure and not cut and not track.wide:
            track.whole.append(box)
        if track.walks and not track.in_step:
            for one in track.whole:
                self._scale.add(one)
            track.whole = []
        return Sighting(track.number, box if sure else self._inside(track.box), mask, window, False)

    def _complete(self, box: np.ndarray, size: np.ndarray) -> np.ndarray:
        """A box cut off by the border of the picture, continued outside to the size that the track had."""
        low, high, limit = box[:2].copy(), box[:2] + box[2:], np.array(self._resolution[::-1])
        low = np.where(low <= 1, np.minimum(low, high - size), low)
        high = np.where(high >= limit - 1, np.maximum(high, low + size), high)
        return np.concatenate([low, high - low])

    def _crowd(self, box: np.ndarray, mask: np.ndarray) -> int:
        """How many people a mask is wide enough for, counting columns that bodies fill and not a foot or a shadow."""
        expected = self._scale.height(box[1] + box[3])
        width = (mask.sum(axis=0) >= UPRIGHT * (expected or np.inf)).sum()
        return min(round(width / (SHOULDERS * expected)), MOST) if expected and width > WIDE * expected else 1

    def _split(self, track: _Track, whole: Sighting, frame: np.ndarray) -> list[Sighting]:
        """Several people side by side: the mask cut upright into parts of equal area, one person each; the track stays
        the one that it is nearest to, the others are new."""
        rows, columns = whole.mask.nonzero()
        count = self._crowd(box_in(rows, columns, whole.window), whole.mask)
        masks = np.zeros((count, *whole.mask.shape), bool)
        for mask, part in zip(masks, np.array_split(np.argsort(columns, kind="stable"), count)):
            mask[rows[part], columns[part]] = True
        boxes = np.stack([box_in(*mask.nonzero(), whole.window) for mask in masks])
        keeps = int(overlap(track.box[None], boxes)[0].argmax())
        sightings = []
        for i, (box, mask) in enumerate(zip(boxes, masks)):
            if i == keeps:
                track.centre, track.size, track.wide, track.odd = box[:2] + box[2:] / 2, box[2:], 0, 0
                number = track.number
            else:
                number = self._new(box, colours_of(frame, mask, whole.window), track.velocity, SETTLED)
            sightings.append(Sighting(number, box, mask, whole.window, True))
        return sightings

    def _begin(self, blob: Blob, frame: np.ndarray, labels: np.ndarray) -> Sighting:
        mask, window = mask_of(blob, labels)
        return Sighting(self._new(blob.box, colours_of(frame, mask, window)), blob.box, mask, window, False)

    def _new(self, box: np.ndarray, colours: np.ndarray, velocity: np.ndarray | float = 0.0, seen: int = 1) -> int:
        self._count += 1
        self._tracks.append(_Track(self._count, box[:2] + box[2:] / 2, box[2:], colours, velocity + np.zeros(2), seen))
        return self._count

    def _fits(self, blob: Blob) -> bool:
        width, height = blob.box[2:]
        expected = self._scale.height(blob.box[1] + height) or self._min_height
        return height >= max(self._min_height, 0.5 * expected) and height > 0.8 * width

    def _goes_on(self, track: _Track) -> bool:
        limit = HIDDEN_SECONDS if track.hidden else MISSED_SECONDS
        if not self._established(track.seen):
            limit = 0.1
        x, y = track.centre
        inside = 0 <= x < self._resolution[1] and 0 <= y < self._resolution[0]
        return inside and track.missed <= limit * self._fps

    def _inside(self, box: np.ndarray) -> np.ndarray:
        """The part of a box that lies in the picture."""
        limit = np.array(self._resolution[::-1])
        low, high = box[:2].clip(0, limit - 1), (box[:2] + box[2:]).clip(1, limit)
        return np.concatenate([low, high - low])

    def _at_edge(self, box: np.ndarray) -> bool:
        return at_edge(box, self._resolution)


def at_edge(box: np.ndarray, resolution: tuple[int, int]) -> bool:
    """Whether a box comes within a pixel of the border of a picture of (height, width)."""
    return bool((box[:2] <= 1).any() or (box[:2] + box[2:] >= np.array(resolution[::-1]) - 1).any())
