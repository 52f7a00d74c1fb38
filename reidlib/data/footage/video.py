"""Video files, decoded frame by frame with OpenCV: what a file says of itself, its pictures and their times."""

import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

DEFAULT_FPS = 25.0  # where a file does not say
LOOKED = 100  # pictures whose time stamps tell the rate
SAMPLE_SECONDS = 120.0  # the background is taken from this much of the beginning
SAMPLES = 64  # pictures of it at most, fewer where they are large:
SAMPLE_BYTES = 1 << 28
# How M-JPEG, MPEG, H.264 and H.265 begin without a container; FFmpeg may make stamps up for them.
_BARE = re.compile(rb"\xff\xd8|\x00?\x00\x00\x01(?!\xba)")
_WAY_OUT = "play it in a video player, or make an ordinary file of it with `ffmpeg -i FILE OUT.mp4`"

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # errors and warnings here say what goes wrong
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


@dataclass(frozen=True)
class Video:
    """A video file. fps: frames a second, a mean where the rate varies. stamped: whether the pictures have time stamps.

    count, length: how many frames, and seconds, the file claims to have, 0 if it does not say; the count is often only
    an estimate from the length, so nothing but warnings and progress bars depends on the two. start: the seconds on the
    file's clock at the first picture; some containers count them as length.
    """

    path: Path
    width: int
    height: int
    fps: float
    count: int
    length: float
    start: float
    stamped: bool

    def frames(self) -> Iterator[np.ndarray]:
        """Every picture once, in order, uint8 (H, W, 3) in OpenCV's order blue, green, red; warns as `timed` does."""
        return (frame for _, frame in self.timed())

    def timed(self) -> Iterator[tuple[float, np.ndarray]]:
        """Every picture once, in order, with its seconds since the first one; one is held at a time.

        The seconds are the file's time stamps, or the frame's number over the rate if there are none (`open_video` has
        warned of that). Warns if single stamps do not go on, and if the file ends, or cannot be decoded any further,
        before the number of frames, and the time, that it claims.
        """
        number = odd = 0
        seconds = step = 0.0
        for stamp, frame in _decode(self.path, self.stamped):
            if number:
                goes_on = self.stamped and stamp > seconds
                odd += self.stamped and not goes_on
                step = stamp - seconds if goes_on else 1 / self.fps
                seconds = seconds + step if self.stamped else number / self.fps
            number += 1
            yield seconds, frame
        if odd:
            warnings.warn(
                f"{self.path}: {odd} of {number} time stamps are not after the one before; there, time goes on by a "
                f"frame at {self.fps:g} a second",
                stacklevel=2,
            )
        near = max(0.02 * self.length, step)
        whole = self.stamped and self.length - self.start - near <= seconds + step <= self.length + near
        if number < 0.98 * self.count and not whole:  # some containers count a few frames that are not there
            warnings.warn(
                f"{self.path} breaks off after {number} of {self.count} frames; what was read is used. "
                "Copy it again, or repair it with `ffmpeg -i FILE OUT.mp4`",
                stacklevel=2,
            )

    def samples(self) -> list[np.ndarray]:
        """Pictures (H, W, 3), evenly spaced over the first `SAMPLE_SECONDS`: of more than `SAMPLES`, or `SAMPLE_BYTES`
        (but five, however large), every second, fourth … They depend on the pictures alone, not on what the file claims
        of its length."""
        most = min(SAMPLES, max(5, SAMPLE_BYTES // (3 * self.width * self.height)))
        kept: list[np.ndarray] = []
        step = 1
        for number, (stamp, frame) in enumerate(_decode(self.path, self.stamped)):
            if (stamp if self.stamped else number / self.fps) >= SAMPLE_SECONDS:
                break
            if number == most * step:
                kept, step = kept[::2], 2 * step
            if number % step == 0:
                kept.append(frame)
        return kept


def open_video(path: str | Path) -> Video:
    """Look at a video file and its first `LOOKED` pictures.

    FileNotFoundError, or ValueError with the file's name and a way out, if it is missing, a folder, empty, or nothing
    that FFmpeg decodes into two pictures or more. The rate is that of the time stamps, if there are any. Warns if there
    are none, so that times will be only as good as the rate that the file or FFmpeg gives, and if there is no sensible
    rate either, so that `DEFAULT_FPS` is taken.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file; give the path of a video")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the path of a video file in it")
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty (0 bytes); copy or record it again")
    reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    picture, stamps = reader.read()[1], []
    begin = reader.get(cv2.CAP_PROP_PTS)  # in frames of the claimed rate
    while len(stamps) < LOOKED and (not stamps or reader.grab()):
        stamps.append(reader.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    rate, count = reader.get(cv2.CAP_PROP_FPS), max(reader.get(cv2.CAP_PROP_FRAME_COUNT), 0)
    reader.release()
    if picture is None:
        raise ValueError(f"{path} cannot be decoded as a video; {_WAY_OUT}")
    if len(stamps) < 2:
        raise ValueError(f"{path} holds a single picture; expected a video of a fixed camera")
    with path.open("rb") as file:
        bare = _BARE.match(file.read(4)) is not None
    length, start = (count / rate, max(begin, 0) / rate) if rate > 0 else (0.0, 0.0)
    fps, stamped = _rate(rate, [] if bare else stamps)
    if not 0 < fps <= 1000:
        warnings.warn(
            f"{path} says {fps:g} frames a second; {DEFAULT_FPS:g} is taken instead, and times are only as good as "
            "that. `ffmpeg -r RATE -i FILE OUT.mp4` writes a file with the right rate",
            stacklevel=2,
        )
        fps, stamped = DEFAULT_FPS, False
    elif not stamped:
        warnings.warn(
            f"{path} has no time stamps; times are frame numbers over {fps:g} frames a second, which may be FFmpeg's "
            "guess. `ffmpeg -r RATE -i FILE OUT.mp4` writes a file with the right rate and stamps",
            stacklevel=2,
        )
    height, width = picture.shape[:2]
    return Video(path, width, height, float(fps), int(count), length, start, stamped)


def _rate(claimed: float, stamps: list[float]) -> tuple[float, bool]:
    """Frames a second, and whether most time stamps go on: then the rate is theirs, but the claimed one, which is not
    rounded to milliseconds, if it agrees. Players of variable rates claim 1000 frames a second, for instance."""
    on = np.diff(stamps) > 0
    if not on.size or on.mean() < 0.5:
        return claimed, False
    measured = 1 / np.diff(stamps)[on].mean()
    return (claimed if abs(measured / claimed - 1) < 0.02 else measured) if claimed > 0 else measured, True


def write_video(path: str | Path, frames: np.ndarray, fps: float) -> Path:
    """Write RGB frames, uint8 (n, 3, H, W), as Motion JPEG in an .avi file; OSError if that cannot be done."""
    path = Path(path)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, frames.shape[:1:-1])
    if not writer.isOpened():
        raise OSError(f"{path}: OpenCV cannot write a video there; expected an .avi file in a folder that exists")
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[::-1].transpose(1, 2, 0)))
    writer.release()
    return path


def _decode(path: Path, stamped: bool) -> Iterator[tuple[float, np.ndarray]]:
    """Pictures with their time stamps in seconds after the first one's, 0 if they are not `stamped`."""
    reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    first = None
    try:
        while True:
            found, frame = reader.read()
            if not found:
                return
            stamp = reader.get(cv2.CAP_PROP_POS_MSEC) / 1000 if stamped else 0.0
            first = stamp if first is None else first
            yield stamp - first, frame
    finally:
        reader.release()
