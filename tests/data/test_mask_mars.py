"""Mask-MARS: masks beside MARS's images, and the screening of tracklets by them."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from reidlib.data import ArrayFrames, Benchmark, Tracklet, export, mars, mask_mars

SETTINGS = {"workers": 1, "progress": False}
IMAGE = 40 * 20  # pixels


def tracklet(person, camera, number, shares):
    """A frame for each share of the image that is person."""
    rng = np.random.default_rng((person + 1, camera, number))
    frames = rng.integers(0, 256, (len(shares), 3, 40, 20), dtype=np.uint8)
    parts = np.zeros((len(shares), IMAGE), np.uint8)
    for mask, share in zip(parts, shares):
        mask[: round(share * IMAGE)] = 1
    return Tracklet(person, camera, ArrayFrames(frames, parts.reshape(-1, 40, 20)), number)


GOOD = [0.15] * 8
TOO_SMALL = [0.15] * 7 + [0.15 - 1 / IMAGE] * 20
SCATTERED = [0.0, 0.5, 0.1] * 8  # eight of 24, not in a row


@pytest.fixture
def street(tmp_path, monkeypatch):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    train = [
        tracklet(1, 1, 1, GOOD),
        tracklet(1, 2, 2, TOO_SMALL),
        tracklet(2, 1, 1, SCATTERED),
        tracklet(2, 3, 2, GOOD[1:]),
    ]
    query = [tracklet(5, 1, 1, SCATTERED), tracklet(6, 2, 1, GOOD), tracklet(7, 1, 1, TOO_SMALL)]
    gallery = [
        tracklet(5, 2, 2, GOOD),
        tracklet(6, 1, 2, TOO_SMALL),
        tracklet(0, 1, 1, GOOD),
        tracklet(0, 2, 1, TOO_SMALL),
    ]
    return Benchmark(tuple(train), tuple(query), tuple(gallery), "cross-camera", "street", "f", renderer=3)


@pytest.fixture
def root(tmp_path, street):
    export.mars(street, tmp_path / "mars", "png", progress=False, masks=True)
    return tmp_path / "mars"


def keys(tracklets):
    return [(t.person_id, t.camera_id) for t in tracklets]


def assert_screened(benchmark):
    assert keys(benchmark.train) == [(1, 1), (2, 1)]
    assert keys(benchmark.query) == [(5, 1), (6, 2)]  # the second is without a match
    assert sorted(keys(benchmark.gallery)) == [(0, 1), (5, 2)]


def test_effective_masks_cover_15_percent_of_their_image():
    masks = tracklet(1, 1, 1, [0.0, 0.15 - 1 / IMAGE, 0.15, 1.0]).masks()
    assert mask_mars.effective(masks).tolist() == [False, False, True, True]


def test_tracklets_with_eight_effective_masks_stay(street):
    screened = mask_mars.screen(street, "key", **SETTINGS)
    assert_screened(screened)
    assert len(screened.train[1]) == 24  # frames without an effective mask stay in their tracklet
    assert screened.name == "street with masks"
    assert screened.fingerprint != street.fingerprint and screened.renderer == 3


def test_loading_from_disk(root, street):
    whole = mars.load(root, resolution=(40, 20), masks=True)
    for ours, theirs in zip(street.train, whole.train):
        assert (ours.masks() == theirs.masks()).all()
        assert (ours.frames() == theirs.frames()).all()
    bare = mars.load(root, resolution=(40, 20))
    assert bare.train[0].masks() is None
    assert bare.fingerprint != whole.fingerprint
    loaded = mask_mars.load(root, resolution=(40, 20), **SETTINGS)
    assert_screened(loaded)
    assert loaded.name == "Mask-MARS"
    mixing = mask_mars.load(root, "mixing", resolution=(40, 20), **SETTINGS)
    assert mixing.name == "Mask-MARS mixing"
    assert sorted(keys(mixing.gallery)) == [(0, 1), (5, 1), (5, 2), (6, 2)]


def test_masks_are_looked_through_once_and_anew_after_a_change(root, monkeypatch):
    first = mask_mars.load(root, resolution=(40, 20), **SETTINGS)
    assert keys(first.train) == [(1, 1), (2, 1)]
    with monkeypatch.context() as patch:
        patch.setattr(mask_mars, "effective", None)  # it would fail to look
        assert mask_mars.load(root, resolution=(40, 20), **SETTINGS).fingerprint == first.fingerprint
    paths = sorted((root / "mask_train/0001").glob("0001C1T0001F*.png"))
    paths[0].unlink()
    shutil.copy(root / "mask_train/0002/0002C1T0001F001.png", paths[0])  # an empty one
    assert keys(mask_mars.load(root, resolution=(40, 20), **SETTINGS).train) == [(2, 1)]


@pytest.mark.parametrize("part", ["train", "test"])
def test_missing_masks_are_named(root, part):
    shutil.rmtree(root / f"mask_{part}")
    with pytest.raises(
        FileNotFoundError, match=f"mask_{part}: expected silhouettes named like the images of bbox_{part}"
    ):
        mask_mars.load(root, **SETTINGS)


def test_a_person_without_masks_is_named(root):
    shutil.rmtree(root / "mask_test/0005")
    with pytest.raises(OSError, match=r"mask_test/0005/0005C1T0001F001\.png \(missing\)"):
        mask_mars.load(root, **SETTINGS)


def test_nothing_left_and_no_masks_are_refused(street):
    for part, count in (("train", "0 training"), ("query", "0 query"), ("gallery", "0 gallery")):
        fields = {part: (street.train[1],)}  # its masks are too small
        with pytest.raises(ValueError, match=rf"street with masks needs .*{count}.* 8 masks or more which cover 15%"):
            mask_mars.screen(replace(street, **fields), "key", **SETTINGS)
    bare = Tracklet(1, 1, ArrayFrames(np.zeros((9, 3, 8, 4), np.uint8)), 7)
    with pytest.raises(ValueError, match="tracklet 7 of person 1: expected masks to screen"):
        mask_mars.screen(replace(street, train=(bare,)), "key", **SETTINGS)


def test_masks_that_are_not_there_are_not_written(tmp_path, street):
    bare = Tracklet(1, 1, ArrayFrames(np.zeros((9, 3, 8, 4), np.uint8)), 7)
    with pytest.raises(ValueError, match="masks=True: expected masks in all tracklets"):
        export.mars(replace(street, train=(bare,)), tmp_path / "out", progress=False, masks=True)
    assert not (tmp_path / "out").exists()
