"""Market-1501's loader, on exports in its layout."""

import shutil

import pytest

from reidlib.data import Benchmark, export, market1501


@pytest.fixture
def stills(make_tracklet):
    """Single images: two persons to train on, two to test on, distractors and junk."""
    train = [make_tracklet(p, c, length=1, tracklet_id=n) for p in (2, 7) for c in (1, 2) for n in (1, 2)]
    query = [make_tracklet(p, 1, length=1, tracklet_id=1) for p in (5, 9)]
    gallery = [make_tracklet(p, c, length=1, tracklet_id=n + 1) for p in (5, 9, 0, -1) for c in (1, 6) for n in (1, 2)]
    return Benchmark(tuple(train), tuple(query), tuple(gallery), "cross-camera", "stills", "f")


@pytest.fixture
def root(tmp_path, stills):
    export.market1501(stills, tmp_path / "market", "png", progress=False)
    return tmp_path / "market"


def rows(tracklets):
    return sorted((t.person_id, t.camera_id, t.frames().tobytes()) for t in tracklets)


def test_round_trip(root, stills):
    loaded = market1501.load(root, resolution=(16, 8), junk=True)
    for part in ("train", "query", "gallery"):
        assert rows(getattr(loaded, part)) == rows(getattr(stills, part))
    assert {len(t) for t in loaded.gallery} == {1}
    assert (loaded.protocol, loaded.num_ids) == ("cross-camera", 2)
    without = market1501.load(root, resolution=(16, 8))
    assert rows(without.gallery) == rows(t for t in stills.gallery if t.person_id >= 0)
    assert without.fingerprint != loaded.fingerprint


def test_layout(tmp_path, root, stills):
    assert sorted(path.name for path in root.iterdir()) == ["bounding_box_test", "bounding_box_train", "query"]
    names = [path.name for path in (root / "bounding_box_test").iterdir()]
    assert {"-1_c6s1_000002_01.png", "0000_c1s1_000001_01.png"} <= set(names)
    export.market1501(stills, tmp_path / "jpg", progress=False)
    assert (tmp_path / "jpg/query/0005_c1s1_000001_01.jpg").is_file()


def test_longer_tracklets_become_several_images(tmp_path, stills, make_tracklet):
    long = make_tracklet(3, 1, length=4)
    export.market1501(
        Benchmark((long,), stills.query, stills.gallery, "all", "", ""), tmp_path / "m", "png", progress=False
    )
    loaded = market1501.load(tmp_path / "m", resolution=(16, 8))
    assert [t.tracklet_id for t in loaded.train] == [1, 2, 3, 4]
    assert [t.frames()[0].tobytes() for t in loaded.train] == [frame.tobytes() for frame in long.frames()]


def test_the_names_of_the_archive_are_understood(root):
    folder = root / "bounding_box_train"
    shutil.copy(folder / "0002_c1s1_000001_01.png", folder / "1500_c6s3_086542_02.png")
    shutil.copy(folder / "0002_c1s1_000001_01.png", folder / "0107_c1s1_019531_04.jpg.jpg")
    (folder / "Thumbs.db").write_bytes(b"")
    loaded = market1501.load(root)
    assert {(107, 1, 19531), (1500, 6, 86542)} <= {(t.person_id, t.camera_id, t.tracklet_id) for t in loaded.train}


SPOILERS = {
    "no query": (
        lambda r: shutil.rmtree(r / "query"),
        r"query: expected images such as 0002_c1s1_000451_03\.jpg; get it",
    ),
    "empty train": (
        lambda r: [path.unlink() for path in (r / "bounding_box_train").iterdir()],
        r"bounding_box_train: expected images such as",
    ),
    "odd name": (
        lambda r: (r / "query/0005C1T0001F001.jpg").write_bytes(b""),
        r"query: expected names like 0002_c1s1_000451_03\.jpg, found '0005C1T0001F001\.jpg'",
    ),
    "distractor queried": (
        lambda r: (r / "query/0000_c1s1_000001_01.jpg").write_bytes(b""),
        r"query: expected images of persons, found one of number 0;",
    ),
    "junk trained on": (
        lambda r: (r / "bounding_box_train/-1_c1s1_000001_01.jpg").write_bytes(b""),
        r"bounding_box_train: expected images of persons, found one of number -1;",
    ),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        market1501.load(root)


def test_a_damaged_image_is_named_when_it_is_needed(root):
    path = root / "query/0005_c1s1_000001_01.png"
    path.write_bytes(path.read_bytes()[:40])
    loaded = market1501.load(root)
    with pytest.raises(OSError, match=r"0005_c1s1_000001_01\.png"):
        loaded.query[0].frames()


@pytest.mark.parametrize(("person", "camera"), [(10_000, 1), (1, 0), (1, 10), (0, 1), (-1, 1)])
def test_what_does_not_fit_the_layout_is_not_written(tmp_path, stills, make_tracklet, person, camera):
    train = (*stills.train, make_tracklet(person, camera))
    with pytest.raises(ValueError, match=f"bounding_box_train: no place for person {person} under camera {camera}"):
        export.market1501(Benchmark(train, stills.query, stills.gallery, "all", "", ""), tmp_path / "out")
    with pytest.raises(ValueError, match="expected 'jpg' or 'png'"):
        export.market1501(stills, tmp_path / "out", "bmp")
    assert list(tmp_path.iterdir()) == []
