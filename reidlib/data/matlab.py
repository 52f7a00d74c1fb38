"""Reading one variable of a MATLAB file, as several data sets' split and label files are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.io

from reidlib.data import folders


def read_variable(path: Path, variable: str, source: str, fits: Callable[[np.ndarray], bool]) -> np.ndarray:
    """A variable of a MATLAB file, or the only one there that `fits` if none is called so.

    FileNotFoundError or ValueError naming the file, and ending on `source`; the named variable is given without a look
    at whether it fits.
    """
    path = folders.spelt(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a MATLAB file with {variable}; {source}")
    with path.open("rb") as file:
        head = file.read(516)
        if b"\x89HDF" in (head[:4], head[512:]):
            raise ValueError(
                f"{path}: is a MATLAB file of version 7.3 (HDF5), which is not read here; load it in MATLAB and save "
                f"it again by save('{path.name}', '{variable}', '-v7')"
            )
    try:
        contents = scipy.io.loadmat(path)
    except Exception as error:  # damaged files make scipy raise many kinds
        raise ValueError(f"{path}: cannot be read as a MATLAB file ({error}); {source}") from error
    contents = {name: value for name, value in contents.items() if not name.startswith("__")}
    if variable in contents:
        return contents[variable]
    fitting = [value for value in contents.values() if fits(value)]
    if len(fitting) != 1:
        found = ", ".join(f"{name} {value.shape}" for name, value in contents.items()) or "nothing"
        raise ValueError(
            f"{path}: expected the variable {variable}, or a single one like it, found {found} "
            f"({len(fitting)} are like it); {source}"
        )
    return fitting[0]


def read_whole_numbers(path: Path, variable: str, source: str, fits: Callable[[np.ndarray], bool]) -> np.ndarray:
    """A variable that holds whole numbers, as int64; ValueError if it does not. `fits` as in `read_variable`."""
    values = read_variable(path, variable, source, lambda found: _are_whole(found) and fits(found))
    if not _are_whole(values):
        raise ValueError(f"{path}: expected whole numbers in {variable}, found {values.dtype}; {source}")
    return values.astype(np.int64)


def is_vector(values: np.ndarray) -> bool:
    """Whether an array is a vector, which MATLAB keeps as (1, N) or (N, 1)."""
    return values.ndim <= 2 and values.size in (0, max(values.shape, default=1))


def as_vector(values: np.ndarray, what: str) -> np.ndarray:
    """A vector (N,) of an array that `is_vector`; ValueError beginning with `what` for another."""
    if not is_vector(values):
        raise ValueError(f"{what}: expected one row or one column of numbers, found shape {values.shape}")
    return values.ravel()


def _are_whole(values: np.ndarray) -> bool:
    return values.dtype.kind in "iuf" and bool(np.isfinite(values).all() and (values == np.round(values)).all())
