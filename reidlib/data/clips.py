"""Which frames of a tracklet make a clip.

The samplers are pure functions from a tracklet's length to frame numbers; those that draw take an explicit
generator. A tracklet shorter than the clip is repeated, and every frame number is valid.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np

from reidlib.data.successors import Windows, check_later, check_windows
from reidlib.data.tracklets import Tracklet

Sampling = Literal["random", "even", "consecutive"]
NEXT = "next_"  # before the name of a ground truth: that of the frames that follow


def constrained_random(length: int, num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """One random frame of each of `num_frames` equal segments of the tracklet, ascending; int64 (T,).

    Li, Bak, Carr, Wang, "Diversity regularized spatiotemporal attention for video-based person
    re-identification", CVPR 2018 (restricted random sampling).
    """
    positions = np.arange(num_frames) + rng.random(num_frames)
    return np.minimum((positions * length / num_frames).astype(np.int64), length - 1)


def evenly_spaced(length: int, num_frames: int) -> np.ndarray:
    """The middle frame of each of `num_frames` equal segments of the tracklet, ascending; int64 (T,)."""
    return (2 * np.arange(num_frames) + 1) * length // (2 * num_frames)


def consecutive(length: int, num_frames: int, rng: np.random.Generator, stride: int = 1) -> np.ndarray:
    """`num_frames` frames, `stride` apart, from a random start; int64 (T,).

    Where the tracklet is too short for that, the clip starts at frame 0 and runs round from the end to the
    start.
    """
    span = (num_frames - 1) * stride + 1
    start = rng.integers(length - span + 1) if length > span else 0
    return (start + stride * np.arange(num_frames)) % length


def dense_windows(length: int, num_frames: int) -> np.ndarray:
    """Windows of consecutive frames that cover the whole tracklet; int64 (ceil(length / T), T).

    They follow one another without overlap, but for the last, which is moved back to end with the tracklet. A
    tracklet shorter than one window is repeated.
    """
    starts = np.minimum(np.arange(0, length, num_frames), max(length - num_frames, 0))
    return (starts[:, None] + np.arange(num_frames)) % length


def successors(indices: np.ndarray, length: int, count: int = 1, time_step: int = 1) -> np.ndarray:
    """The `count` frames that follow each of `indices` (T,), `time_step` apart; int64 (T, count).

    Where the tracklet ends before, its last frame stands for those that are missing.
    """
    ahead = time_step * np.arange(1, count + 1)
    return np.minimum(np.asarray(indices)[:, None] + ahead, length - 1)


def sample(
    length: int,
    num_frames: int,
    rng: np.random.Generator,
    sampling: Sampling = "random",
    stride: int = 1,
    ahead: int = 0,
) -> np.ndarray:
    """Frame numbers by the sampler's name: "random" (`constrained_random`), "even" or "consecutive"; int64
    (T,).

    ahead: leave this many frames at the end out, so that every sampled frame has true successors (a tracklet
    that is not longer than that has none).
    """
    length = max(length - ahead, 1)
    if sampling == "random":
        return constrained_random(length, num_frames, rng)
    if sampling == "even":
        return evenly_spaced(length, num_frames)
    if sampling == "consecutive":
        return consecutive(length, num_frames, rng, stride)
    raise ValueError(f"sampling={sampling!r}: expected 'random', 'even' or 'consecutive'")


@dataclass(frozen=True)
class Clip:
    """The pixels of T frames of one tracklet, all of them aligned with one another, and S of its silhouettes.

    frames: uint8 (T, 3, H, W), RGB. next_frames: uint8 (T, N, 3, H, W), the N successors of each frame. masks: uint8
    (T, 1, H, W) of 0 and 1. truth: arrays by name, (T, …), or (T, N, …) for the successors'. silhouettes: uint8
    (S, h, w) of 0 and 1, aligned, see `reidlib.data.silhouettes`.
    """

    frames: np.ndarray | None
    masks: np.ndarray | None = None
    next_frames: np.ndarray | None = None
    truth: dict[str, np.ndarray] = field(default_factory=dict)
    silhouettes: np.ndarray | None = None


def read_clip(
    tracklet: Tracklet,
    indices: np.ndarray,
    masks: bool = False,
    next_frames: int = 0,
    time_step: int = 1,
    truth: tuple[str, ...] = (),
    silhouettes: Sequence[int] = (),
    windows: Windows = "tracked",
) -> Clip:
    """The clip of these frames, with masks, successors and ground truth on request.

    next_frames: how many successors of each frame, `time_step` frames apart. silhouettes: the frames whose aligned
    silhouettes are wanted. Without `indices` the clip has these alone. windows: "tracked" for successors as they are,
    in boxes that follow the person, "fixed" for successors in the box of the frame that they follow. truth: names of
    ground truth; with "next_" before it, as in "next_parts", that of the successors, each in its own box whatever the
    windows.

    ValueError if masks, silhouettes or fixed windows are asked for and there are none, KeyError if a ground truth is
    missing.
    """
    aligned = tracklet.silhouettes(silhouettes) if len(silhouettes) else None
    if len(silhouettes) and aligned is None:
        raise ValueError(
            f"silhouettes: tracklet {tracklet.tracklet_id} of person {tracklet.person_id} has none that are aligned; "
            "take a benchmark that brings them, or make them of its masks by reidlib.data.silhouettes.pack"
        )
    if not len(indices):
        return Clip(None, silhouettes=aligned)
    shapes = tracklet.masks(indices) if masks else None
    if masks and shapes is None:
        raise ValueError(
            f"masks=True: tracklet {tracklet.tracklet_id} of person {tracklet.person_id} has no silhouettes; "
            "take a benchmark that brings them"
        )
    return Clip(
        frames=tracklet.frames(indices),
        masks=shapes,
        next_frames=_successors_of(tracklet, indices, next_frames, time_step, windows) if next_frames else None,
        truth={name: _truth_of(tracklet, name, indices, next_frames, time_step) for name in truth},
        silhouettes=aligned,
    )


def _successors_of(tracklet: Tracklet, indices: np.ndarray, count: int, time_step: int, windows: Windows) -> np.ndarray:
    """The frames (T, count, 3, H, W) that follow each of `indices`."""
    check_windows(windows)
    if windows == "fixed":
        check_later(tracklet)
        return tracklet.later(indices, count, time_step)
    return _following(tracklet.frames, successors(indices, len(tracklet), count, time_step))


def _truth_of(tracklet: Tracklet, name: str, indices: np.ndarray, count: int, time_step: int) -> np.ndarray:
    """Ground truth of the frames, (T, …), or of the `count` that follow each, (T, count, …)."""
    if not name.startswith(NEXT):
        return tracklet.truth(name, indices)
    read = partial(tracklet.truth, name.removeprefix(NEXT))
    return _following(read, successors(indices, len(tracklet), count, time_step))


def _following(read: Callable[[np.ndarray], np.ndarray], numbers: np.ndarray) -> np.ndarray:
    """What `read` gives of frames (n,) -> (n, …), of the frames `numbers` (T, count): (T, count, …)."""
    values = read(numbers.ravel())
    return values.reshape(*numbers.shape, *values.shape[1:])
