"""PETA's labels, their groups, and its loader: on exports in its layout, and on the real labels."""

import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import scipy.io

import reidlib
from reidlib.data import Benchmark, export, peta

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")

NAMES = (
    "personalMale",
    "hairLong",
    "upperBodyRed",
    "lowerBodyBlue",
    "footwearBoots",
    "carryingUmbrella",
    "accessoryHat",
)


@pytest.fixture
def stills(make_tracklet):
    """Twelve images of six persons with seven attributes."""
    rng = np.random.default_rng(0)
    images = [
        make_tracklet(p, c, length=1, tracklet_id=p, attributes=dict(zip(NAMES, rng.integers(2, size=7).tolist())))
        for p in range(1, 7)
        for c in (1, 4)
    ]
    return Benchmark(tuple(images[:8]), tuple(images[8:]), (), "all", "stills", "f")


@pytest.fixture
def root(tmp_path, stills):
    export.peta(stills, tmp_path / "peta", progress=False)
    return tmp_path / "peta"


def rows(tracklets):
    return [(t.person_id, t.camera_id, dict(t.attributes), t.frames().tobytes()) for t in tracklets]


def test_round_trip(root, stills):
    loaded = peta.load(root, resolution=(16, 8))
    assert rows(loaded.train) == rows(stills.train)
    assert rows(loaded.query) == rows(stills.query)
    assert loaded.gallery == ()
    assert [t.tracklet_id for t in (*loaded.train, *loaded.query)] == list(range(1, 13))
    with pytest.raises(ValueError, match=r"PETA\.mat: the val part of partition 0 is empty"):
        peta.load(root, tested="val")
    change(root, partion_attribute=parts(train=[1, 2], val=[3], test=[4, 5]))
    assert [t.tracklet_id for t in peta.load(root, tested="val").query] == [3]
    assert len({peta.load(root, tested=part).fingerprint for part in ("test", "val")}) == 2


def test_nobody_is_number_0(root):
    values = data(root)
    values[values[:, 1] == 3, 1] = 0
    change(root, data=values)
    assert peta.read_labels(root / "PETA.mat").people.tolist() == [2, 2, 3, 3, 1, 1, 5, 5, 6, 6, 7, 7]


def test_groups():
    assert [peta.group(name) for name in NAMES] == [
        "Personal", "Hair", "UpperBody", "LowerBody", "Footwear", "Accessory", "Accessory",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="attribute 'shoes': expected a name that begins with one of personal, hair"):
        peta.group("shoes")
    assert peta.grouped(["hairLong", "carryingBag", "accessoryHat"]) == {
        "Hair": ["hairLong"],
        "Accessory": ["carryingBag", "accessoryHat"],
    }
    sizes = {name: len(members) for name, members in peta.grouped().items()}
    assert len(sizes) == 6 and sum(sizes.values()) == len({*peta.ATTRIBUTES}) == 105  # as AMEM counts them


def change(root, **fields):
    """Write PETA.mat anew with other fields; None leaves one out."""
    struct = scipy.io.loadmat(root / "PETA.mat")["peta"]
    known = {name: struct[name][0, 0] for name in struct.dtype.names} | fields
    scipy.io.savemat(root / "PETA.mat", {"peta": {name: value for name, value in known.items() if value is not None}})


def data(root):
    return scipy.io.loadmat(root / "PETA.mat")["peta"]["data"][0, 0]


def parts(**values):
    cell = np.empty((1, 1), object)
    cell[0, 0] = {part: np.array(rows)[:, None] for part, rows in values.items()}
    return cell


SPOILERS = {
    "no labels": (
        lambda r: (r / "PETA.mat").unlink(),
        r"PETA\.mat: expected a MATLAB file with peta; get it from .*cuhk",
    ),
    "garbage": (lambda r: (r / "PETA.mat").write_bytes(b"labels" * 50), r"PETA\.mat: cannot be read as a MATLAB"),
    "truncated": (
        lambda r: (r / "PETA.mat").write_bytes((r / "PETA.mat").read_bytes()[:300]),
        r"PETA\.mat: cannot be read as a MATLAB file",
    ),
    "no struct": (lambda r: scipy.io.savemat(r / "PETA.mat", {"peta": [[1]]}), r"PETA\.mat: expected a struct with"),
    "no partition": (lambda r: change(r, partion_attribute=None), r"PETA\.mat: expected a struct .*partion_attribute"),
    "no val": (
        lambda r: change(r, partion_attribute=parts(train=[1], test=[2])),
        r"PETA\.mat: expected a struct .*val",
    ),
    "a column lost": (
        lambda r: change(r, data=data(r)[:, :-1]),
        r"one of 0 and 1 for each of 7 attributes, .*\(12, 10\)",
    ),
    "other codes": (lambda r: change(r, data=data(r) * 2), r"PETA\.mat: expected data .* with values up to 2"),
    "selected beyond": (lambda r: change(r, selected_attribute=[[5, 12]]), r"selected_attribute counts beyond the 7"),
    "selected below": (lambda r: change(r, selected_attribute=[[4]]), r"selected_attribute counts beyond the 7"),
    "rows from 0": (
        lambda r: change(r, partion_attribute=parts(train=[0, 1], val=[2], test=[3])),
        r"PETA\.mat: partion_attribute counts beyond the 12",
    ),
    "rows beyond": (
        lambda r: change(r, partion_attribute=parts(train=[1], val=[2], test=[13])),
        r"PETA\.mat: partion_attribute counts beyond the 12",
    ),
    "no images": (lambda r: shutil.rmtree(r / "images"), r"images: expected images such as 00001\.png; get it from"),
    "an image lost": (
        lambda r: (r / "images/00003.png").unlink(),
        r"images: expected 00001 to 00012, one image for each row .* found 11 from 00001\.png to 00012\.png",
    ),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        peta.load(root)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"partition": 1}, "expected 0 to 0"), ({"tested": "all"}, "'val'")]
)
def test_unknown_parts_are_refused(root, arguments, message):
    with pytest.raises(ValueError, match=message):
        peta.load(root, **arguments)


def test_what_does_not_fit_the_layout_is_not_written(tmp_path, stills):
    first = stills.train[0]
    for attributes, message in (
        ({}, "expected the same attributes"),
        (dict.fromkeys(NAMES, 2), "of 0 and 1"),
        (dict.fromkeys(NAMES[::-1], 0), "in the same order"),
    ):
        train = (*stills.train, replace(first, attributes=attributes))
        with pytest.raises(ValueError, match=message):
            export.peta(replace(stills, train=train), tmp_path / "out")
    with pytest.raises(ValueError, match="attribute 'hat': expected"):
        export.peta(Benchmark((replace(first, attributes={"hat": 1}),), (), (), "all", "", ""), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@real
def test_the_real_labels_hold_what_was_published():
    labels = peta.read_labels(SHARED / "data" / "pedestrian_labels" / "PETA.mat")
    assert labels.codes.shape == (19000, 105)
    assert len(set(labels.names)) == 105
    assert len(labels.selected) == 35
    assert labels.selected == labels.names[:35]
    assert sorted(set(labels.collections.tolist())) == list(range(1, 11))
    assert len(labels.partitions) == 5
    for parts in labels.partitions:
        assert {part: len(rows) for part, rows in parts.items()} == {"train": 9500, "val": 1900, "test": 7600}
        assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(19000))
    male, female = (labels.codes[:, labels.names.index(f"personal{sex}")] for sex in ("Male", "Female"))
    assert (male + female == 1).mean() > 0.99


@real
def test_the_six_groups_cover_the_105_attributes():
    names = peta.read_labels(SHARED / "data" / "pedestrian_labels" / "PETA.mat").names
    counts = {"Personal": 7, "Hair": 14, "UpperBody": 26, "LowerBody": 23, "Footwear": 17, "Accessory": 18}
    assert Counter(map(peta.group, names)) == counts
    assert {*names} == {*peta.ATTRIBUTES}
    examples = {  # of AMEM's Table 1
        "Personal": ("personalLess15", "personalLarger60", "personalFemale"),
        "Hair": ("hairBlack", "hairShort"),
        "UpperBody": ("upperBodyBlack", "upperBodyCasual", "upperBodyJacket"),
        "LowerBody": ("lowerBodyFormal", "lowerBodyShorts", "lowerBodyWhite"),
        "Footwear": ("footwearBoots", "footwearSneaker", "footwearBlue"),
        "Accessory": ("carryingBackpack", "carryingSuitcase", "carryingUmbrella"),
    }
    for title, members in examples.items():
        assert set(members) <= set(names)
        assert {peta.group(name) for name in members} == {title}


@real
def test_the_loader_reads_all_real_labels(tmp_path):
    """Real labels; the images, which are not here, are empty files after them."""
    shutil.copy(SHARED / "data" / "pedestrian_labels" / "PETA.mat", tmp_path)
    (tmp_path / "images").mkdir()
    for number in range(1, 19001):
        (tmp_path / "images" / f"{number:05d}.png").touch()
    benchmark = peta.load(tmp_path, partition=3)
    assert (len(benchmark.train), len(benchmark.query)) == (9500, 7600)
    labels = peta.read_labels(tmp_path / "PETA.mat")
    for tracklet in benchmark.query[:50]:
        assert list(tracklet.attributes.values()) == labels.codes[tracklet.tracklet_id - 1].tolist()
