"""The MARS loader: on small folders in its layout, on the real split files, and on real edge maps."""

import shutil
from collections import Counter

import numpy as np
import pytest
import scipy.io
from PIL import Image

import reidlib
from reidlib.data import export, half_split, mars
from reidlib.data.attributes import MARS, read_attributes

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")


@pytest.fixture
def root(tmp_path, small_benchmark):
    """A small benchmark in MARS's layout."""
    export.mars(small_benchmark, tmp_path / "mars", progress=False)
    return tmp_path / "mars"


def keys(tracklets):
    return [(t.person_id, t.camera_id, t.tracklet_id) for t in tracklets]


def test_usual_and_mixing_setups(root):
    usual, mixing = mars.load(root, resolution=(16, 8)), mars.load(root, "mixing", resolution=(16, 8))
    assert keys(usual.query) == keys(mixing.query)
    assert not set(keys(usual.query)) & set(keys(usual.gallery))
    assert set(keys(mixing.gallery)) == set(keys(usual.query)) | set(keys(usual.gallery))
    assert 0 in {t.person_id for t in usual.gallery}
    assert usual.protocol == mixing.protocol == "cross-camera"
    assert usual.num_ids == 3


@pytest.mark.parametrize("setup", ["usual", "mixing"])
def test_junk_stays_only_on_request(root, setup):
    without, kept = mars.load(root, setup), mars.load(root, setup, junk=True)
    assert sorted(keys(kept.gallery)) == sorted([*keys(without.gallery), (-1, 1, 7)])
    assert min(t.person_id for t in without.gallery) == 0


def test_fingerprints_tell_what_was_loaded(root):
    loads = [
        mars.load(root),
        mars.load(root, "mixing"),
        mars.load(root, junk=True),
        mars.load(root, resolution=(64, 32)),
    ]
    assert len({benchmark.fingerprint for benchmark in loads}) == 4
    assert mars.load(root).fingerprint == loads[0].fingerprint
    shutil.move(root / "mars_attributes.csv", root.parent / "elsewhere.csv")
    bare = mars.load(root)
    assert bare.fingerprint != loads[0].fingerprint
    assert bare.train[0].attributes == {}
    joined = mars.load(root, attributes=root.parent / "elsewhere.csv")
    assert joined.fingerprint == loads[0].fingerprint
    assert set(joined.train[0].attributes) == {a.name for a in MARS.attributes}


def test_frames_are_brought_to_the_resolution(root):
    assert mars.load(root, resolution=(32, 16)).train[0].frames([0]).shape == (1, 3, 32, 16)


def test_an_unknown_setup_is_refused(root):
    with pytest.raises(ValueError, match="expected 'usual' or 'mixing'"):
        mars.load(root, "all")


def put(path, **values):
    scipy.io.savemat(path, {name: np.array(value) for name, value in values.items()})


def lines(path, change):
    path.write_text("\n".join(change(path.read_text().splitlines())))


SPOILERS = {
    "no info": (lambda r: shutil.rmtree(r / "info"), r"tracks_train_info\.mat: expected .*MARS-evaluation"),
    "no query": (
        lambda r: (r / "info/query_IDX.mat").unlink(),
        r"query_IDX\.mat: expected .*MARS-evaluation",
    ),
    "no names": (lambda r: (r / "info/test_name.txt").unlink(), r"test_name\.txt: expected the names of all"),
    "no images": (
        lambda r: shutil.rmtree(r / "bbox_test"),
        r"bbox_test/00-1: expected a folder of images \(4 of 4 .*liangzheng",
    ),
    "no person": (
        lambda r: shutil.rmtree(r / "bbox_train/0003"),
        r"bbox_train/0003: expected a folder of images \(1 of 3 folders are missing\)",
    ),
    "garbage": (
        lambda r: (r / "info/query_IDX.mat").write_bytes(b"not a MATLAB file" * 20),
        r"query_IDX\.mat: cannot be read as a MATLAB file",
    ),
    "truncated": (
        lambda r: (r / "info/query_IDX.mat").write_bytes((r / "info/query_IDX.mat").read_bytes()[:150]),
        r"query_IDX\.mat: cannot be read as a MATLAB file",
    ),
    "empty": (lambda r: (r / "info/query_IDX.mat").write_bytes(b""), r"query_IDX\.mat: cannot be read"),
    "other variable": (
        lambda r: put(r / "info/query_IDX.mat", idx=[[1, 2], [3, 4]]),
        r"query_IDX\.mat: expected the variable query_IDX, or a single one like it, found idx \(2, 2\)",
    ),
    "text": (
        lambda r: put(r / "info/query_IDX.mat", query_IDX="abc"),
        r"query_IDX\.mat: expected whole numbers",
    ),
    "fractions": (
        lambda r: put(r / "info/query_IDX.mat", query_IDX=[[1.5]]),
        r"query_IDX\.mat: expected whole numbers",
    ),
    "three columns": (
        lambda r: put(r / "info/tracks_test_info.mat", track_test_info=[[1, 2, 3]]),
        r"tracks_test_info\.mat: expected track_test_info with 4 columns",
    ),
    "turned range": (
        lambda r: put(r / "info/tracks_test_info.mat", track_test_info=[[1, 2, 3, 1], [9, 8, 3, 1]]),
        r"tracks_test_info\.mat: row 2 of track_test_info is no range of lines",
    ),
    "query from 0": (
        lambda r: put(r / "info/query_IDX.mat", query_IDX=[[0, 1]]),
        r"query_IDX\.mat: expected row numbers from 1 to 10, found 0 to 1",
    ),
    "query beyond": (
        lambda r: put(r / "info/query_IDX.mat", query_IDX=[[3, 11]]),
        r"query_IDX\.mat: expected row numbers from 1 to 10, found 3 to 11",
    ),
    "short names": (
        lambda r: lines(r / "info/train_name.txt", lambda names: names[:-1]),
        r"train_name\.txt: expected 54 names or more, .* found 53",
    ),
    "shifted names": (
        lambda r: lines(r / "info/train_name.txt", lambda names: [*names[-1:], *names[:-1]]),
        r"train_name\.txt, lines 1 to 4: expected frames of person 1 by camera 1.*found 0004C2",
    ),
    "odd name": (
        lambda r: lines(r / "info/test_name.txt", lambda names: ["0000.jpg", *names[1:]]),
        r"test_name\.txt: expected a file name like 0065C1T0002F016\.jpg, found '0000\.jpg'",
    ),
    "other person": (
        lambda r: lines(r / "info/test_name.txt", lambda names: [n.replace("0008C", "0009C") for n in names]),
        r"test_name\.txt, lines \d+ to \d+: expected frames of person 8 by camera 1",
    ),
    "attributes cut": (
        lambda r: lines(r / "mars_attributes.csv", lambda rows: rows[:2]),
        r"mars_attributes\.csv: expected a row for person 1, camera 1, tracklet 9",
    ),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        mars.load(root)


def test_a_named_annotation_must_exist(root):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        mars.load(root, attributes=root / "none.csv")


def test_a_missing_and_a_damaged_image_do_not_cost_the_tracklet(root):
    paths = sorted((root / "bbox_train/0001").glob("0001C1T0005F*.jpg"))
    paths[0].unlink()
    paths[3].write_bytes(paths[3].read_bytes()[:200])
    tracklet = mars.load(root, resolution=(16, 8)).train[0]
    with pytest.warns(UserWarning, match="expected a readable image") as reports:
        frames = tracklet.frames()
    assert (frames[0] == frames[1]).all()
    assert (frames[3] == frames[2]).all()
    assert [name in str(r.message) for name, r in zip(("F001.jpg (missing)", "F004.jpg"), reports)] == [True] * 2
    assert len(tracklet.source.broken) == len(reports) == 2


def test_folders_without_info_are_read_by_their_names(root):
    (root / "bbox_train" / "Thumbs.db").write_bytes(b"")
    (root / "bbox_train" / "0001" / "notes.txt").write_text("")
    tracklets = mars.read_tracklets(root / "bbox_train", (16, 8), attributes=root / "mars_attributes.csv")
    loaded = mars.load(root, resolution=(16, 8))
    assert keys(tracklets) == keys(loaded.train)
    for ours, theirs in zip(tracklets, loaded.train):
        assert (ours.frames() == theirs.frames()).all()
        assert ours.attributes == theirs.attributes


def test_frames_are_ordered_by_number_not_by_text(tmp_path):
    (tmp_path / "0002").mkdir()
    for number in (2, 10, 999, 1000):
        Image.new("L", (4, 4), number // 4).save(tmp_path / "0002" / f"0002C1T0001F{number:03d}.png")
    [tracklet] = mars.read_tracklets(tmp_path, resolution=(4, 4))
    assert tracklet.frames()[:, 0, 0, 0].tolist() == [0, 2, 249, 250]


def test_a_folder_without_images_or_with_other_names_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected images such as 0065/0065C1T0002F016\.jpg; get it from"):
        mars.read_tracklets(tmp_path)
    (tmp_path / "0002").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "0002" / "0002_c1.jpg")
    with pytest.raises(ValueError, match=r"0002: expected a file name like .*found '0002_c1\.jpg'"):
        mars.read_tracklets(tmp_path)


@real
def test_the_real_split_files_hold_what_was_published():
    info = mars.read_info(SHARED / "data" / "mars_info")
    assert (len(info.train), len(info.test), len(info.query)) == (8298, 12180, 1980)
    people = Counter(info.test[:, 2].tolist())
    assert len(set(info.train[:, 2])) == 625
    assert len(people) == 634 + 2
    assert (people[0], people[-1]) == (3248, 870)
    for table, frames in ((info.train, 509_914), (info.test, 681_089)):
        assert table[-1, 1] == (table[:, 1] - table[:, 0] + 1).sum() == frames
    assert not set(info.train[:, 2]) & (set(info.test[:, 2]) - {0, -1})


@real
@pytest.mark.parametrize(("setup", "size", "unmatched"), [("usual", 9330, 140), ("mixing", 11310, 0)])
def test_the_real_setups(setup, size, unmatched):
    info = mars.read_info(SHARED / "data" / "mars_info")
    gallery = info.gallery(setup)
    assert len(gallery) == size
    assert len(info.gallery(setup, junk=True)) == size + 870
    cameras = {}
    for person, camera in info.test[gallery, 2:].tolist():
        cameras.setdefault(person, set()).add(camera)
    queries = info.test[info.query, 2:].tolist()
    assert min(person for person, _ in queries) > 0
    assert sum(not cameras.get(person, set()) - {camera} for person, camera in queries) == unmatched
    assert len({tuple(query) for query in queries}) == 1980  # one query for each person and camera


@real
def test_the_loader_joins_all_real_tracklets_with_their_attributes(tmp_path):
    """Real split files and attributes; only the names, which are not here, are written after them."""
    info = mars.read_info(SHARED / "data" / "mars_info")
    annotation = SHARED / "data" / "attributes" / "mars_attributes.csv"
    numbers = {}
    for person, camera, number in sorted(read_attributes(annotation, MARS)):
        numbers.setdefault((person, camera), []).append(number)
    counts = Counter(map(tuple, [*info.train[:, 2:].tolist(), *info.test[:, 2:].tolist()]))
    pairs = {pair: count for pair, count in counts.items() if pair[0] > 0}
    assert len(pairs) == 3943
    assert pairs == {pair: len(listed) for pair, listed in numbers.items()}
    shutil.copytree(SHARED / "data" / "mars_info", tmp_path / "info")
    unused = {pair: iter(numbers.get(pair, range(1, count + 1))) for pair, count in counts.items()}
    for part, table in (("train", info.train), ("test", info.test)):
        names = []
        for first, last, person, camera in table.tolist():
            label = "00-1" if person < 0 else f"{person:04d}"
            prefix = f"{label}C{camera}T{next(unused[person, camera]):04d}F"
            names += [f"{prefix}{frame:03d}.jpg" for frame in range(1, last - first + 2)]
            (tmp_path / f"bbox_{part}" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "info" / f"{part}_name.txt").write_text("\n".join(names))
    benchmark = mars.load(tmp_path, attributes=annotation)
    assert (len(benchmark.train), len(benchmark.query), len(benchmark.gallery)) == (8298, 1980, 9330)
    assert benchmark.num_ids == 625
    assert sum(len(t) for t in benchmark.train) == 509_914
    everybody = {*benchmark.train, *benchmark.query, *benchmark.gallery}
    annotated = [t for t in everybody if t.attributes]
    assert len(annotated) == sum(t.person_id > 0 for t in everybody) == 16360
    first = benchmark.train[0]
    assert first.source.broken == ()
    with pytest.raises(OSError, match=r"16 of the 16 frames .*0001C1T\d+F001\.jpg \(missing\)"):
        first.frames([0])


@real
def test_real_edge_maps():
    folder = SHARED / "data" / "mars_edges"
    crop = (64, 0, 192, 256)  # the columns that hold the person
    tracklets = mars.read_tracklets(folder / "bbox_train", (64, 32), crop, folder / "tracks.csv")
    assert len(tracklets) == 386
    assert len({t.person_id for t in tracklets}) == 99
    cameras = {}
    for tracklet in tracklets:
        cameras.setdefault(tracklet.person_id, Counter())[tracklet.camera_id] += 1
    assert sum(len(seen) >= 2 for seen in cameras.values()) == 97
    assert sum(len(cameras[t.person_id]) >= 2 for t in tracklets) == 383
    assert max(len(t) for t in tracklets) == 16
    assert all(len(t.attributes) == len(MARS.attributes) for t in tracklets)
    frames = tracklets[0].frames()
    assert frames.shape == (16, 3, 64, 32)
    assert frames.mean() > 128  # dark lines on white
    assert frames.std() > 10
    split = half_split(tracklets, 0, "edges")
    assert {split.num_ids, 99 - split.num_ids} == {49, 50}
