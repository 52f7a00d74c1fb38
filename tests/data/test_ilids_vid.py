"""iLIDS-VID's loader, on exports in its layout."""

import shutil

import numpy as np
import pytest
import scipy.io

from reidlib.data import export, ilids_vid
from reidlib.data.tracklets import identities
from reidlib.data.two_cameras import split_benchmark

SPLITS = [([1, 19], [2, 40]), ([2, 40], [19, 1])]
SPLIT_FILE = "train-test people splits/train_test_splits_ilidsvid.mat"


@pytest.fixture
def pair(make_tracklet):
    """Four persons under two cameras, in two splits."""
    cameras = tuple({p: make_tracklet(p, c, length=12, tracklet_id=1) for p in (1, 2, 19, 40)} for c in (1, 2))
    return [split_benchmark(cameras, SPLITS, split, "pair") for split in range(2)]


@pytest.fixture
def root(tmp_path, pair):
    export.ilids_vid(pair, tmp_path / "ilids", progress=False)
    return tmp_path / "ilids"


def everything(benchmark):
    return [
        (t.person_id, t.camera_id, t.frames().tobytes())
        for part in (benchmark.train, benchmark.query, benchmark.gallery)
        for t in sorted(part, key=lambda t: (t.person_id, t.camera_id))
    ]


@pytest.mark.parametrize("split", [0, 1])
def test_round_trip(root, pair, split):
    loaded = ilids_vid.load(root, split, resolution=(16, 8))
    assert everything(loaded) == everything(pair[split])
    assert (loaded.protocol, loaded.name) == ("all", f"iLIDS-VID split {split}")


def test_layout(root):
    assert (root / "i-LIDS-VID/sequences/cam2/person019/cam2_person019_00012.png").is_file()
    table = scipy.io.loadmat(root / SPLIT_FILE)["ls_set"]
    assert table.tolist() == [[2, 4, 1, 3], [1, 3, 2, 4]]  # places in (1, 2, 19, 40), those tested on first


def test_without_a_split_file_all_persons_are_split_in_ten_ways(root):
    (root / SPLIT_FILE).unlink()
    with pytest.warns(UserWarning, match=r"splits: there is no file of splits .*ilidsvid\.mat or splits\.json"):
        splits = [ilids_vid.load(root, split) for split in range(10)]
    assert splits[3].name == "iLIDS-VID drawn split 3"
    for split in splits:
        assert sorted(identities(split.train) + identities(split.query)) == [1, 2, 19, 40]
        assert len(split.query) == len(split.gallery) == 2
    assert len({split.fingerprint for split in splits}) > 3


def put(root, **values):
    scipy.io.savemat(root / SPLIT_FILE, {name: np.array(value) for name, value in values.items()})


SPOILERS = {
    "no images": (lambda r: shutil.rmtree(r / "i-LIDS-VID"), r"i-LIDS-VID/sequences: expected the folders .*qmul"),
    "one camera": (
        lambda r: shutil.rmtree(r / "i-LIDS-VID/sequences/cam2"),
        r"cam2: expected folders such as person001; get it from",
    ),
    "one person": (
        lambda r: shutil.rmtree(r / "i-LIDS-VID/sequences/cam2/person019"),
        r"sequences: person 19 has a folder under one camera only; get it from",
    ),
    "empty person": (
        lambda r: [path.unlink() for path in (r / "i-LIDS-VID/sequences/cam2/person019").iterdir()],
        r"person019: expected the frames of person 19 by camera 2; get it from",
    ),
    "persons lost": (
        lambda r: [shutil.rmtree(r / f"i-LIDS-VID/sequences/cam{c}/person019") for c in (1, 2)],
        r"ilidsvid\.mat: expected each row of ls_set to hold the numbers 1 to 3",
    ),
    "garbage": (lambda r: (r / SPLIT_FILE).write_bytes(b"splits" * 40), r"ilidsvid\.mat: cannot be read as a MATLAB"),
    "other variable": (
        lambda r: put(r, splits=[[1]]),
        r"ilidsvid\.mat: expected the variable ls_set, .* found splits \(1, 1\)",
    ),
    "from 0": (lambda r: put(r, ls_set=[[0, 1, 2, 3]]), r"ilidsvid\.mat: expected each row of ls_set"),
    "a person twice": (lambda r: put(r, ls_set=[[1, 2, 3, 3]]), r"ilidsvid\.mat: expected each row of ls_set"),
    "too short": (lambda r: put(r, ls_set=[[1, 2, 3]]), r"ilidsvid\.mat: expected each row .* found shape \(1, 3\)"),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        ilids_vid.load(root)


@pytest.mark.parametrize("layout", [export.prid2011, export.ilids_vid])
def test_what_does_not_fit_the_layout_is_not_written(tmp_path, pair, make_tracklet, layout):
    one = pair[0]
    for broken in (
        [],
        [one.__class__(one.train[1:], one.query, one.gallery, "all", "", "")],  # a person under camera 2 only
        [one.__class__((*one.train, one.train[0]), one.query, one.gallery, "all", "", "")],
        [one.__class__((*one.train, make_tracklet(0, 1), make_tracklet(0, 2)), one.query, one.gallery, "all", "", "")],
        [one, one.__class__(one.train, one.query[1:], one.gallery[1:], "all", "", "")],
    ):
        with pytest.raises(ValueError, match="expected one"):
            layout(broken, tmp_path / "out", progress=False)
    with pytest.raises(FileExistsError, match="give a new folder"):
        layout([one], tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_halves_must_be_halves(tmp_path, pair):
    one = pair[0]
    skewed = one.__class__(one.train[:2], (*one.query, one.train[2]), (*one.gallery, one.train[3]), "all", "", "")
    with pytest.raises(ValueError, match="split 0: expected 2 of the 4 persons to be tested on"):
        export.ilids_vid([skewed], tmp_path / "out")
