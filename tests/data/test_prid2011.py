"""PRID-2011's loader: on exports in its layout, and on the real split file."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import reidlib
from reidlib.data import export, prid2011
from reidlib.data.tracklets import identities
from reidlib.data.two_cameras import read_splits, split_benchmark

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")

SPLITS = [([1, 6], [2, 4]), ([2, 4], [6, 1]), ([1, 2], [4, 6])]


@pytest.fixture
def pair(make_tracklet):
    """Four persons under two cameras, in three splits."""
    cameras = tuple({p: make_tracklet(p, c, length=3 + p, tracklet_id=1) for p in (1, 2, 4, 6)} for c in (1, 2))
    return [split_benchmark(cameras, SPLITS, split, "pair") for split in range(3)]


@pytest.fixture
def root(tmp_path, pair):
    export.prid2011(pair, tmp_path / "prid", progress=False)
    return tmp_path / "prid"


def everything(benchmark):
    return [
        (t.person_id, t.camera_id, t.frames().tobytes())
        for part in (benchmark.train, benchmark.query, benchmark.gallery)
        for t in sorted(part, key=lambda t: (t.person_id, t.camera_id))
    ]


@pytest.mark.parametrize("split", [0, 1, 2])
def test_round_trip(root, pair, split):
    loaded = prid2011.load(root, split, resolution=(16, 8))
    assert everything(loaded) == everything(pair[split])
    assert (loaded.protocol, loaded.name) == ("all", f"PRID-2011 split {split}")


def test_the_folder_of_the_archive_may_be_between(root):
    inside = root.parent / "outer" / "prid_2011"
    inside.parent.mkdir()
    loaded = prid2011.load(root, 1)
    shutil.move(root, inside)
    assert prid2011.load(inside.parent, 1).fingerprint == loaded.fingerprint


def test_frames_are_sorted_by_number(tmp_path):
    for camera in "ab":
        for person in (1, 2):
            folder = tmp_path / f"multi_shot/cam_{camera}/person_{person:04d}"
            folder.mkdir(parents=True)
            for number in np.random.default_rng(0).permutation(27).tolist():
                Image.new("L", (4, 8), number).save(folder / f"{number}.png")
    with pytest.warns(UserWarning, match="there is no file of splits"):
        loaded = prid2011.load(tmp_path, resolution=(8, 4))
    for tracklet in loaded.train:
        assert tracklet.frames()[:, 0, 0, 0].tolist() == list(range(27))


def test_without_a_split_file_persons_with_27_frames_under_both_cameras_are_split(tmp_path):
    lengths = {1: (27, 30), 2: (26, 99), 3: (40, 26), 7: (27, 27), 9: (30, 30), 200: (28, 28), 201: (50, 50)}
    for person, counts in lengths.items():
        for camera, count in zip("ab", counts):
            folder = tmp_path / f"multi_shot/cam_{camera}/person_{person:04d}"
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"{number:04d}.png").write_bytes(b"")
    with pytest.warns(
        UserWarning, match=r"no file of splits \(splits_prid2011\.json or splits\.json\), so ten are drawn"
    ):
        splits = [prid2011.load(tmp_path, split) for split in range(10)]
    assert splits[3].name == "PRID-2011 drawn split 3"
    for split in splits:
        assert sorted(identities(split.train) + identities(split.query)) == [1, 7, 9, 200]
        assert len(split.query) == len(split.gallery) == 2
    assert len({split.fingerprint for split in splits}) > 3
    with pytest.raises(ValueError, match="split=10: expected 0 to 9"), pytest.warns(UserWarning, match="drawn"):
        prid2011.load(tmp_path, 10)


def put(path, text):
    path.write_text(text)


SPOILERS = {
    "no images": (lambda r: shutil.rmtree(r / "multi_shot"), r"multi_shot: expected the sequences .*tugraz"),
    "one camera": (
        lambda r: shutil.rmtree(r / "multi_shot/cam_b"),
        r"cam_b: expected folders such as person_0001.*tugr",
    ),
    "empty camera": (
        lambda r: (shutil.rmtree(r / "multi_shot/cam_b"), (r / "multi_shot/cam_b").mkdir()),
        r"cam_b: expected folders such as person_0001; get it from",
    ),
    "odd folder": (
        lambda r: (r / "multi_shot/cam_a/person").mkdir(),
        r"cam_a: expected names like person_0001, found 'person'",
    ),
    "empty person": (
        lambda r: [path.unlink() for path in (r / "multi_shot/cam_a/person_0002").iterdir()],
        r"person_0002: expected the frames of person 2 by camera 1; get it from",
    ),
    "person missing": (
        lambda r: shutil.rmtree(r / "multi_shot/cam_b/person_0004"),
        r"PRID-2011 split 0: expected person 4 under both cameras \(1 of the 4 persons are missing",
    ),
    "garbage": (
        lambda r: put(r / "splits_prid2011.json", "{splits"),
        r"splits_prid2011\.json: expected a list of .*JSONDecodeError.*torchreid",
    ),
    "no test": (
        lambda r: put(r / "splits_prid2011.json", '[{"train": []}]'),
        r"splits_prid2011\.json: expected a list of .*KeyError: 'test'",
    ),
    "other names": (
        lambda r: put(r / "splits_prid2011.json", '[{"train": ["anna"], "test": []}]'),
        r"splits_prid2011\.json: expected a list of .*ValueError",
    ),
    "numbers": (
        lambda r: put(r / "splits_prid2011.json", '[{"train": [1], "test": [2]}]'),
        r"splits_prid2011\.json: expected a list of .*AttributeError",
    ),
    "empty list": (lambda r: put(r / "splits_prid2011.json", "[]"), r"splits_prid2011\.json: expected one split or"),
    "both halves": (
        lambda r: put(r / "splits_prid2011.json", '[{"train": ["person_0001"], "test": ["person_0001"]}]'),
        r"splits_prid2011\.json: person 1 is in both halves of split 0",
    ),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        prid2011.load(root)


def test_a_missing_split_file_says_where_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.json: expected the list of splits; get it"):
        read_splits(tmp_path / "none.json", prid2011.SPLITS_FROM)


@real
def test_the_real_splits_hold_what_was_published():
    splits = read_splits(SHARED / "data" / "splits" / "splits_prid2011.json", "")
    assert [(len(train), len(test)) for train, test in splits] == [(89, 89)] * 10
    people = [sorted([*train, *test]) for train, test in splits]
    assert all(listed == people[0] for listed in people)
    assert len(set(people[0])) == 178
    assert max(people[0]) <= prid2011.NUM_SHARED
    assert len({tuple(test) for _, test in splits}) == 10


@real
def test_the_real_splits_are_followed(tmp_path):
    """Real split file; the images, which are not here, are empty files after it."""
    path = SHARED / "data" / "splits" / "splits_prid2011.json"
    listed = json.loads(path.read_text())
    for camera in "ab":
        for person in listed[0]["train"] + listed[0]["test"]:
            folder = tmp_path / f"multi_shot/cam_{camera}/{person}"
            folder.mkdir(parents=True)
            (folder / "0001.png").write_bytes(b"")
    shutil.copy(path, tmp_path)
    benchmark = prid2011.load(tmp_path, 7)
    assert [f"person_{t.person_id:04d}" for t in benchmark.query] == listed[7]["test"]
    assert [f"person_{t.person_id:04d}" for t in benchmark.gallery] == listed[7]["test"]
    assert [f"person_{t.person_id:04d}" for t in benchmark.train[::2]] == listed[7]["train"]
    assert (benchmark.num_ids, len(benchmark.train)) == (89, 178)
