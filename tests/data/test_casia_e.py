"""The loaders of CASIA-E and HID, on exports in their layouts."""

import shutil

import pytest
from PIL import Image

import reidlib
from reidlib.data import Benchmark, casia_e, export, gait
from reidlib.data.silhouettes import align

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")

SETTINGS = {"workers": 1, "progress": False}


def rows(tracklets):
    return sorted((t.person_id, t.condition, t.view, t.tracklet_id, t.silhouettes().tobytes()) for t in tracklets)


def expected(tracklets, size=(64, 44)):
    return sorted(
        (t.person_id, t.condition, t.view, t.tracklet_id, align(t.masks()[:, 0], size).tobytes()) for t in tracklets
    )


@pytest.fixture
def scenes(make_walk):
    """A training and two test subjects; one of them lacks the coat."""
    train = [make_walk(3, view, f"H-{scene}-cl", 1) for view in (0, 270) for scene in casia_e.SCENES]
    gallery = [
        make_walk(p, view, f"{h}-scene1-nm", n) for p in (201, 202) for view in (0, 90) for h in "HL" for n in (1, 2)
    ]
    query = [
        make_walk(person, 90, f"L-{scene}-{condition}", 1)
        for person, conditions in ((201, ("nm", "bg", "cl")), (202, ("nm",)))
        for scene in casia_e.SCENES[1:]
        for condition in conditions
    ]
    return Benchmark(tuple(train), tuple(query), tuple(gallery), "all", "scenes", "f")


@pytest.fixture
def root(tmp_path, scenes):
    export.casia_e(scenes, tmp_path / "casia_e", progress=False)
    return tmp_path / "casia_e"


def test_round_trip(root, scenes):
    loaded = casia_e.load(root, **SETTINGS)
    for part in ("train", "query", "gallery"):
        assert rows(getattr(loaded, part)) == expected(getattr(scenes, part))
    assert (loaded.name, loaded.protocol, loaded.num_ids) == ("CASIA-E", "all", 1)
    (root / "CASIA-E.json").unlink()
    with pytest.warns(UserWarning, match="1011 of the partition's 1014 subjects have no folder"):
        assert casia_e.load(root, **SETTINGS).gallery[0].person_id == 201  # 1 to 200 are trained on by default


def test_layout(root):
    assert (root / "201/L/scene3_s/cl/090/1/004.png").is_file()


def test_view_270_and_other_walks_of_scene_1_are_left_out_in_testing(root):
    loaded = casia_e.load(root, **SETTINGS)
    for name in ("201/H/scene1/bg/000/1", "201/H/scene2/nm/270/1"):
        shutil.copytree(root / "201/H/scene1/nm/000/1", root / name)
    again = casia_e.load(root, **SETTINGS)
    assert rows(again.query) == rows(loaded.query)
    assert rows(again.gallery) == rows(loaded.gallery)
    assert {t.view for t in again.train} == {0, 270}


def test_walks_without_silhouettes_are_reported(root):
    (root / "202/H/scene2/bg/018/2").mkdir(parents=True)
    with pytest.warns(UserWarning, match=r"1 of 37 walks have no silhouettes \(subjects 202; .* 202/H/scene2/bg/018/2"):
        casia_e.load(root, **SETTINGS)


SPOILERS = {
    "nothing": (shutil.rmtree, r"casia_e: expected a folder for each subject, such as 001; get it from .*scidb"),
    "other subjects": (
        lambda r: [(r / name).rename(r / f"x{name}") for name in ("003", "201", "202")],
        r"casia_e: expected folders of subjects to train on, such as 003, found none of these 1, but x003, x201, x202",
    ),
    "odd height": (
        lambda r: (r / "201/H").rename(r / "201/M"),
        r"201: expected walks such as H/scene1/nm/000/1, found M/scene1/nm/000/1",
    ),
    "odd view": (
        lambda r: (r / "003/H/scene1/cl/000").rename(r / "003/H/scene1/cl/front"),
        r"003: expected walks such as .* found H/scene1/cl/front/1",
    ),
    "no images": (
        lambda r: [path.unlink() for path in r.rglob("*.png")],
        r"scene1/cl/000/1: expected silhouettes, as of every walk",
    ),
    "garbage": (lambda r: (r / "CASIA-E.json").write_text(""), r"CASIA-E\.json: expected .*TRAIN_SET.*OpenGait"),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        casia_e.load(root, **SETTINGS)


@pytest.fixture
def yard(make_walk):
    """Two training and three test subjects, one gallery sequence and some probes each."""
    train = [make_walk(person, 0, "train", number) for person in (1, 2) for number in (0, 1, 2)]
    gallery = [make_walk(person, 0, "gallery", 0) for person in (11, 12, 13)]
    query = [make_walk(person, 0, "probe", number) for person, count in ((11, 3), (12, 1)) for number in range(count)]
    return Benchmark(tuple(train), tuple(query), tuple(gallery), "all", "yard", "f")


@pytest.fixture
def hid(tmp_path, yard):
    export.hid(yard, tmp_path / "hid", progress=False)
    return tmp_path / "hid"


def test_hid_round_trip(hid, yard):
    loaded = casia_e.load_hid(hid, size=(32, 22), **SETTINGS)
    for part in ("train", "query", "gallery"):
        assert rows(getattr(loaded, part)) == expected(getattr(yard, part), (32, 22))
    assert (loaded.name, loaded.protocol, loaded.num_ids) == ("HID", "all", 2)
    assert (hid / "probe/0010/2/004.png").is_file()


HID_SPOILERS = {
    "no probes": (
        lambda r: shutil.rmtree(r / "probe"),
        r"probe: expected a folder for each subject, such as 0000; get",
    ),
    "unknown subjects": (
        lambda r: (shutil.rmtree(r / "probe"), shutil.copytree(r / "gallery/0010", r / "probe")),
        r"probe/0: expected a folder for each sequence of a subject, found images; .* cannot be scored",
    ),
    "odd subject": (lambda r: (r / "train/anna").mkdir(), r"train: expected names like 0000, found 'anna'"),
    "empty subject": (lambda r: (r / "train/0005").mkdir(), r"0005: expected a folder for each sequence; get it from"),
    "odd sequence": (lambda r: (r / "train/0000/x").mkdir(), r"0000: expected names like 0, found 'x'"),
    "trained and tested": (
        lambda r: shutil.copytree(r / "train/0001", r / "gallery/0001"),
        r"hid: subject 0001 is in train and among the test subjects",
    ),
}


@pytest.mark.parametrize("name", HID_SPOILERS)
def test_bad_input_of_hid_is_refused_by_name(hid, name):
    spoil, message = HID_SPOILERS[name]
    spoil(hid)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        casia_e.load_hid(hid, **SETTINGS)


def test_what_does_not_fit_the_layouts_is_not_written(tmp_path, scenes, make_walk, make_tracklet):
    def extended(extra):
        return Benchmark((*scenes.train, extra), scenes.query, scenes.gallery, "all", "", "")

    for write, extra, message in (
        (export.casia_e, make_walk(3, 0, "nm", 1), "condition 'nm': expected height, scene and condition"),
        (export.casia_e, make_walk(3, 0, "H-scene1-cl", 1), "expected each walk once"),
        (export.casia_e, make_tracklet(3, 1, parts=False), "person 3: expected masks"),
        (export.hid, make_tracklet(3, 1, parts=False), "person 3: expected masks"),
        (export.hid, make_walk(0, 0, "train", 1), "found a distractor or junk"),
    ):
        with pytest.raises(ValueError, match=message):
            write(extended(extra), tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


@real
def test_the_official_subjects_of_hid_are_read(tmp_path, monkeypatch):
    """Real partition; of each subject there is one small silhouette, twice for those tested."""
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    train, test = gait.read_partition(SHARED / "data" / "gait_partitions" / "HID.json", "")
    test.remove("probe")  # a folder's name
    Image.new("L", (8, 16), 255).save(tmp_path / "one.png")
    for part, people in (("train", train), ("gallery", test), ("probe", test)):
        for person in people:
            place = tmp_path / "hid" / part / person / "0"
            place.mkdir(parents=True)
            (place / "1.png").hardlink_to(tmp_path / "one.png")
    loaded = casia_e.load_hid(tmp_path / "hid", **SETTINGS)
    assert (loaded.num_ids, len(loaded.gallery), len(loaded.query)) == (500, 505, 505)
    assert min(t.person_id for t in loaded.train) == 1
