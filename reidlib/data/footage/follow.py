"""From the video of a fixed camera to tracklets: the people who walk in it, with masks, times and quality flags."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from tqdm.auto import tqdm

from reidlib.data.crops import MARGIN
from reidlib.data.footage.foreground import CROWDED, MOVING, Background, blobs
from reidlib.data.footage.tracking import WALKED, Sighting, Tracker, at_edge
from reidlib.data.footage.video import open_video
from reidlib.data.mask_mars import MIN_MASKS, effective
from reidlib.data.tracklets import ArrayFrames, Tracklet

UNKNOWN_PERSON = -1  # identities are not known; in evaluation, below 0 means never counted
SHARE = 0.25  # of a tracklet's frames, above which they give it a flag
SHORT_SECONDS = 1.0
FLAGS = ("cut off", "several people", "few pixels", "short", "standing")


@dataclass(frozen=True, eq=False, kw_only=True)
class FootageTracklet(Tracklet):
    """Somebody followed in a video. The tracklet's frames and masks are those that were kept, see `follow`.

    video: the file's name. fps: its frames a second. numbers: (n,) int, the numbers of all frames, from 0, in which the
    person was seen, and boxes: (n, 4) float, left, top, width and height in pixels. kept: (len,) int, which of these n
    have pixels here. flags: what may be wrong, from `FLAGS`: "cut off" and "several people" (in more than `SHARE` of
    the frames the box touches the picture's border, or its foreground is shared with other tracks), "few pixels" (fewer
    than 8 masks that cover 15 % of the crop, the rule of Mask-MARS), "short" (under a second), "standing" (it never
    moved half of its height: often no person).
    """

    video: str
    fps: float
    numbers: np.ndarray
    boxes: np.ndarray
    kept: np.ndarray
    flags: tuple[str, ...]

    @property
    def seconds(self) -> tuple[float, float]:
        """When it begins and ends in the video."""
        return float(self.numbers[0] / self.fps), float((self.numbers[-1] + 1) / self.fps)


def follow(
    path: str | Path,
    camera_id: int = 1,
    *,
    resolution: tuple[int, int] = (128, 64),
    max_frames: int = 64,
    min_height: float = 0.06,
    progress: bool = True,
) -> Iterator[FootageTracklet]:
    """The people who walk in the video of a fixed camera, each as soon as the track has ended.

    resolution: (H, W) of the crops, which show the box with a margin, undistorted; frames in which the picture's border
    cuts the person off have none, unless all do. max_frames: of a longer tracklet,
    every second, fourth … frame is kept, so that it holds 4·H·W·max_frames bytes of pixels at most (2 MiB by default);
    beyond the tracklets given away, memory does not grow with the length of the video. min_height: of a person, as a
    share of the picture's height. Identities are `UNKNOWN_PERSON`; tracklets are numbered from 1.

    The same file gives the same tracklets. FileNotFoundError and ValueError as `open_video`; warns if the file breaks
    off, and if most of the picture changes all the time, as it does when the camera moves.
    """
    video = open_video(path)
    background = Background(video.samples(), video.fps)
    tracker = Tracker((video.height, video.width), video.fps, min_height * video.height)
    min_area = max(int(0.1 * (min_height * video.height) ** 2), 12)
    growing: dict[int, _Growing] = {}
    count = crowded = number = 0
    for number, frame in enumerate(tqdm(video.frames(), video.path.name, video.count or None, disable=not progress)):
        level = background.level(frame)
        foreground = background.subtract(level)
        changed = bool(foreground.mean() > CROWDED)
        crowded += changed
        labels, found = blobs(foreground, min_area)
        for sighting in tracker.step(level, labels, [] if changed else found):
            track = growing.setdefault(sighting.number, _Growing(resolution, max_frames))
            track.add(number, frame, sighting)
        background.learn(level, tracker.walkers, changed)
        for ended in growing.keys() - tracker.alive:
            track = growing.pop(ended)
            if tracker.believed(len(track.numbers)):
                count += 1
                yield track.tracklet(video.path.name, video.fps, camera_id, count)
    for _, track in sorted(growing.items()):
        if tracker.believed(len(track.numbers)):
            count += 1
            yield track.tracklet(video.path.name, video.fps, camera_id, count)
    if background.deviation > MOVING or crowded > 0.5 * (number + 1):
        warnings.warn(
            f"{path}: most of the picture changes all the time, as if the camera moved; tracklets are not to be "
            "trusted. Give the video of a fixed camera",
            stacklevel=2,
        )


@dataclass
class _Growing:
    """A track while it lasts: all boxes, and at most `most` crops with masks, thinned out evenly."""

    resolution: tuple[int, int]
    most: int
    numbers: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    crops: list[np.ndarray] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)
    step: int = 1  # of the crops offered, every so-manieth is kept
    offered: int = 0
    whole: bool = False
    shared: int = 0
    cut: int = 0

    def add(self, number: int, frame: np.ndarray, sighting: Sighting) -> None:
        """One more frame. Crops that the picture's border cuts off are kept only until there are whole ones."""
        cut = at_edge(sighting.box, frame.shape[:2])
        if not cut and not self.whole:
            self.whole, self.step, self.offered = True, 1, 0
            self.kept, self.crops, self.masks = [], [], []
        if cut <= (not self.whole):
            self._keep(frame, sighting)
        self.numbers.append(number)
        self.boxes.append(sighting.box)
        self.shared += sighting.shared
        self.cut += cut

    def _keep(self, frame: np.ndarray, sighting: Sighting) -> None:
        if len(self.kept) == self.most:
            self.step *= 2
            self.kept, self.crops, self.masks = self.kept[::2], self.crops[::2], self.masks[::2]
        if self.offered % self.step == 0:
            crop, mask = _crop(frame, sighting, self.resolution)
            self.kept.append(len(self.numbers))
            self.crops.append(crop)
            self.masks.append(mask)
        self.offered += 1

    def tracklet(self, video: str, fps: float, camera_id: int, tracklet_id: int) -> FootageTracklet:
        masks, boxes, count = np.stack(self.masks), np.stack(self.boxes), len(self.numbers)
        way = np.ptp(boxes[:, :2] + boxes[:, 2:] / 2, axis=0)
        wrong = (
            self.cut > SHARE * count,
            self.shared > SHARE * count,
            effective(masks[:, None]).sum() < MIN_MASKS,
            self.numbers[-1] - self.numbers[0] + 1 < SHORT_SECONDS * fps,
            np.hypot(*way) < WALKED * np.median(boxes[:, 3]),
        )
        return FootageTracklet(
            UNKNOWN_PERSON,
            camera_id,
            ArrayFrames(np.stack(self.crops), masks),
            tracklet_id,
            video=video,
            fps=fps,
            numbers=np.array(self.numbers),
            boxes=boxes,
            kept=np.array(self.kept),
            flags=tuple(flag for flag, true in zip(FLAGS, wrong) if true),
        )


def _crop(frame: np.ndarray, sighting: Sighting, resolution: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """RGB (3, H, W) and mask (H, W) uint8 of a sighting, in a window of the resolution's shape around its box.

    Outside the picture its border is repeated.
    """
    aspect = resolution[1] / resolution[0]
    left, top, width, height = sighting.box
    tall = max(height * (1 + 2 * MARGIN), width / aspect)
    corner = np.round([left + width / 2 - tall * aspect / 2, top + height / 2 - tall / 2]).astype(int)
    columns = corner[0] + np.arange(max(round(tall * aspect), 1))
    rows = corner[1] + np.arange(max(round(tall), 1))
    picture = frame[np.clip(rows, 0, len(frame) - 1)[:, None], np.clip(columns, 0, frame.shape[1] - 1)]
    y, x = rows - sighting.window[0].start, columns - sighting.window[1].start
    inside = ((y >= 0) & (y < len(sighting.mask)))[:, None] & (x >= 0) & (x < sighting.mask.shape[1])
    mask = inside & sighting.mask[np.clip(y, 0, len(sighting.mask) - 1)[:, None], x.clip(0, sighting.mask.shape[1] - 1)]
    way = cv2.INTER_AREA if len(rows) > resolution[0] else cv2.INTER_LINEAR
    small = cv2.resize(mask.astype(np.float32), resolution[::-1], interpolation=way) >= 0.5
    picture = cv2.resize(picture, resolution[::-1], interpolation=way)
    return np.ascontiguousarray(picture[..., ::-1].transpose(2, 0, 1)), small.astype(np.uint8)
