"""The loader of people's own pictures, on small folders."""

import shutil

import numpy as np
import pytest
from PIL import Image

from reidlib.data import folder
from reidlib.data.batches import train_batches
from reidlib.data.tracklets import identities

PLACES = [  # in natural order
    "002/c1/morning", "002/cam 2/1",
    "Anna/c1/1", "Anna/c1/2", "Anna/c1/10", "Anna/cam 2/1", "Anna/cam 10/a",
    "Bob/cam 10/x",
]  # fmt: skip


@pytest.fixture
def root(tmp_path):
    """Three people under three cameras; frame n of the i-th tracklet has the grey value 10 i + n, in three formats."""
    for number, place in enumerate(PLACES):
        (tmp_path / "mine" / place).mkdir(parents=True)
        for frame, name in ((1, "2.JPG"), (2, "10.png"), (0, "frame.BMP")):
            Image.new("L", (8, 16), 10 * number + frame).save(tmp_path / "mine" / place / name)
        for name in ("._2.JPG", ".DS_Store", "Thumbs.db"):
            (tmp_path / "mine" / place / name).write_bytes(b"")
    (tmp_path / "mine/__MACOSX/Anna").mkdir(parents=True)
    return tmp_path / "mine"


def keys(tracklets):
    return [(t.person_id, t.camera_id, t.tracklet_id) for t in tracklets]


def split(root, *rows, header="identity,camera,tracklet,split"):
    (root / "split.csv").write_text("\n".join((header, *rows)))


def test_without_a_split_everything_is_query_and_gallery(root):
    loaded = folder.load(root, resolution=(16, 8))
    expected = [(1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 1, 2), (2, 1, 3), (2, 2, 1), (2, 3, 1), (3, 3, 1)]
    assert keys(loaded.query) == keys(loaded.gallery) == expected
    assert (loaded.name, loaded.protocol, loaded.num_ids, loaded.train) == ("mine", "cross-camera", 0, ())
    with pytest.raises(ValueError, match=r"only 0 identities; reidlib\.data\.half_split makes training identities"):
        train_batches(loaded.train, ids_per_batch=2, clips_per_id=1, num_frames=2, iterations=1, seed=0)


def test_frames_are_in_natural_order_and_brought_to_the_resolution(root):
    loaded = folder.load(root, resolution=(32, 16))
    assert loaded.query[4].frames().shape == (3, 3, 32, 16)
    levels = np.abs(loaded.query[4].frames()[:, 0, 8, 8].astype(int) - [41, 42, 40])
    assert levels.max() <= 1  # JPEG: 2.JPG, 10.png, frame.BMP of the fifth tracklet


def test_names_tell_which_number_is_whose(root):
    people, cameras = folder.names(root)
    assert people == ["002", "Anna", "Bob"]
    assert cameras == ["c1", "cam 2", "cam 10"]


def test_a_half_of_the_identities_may_be_trained_on(root):
    shutil.copytree(root / "Anna", root / "zoe")
    loaded = folder.load(root, half=1)
    assert len(identities(loaded.train)) == len(identities(loaded.query)) == 2
    assert not {*identities(loaded.train)} & {*identities(loaded.query)}
    assert len({folder.load(root, half=seed).fingerprint for seed in range(6)}) > 1
    assert folder.load(root, half=1).fingerprint == loaded.fingerprint
    split(root, "Anna,,,train")
    with pytest.raises(ValueError, match=r"split\.csv: expected no such file where half=1 divides the identities"):
        folder.load(root, half=1)


def test_a_split_file_divides_by_identity_camera_and_tracklet(root):
    split(root, "002,,,Train", "Bob,,,distractor", "Anna,,,gallery", "Anna, c1 ,,junk", "Anna,c1,10,query", "")
    loaded = folder.load(root)
    assert keys(loaded.train) == [(1, 1, 1), (1, 2, 1)]
    assert keys(loaded.query) == [(2, 1, 3)]
    assert keys(loaded.gallery) == [(2, 2, 1), (2, 3, 1), (-1, 1, 1), (-1, 1, 2), (0, 3, 1)]


def test_identities_alone_are_enough_and_two_rows_make_query_and_gallery(root):
    split(root, "002,train", "Anna,query", "Anna,gallery", "Bob,gallery", header="\ufeffIdentity,Split")
    loaded = folder.load(root)
    assert keys(loaded.query) == [(2, 1, 1), (2, 1, 2), (2, 1, 3), (2, 2, 1), (2, 3, 1)]
    assert keys(loaded.gallery) == [*keys(loaded.query), (3, 3, 1)]


def test_fingerprints_tell_names_splits_and_resolution(root):
    found = [folder.load(root).fingerprint, folder.load(root, resolution=(64, 32)).fingerprint]
    split(root, "002,train", "Anna,query", "Anna,gallery", "Bob,gallery", header="identity,split")
    found.append(folder.load(root).fingerprint)
    (root / "split.csv").unlink()
    (root / "Bob").rename(root / "Carl")
    found.append(folder.load(root).fingerprint)
    assert len(set(found)) == 4


BASE = ("002,,,train", "Bob,,,gallery", "Anna,,,query", "Anna,,,gallery")
ROWS = {
    "other columns": (("1",), "name;split", r"split\.csv: expected the columns identity, split and .*\['name;split'\]"),
    "unknown column": (("Anna,1,train",), "identity,kamera,split", r"columns identity, split .* found .*'kamera'"),
    "empty": ((), "", r"split\.csv: expected the columns identity, split"),
    "other split": ((*BASE[:3], "Anna,,,test"), None, r"line 5: expected one of train, query, .* found 'test'"),
    "spreadsheet": (("2,,,train",), None, r"line 2: there is no folder for \('2', '', ''\).* 002, Anna.* 002 into 2"),
    "no tracklet": ((*BASE, "Anna,c1,3,junk"), None, r"line 6: there is no folder for \('Anna', 'c1', '3'\)"),
    "no camera": ((*BASE, "Anna,,10,junk"), None, r"line 6: there is no folder for \('Anna', '', '10'\)"),
    "twice": ((*BASE, "Anna,,,query"), None, r"line 6: \('Anna', '', ''\) is gallery and query already"),
    "exclusive": ((*BASE, "Anna,,,train"), None, r"line 6: \('Anna', '', ''\) is gallery and query already"),
    "somebody without": (BASE[1:], None, r"expected a row for every tracklet, found none for 002/c1/morning \(2 are"),
    "trained and searched": ((*BASE, "Anna,c1,2,train"), None, r"identity 'Anna' is trained on and searched \(1 are"),
    "no query": ((*BASE[:2], BASE[3]), None, r"mine: mine needs tracklets in each part, found 2 training, 0 query"),
    "no answer": (
        ("002,,,train", "Anna,,,gallery", "Bob,,,query"),
        None,
        r"mine: expected queries that the gallery shows under another camera, found none among 1",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_split_file_is_refused_by_name(root, name):
    rows, header, message = ROWS[name]
    split(root, *rows, header="identity,camera,tracklet,split" if header is None else header)
    with pytest.raises(ValueError, match=message):
        folder.load(root)


def put(root, name):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4)).save(root / name)


SPOILERS = {
    "nothing": (shutil.rmtree, r"mine: expected a folder for each identity; the layout is IDENTITY/CAMERA/TRACKLET/"),
    "images alone": (lambda r: put(r, "1.png"), r"mine: expected a folder for each identity.* found images here \(1"),
    "one level": (lambda r: put(r, "Zoe/1.png"), r"Zoe: expected a folder for each camera; .* so a level is missing"),
    "two levels": (
        lambda r: put(r, "Zoe/c1/1.png"),
        r"c1: expected a folder for each tracklet; .* images here \(1\.png",
    ),
    "four levels": (
        lambda r: put(r, "Zoe/c1/1/x/1.png"),
        r"Zoe/c1/1: expected the images of a tracklet; the layout is",
    ),
    "no camera": (lambda r: (r / "Zoe").mkdir(), r"Zoe: expected a folder for each camera"),
    "no images": (lambda r: (r / "Zoe/c1/1").mkdir(parents=True), r"Zoe/c1/1: expected the images of a tracklet"),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_another_layout_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        folder.load(root)


def test_one_camera_alone_cannot_be_searched_across_cameras(root):
    for place in root.glob("*/cam*"):
        shutil.rmtree(place)
    (root / "Bob").rmdir()
    with pytest.raises(ValueError, match="expected queries that the gallery shows under another camera, found none"):
        folder.load(root)
