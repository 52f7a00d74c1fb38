"""Small tracklets and benchmarks made of random arrays."""

from functools import partial

import numpy as np
import pytest

from reidlib.data import (
    ArrayFrames,
    Benchmark,
    Tracklet,
    casia_b,
    casia_e,
    duke_video,
    export,
    folder,
    ilids_vid,
    market1501,
    mars,
    oumvlp,
    peta,
    prid2011,
)
from reidlib.data.attributes import DUKE, MARS
from reidlib.data.two_cameras import split_benchmark

WALKS = ("casia_b", "oumvlp", "casia_e", "hid")  # layouts of gait data


def _tracklet(
    person: int, camera: int, length: int = 5, size: tuple[int, int] = (16, 8), parts: bool = True, **fields
) -> Tracklet:
    rng = np.random.default_rng((person + 1, camera, fields.get("tracklet_id", 0), length))
    coarse = rng.integers(0, 256, (length, 3, size[0] // 4, size[1] // 4), dtype=np.uint8)
    frames = coarse.repeat(4, axis=2).repeat(4, axis=3)
    labels = rng.integers(0, 12, (length, *size), dtype=np.uint8) if parts else None
    return Tracklet(person, camera, ArrayFrames(frames, labels), **fields)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path))
    return tmp_path


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


@pytest.fixture
def written(tmp_path, make_tracklet, make_walk, small_benchmark):
    """`written(layout)`: a folder in this layout with a handful of tracklets, and a function that loads it."""

    def pair():
        cameras = tuple({p: make_tracklet(p, c, length=3, tracklet_id=1) for p in (1, 2, 4, 6)} for c in (1, 2))
        return [split_benchmark(cameras, [([1, 6], [2, 4])], 0, "pair")]

    def campus():
        codes = {attribute.name: 1 for attribute in DUKE.attributes}
        train, one, other = (make_tracklet(p, c, length=3, attributes=codes) for p, c in ((1, 1), (2, 1), (2, 2)))
        return Benchmark((train,), (one,), (one, other), "cross-camera", "campus", "f")

    def stills():
        one, two, three, again = (
            make_tracklet(p, c, 1, attributes={"hairLong": p % 2}, tracklet_id=1)
            for p, c in ((1, 1), (2, 1), (3, 1), (3, 2))
        )
        return Benchmark((one, two), (three,), (again,), "cross-camera", "stills", "f")

    def walks(train, query, gallery):
        people = ((1, train), (3, query), (3, gallery))
        return Benchmark(*((make_walk(p, *label, length=3),) for p, label in people), "all", "walks", "f")

    def mine(root):
        for t in (make_tracklet(p, c, 3) for p in (1, 2) for c in (1, 2)):
            export.files.write_images(
                root / f"p{t.person_id}/c{t.camera_id}/1", ("2.png", "10.png", "11.png"), t.frames()
            )

    layouts = {
        "mars": (lambda root: export.mars(small_benchmark, root, "png", masks=True), partial(mars.load, masks=True)),
        "duke_video": (lambda root: export.duke_video(campus(), root, "png"), duke_video.load),
        "market1501": (lambda root: export.market1501(stills(), root, "png"), market1501.load),
        "peta": (lambda root: export.peta(stills(), root), peta.load),
        "ilids_vid": (lambda root: export.ilids_vid(pair(), root), ilids_vid.load),
        "prid2011": (lambda root: export.prid2011(pair(), root), prid2011.load),
        "folder": (mine, folder.load),
        "casia_b": (
            lambda root: export.casia_b(walks((0, "nm", 1), (0, "nm", 5), (0, "nm", 1)), root),
            casia_b.load,
        ),
        "oumvlp": (lambda root: export.oumvlp(walks((0, "nm", 1), (0, "nm", 0), (0, "nm", 1)), root), oumvlp.load),
        "casia_e": (
            lambda root: export.casia_e(walks(*((0, f"H-scene{s}-nm", 1) for s in (1, 2, 1))), root),
            casia_e.load,
        ),
        "hid": (
            lambda root: export.hid(walks(*((0, p, 0) for p in ("train", "probe", "gallery"))), root),
            casia_e.load_hid,
        ),
    }

    def written_and_loader(layout):
        write, load = layouts[layout]
        write(tmp_path / layout)
        options = {"workers": 1, "progress": False} if layout in WALKS else {"resolution": (16, 8)}
        return tmp_path / layout, partial(load, **options)

    return written_and_loader
