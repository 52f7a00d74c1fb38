"""What all loaders have in common: which files they see, and what they make of the content."""

import json
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
import scipy.io
from PIL import Image

from reidlib.data import Benchmark, casia_b, export, mars
from reidlib.data.tracklets import identities

COLOUR = ("mars", "duke_video", "market1501", "peta", "ilids_vid", "prid2011", "folder")
WALKS = ("casia_b", "oumvlp", "casia_e", "hid")


def content(load, root):
    """All that a loader gives, pixels included; real gait data lack walks, and their loaders say so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*walks have no silhouettes")
        warnings.filterwarnings("error", "(?s).*(readable|drawn|folder)")
        loaded = load(root)
    parts = [
        [
            (t.person_id, t.camera_id, t.tracklet_id, dict(t.attributes), t.frames().tolist(), _listed(t.masks()))
            for t in part
        ]
        for part in (loaded.train, loaded.query, loaded.gallery)
    ]
    assert parts[1]
    return parts


def _listed(masks):
    return None if masks is None else masks.tolist()


def files(root, *endings):
    return [path for path in sorted(root.rglob("*")) if path.is_file() and (not endings or path.suffix in endings)]


@pytest.mark.parametrize("layout", [*COLOUR, *WALKS])
def test_endings_may_be_of_other_case(written, layout):
    root, load = written(layout)
    before = content(load, root)
    for path in files(root):
        path.rename(path.with_suffix(path.suffix.upper()))
    assert content(load, root) == before


@pytest.mark.parametrize("layout", [*COLOUR, *WALKS])
def test_what_operating_systems_leave_behind_is_not_read(written, layout):
    root, load = written(layout)
    before = content(load, root)
    for place in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        for name in (".DS_Store", "Thumbs.db", *(f"._{path.name}" for path in files(place)[:1])):
            (place / name).write_bytes(b"\0\5\x16\7")
    shutil.copytree(root, root.parent / "copy")
    shutil.move(root.parent / "copy", root / "__MACOSX")
    assert content(load, root) == before


@pytest.mark.parametrize("layout", ["mars", "duke_video", "prid2011", "casia_b", "oumvlp", "casia_e"])
def test_text_files_may_come_from_windows(written, layout):
    root, load = written(layout)
    before = content(load, root)
    texts = files(root, ".txt", ".csv", ".json")
    assert texts
    for path in texts:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert content(load, root) == before


def rewritten(path, change):
    with Image.open(path) as image:
        changed = change(np.asarray(image))
    changed.save(path, exif=changed.getexif())


def turned(pixels):
    image = Image.fromarray(np.rot90(pixels, -1))
    image.getexif()[0x0112] = 8  # a quarter to the left brings back what is turned to the right here
    return image


FRAMES = {
    "alpha": lambda pixels: Image.fromarray(np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])),
    "turned": turned,
    "palette": lambda pixels: Image.fromarray(pixels).quantize(256, dither=Image.Dither.NONE),  # blocks: few colours
}


@pytest.mark.parametrize("mode", FRAMES)
@pytest.mark.parametrize("layout", COLOUR)
def test_frames_of_other_modes_show_the_same(written, layout, mode):
    root, load = written(layout)
    before = content(load, root)
    for path in files(root, ".png"):
        if "mask_" not in str(path):
            rewritten(path, FRAMES[mode])
    assert content(load, root) == before


@pytest.mark.parametrize("layout", COLOUR)
def test_frames_of_16_bits_are_not_saturated(written, layout):
    root, load = written(layout)
    for path in files(root, ".png"):
        if "mask_" not in str(path):
            rewritten(path, lambda pixels: Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257))
    found = content(load, root)[1][0][4]
    assert len(np.unique(found)) > 3
    assert np.max(found) <= 255 and 60 < np.mean(found) < 200


MASKS = {
    "0 and 1": lambda levels: Image.fromarray(levels // 255),
    "1 bit": lambda levels: Image.fromarray(levels > 0),
    "16 bits": lambda levels: Image.fromarray(levels.astype(np.uint16) * 257),
    "RGB": lambda levels: Image.fromarray(np.dstack([levels] * 3)),
    "black on white": lambda levels: Image.fromarray(255 - levels),
    "0 on 1": lambda levels: Image.fromarray(1 - levels // 255),
}


@pytest.mark.parametrize("code", MASKS)
@pytest.mark.parametrize("layout", WALKS)
def test_masks_of_other_codes_show_the_same(written, layout, code):
    root, load = written(layout)
    before = content(load, root)
    for path in files(root, ".png"):
        rewritten(path, MASKS[code])
    assert content(load, root) == before


@pytest.mark.parametrize("code", MASKS)
def test_masks_beside_frames_are_read_by_the_same_rule(tmp_path, make_walk, code):
    walk = make_walk(1, 0, "nm", 1)
    people = [replace(walk, person_id=p, camera_id=c) for p, c in ((1, 1), (2, 1), (2, 2))]
    export.mars(Benchmark(people[:1], people[1:2], people[2:], "cross-camera", "", ""), tmp_path / "mars", masks=True)
    export.casia_b(
        Benchmark((walk,), (replace(walk, person_id=2, tracklet_id=5),), (replace(walk, person_id=2),), "all", "", ""),
        tmp_path / "casia_b", tmp_path / "rgb",
    )  # fmt: skip
    for path in [*tmp_path.glob("mars/mask_*/*/*.png"), *tmp_path.glob("casia_b/*/*/*/*.png")]:
        rewritten(path, MASKS[code])
    from_mars = mars.load(tmp_path / "mars", masks=True, resolution=(40, 24)).query[0]
    with pytest.warns(UserWarning, match="walks have no silhouettes"):
        loaded = casia_b.load(
            tmp_path / "casia_b", tmp_path / "rgb", cut=False, resolution=(40, 24), workers=1, progress=False
        )
    for tracklet in (from_mars, loaded.query[0]):
        assert (tracklet.masks() == walk.masks()).all()


def column(path, variable, name):
    """Write a vector of a MATLAB file anew, as a column and under another name."""
    values = scipy.io.loadmat(path)[variable]
    scipy.io.savemat(path, {name: values.T if 1 in values.shape else values, "comment": "written by hand"})


@pytest.mark.parametrize(
    ("layout", "name", "variable"),
    [
        ("mars", "info/query_IDX.mat", "query_IDX"),
        ("mars", "info/tracks_train_info.mat", "track_train_info"),
        ("mars", "info/tracks_test_info.mat", "track_test_info"),
        ("ilids_vid", "train-test people splits/train_test_splits_ilidsvid.mat", "ls_set"),  # one split alone
        ("peta", "PETA.mat", "peta"),
    ],
)
def test_variables_may_have_other_names_and_vectors_stand(written, layout, name, variable):
    root, load = written(layout)
    before = content(load, root)
    column(root / name, variable, "x")
    assert content(load, root) == before


def test_vectors_of_peta_may_stand_or_lie(written):
    root, load = written("peta")
    before = content(load, root)
    struct = scipy.io.loadmat(root / "PETA.mat")["peta"]
    fields = {name: struct[name][0, 0] for name in struct.dtype.names}
    parts = fields["partion_attribute"][0, 0]
    fields["partion_attribute"][0, 0] = {name: parts[name][0, 0].T for name in parts.dtype.names}
    fields["selected_attribute"] = fields["selected_attribute"].T
    scipy.io.savemat(root / "PETA.mat", {"peta": fields})
    assert content(load, root) == before


@pytest.mark.parametrize("layout", ["mars", "ilids_vid", "peta"])
def test_matlab_files_of_version_7_3_are_refused_with_the_way_out(written, layout):
    root, load = written(layout)
    for path in files(root, ".mat"):
        path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n" * 9)
    with pytest.raises(
        ValueError, match=r"\.mat: is a MATLAB file of version 7\.3 .* save it again by save\(.*'-v7'\)"
    ):
        load(root)


SPLITS = [(["person_0001", "person_0002"], ["person_0004", "person_0006"])]


@pytest.mark.parametrize("name", ["splits.json", "splits.JSON"])
@pytest.mark.parametrize("layout", ["prid2011", "ilids_vid"])
def test_a_list_of_splits_is_read_instead_of_drawing(written, layout, name):
    root, load = written(layout)
    for path in files(root, ".json", ".mat"):
        path.unlink()
    text = json.dumps([{"train": train, "test": test, "num_train_pids": 2} for train, test in SPLITS])
    (root / name).write_text(text if layout == "prid2011" else text.replace("person_0", "person"))
    loaded = load(root)
    assert (identities(loaded.train), identities(loaded.query)) == ([1, 2], [4, 6])
    assert "drawn" not in loaded.name
    (root / name).write_text("{}")
    with pytest.raises(ValueError, match=r"splits\.json|JSON: expected one split or more, found an empty list"):
        load(root)


def test_one_person_in_two_folders_is_refused(written):
    for layout, place in (
        ("prid2011", "multi_shot/cam_a/person_1"),
        ("ilids_vid", "i-LIDS-VID/sequences/cam1/person1"),
    ):
        root, load = written(layout)
        shutil.copytree(next((root / place).parent.glob("*1")), root / place)
        with pytest.raises(ValueError, match="expected one folder of person 1, found another"):
            load(root)
