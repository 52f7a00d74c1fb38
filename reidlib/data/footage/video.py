"""Video files, decoded frame by frame with OpenCV: what a file says of itself, its pictures, samples of them."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

DEFAULT_FPS = 25.0  # where a file does not say
SAMPLE_SECONDS = 120.0  # the background is taken from this much of the beginning
SAMPLES = 50  # pictures of it, fewer where they are large:
SAMPLE_BYTES = 1 << 28
_WAY_OUT = "play it in a video player, or make an ordinary file of it with `ffmpeg -i FILE OUT.mp4`"

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # errors and warnings here say what goes wrong
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


@dataclass(frozen=True)
class Video:
    """A video file. fps: frames a second. count: how many frames the file claims to have, 0 if it does not say."""

    path: Path
    width: int
    height: int
    fps: float
    count: int

    def frames(self) -> Iterator[np.ndarray]:
        """Every picture once, in order, uint8 (H, W, 3) in OpenCV's order blue, green, red; one is held at a time.

        Warns if the file ends, or cannot be decoded any further, before the number of frames that it claims.
        """
        number = 0
        for frame in _decode(self.path):
            number += 1
            yield frame
        if number < 0.98 * self.count:  # some containers count a few frames that are not there
            warnings.warn(
                f"{self.path} breaks off after {number} of {self.count} frames; what was read is used. "
                "Copy it again, or repair it with `ffmpeg -i FILE OUT.mp4`",
                stacklevel=2,
            )

    def samples(self) -> list[np.ndarray]:
        """Up to `SAMPLES` pictures (H, W, 3), evenly spaced over the first `SAMPLE_SECONDS`, in `SAMPLE_BYTES` at most
        (but five pictures, however large)."""
        samples = min(SAMPLES, max(5, SAMPLE_BYTES // (3 * self.width * self.height)))
        span = int(SAMPLE_SECONDS * self.fps)
        step = max(-(-min(self.count or span, span) // samples), 1)
        chosen = (frame for number, frame in enumerate(_decode(self.path)) if number % step == step // 2)
        return list(islice(chosen, samples))


def open_video(path: str | Path) -> Video:
    """Look at a video file and its first two pictures.

    FileNotFoundError, or ValueError with the file's name and a way out, if it is missing, a folder, empty, or nothing
    that FFmpeg decodes into two pictures or more. Where the file gives no sensible frame rate, `DEFAULT_FPS` is taken,
    with a warning.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file; give the path of a video")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the path of a video file in it")
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty (0 bytes); copy or record it again")
    reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    pictures = [reader.read()[1] for _ in range(2)]
    fps, count = reader.get(cv2.CAP_PROP_FPS), reader.get(cv2.CAP_PROP_FRAME_COUNT)
    reader.release()
    if pictures[0] is None:
        raise ValueError(f"{path} cannot be decoded as a video; {_WAY_OUT}")
    if pictures[1] is None:
        raise ValueError(f"{path} holds a single picture; expected a video of a fixed camera")
    if not 0 < fps <= 1000:
        warnings.warn(
            f"{path} says {fps:g} frames a second; {DEFAULT_FPS:g} is taken instead, and times are only as good as "
            "that. `ffmpeg -r RATE -i FILE OUT.mp4` writes a file with the right rate",
            stacklevel=2,
        )
        fps = DEFAULT_FPS
    height, width = pictures[0].shape[:2]
    return Video(path, width, height, float(fps), max(int(count), 0))


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


def _decode(path: Path) -> Iterator[np.ndarray]:
    reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        while True:
            found, frame = reader.read()
            if not found:
                return
            yield frame
    finally:
        reader.release()
