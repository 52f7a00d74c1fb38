"""Small tracklets and benchmarks made of random arrays."""

import numpy as np
import pytest

from reidlib.data import ArrayFrames, Benchmark, Tracklet
from reidlib.data.attributes import MARS


def _tracklet(
    person: int, camera: int, length: int = 5, size: tuple[int, int] = (16, 8), parts: bool = True, **fields
) -> Tracklet:
    rng = np.random.default_rng((person + 1, camera, fields.get("tracklet_id", 0), length))
    coarse = rng.integers(0, 256, (length, 3, size[0] // 4, size[1] // 4), dtype=np.uint8)
    frames = coarse.repeat(4, axis=2).repeat(4, axis=3)
    labels = rng.integers(0, 8, (length, *size), dtype=np.uint8) if parts else None
    return Tracklet(person, camera, ArrayFrames(frames, labels), **fields)


@pytest.fixture
def make_tracklet():
    """`make_tracklet(person, camera, length=5, size=(16, 8), parts=True, **fields)`: blocky random frames."""
    return _tracklet


@pytest.fixture
def small_benchmark():
    """Three training and two test identities under two cameras, a distractor and junk; "usual" set-up."""
    rng = np.random.default_rng(0)
    people = [
        _tracklet(
            person,
            camera,
            length=3 + number,
            tracklet_id=4 * number + camera,
            attributes={a.name: int(rng.integers(a.num_codes)) for a in MARS.attributes},
        )
        for person in (1, 3, 4, 8, 9)
        for camera in (1, 2)
        for number in (1, 2)
    ]
    test = [t for t in people if t.person_id > 4]
    query = tuple(test[::2])
    others = (_tracklet(0, 2, tracklet_id=1), _tracklet(-1, 1, tracklet_id=7))
    return Benchmark(
        train=tuple(t for t in people if t.person_id <= 4),
        query=query,
        gallery=(*(t for t in test if t not in query), *others),
        protocol="cross-camera",
        name="small",
        fingerprint="small",
    )


def _walk(
    person: int, view: int, condition: str, number: int, length: int = 4, size: tuple[int, int] = (40, 24)
) -> Tracklet:
    """An upright ellipse that sways, its build and place drawn by identity and walk, before random colours."""
    rng = np.random.default_rng((person, view, len(condition), number))
    row, column = np.mgrid[: size[0], : size[1]]
    top, bottom, girth = rng.integers(1, 6), size[0] - rng.integers(1, 6), rng.uniform(3, 6)
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    sway = rng.uniform(9, 15, length)[:, None, None]
    parts = (((row - middle) / half) ** 2 + ((column - sway) / girth) ** 2 <= 1).astype(np.uint8)
    frames = rng.integers(0, 256, (length, 3, *size), dtype=np.uint8)
    return Tracklet(person, view + 1, ArrayFrames(frames, parts), number, view, condition)


@pytest.fixture
def make_walk(tmp_path, monkeypatch):
    """`make_walk(person, view, condition, number, length=4, size=(40, 24))`; the cache folder is a new one."""
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    return _walk
