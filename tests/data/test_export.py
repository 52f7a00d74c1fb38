"""Exports are what the loaders of real data read back."""

import numpy as np
import pytest
import scipy.io
from PIL import Image

from reidlib.data import duke_video, export, ilids_vid, market1501, mars, peta, prid2011, walkers


def by_key(tracklets):
    found = {(t.person_id, t.camera_id, t.tracklet_id): t for t in tracklets}
    assert len(found) == len(tracklets)
    return found


@pytest.mark.parametrize(("image_format", "tolerance"), [("png", 0), ("jpg", 24)])
def test_mars_round_trip(tmp_path, small_benchmark, image_format, tolerance):
    export.mars(small_benchmark, tmp_path / "mars", image_format, progress=False)
    loaded = mars.load(tmp_path / "mars", resolution=(16, 8), junk=True)
    for part in ("train", "query", "gallery"):
        ours, theirs = by_key(getattr(small_benchmark, part)), by_key(getattr(loaded, part))
        assert ours.keys() == theirs.keys()
        for key, tracklet in ours.items():
            assert theirs[key].attributes == tracklet.attributes
            frames = tracklet.frames()
            assert theirs[key].frames().shape == frames.shape
            difference = np.abs(theirs[key].frames().astype(int) - frames)
            assert difference.mean() <= tolerance  # blocks of random colour are JPEG's worst case
    assert [t.tracklet_id for t in loaded.query] == [t.tracklet_id for t in small_benchmark.query]
    assert loaded.protocol == small_benchmark.protocol


@pytest.mark.parametrize("setup", ["usual", "mixing"])
def test_street_round_trip(tmp_path, monkeypatch, setup):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    street = walkers.street(0, setup, num_ids=10, resolution=(32, 16), junk=True, workers=1, progress=False)
    export.mars(street, tmp_path / "mars", "png", progress=False)
    loaded = mars.load(tmp_path / "mars", setup, resolution=(32, 16), junk=True)
    assert min(t.person_id for t in loaded.gallery) == -1
    for part in ("train", "query", "gallery"):
        ours, theirs = by_key(getattr(street, part)), by_key(getattr(loaded, part))
        assert ours.keys() == theirs.keys()
        for key, tracklet in ours.items():
            assert (theirs[key].frames() == tracklet.frames()).all()
            if tracklet.person_id > 0:
                assert theirs[key].attributes == tracklet.attributes


SMALL = {"resolution": (32, 16), "workers": 1, "progress": False}


def assert_same_parts(ours, theirs, tolerance=0.0, attributes=True):
    """The same tracklets in each part, in any order, with the same frames up to JPEG's mean error in 255 levels."""
    errors = []
    assert theirs.protocol == ours.protocol and theirs.num_ids == ours.num_ids
    for part in ("train", "query", "gallery"):
        mine, read = by_key(getattr(ours, part)), by_key(getattr(theirs, part))
        assert mine.keys() == read.keys()
        for key, tracklet in mine.items():
            errors.append(np.abs(read[key].frames().astype(int) - tracklet.frames()).mean())
            assert not attributes or read[key].attributes == tracklet.attributes
    assert np.mean(errors) <= tolerance


@pytest.mark.parametrize(("image_format", "tolerance"), [("png", 0.0), ("jpg", 8.0)])
@pytest.mark.parametrize("setup", ["mixing", "usual"])
def test_campus_round_trip(tmp_path, monkeypatch, setup, image_format, tolerance):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    campus = walkers.campus(0, setup, num_ids=14, **SMALL)
    export.duke_video(campus, tmp_path / "duke", image_format, progress=False)
    loaded = duke_video.load(tmp_path / "duke", setup, resolution=(32, 16))
    assert_same_parts(campus, loaded, tolerance)
    assert all(t.attributes for t in loaded.gallery)


@pytest.mark.parametrize(("write", "load"), [(export.ilids_vid, ilids_vid.load), (export.prid2011, prid2011.load)])
def test_pair_round_trip(tmp_path, monkeypatch, write, load):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    splits = walkers.pair_splits(0, num_ids=7, **SMALL)
    write(splits, tmp_path / "pair", progress=False)
    for number, split in enumerate(splits):
        assert_same_parts(split, load(tmp_path / "pair", number, resolution=(32, 16)), attributes=False)


@pytest.mark.parametrize(("image_format", "tolerance"), [("png", 0.0), ("jpg", 8.0)])
def test_stills_round_trip(tmp_path, monkeypatch, image_format, tolerance):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    stills = walkers.stills(0, num_ids=10, junk=True, **SMALL)
    export.market1501(stills, tmp_path / "market", image_format, progress=False)
    loaded = market1501.load(tmp_path / "market", resolution=(32, 16), junk=True)
    assert {0, -1} < {t.person_id for t in loaded.gallery}
    assert_same_parts(stills, loaded, tolerance, attributes=False)


def test_stills_labels_round_trip(tmp_path, monkeypatch):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    stills = walkers.stills(0, num_ids=10, **SMALL)
    export.peta(stills, tmp_path / "peta", progress=False)
    loaded = peta.load(tmp_path / "peta", resolution=(32, 16))
    for part in ("train", "query"):
        pairs = list(zip(getattr(stills, part), getattr(loaded, part), strict=True))
        assert pairs
        for ours, theirs in pairs:
            assert (theirs.person_id, theirs.camera_id) == (ours.person_id, ours.camera_id)
            assert theirs.attributes == ours.attributes
            assert (theirs.frames() == ours.frames()).all()


def test_mars_layout(tmp_path, small_benchmark):
    root = tmp_path / "new" / "mars"
    export.mars(small_benchmark, root, progress=False)
    assert sorted(path.name for path in root.iterdir()) == [
        "bbox_test", "bbox_train", "info", "mars_attributes.csv",
    ]  # fmt: skip
    assert sorted(path.name for path in (root / "bbox_test").iterdir()) == ["00-1", "0000", "0008", "0009"]
    names = (root / "info" / "test_name.txt").read_text().splitlines()
    assert names[0] == "00-1C1T0007F001.jpg"
    table = scipy.io.loadmat(root / "info" / "tracks_test_info.mat")["track_test_info"]
    assert table[0].tolist() == [1, 5, -1, 1]
    assert table[1].tolist() == [6, 10, 0, 2]
    assert table[-1, 1] == len(names) == len(list(root.glob("bbox_test/*/*.jpg")))
    rows = scipy.io.loadmat(root / "info" / "query_IDX.mat")["query_IDX"]
    queried = [(t.person_id, t.camera_id) for t in small_benchmark.query]
    assert [tuple(table[row - 1, 2:]) for row in rows[0]] == queried  # rows count from 1
    with Image.open(root / "bbox_test" / "00-1" / names[0]) as image:
        assert (image.format, image.size) == ("JPEG", (8, 16))


def test_queries_in_the_gallery_are_written_once(tmp_path, small_benchmark):
    export.mars(small_benchmark, tmp_path / "usual", progress=False)
    mixing = mars.load(tmp_path / "usual", "mixing", resolution=(16, 8), junk=True)
    export.mars(mixing, tmp_path / "mixing", progress=False)
    for name in ("tracks_test_info", "query_IDX"):
        one, two = (scipy.io.loadmat(tmp_path / root / "info" / f"{name}.mat") for root in ("usual", "mixing"))
        variable = name.replace("tracks", "track")
        assert (one[variable] == two[variable]).all()


def test_no_attributes_no_attribute_file(tmp_path, small_benchmark, make_tracklet):
    bare = small_benchmark.__class__(
        (make_tracklet(1, 1, tracklet_id=1),),
        (make_tracklet(2, 1, tracklet_id=1),),
        (make_tracklet(2, 2, tracklet_id=1),),
        "all",
        "bare",
        "f",
    )
    export.mars(bare, tmp_path / "mars", progress=False)
    assert not (tmp_path / "mars" / "mars_attributes.csv").exists()
    assert mars.load(tmp_path / "mars").query[0].attributes == {}


def test_an_existing_folder_is_not_overwritten(tmp_path, small_benchmark):
    (tmp_path / "mars").mkdir()
    with pytest.raises(FileExistsError, match="mars exists: give a new folder"):
        export.mars(small_benchmark, tmp_path / "mars", progress=False)


@pytest.mark.parametrize(("person", "number"), [(1, 5), (10_000, 1)])
def test_tracklets_that_have_no_name_of_their_own_are_refused(tmp_path, small_benchmark, make_tracklet, person, number):
    extra = make_tracklet(person, 1, tracklet_id=number)
    doubled = small_benchmark.__class__(
        (*small_benchmark.train, extra), small_benchmark.query, small_benchmark.gallery, "all", "", ""
    )
    with pytest.raises(ValueError, match=f"person 0*{person}, camera 1, tracklet {number}: expected"):
        export.mars(doubled, tmp_path / "mars", progress=False)
    assert list(tmp_path.iterdir()) == []  # nothing half done stays


def test_an_unknown_image_format_is_refused(tmp_path, small_benchmark):
    with pytest.raises(ValueError, match="expected 'jpg' or 'png'"):
        export.mars(small_benchmark, tmp_path / "mars", "bmp")
