"""DukeMTMC-VideoReID's loader: on exports in its layout, and on the real attribute file."""

import shutil
from collections import Counter

import numpy as np
import pytest

import reidlib
from reidlib.data import Benchmark, duke_video, export
from reidlib.data.attributes import DUKE, read_attributes

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")


@pytest.fixture
def campus(make_tracklet):
    """Two training persons, two test persons and one whom a single camera saw; "mixing" set-up."""
    rng = np.random.default_rng(0)

    def tracklet(person, camera):
        attributes = {a.name: int(rng.integers(a.num_codes)) for a in DUKE.attributes}
        return make_tracklet(person, camera, length=person + camera, attributes=attributes)

    train = tuple(tracklet(person, camera) for person in (1, 8) for camera in (2, 5))
    test = tuple(tracklet(person, camera) for person, cameras in ((2, (1, 3, 8)), (3, (4, 7))) for camera in cameras)
    alone = tracklet(4, 6)
    return Benchmark(train, (test[1], test[3]), (*test, alone), "cross-camera", "campus", "f")


@pytest.fixture
def root(tmp_path, campus):
    export.duke_video(campus, tmp_path / "duke", "png", progress=False)
    return tmp_path / "duke"


def keys(tracklets):
    return [(t.person_id, t.camera_id) for t in tracklets]


def test_round_trip(root, campus):
    loaded = duke_video.load(root, resolution=(16, 8))
    for part in ("train", "query", "gallery"):
        ours, theirs = getattr(campus, part), getattr(loaded, part)
        assert keys(ours) == keys(theirs)
        for one, other in zip(ours, theirs):
            assert (one.frames() == other.frames()).all()
            assert one.attributes == other.attributes
    assert (loaded.protocol, loaded.num_ids) == (campus.protocol, 2)


def test_jpeg_keeps_the_frames_about_right(tmp_path, campus):
    export.duke_video(campus, tmp_path / "jpg", progress=False)
    loaded = duke_video.load(tmp_path / "jpg", resolution=(16, 8))
    difference = loaded.train[0].frames().astype(int) - campus.train[0].frames()
    assert 0 < np.abs(difference).mean() < 24


def test_layout(root):
    assert sorted(path.name for path in root.iterdir()) == ["duke_attributes.csv", "gallery", "query", "train"]
    assert (root / "train/0008/0003/0008_C2_F0010_X00010.png").is_file()
    names = sorted(path.name for path in (root / "gallery/0002").iterdir())
    assert names == ["0005", "0006", "0007"]  # numbers run on
    assert [path.name for path in (root / "query/0002").iterdir()] == ["0006"]


def test_setups(root):
    usual, mixing = duke_video.load(root, "usual"), duke_video.load(root)
    assert keys(usual.query) == keys(mixing.query) == [(2, 3), (3, 4)]
    assert keys(usual.gallery) == [(2, 1), (2, 8), (3, 7), (4, 6)]
    assert sorted(keys(mixing.gallery)) == sorted(keys(usual.gallery) + keys(usual.query))
    assert usual.fingerprint != mixing.fingerprint
    for query in usual.query:
        shutil.rmtree(next((root / f"gallery/{query.person_id:04d}").glob(f"{query.tracklet_id:04d}")))
    assert duke_video.load(root).fingerprint == mixing.fingerprint  # a gallery without queries gets them


def test_frames_are_ordered_and_the_older_names_are_known(root, campus):
    folder = root / "train/0008/0003"
    for path in folder.iterdir():
        path.rename(folder / path.name.replace("_", ""))
    assert sorted(path.name for path in folder.iterdir())[0] == "0008C2F0001X00001.png"
    loaded = duke_video.load(root, resolution=(16, 8))
    assert (loaded.train[2].frames() == campus.train[2].frames()).all()


def test_attributes_are_joined_by_person_and_camera_whatever_the_folders_numbers(root, campus):
    for place in list(root.glob("*/*/*")):
        place.rename(place.with_name(f"{int(place.name) + 100:04d}"))
    loaded = duke_video.load(root)
    assert [t.attributes for t in loaded.gallery] == [t.attributes for t in campus.gallery]
    (root / "duke_attributes.csv").unlink()
    bare = duke_video.load(root)
    assert bare.train[0].attributes == {}
    assert bare.fingerprint != loaded.fingerprint


def put(root, name):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b"")


def lines(path, change):
    path.write_text("\n".join(change(path.read_text().splitlines())))


SPOILERS = {
    "no query": (lambda r: shutil.rmtree(r / "query"), r"query: expected a folder for each person.*Yu-Wu"),
    "odd person": (lambda r: (r / "train/12").mkdir(), r"train: expected names like 0001, found '12'"),
    "empty person": (lambda r: (r / "train/0012").mkdir(), r"0012: expected a folder for each tracklet"),
    "odd tracklet": (lambda r: (r / "train/0001/x").mkdir(), r"0001: expected names like 0003, found 'x'"),
    "empty tracklet": (lambda r: (r / "train/0001/0099").mkdir(), r"0099: expected frames such as 0001_C6_F0099"),
    "odd frame": (lambda r: put(r, "train/0001/0001/1.jpg"), r"0001: expected frames of person 0001 .*'1\.jpg'"),
    "other person": (
        lambda r: put(r, "train/0001/0001/0002_C2_F0009_X00009.jpg"),
        r"0001: expected frames of person 0001 by one camera, .* found '0002_C2_F0009_X00009\.jpg'",
    ),
    "other camera": (
        lambda r: put(r, "train/0001/0001/0001_C3_F0009_X00009.jpg"),
        r"0001: expected frames of person 0001 by one camera, .* found '0001_C",
    ),
    "camera twice": (
        lambda r: put(r, "train/0001/0009/0001_C2_F0001_X00001.jpg"),
        r"0009: expected one tracklet of person 1 under camera 2, found tracklet 1 as well",
    ),
    "attributes cut": (
        lambda r: lines(r / "duke_attributes.csv", lambda rows: rows[:2]),
        r"duke_attributes\.csv: expected a row for person 1, camera 5",
    ),
    "attributes twice": (
        lambda r: lines(r / "duke_attributes.csv", lambda rows: [*rows, rows[1].replace("1,2,1,", "1,2,77,", 1)]),
        r"duke_attributes\.csv: expected one row for person 1, camera 2",
    ),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        duke_video.load(root)


def test_an_unknown_setup_is_refused(root):
    with pytest.raises(ValueError, match="expected 'mixing' or 'usual'"):
        duke_video.load(root, "all")


@pytest.mark.parametrize(
    ("person", "camera", "message"),
    [
        (1, 2, "one tracklet of each person under each camera"),
        (0, 9, "person 0: expected"),
        (10_000, 1, "person 10000"),
    ],
)
def test_what_does_not_fit_the_layout_is_not_written(tmp_path, campus, make_tracklet, person, camera, message):
    train = (*campus.train, make_tracklet(person, camera))
    with pytest.raises(ValueError, match=message):
        export.duke_video(Benchmark(train, campus.query, campus.gallery, "all", "", ""), tmp_path / "out")
    with pytest.raises(ValueError, match="expected 'jpg' or 'png'"):
        export.duke_video(campus, tmp_path / "out", "bmp")
    assert list(tmp_path.iterdir()) == []


@real
def test_the_real_annotation_agrees_with_what_is_published_of_the_tracklets(tmp_path):
    """702 + 702 + 408 persons, 2196 + 2636 tracklets, one for each person and camera."""
    path = SHARED / "data" / "attributes" / "duke_attributes.csv"
    table = read_attributes(path, DUKE)
    assert len({key[:2] for key in table}) == len(table) == 4832
    assert sorted(number for *_, number in table) == list(range(1, 4833))
    people = [{person for person, _, number in table if (number <= 2196) == train} for train in (True, False)]
    assert not people[0] & people[1]
    assert (len(people[0]), len(people[1])) == (702, 702 + 408)
    cameras = Counter(person for person, _, _ in table)
    assert sum(cameras[person] == 1 for person in people[1]) == 408
    assert all(cameras[person] > 1 for person in people[0])


@real
def test_the_loader_joins_all_real_attributes(tmp_path):
    """Real annotation; the images, which are not here, are empty files after it, numbered from 0."""
    path = SHARED / "data" / "attributes" / "duke_attributes.csv"
    table = read_attributes(path, DUKE)
    cameras = Counter(person for person, _, _ in table)
    queried = set()
    for person, camera, number in sorted(table):
        frame = f"{person:04d}/{number - 1:04d}/{person:04d}_C{camera}_F0001_X00001.jpg"
        put(tmp_path, f"{'train' if number <= 2196 else 'gallery'}/{frame}")
        if number > 2196 and cameras[person] > 1 and person not in queried:
            queried.add(person)
            put(tmp_path, f"query/{frame}")
    shutil.copy(path, tmp_path)
    mixing, usual = duke_video.load(tmp_path), duke_video.load(tmp_path, "usual")
    assert (len(mixing.train), len(mixing.query), len(mixing.gallery), mixing.num_ids) == (2196, 702, 2636, 702)
    assert len(usual.gallery) == 1934
    for tracklet in (*mixing.train, *mixing.gallery):
        assert tracklet.attributes == table[tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id + 1]
