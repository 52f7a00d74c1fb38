"""Reading one variable of a MATLAB file, as several data sets' split and label files are."""

from pathlib import Path

import numpy as np
import scipy.io


def read_variable(path: Path, variable: str, source: str) -> np.ndarray:
    """A variable of a MATLAB file. FileNotFoundError or ValueError naming the file, and ending on `source`."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a MATLAB file with {variable}; {source}")
    try:
        contents = scipy.io.loadmat(path)
    except Exception as error:  # damaged files make scipy raise many kinds
        raise ValueError(f"{path}: cannot be read as a MATLAB file ({error}); {source}") from error
    if variable not in contents:
        found = ", ".join(name for name in contents if not name.startswith("__")) or "nothing"
        raise ValueError(f"{path}: expected the variable {variable}, found {found}; {source}")
    return contents[variable]


def read_whole_numbers(path: Path, variable: str, source: str) -> np.ndarray:
    """A variable that holds whole numbers, as int64; ValueError if it does not."""
    values = read_variable(path, variable, source)
    if values.dtype.kind not in "iuf" or (values != np.round(values)).any():
        raise ValueError(f"{path}: expected whole numbers in {variable}, found {values.dtype}; {source}")
    return values.astype(np.int64)
