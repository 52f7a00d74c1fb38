"""Frames in image files: reading, crop and size, and what happens to broken frames."""

import pickle
import re
import warnings

import numpy as np
import pytest
from PIL import Image

from reidlib.data import ImageFiles, Tracklet
from reidlib.data.images import MaskFiles, preload


@pytest.fixture
def folder(tmp_path):
    """Six PNG frames of 12 × 8 pixels with masks; frame n has the grey value 10 n, its mask n set pixels."""
    for number in range(6):
        Image.new("RGB", (8, 12), (10 * number,) * 3).save(tmp_path / f"{number}.png")
        mask = np.zeros((12, 8), np.uint8)
        mask.ravel()[:number] = 255
        Image.fromarray(mask).save(tmp_path / f"mask{number}.png")
    return tmp_path


def source(folder, **options):
    paths = [folder / f"{number}.png" for number in range(6)]
    return ImageFiles(paths, [folder / f"mask{number}.png" for number in range(6)], **options)


def levels(frames):
    """The grey value of each frame, divided by 10."""
    return (frames[:, 0, 0, 0] // 10).tolist()


def test_frames_and_masks_are_read_in_the_order_asked_for(folder):
    files = source(folder)
    frames = files.frames([5, 0, 2])
    assert frames.shape == (3, 3, 12, 8)
    assert frames.dtype == np.uint8
    assert levels(frames) == [5, 0, 2]
    masks = files.masks([5, 0, 2])
    assert masks.shape == (3, 1, 12, 8)
    assert masks.sum(axis=(1, 2, 3)).tolist() == [5, 0, 2]
    assert set(np.unique(masks)) == {0, 1}


def test_recordings_have_no_truth_and_may_have_no_masks(folder):
    files = ImageFiles([folder / "0.png"])
    assert files.masks([0]) is None
    with pytest.raises(KeyError, match=r"0\.png is recorded"):
        files.truth("flow", [0])


def test_masks_are_read_by_one_rule_for_all_files_of_a_tracklet(tmp_path):
    mask = np.zeros((20, 10), np.uint8)
    mask[4:18, 3:7] = 1
    for number in range(40):
        Image.fromarray(mask if number == 31 else mask * 0).save(tmp_path / f"{number:02d}.png")
    files = MaskFiles(sorted(tmp_path.iterdir()))
    assert len(files) == 40
    assert (files.read([31])[0] == mask).all()
    assert files.read(range(40)).sum() == mask.sum()
    for number in range(40):
        Image.fromarray(1 - mask if number == 31 else mask * 0 + 1).save(tmp_path / f"{number:02d}.png")
    inverted = MaskFiles(sorted(tmp_path.iterdir()))
    assert inverted.read([5]).sum() == 0  # all white is nobody, as the one with a person tells
    assert (inverted.read([31])[0] == mask).all()


def test_a_missing_mask_is_reported_at_the_caller_s_line(folder):
    missing(folder / "mask0.png")
    with pytest.warns(UserWarning, match=r"mask0\.png .missing.") as reports:
        source(folder).masks([1])
    assert reports[0].filename == __file__


def test_an_ending_of_other_case_is_found(folder):
    (folder / "3.png").rename(folder / "3.PNG")
    (folder / "mask3.png").rename(folder / "mask3.PNG")
    files = source(folder)
    assert levels(files.frames([3])) == [3]
    assert files.masks([3]).sum() == 3
    assert files.broken == ()


def test_a_file_in_a_mode_that_cannot_be_read_is_named(tmp_path):
    Image.new("F", (4, 4)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"a\.tif: expected 8 or 16 bits"):
        ImageFiles([tmp_path / "a.tif"]).frames([0])
    with pytest.raises(ValueError, match=r"a\.tif: expected 8 or 16 bits"):
        MaskFiles([tmp_path / "a.tif"]).read([0])


def test_grey_images_are_cropped_and_resized(tmp_path):
    image = np.zeros((8, 16), np.uint8)
    image[:, 4:12] = 200
    Image.fromarray(image).save(tmp_path / "a.png")
    frames = ImageFiles([tmp_path / "a.png"], resolution=(4, 4), crop=(4, 0, 12, 8)).frames([0])
    assert frames.shape == (1, 3, 4, 4)
    assert (frames == 200).all()


def test_a_crop_outside_the_image_is_refused(folder):
    with pytest.raises(ValueError, match=r"0\.png: crop=\(0, 0, 9, 12\) is not within 8 × 12"):
        source(folder, crop=(0, 0, 9, 12)).frames([0])


def test_frames_of_several_sizes_need_a_resolution(folder):
    Image.new("RGB", (4, 4)).save(folder / "3.png")
    with pytest.raises(ValueError, match=r"differ in size, give resolution"):
        source(folder).frames([2, 3])
    assert source(folder, resolution=(12, 8)).frames([2, 3]).shape == (2, 3, 12, 8)


def test_paths_and_masks_must_match(folder):
    with pytest.raises(ValueError, match="at least one image"):
        ImageFiles([])
    with pytest.raises(ValueError, match="expected 2, one for each frame, not 1"):
        ImageFiles(["a", "b"], ["c"])


def missing(path):
    path.unlink()


def truncated(path):
    path.write_bytes(path.read_bytes()[:50])


def garbage(path):
    path.write_bytes(b"this is no image")


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [missing, truncated, garbage, empty])
@pytest.mark.parametrize("name", ["3.png", "mask3.png"])
def test_the_nearest_readable_frame_stands_in_for_a_broken_one(folder, spoil, name):
    spoil(folder / name)
    tracklet = Tracklet(1, 1, source(folder))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        shown = levels(tracklet.frames()), tracklet.masks().sum(axis=(1, 2, 3)).tolist()
        again = levels(tracklet.frames([3])), tracklet.masks([3]).sum(axis=(1, 2, 3)).tolist()
    [report] = caught  # once
    assert re.search(f"{name}.*nearest readable frame", str(report.message))
    whole, repaired = [0, 1, 2, 3, 4, 5], [0, 1, 2, 2, 4, 5]
    assert shown == ((repaired, whole) if name == "3.png" else (whole, repaired))
    assert again == (([2], [3]) if name == "3.png" else ([3], [2]))
    assert len(tracklet.source.broken) == 1
    assert name in tracklet.source.broken[0]


def test_what_is_read_does_not_depend_on_what_was_read_before(folder):
    missing(folder / "3.png")
    for order in ([3, 4], [4, 3], [0, 1, 2, 3, 4, 5]):
        files = source(folder)
        with pytest.warns(UserWarning, match="missing"):
            shown = [levels(files.frames([index]))[0] for index in order]
        assert shown == [2 if index == 3 else index for index in order]


def test_a_truncated_jpeg_is_noticed(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    for name in ("a.jpg", "b.jpg"):
        Image.fromarray(pixels).save(tmp_path / name)
    content = (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(content[: len(content) // 2])
    files = ImageFiles([tmp_path / "a.jpg", tmp_path / "b.jpg"])
    with pytest.warns(UserWarning, match=r"b\.jpg .*truncated"):
        frames = files.frames([1])
    assert (frames == files.frames([0])).all()


def test_a_healthy_tracklet_warns_of_nothing(folder):
    files = source(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files.frames(range(6))
    assert files.broken == ()


def test_a_tracklet_survives_with_half_of_its_frames(folder):
    for number in (0, 1, 5):
        missing(folder / f"{number}.png")
    files = source(folder)
    with pytest.warns(UserWarning, match="missing"):
        assert levels(files.frames(range(6))) == [2, 2, 2, 3, 4, 4]
    assert len(files.broken) == 3


def test_a_tracklet_with_fewer_is_refused_by_name(folder):
    for number in (0, 1, 4, 5):
        missing(folder / f"{number}.png")
    files = source(folder)
    with pytest.raises(OSError, match=r"4 of the 6 frames .*0\.png \(missing\); .*1\.png .*restore") as error:
        files.frames([0])
    assert "…" in str(error.value)


def test_image_files_can_be_pickled(folder):
    copy = pickle.loads(pickle.dumps(source(folder, resolution=(6, 4))))
    assert (copy.frames([3]) == source(folder, resolution=(6, 4)).frames([3])).all()


def test_preloaded_tracklets_need_their_files_no_more(folder):
    tracklets = [
        Tracklet(3, 2, source(folder), tracklet_id=7),
        Tracklet(4, 1, ImageFiles([folder / "2.png"])),
    ]
    expected = tracklets[0].frames([5, 1]), tracklets[0].masks([5, 1])
    loaded = preload(tracklets, progress=False)
    for path in folder.iterdir():
        path.unlink()
    assert (loaded[0].frames([5, 1]) == expected[0]).all()
    assert (loaded[0].masks([5, 1]) == expected[1]).all()
    assert (loaded[0].person_id, loaded[0].camera_id, loaded[0].tracklet_id) == (3, 2, 7)
    assert loaded[1].masks() is None
