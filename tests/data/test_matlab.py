"""Reading variables of MATLAB files."""

import numpy as np
import pytest
import scipy.io

from reidlib.data.matlab import as_vector, is_vector, read_variable, read_whole_numbers


def anything(values):
    return True


def test_variables_are_read(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"numbers": np.array([[1.0, 2.0]]), "words": "abc"})
    assert read_whole_numbers(tmp_path / "a.mat", "numbers", "", anything).tolist() == [[1, 2]]
    assert read_whole_numbers(tmp_path / "a.mat", "numbers", "", anything).dtype == np.int64
    assert read_variable(tmp_path / "a.mat", "words", "", anything).tolist() == ["abc"]


def test_a_variable_of_another_name_is_taken_if_it_alone_fits(tmp_path):
    contents = {"table": np.ones((3, 4)), "note": "by hand", "halves": np.full((3, 4), 0.5), "vector": np.ones((1, 3))}
    scipy.io.savemat(tmp_path / "a.mat", contents)
    assert read_whole_numbers(tmp_path / "a.mat", "x", "", lambda v: v.shape[1:] == (4,)).shape == (3, 4)
    assert read_whole_numbers(tmp_path / "a.mat", "x", "", is_vector).tolist() == [[1, 1, 1]]
    with pytest.raises(ValueError, match=r"a\.mat: expected the variable x, .* found table \(3, 4\), .* \(2 are like"):
        read_variable(tmp_path / "a.mat", "x", "", lambda v: v.shape == (3, 4))
    named = read_whole_numbers(tmp_path / "a.mat", "table", "", is_vector)  # the named one comes first, fit or not
    assert named.shape == (3, 4)


def test_vectors_are_rows_and_columns():
    for values in ([[1, 2, 3]], [[1], [2], [3]], [1, 2, 3]):
        assert as_vector(np.array(values), "x").tolist() == [1, 2, 3]
    assert as_vector(np.zeros((0, 1)), "x").shape == as_vector(np.zeros((1, 0)), "x").shape == (0,)
    with pytest.raises(ValueError, match=r"x: expected one row or one column of numbers, found shape \(2, 2\)"):
        as_vector(np.ones((2, 2)), "x")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, FileNotFoundError, "expected a MATLAB file with x; get it there"),
        (b"", ValueError, "cannot be read as a MATLAB file .*; get it there"),
        (b"garbage" * 99, ValueError, "cannot be read as a MATLAB file .*; get it there"),
        ({"y": 1, "z": 2}, ValueError, r"expected the variable x, .*found y \(1, 1\), z \(1, 1\) .*; get it there"),
        ({"x": [[0.5]]}, ValueError, "expected whole numbers in x, found float64; get it there"),
        ({"x": [[np.nan]]}, ValueError, "expected whole numbers in x"),
        ({"x": [[np.inf]]}, ValueError, "expected whole numbers in x"),
        ({"x": "text"}, ValueError, "expected whole numbers in x"),
        (
            b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n",
            ValueError,
            r"version 7\.3 .*save\('a\.mat', 'x', '-v7",
        ),
        (b"\x89HDF\r\n\x1a\n" * 9, ValueError, r"is a MATLAB file of version 7\.3 \(HDF5\)"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, content, error, message):
    path = tmp_path / "a.mat"
    if isinstance(content, dict):
        scipy.io.savemat(path, content)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=rf"a\.mat: .*{message}"):
        read_whole_numbers(path, "x", "get it there", anything)
