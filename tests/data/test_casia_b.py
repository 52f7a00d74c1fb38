"""CASIA-B's loader: on exports in its layout, and on the official partition."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import reidlib
from reidlib.data import Benchmark, casia_b, export, gait, silhouettes
from reidlib.data.silhouettes import align

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")

SETTINGS = {"workers": 1, "progress": False}


@pytest.fixture
def lab(make_walk):
    """One training and two test subjects with all 110 walks each."""
    walks = [
        make_walk(person, view, condition, number, length=2)
        for person in (1, 7, 9)
        for condition, count in casia_b.CONDITIONS.items()
        for number in range(1, count + 1)
        for view in casia_b.VIEWS
    ]
    tested = walks[110:]
    gallery = tuple(t for t in tested if t.condition == "nm" and t.tracklet_id <= 4)
    query = tuple(t for t in tested if t not in gallery)
    return Benchmark(tuple(walks[:110]), query, gallery, "all", "lab", "f")


@pytest.fixture
def root(tmp_path, lab):
    export.casia_b(lab, tmp_path / "silhouettes", tmp_path / "rgb", progress=False)
    return tmp_path / "silhouettes"


def by_key(tracklets):
    found = {(t.person_id, t.condition, t.tracklet_id, t.view): t for t in tracklets}
    assert len(found) == len(tracklets)
    return found


def test_round_trip(root, lab):
    loaded = casia_b.load(root, root.parent / "rgb", cut=False, resolution=(40, 24), **SETTINGS)
    for part in ("train", "query", "gallery"):
        ours, theirs = by_key(getattr(lab, part)), by_key(getattr(loaded, part))
        assert ours.keys() == theirs.keys()
        for key in list(ours)[::7]:
            assert (ours[key].frames() == theirs[key].frames()).all()
            assert (ours[key].masks() == theirs[key].masks()).all()
            assert (theirs[key].silhouettes() == align(ours[key].masks()[:, 0])).all()
    assert (loaded.protocol, loaded.num_ids) == ("all", 1)
    assert Counter(t.condition for t in loaded.query) == {"nm": 2 * 2 * 11, "bg": 2 * 2 * 11, "cl": 2 * 2 * 11}
    assert {t.tracklet_id for t in loaded.gallery} == {1, 2, 3, 4}
    assert {t.camera_id: t.view for t in loaded.gallery} == dict(enumerate(range(0, 181, 18), start=1))


def test_layout(root):
    assert (root / "007/cl-02/180/007-cl-02-180-002.png").is_file()
    with Image.open(root / "007/cl-02/180/007-cl-02-180-002.png") as image:
        assert set(np.unique(np.asarray(image))) == {0, 255}
    assert json.loads((root / "CASIA-B.json").read_text()) == {"TRAIN_SET": ["001"], "TEST_SET": ["007", "009"]}


def test_silhouettes_alone_are_the_frames(root, lab):
    loaded = casia_b.load(root, size=(32, 22), **SETTINGS)
    one, ours = loaded.train[5], lab.train[5]
    expected = align(ours.masks()[:, 0], (32, 22))
    assert (one.silhouettes() == expected).all()
    assert (one.masks()[:, 0] == expected).all()
    assert (one.frames([1])[0] == expected[1] * 255).all() and one.frames().shape == (2, 3, 32, 22)
    with pytest.raises(KeyError, match="recorded, not rendered"):
        one.truth("flow")


def test_silhouettes_are_made_once_and_anew_after_a_change(root, monkeypatch):
    first = casia_b.load(root, **SETTINGS)
    count = len(list(reidlib.cache_folder().glob("silhouettes/*.npy")))
    with monkeypatch.context() as patch:
        patch.setattr(silhouettes, "_align_all", None)  # it would fail to align
        assert casia_b.load(root, **SETTINGS).fingerprint == first.fingerprint
    shutil.copy(root / "001/nm-01/000/001-nm-01-000-001.png", root / "001/nm-01/000/001-nm-01-000-003.png")
    changed = casia_b.load(root, **SETTINGS)
    assert changed.fingerprint != first.fingerprint
    assert len(list(reidlib.cache_folder().glob("silhouettes/*.npy"))) == count + 1


def test_missing_walks_are_reported_and_left_out(root):
    shutil.rmtree(root / "007/bg-01")
    for path in (root / "009/nm-05/090").iterdir():
        path.unlink()
    Image.new("L", (24, 40)).save(root / "009/nm-06/000/009-nm-06-000-001.png")
    Image.new("L", (24, 40)).save(root / "009/nm-06/000/009-nm-06-000-002.png")
    with pytest.warns(
        UserWarning, match=r"13 of 330 walks have no silhouettes \(subjects 007, 009; .* 007/bg-01/000\)"
    ):
        loaded = casia_b.load(root, **SETTINGS)
    assert len(loaded.train) + len(loaded.query) + len(loaded.gallery) == 317
    assert (9, "nm", 6, 0) not in by_key(loaded.query)


def test_without_a_partition_the_first_74_are_trained_on(root):
    (root / "CASIA-B.json").unlink()
    (root / "009").rename(root / "075")
    with pytest.warns(
        UserWarning, match=r"121 of the partition's 124 subjects have no folder \(002, 003, 004, 005, 006, …"
    ):
        loaded = casia_b.load(root, **SETTINGS)
    assert {t.person_id for t in loaded.train} == {1, 7}
    assert {t.person_id for t in (*loaded.query, *loaded.gallery)} == {75}


def test_colour_frames_are_cut_to_the_person_and_go_by_number(root, lab):
    folder = root.parent / "rgb/001/nm-02/036"
    for path in list(folder.iterdir()):
        path.rename(folder / f"{path.stem[-3:]}.png")
    Image.new("RGB", (24, 40)).save(folder / "000.png")  # no silhouette has this number
    loaded = by_key(casia_b.load(root, root.parent / "rgb", resolution=(32, 16), **SETTINGS).train)[1, "nm", 2, 36]
    assert loaded.frames().shape == (2, 3, 32, 16)
    assert loaded.frames()[:, :, 8:24, 6:10].all(axis=(0, 1)).any()
    rows = loaded.masks()[:, 0].any(axis=2).sum(axis=1)
    assert 26 <= rows.min() <= rows.max() <= 31  # the person fills the height but for the margin
    (folder / "002.png").unlink()
    with pytest.raises(ValueError, match=r"036: expected a colour frame .* none of number 2 \(1 of 2 are missing\)"):
        casia_b.load(root, root.parent / "rgb", **SETTINGS)
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError, match=r"036: expected the colour frames of this walk"):
        casia_b.load(root, root.parent / "rgb", **SETTINGS)


SPOILERS = {
    "nothing": (shutil.rmtree, r"silhouettes: expected a folder for each subject, such as 001; get it from .*cbsr"),
    "other folders": (
        lambda r: [(r / name).rename(r / f"x{name}") for name in ("001", "007", "009")],
        r"expected folders of subjects to train on, such as 001, found none of these 1, but x001, x007, x009; get it",
    ),
    "garbage": (
        lambda r: (r / "CASIA-B.json").write_text("{"),
        r'CASIA-B\.json: expected .*"TRAIN_SET".*JSONDecodeError',
    ),
    "one part": (
        lambda r: (r / "CASIA-B.json").write_text('{"TRAIN_SET": []}'),
        r"CASIA-B\.json: expected .*'TEST_SET'",
    ),
    "twice": (
        lambda r: (r / "CASIA-B.json").write_text('{"TRAIN_SET": ["001"], "TEST_SET": ["001"]}'),
        r"CASIA-B\.json: expected each person once, found 1 again; get it from .*OpenGait",
    ),
    "numbers": (
        lambda r: (r / "CASIA-B.json").write_text('{"TRAIN_SET": [1], "TEST_SET": [2]}'),
        r"CASIA-B\.json: expected .*AttributeError",
    ),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        casia_b.load(root, **SETTINGS)


def test_a_named_partition_must_exist(root):
    with pytest.raises(FileNotFoundError, match=r"none\.json: expected a partition of the subjects"):
        casia_b.load(root, partition=root / "none.json", **SETTINGS)


def test_what_is_no_walk_of_casia_b_is_not_written(tmp_path, lab, make_walk, make_tracklet):
    for extra, message in (
        (make_walk(3, 45, "nm", 1), "person 3, nm-01, view 45: expected a walk"),
        (make_walk(3, 90, "nm", 7), "person 3, nm-07, view 90: expected a walk"),
        (make_walk(3, 90, "run", 1), "person 3, run-01"),
        (make_walk(1, 0, "nm", 1), "expected each walk once"),
        (make_tracklet(3, 1, parts=False), "person 3: expected masks"),
    ):
        broken = Benchmark((*lab.train, extra), lab.query, lab.gallery, "all", "", "")
        with pytest.raises(ValueError, match=message):
            export.casia_b(broken, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


@real
def test_the_official_partition_is_the_usual_one():
    train, test = gait.read_partition(SHARED / "data" / "gait_partitions" / "CASIA-B.json", "")
    assert train == [f"{person:03d}" for person in range(1, 75)]
    assert test == [f"{person:03d}" for person in range(75, 125)]
