"""From the video of a fixed camera to tracklets: the people who walk in it, with masks, times and quality flags."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from tqdm.auto import tqdm

from reidlib.data.crops import MARGIN
from reidlib.data.footage.foreground import CROWDED, MOVING, Background, blobs
from reidlib.data.footage.tracking import WALKED, Sighting, Tracker, at_edge
from reidlib.data.footage.tracks import GivenTracks, read_tracks
from reidlib.data.footage.video import Video, open_video
from reidlib.data.mask_mars import MIN_MASKS, effective
from reidlib.data.tracklets import ArrayFrames, Tracklet

UNKNOWN_PERSON = -1  # identities are not known; in evaluation, below 0 means never counted
SHARE = 0.25  # of a tracklet's frames, above which they give it a flag
SHORT_SECONDS = 1.0
MIN_HEIGHT = 0.06  # of a person, as a share of the picture's
MIN_ROWS = 24  # of a person; fewer have no silhouette to speak of, and the trembling of a background is as large
MIN_AREA = 20  # pixels of a piece of foreground at least, and 0.1 · (least height)² in large pictures
UPRIGHT = (1.6, 4.0)  # height by width of a walker, between wide strides and arms at the sides
FLAGS = ("cut off", "several people", "few pixels", "short", "standing", "not upright")


@dataclass(frozen=True, eq=False, kw_only=True)
class FootageTracklet(Tracklet):
    """Somebody followed in a video. The tracklet's frames and masks are those that were kept, see `follow`.

    video: the file's name. fps: its frames a second, a mean where the rate varies. numbers: (n,) int, the numbers of
    all frames, from 0, in which the person was seen, times: (n,) float, their seconds since the video's first frame,
    and boxes: (n, 4) float, left, top, width and height in pixels. kept: (len,) int, which of these n have pixels here.
    flags: what may be wrong, from `FLAGS`: "cut off" and "several people" (in more than `SHARE` of
    the frames the box touches the picture's border, or its foreground is shared with other tracks), "few pixels" (fewer
    than 8 masks that cover 15 % of the crop, the rule of Mask-MARS), "short" (under a second), "standing" (it never
    moved half of its height: often no person), "not upright" (the median box is not as high by its width as a walker,
    see `UPRIGHT`: mostly a cast shadow or a piece of the ground).
    """

    video: str
    fps: float
    numbers: np.ndarray
    times: np.ndarray
    boxes: np.ndarray
    kept: np.ndarray
    flags: tuple[str, ...]

    @property
    def seconds(self) -> tuple[float, float]:
        """When it begins and ends in the video: the time of the first frame, and of the last one plus a frame."""
        return float(self.times[0]), float(self.times[-1] + 1 / self.fps)


def follow(
    path: str | Path,
    camera_id: int = 1,
    *,
    resolution: tuple[int, int] = (128, 64),
    max_frames: int = 64,
    min_height: float = MIN_HEIGHT,
    tracks: str | Path | None = None,
    progress: bool = True,
) -> Iterator[FootageTracklet]:
    """The people who walk in the video of a fixed camera, each as soon as the track has ended.

    resolution: (H, W) of the crops, which show the box with a margin, undistorted; frames in which the picture's border
    cuts the person off have none, unless all do. max_frames: of a longer tracklet,
    every second, fourth … frame is kept, so that it holds 4·H·W·max_frames bytes of pixels at most (2 MiB by default);
    beyond the tracklets given away, memory does not grow with the length of the video. min_height: of a person, as a
    share of the picture's height, but `MIN_ROWS` pixels at least. Identities are `UNKNOWN_PERSON`; tracklets are
    numbered from 1. tracks: a file of boxes, see `read_tracks`, that take the place of our tracker's: every track is a
    tracklet of its number, and its masks are the foreground in its boxes.

    The same pictures at the same times give the same tracklets, in whatever file they are. FileNotFoundError and
    ValueError as `open_video` and `read_tracks`, and if the tracks have boxes after the video's last frame; warns as
    `Video.timed`, and if most of the picture changes all the time, as it does when the camera moves.
    """
    given = None if tracks is None else read_tracks(tracks)
    video = open_video(path)
    size, rows = (video.height, video.width), max(min_height * video.height, MIN_ROWS)
    tracker = Tracker(size, video.fps, rows) if given is None else GivenTracks(given, size, tracks)
    background = Background(video.samples(), video.fps)
    min_area = max(int(0.1 * (min_height * video.height) ** 2), MIN_AREA)
    growing: dict[int, _Growing] = {}
    count = crowded = number = 0

    def ended(numbers: Iterable[int]) -> Iterator[FootageTracklet]:
        nonlocal count
        for track_number in sorted(numbers):
            track = growing.pop(track_number)
            if tracker.believed(track_number, track.boxes):
                count += 1
                yield track.tracklet(video, camera_id, count if given is None else track_number)

    frames = enumerate(tqdm(video.timed(), video.path.name, video.count or None, disable=not progress))
    for number, (seconds, frame) in frames:
        level = background.level(frame)
        foreground = background.subtract(level)
        changed = bool(foreground.mean() > CROWDED)
        crowded += changed
        labels, found = blobs(foreground, min_area)
        for sighting in tracker.step(level, labels, [] if changed else found):
            track = growing.setdefault(sighting.number, _Growing(resolution, max_frames))
            track.add(number, seconds, frame, sighting)
        background.learn(level, tracker.walkers, changed)
        yield from ended(growing.keys() - tracker.alive)
    yield from ended([*growing])
    if given is not None and (last := int(given[:, 0].max())) > number:
        raise ValueError(
            f"{tracks} has boxes in frame {last + 1}, but {path} ends with frame {number + 1}; give the tracks of this "
            "video, with frames numbered from 1"
        )
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
    times: list[float] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    crops: list[np.ndarray] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)
    step: int = 1  # of the crops offered, every so-manieth is kept
    offered: int = 0
    whole: bool = False
    shared: int = 0
    cut: int = 0

    def add(self, number: int, seconds: float, frame: np.ndarray, sighting: Sighting) -> None:
        """One more frame. Crops that the picture's border cuts off are kept only until there are whole ones."""
        cut = at_edge(sighting.box, frame.shape[:2])
        if not cut and not self.whole:
            self.whole, self.step, self.offered = True, 1, 0
            self.kept, self.crops, self.masks = [], [], []
        if cut <= (not self.whole):
            self._keep(frame, sighting)
        self.numbers.append(number)
        self.times.append(seconds)
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

    def tracklet(self, video: Video, camera_id: int, tracklet_id: int) -> FootageTracklet:
        masks, boxes, count = np.stack(self.masks), np.stack(self.boxes), len(self.numbers)
        way = np.ptp(boxes[:, :2] + boxes[:, 2:] / 2, axis=0)
        width, height = np.median(boxes[:, 2:], axis=0)
        wrong = (
            self.cut > SHARE * count,
            self.shared > SHARE * count,
            effective(masks[:, None]).sum() < MIN_MASKS,
            self.times[-1] - self.times[0] + 1 / video.fps < SHORT_SECONDS,
            np.hypot(*way) < WALKED * height,
            not UPRIGHT[0] < height / width < UPRIGHT[1],
        )
        return FootageTracklet(
            UNKNOWN_PERSON,
            camera_id,
            ArrayFrames(np.stack(self.crops), masks),
            tracklet_id,
            video=video.path.name,
            fps=video.fps,
            numbers=np.array(self.numbers),
            times=np.array(self.times),
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
