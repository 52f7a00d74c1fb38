"""Reading variables of MATLAB files."""

import numpy as np
import pytest
import scipy.io

from reidlib.data.matlab import read_variable, read_whole_numbers


def test_variables_are_read(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"numbers": np.array([[1.0, 2.0]]), "words": "abc"})
    assert read_whole_numbers(tmp_path / "a.mat", "numbers", "").tolist() == [[1, 2]]
    assert read_whole_numbers(tmp_path / "a.mat", "numbers", "").dtype == np.int64
    assert read_variable(tmp_path / "a.mat", "words", "").tolist() == ["abc"]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, FileNotFoundError, "expected a MATLAB file with x; get it there"),
        (b"", ValueError, "cannot be read as a MATLAB file .*; get it there"),
        (b"garbage" * 99, ValueError, "cannot be read as a MATLAB file .*; get it there"),
        ({"y": 1, "z": 2}, ValueError, "expected the variable x, found y, z; get it there"),
        ({"x": [[0.5]]}, ValueError, "expected whole numbers in x, found float64; get it there"),
        ({"x": "text"}, ValueError, "expected whole numbers in x"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, content, error, message):
    path = tmp_path / "a.mat"
    if isinstance(content, dict):
        scipy.io.savemat(path, content)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=rf"a\.mat: {message}"):
        read_whole_numbers(path, "x", "get it there")
