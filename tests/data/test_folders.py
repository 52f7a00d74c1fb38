"""Listing folders and images, and saying what is missing."""

import pytest

from reidlib.data import folders


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def test_images_are_ordered_by_number_whatever_their_digits(tmp_path):
    touch(tmp_path, "cam1_9.png", "cam1_10.png", "cam1_0002.png", "notes.txt", ".cam1_1.png", "cam1_0011.jpg")
    names = [path.name for path in folders.images(tmp_path, "images")]
    assert names == ["cam1_0002.png", "cam1_9.png", "cam1_10.png", "cam1_0011.jpg"]


def test_subfolders_leave_out_files_and_hidden_folders(tmp_path):
    for name in ("b", "a", ".git"):
        (tmp_path / name).mkdir()
    touch(tmp_path, "c")
    assert [path.name for path in folders.subfolders(tmp_path, "folders")] == ["a", "b"]


@pytest.mark.parametrize("listing", [folders.subfolders, folders.images])
def test_an_empty_and_a_missing_folder_are_refused_alike(tmp_path, listing):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(FileNotFoundError, match=f"{folder.name}: expected this; get it there"):
            listing(folder, "this; get it there")


def test_the_first_place_that_is_there_is_found(tmp_path):
    (tmp_path / "inner" / "data").mkdir(parents=True)
    assert folders.find(tmp_path, ("data", "inner/data"), "data") == tmp_path / "inner" / "data"
    with pytest.raises(FileNotFoundError, match="data: expected all of it"):
        folders.find(tmp_path, ("data",), "all of it")


def test_names_are_taken_apart(tmp_path):
    assert folders.match(r"person_(\d+)", tmp_path / "person_0012", "person_0001") == ("0012",)
    with pytest.raises(ValueError, match=r"expected names like person_0001, found 'person_x'"):
        folders.match(r"person_(\d+)", tmp_path / "person_x", "person_0001")
