"""Small videos made by hand, and one rendered."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from reidlib.data.footage import follow, write_video
from reidlib.data.walkers.plaza import plaza


def _ground(height: int, width: int, frames: int) -> np.ndarray:
    """A grey, slightly uneven floor, (frames, 3, height, width)."""
    floor = np.random.default_rng(0).integers(95, 106, (height // 8, width // 8)).repeat(8, 0).repeat(8, 1)
    return np.broadcast_to(floor, (frames, 3, height, width)).astype(np.uint8)


@pytest.fixture
def ground():
    """`ground(height, width, frames)`: an empty place."""
    return _ground


@pytest.fixture(scope="session")
def block(tmp_path_factory):
    """A red upright block of 16 × 48 pixels that moves 3 pixels a frame to the right over frames 10 to 59 of 80, from
    x = 20, y = 30, at 10 frames a second; there is nobody else. The path and the true boxes by frame."""
    frames, boxes = _block()
    return write_video(tmp_path_factory.mktemp("block") / "block.avi", frames, 10), boxes


def _block() -> tuple[np.ndarray, dict[int, tuple[int, int, int, int]]]:
    frames = _ground(96, 200, 80).copy()
    boxes = {n: (20 + 3 * (n - 10), 30, 16, 48) for n in range(10, 60)}
    for n, (x, y, w, h) in boxes.items():
        frames[n, :, y : y + h, x : x + w] = np.array([200, 30, 30])[:, None, None]
    return frames, boxes


@pytest.fixture
def block_frames():
    """The frames (80, 3, 96, 200) of `block`."""
    return _block()[0]


@pytest.fixture
def boxed():
    """`boxed(path, frames, stamps)`: the frames (n, 3, H, W) as the same JPEG pictures in the container of the path's
    suffix, each with its time stamp in whole milliseconds; .mjpeg is no container and takes none."""

    def write(path: Path, frames: np.ndarray, stamps: np.ndarray, rate: float = 1000) -> Path:
        code, size = cv2.VideoWriter_fourcc(*"MJPG"), frames.shape[:1:-1]
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, rate, size, [cv2.VIDEOWRITER_PROP_RAW_VIDEO, 1])
        assert writer.isOpened()
        for frame, stamp in zip(frames, stamps, strict=True):
            assert writer.set(cv2.VIDEOWRITER_PROP_PTS, round(stamp * rate / 1000))
            writer.write(cv2.imencode(".jpg", frame[::-1].transpose(1, 2, 0))[1].ravel())
        writer.release()
        return path

    return write


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """A rendered plaza, the path of its video, and the tracklets followed in it."""
    scene = plaza(seed=0)
    path = write_video(tmp_path_factory.mktemp("plaza") / "plaza.avi", scene.frames, scene.fps)
    return scene, path, list(follow(path, progress=False))
