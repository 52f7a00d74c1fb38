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


def test_images_are_told_by_their_endings_in_any_case(tmp_path):
    touch(tmp_path, "1.JPG", "2.Png", "3.jpeg", "4.TIFF", "5.bmp", "6.webp", "7.txt", "8.png.part", "jpg")
    assert sorted(folders.image_names(tmp_path)) == ["1.JPG", "2.Png", "3.jpeg", "4.TIFF", "5.bmp", "6.webp"]
    assert folders.image_names(tmp_path / "none") == []


def test_what_operating_systems_leave_behind_is_not_seen(tmp_path):
    touch(tmp_path, "._1.png", "1.png", ".DS_Store", "Thumbs.db", "desktop.ini")
    assert folders.image_names(tmp_path) == ["1.png"]
    for name in ("__MACOSX", "@eaDir", ".Trashes", "001"):
        (tmp_path / name).mkdir()
    assert [path.name for path in folders.subfolders(tmp_path, "folders")] == ["001"]


def test_names_are_in_natural_order():
    names = ["cam 10", "Cam 2", "anna", "10", "2", "002", "Bob", "c1"]
    assert sorted(names, key=folders.natural) == ["002", "2", "10", "anna", "Bob", "c1", "Cam 2", "cam 10"]


def test_an_ending_may_be_of_other_case(tmp_path):
    touch(tmp_path, "a.JPG", "b.mat", "c.png", "c.PNG")
    assert folders.spelt(tmp_path / "a.jpg").name == "a.JPG"
    assert folders.spelt(f"{tmp_path}/b.MAT").name == "b.mat"
    assert [folders.spelt(tmp_path / name).name for name in ("c.png", "c.PNG")] == ["c.png", "c.PNG"]
    assert folders.spelt(tmp_path / "none.json") == tmp_path / "none.json"


def test_text_is_read_with_a_byte_order_mark_and_any_line_ends(tmp_path):
    for content in (b"a,1\nb,2", b"\xef\xbb\xbfa,1\r\nb,2\r\n\r\n", b"\n a,1\n,\nb,2\n"):
        (tmp_path / "t.csv").write_bytes(content)
        assert [row[0].strip() for _, row in folders.table(tmp_path / "t.csv")] == ["a", "b"]
        assert not folders.text(tmp_path / "t.csv").startswith("\ufeff")
    assert [line for line, _ in folders.table(tmp_path / "t.csv")] == [2, 4]  # lines of the file, for messages


def test_nobody_is_number_0():
    assert folders.person_numbers(["001", "7", "030"]) == {"001": 1, "7": 7, "030": 30}
    assert folders.person_numbers(["000", "7"]) == {"000": 1, "7": 8}
    assert folders.person_numbers(["p_b", "2", "p_a", "0"]) == {"2": 3, "0": 1, "p_a": 4, "p_b": 5}
    assert folders.person_numbers(["Anna", "bob"]) == {"Anna": 1, "bob": 2}
    assert folders.person_numbers([]) == {}
    for twice in (["1", "01"], ["Anna", "Anna"], ["3", "3"]):
        with pytest.raises(ValueError, match="expected each person once, found"):
            folders.person_numbers(twice)
