"""Listing what a data set keeps in folders; what is missing is named, with what was expected and where to get it."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

IMAGES = (".jpg", ".png")


def find(root: str | Path, candidates: Iterable[str], expected: str) -> Path:
    """The first of the candidates, folders below `root`, that is there; FileNotFoundError if none is."""
    places = [Path(root, candidate) for candidate in candidates]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{places[0]}: expected {expected}")


def subfolders(folder: Path, expected: str) -> list[Path]:
    """The folders in a folder, by name; FileNotFoundError if there is none. Hidden ones are left out."""
    found = []
    if folder.is_dir():
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    if not found:
        raise FileNotFoundError(f"{folder}: expected {expected}")
    return [folder / name for name in sorted(found)]


def images(folder: Path, expected: str) -> list[Path]:
    """The images in a folder, ordered by the numbers in their names; FileNotFoundError if there is none."""
    names = []
    if folder.is_dir():
        names = [name for name in os.listdir(folder) if name.endswith(IMAGES) and not name.startswith(".")]
    if not names:
        raise FileNotFoundError(f"{folder}: expected {expected}")
    return [folder / name for name in sorted(names, key=numbers)]


def numbers(name: str) -> tuple[list[int], str]:
    """A sorting key for file names: the numbers in the name, whatever their digits, then the name itself."""
    return [int(digits) for digits in re.findall(r"\d+", name)], name


def match(pattern: str, path: Path, example: str) -> tuple[str, ...]:
    """The groups of a file's or folder's name; ValueError showing an example if the name is none of its kind."""
    found = re.fullmatch(pattern, path.name)
    if found is None:
        raise ValueError(f"{path.parent}: expected names like {example}, found {path.name!r}")
    return found.groups()
