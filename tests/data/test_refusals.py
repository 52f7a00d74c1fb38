"""What all loaders have in common: whom they find, what they refuse, and when."""

import json
import shutil

import numpy as np
import pytest
import scipy.io

from reidlib.data import Benchmark, export, mars
from reidlib.data.tracklets import identities

INCOMPLETE = "ignore:.*(walks have no silhouettes|have no folder|folders are left out)"


def rename_subject(root, old, new):
    for path in sorted(root.rglob("*"), reverse=True):
        if path.name == old:
            path.rename(path.with_name(new))
    for path in sorted(root.glob("*.json")):
        path.write_text(path.read_text().replace(f'"{old}"', f'"{new}"'))


@pytest.mark.filterwarnings(INCOMPLETE)
@pytest.mark.parametrize("name", ["000", "p_a", "Anna"])
@pytest.mark.parametrize(("layout", "old"), [("casia_b", "001"), ("oumvlp", "00001"), ("casia_e", "001")])
def test_a_subject_of_any_name_is_trained_on(written, layout, old, name):
    root, load = written(layout)
    before = load(root)
    rename_subject(root, old, name)
    after = load(root)
    people = [part[0].person_id for part in (after.train, after.query, after.gallery)]
    assert people == ([1, 4, 4] if name == "000" else [4, 3, 3])  # moved up by one, or numbered on
    for part in ("train", "query", "gallery"):
        [one], [other] = getattr(before, part), getattr(after, part)
        assert (one.silhouettes() == other.silhouettes()).all()


@pytest.mark.parametrize(
    ("layout", "old", "new"),
    [("ilids_vid", "person001", "person000"), ("prid2011", "person_0001", "person_0000"), ("hid", "0000", "0000")],
)
def test_person_0_is_somebody_where_there_are_no_distractors(written, layout, old, new):
    root, load = written(layout)
    before = load(root)
    rename_subject(root, old, new)
    after = load(root)
    assert min(t.person_id for t in after.train) == 1
    assert identities(after.train) == ([1] if layout == "hid" else [1, 7])
    assert [len(part) for part in (after.train, after.query)] == [len(part) for part in (before.train, before.query)]


def distractor_in_mars(root):
    path = root / "info/tracks_train_info.mat"
    table = scipy.io.loadmat(path)["track_train_info"]
    table[0, 2] = 0
    scipy.io.savemat(path, {"track_train_info": table})


def distractor_in_market(root):
    path = next((root / "bounding_box_train").iterdir())
    path.rename(path.with_name("0000" + path.name[4:]))


def distractor_in_duke(root):
    place = next((root / "train").iterdir())
    for path in sorted(place.rglob("*.png")):
        path.rename(path.with_name("0000" + path.name[4:]))
    place.rename(place.with_name("0000"))
    (root / "duke_attributes.csv").unlink()


@pytest.mark.parametrize(
    ("layout", "change", "message"),
    [
        ("mars", distractor_in_mars, r"tracks_train_info\.mat: expected persons, found a distractor or junk; get it"),
        ("market1501", distractor_in_market, "bounding_box_train: expected images of persons, found one of number 0"),
        ("duke_video", distractor_in_duke, "train: expected persons from 0001 on, found 0000, a distractor"),
    ],
)
def test_distractors_are_not_trained_on_where_there_are_some(written, layout, change, message):
    root, load = written(layout)
    change(root)
    with pytest.raises(ValueError, match=message):
        load(root)


def partition(root, train, test):
    [path] = sorted(root.glob("*.json"))
    path.write_text(json.dumps({"TRAIN_SET": train, "TEST_SET": test}))


def no_queries(root):
    scipy.io.savemat(root / "info/query_IDX.mat", {"query_IDX": np.zeros((1, 0), np.int32)})


def only_junk(root):
    for path in sorted((root / "bounding_box_test").iterdir()):
        path.rename(path.with_name("-1" + path.name[4:]))


EMPTY = {
    "no test subject": ("casia_b", lambda r: partition(r, ["001", "003"], ["075"]), "to test on, such as 075"),
    "no training subject": ("oumvlp", lambda r: partition(r, ["00007"], ["00001"]), "to train on, such as 00007"),
    "no gallery": ("casia_b", lambda r: shutil.rmtree(r / "003/nm-01"), "found 1 training, 1 query, 0 gallery"),
    "no query": ("casia_b", lambda r: shutil.rmtree(r / "003/nm-05"), "found 1 training, 0 query, 1 gallery"),
    "no sequence 00": ("oumvlp", lambda r: shutil.rmtree(r / "Silhouette_000-00"), "1 training, 0 query, 1 gallery"),
    "no scene 2": ("casia_e", lambda r: shutil.rmtree(r / "003/H/scene2"), "found 1 training, 0 query, 1 gallery"),
    "no test half": ("casia_e", lambda r: partition(r, ["001", "003"], []), "found 3 training, 0 query, 0 gallery"),
    "no probe": ("hid", lambda r: [p.unlink() for p in r.glob("probe/*/*/*.png")], "1 training, 0 query, 1 gallery"),
    "MARS without queries": ("mars", no_queries, "MARS needs tracklets in each part, found .* 0 query"),
    "junk alone": ("market1501", only_junk, "found 2 training, 1 query, 0 gallery; is there more than junk"),
    "queries alone": ("duke_video", lambda r: shutil.rmtree(r / "gallery/0002/0003"), "0 gallery; with setup=.usual"),
    "no test half of a split": (
        "prid2011",
        lambda r: (r / "splits_prid2011.json").write_text('[{"train": ["person_0001"], "test": []}]'),
        "PRID-2011 split 0 needs tracklets in each part, found 2 training, 0 query, 0 gallery",
    ),
    "no training half of a split": (
        "prid2011",
        lambda r: (r / "splits_prid2011.json").write_text('[{"test": ["person_0001"], "train": []}]'),
        "found 0 training, 1 query, 1 gallery",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.filterwarnings(INCOMPLETE)
def test_missing_halves_are_told_when_loading(written, name):
    layout, spoil, message = EMPTY[name]
    root, load = written(layout)
    spoil(root)
    options = {"setup": "usual"} if layout == "duke_video" else {}
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load(root, **options)


def test_only_an_empty_training_half_may_be_asked_for(written):
    root, load = written("casia_e")
    partition(root, [], ["001", "003"])
    loaded = load(root)
    assert (len(loaded.train), len(loaded.query), len(loaded.gallery)) == (0, 1, 2)


def test_subjects_outside_of_the_partition_are_counted(written):
    for layout, kept in (("casia_b", "003"), ("casia_e", "003"), ("oumvlp", "00003")):
        root, load = written(layout)
        partition(root, [], [kept, "probe"])
        with pytest.warns(UserWarning, match="have|left out") as reports:
            load(root)
        texts = " ".join(str(report.message) for report in reports)
        assert "1 of the partition's 2 subjects have no folder (probe)" in texts
        assert f"1 folders are left out, as the partition names no such subjects ({kept.replace('3', '1')})" in texts


@pytest.mark.filterwarnings(INCOMPLETE)
@pytest.mark.parametrize("layout", ["casia_b", "casia_e", "oumvlp"])
def test_another_json_file_is_not_passed_over(written, layout):
    root, load = written(layout)
    [path] = sorted(root.glob("*.json"))
    path.rename(root / "partition.JSON")
    with pytest.raises(ValueError, match=rf"partition\.JSON: is it the partition\? Call it {path.stem}\.json, or give"):
        load(root)
    load(root, partition=root / "partition.json")


@pytest.mark.parametrize("layout", ["casia_b", "casia_e", "oumvlp", "hid", "mars", "ilids_vid", "prid2011", "folder"])
def test_a_wrong_root_is_told_at_once(tmp_path, written, layout, monkeypatch):
    _, load = written(layout)
    monkeypatch.setattr("reidlib.data.folders.image_names", None)  # it would fail to list
    (tmp_path / "elsewhere/things").mkdir(parents=True)
    if layout == "folder":
        monkeypatch.undo()  # it looks for loose images on its way down
    with pytest.raises(FileNotFoundError, match=r"elsewhere\S*: expected"):
        load(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("layout", "arguments", "message"),
    [
        ("casia_b", {"rgb": "none"}, "none: expected colour frames in a folder for each subject"),
        ("mars", {"attributes": "none.csv"}, r"none\.csv: expected the attribute annotation of MARS"),
        ("duke_video", {"attributes": "none.csv"}, r"none\.csv: expected the attribute annotation of DukeMTMC"),
        ("oumvlp", {"partition": "none.json"}, r"none\.json: expected a partition of the subjects"),
    ],
)
def test_arguments_are_checked_before_pixels_and_folders(written, layout, arguments, message, monkeypatch):
    root, load = written(layout)
    monkeypatch.setattr("reidlib.data.folders.image_names", None)
    with pytest.raises(FileNotFoundError, match=message):
        load(root, **arguments)


def test_edge_maps_are_expected_where_a_crop_is_given(written):
    root, _ = written("mars")
    message = (
        r"0001C1T0005F001\.png: expected images that hold crop=\(64, 0, 192, 256\), such as the edge maps of MARS, "
        r"256 × 256 pixels each, found 8 × 16; the images of MARS itself show the person alone"
    )
    with pytest.raises(ValueError, match=message):
        mars.read_tracklets(root / "bbox_train", (64, 32), (64, 0, 192, 256))


def test_exports_are_refused_before_anything_is_written_or_read(tmp_path, small_benchmark, make_walk, monkeypatch):
    walk = Benchmark((make_walk(1, 0, "nm", 1),), (), (), "all", "", "")
    monkeypatch.setattr("reidlib.data.tracklets.Tracklet.masks", None)  # it would fail to read
    (tmp_path / "there").mkdir()
    for write in (export.casia_b, export.oumvlp, export.casia_e, export.hid, export.mask_mars):
        with pytest.raises(FileExistsError, match="there exists: give a new folder"):
            write(walk, tmp_path / "there")
    with pytest.raises(FileExistsError, match="there exists"):
        export.casia_b(walk, tmp_path / "new", tmp_path / "there")
    assert not (tmp_path / "new").exists()
