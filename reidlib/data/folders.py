"""Listing what a data set keeps in folders; what is missing is named, with what was expected and where to get it.

Everything that looks into a folder looks here, so that all see the same files: images by their endings, in upper or
lower case, and nothing that operating systems leave behind (._x.png, .DS_Store, Thumbs.db, __MACOSX).
"""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

IMAGES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
LEFT_BEHIND = ("__MACOSX", "@eaDir")  # folders, beside those whose names begin with a dot


def find(root: str | Path, candidates: Iterable[str], expected: str) -> Path:
    """The first of the candidates, folders below `root`, that is there; FileNotFoundError if none is."""
    places = [Path(root, candidate) for candidate in candidates]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{places[0]}: expected {expected}")


def subfolders(folder: Path, expected: str) -> list[Path]:
    """The folders in a folder, in natural order; FileNotFoundError if there is none. Hidden ones are left out."""
    found = []
    if folder.is_dir():
        with os.scandir(folder) as entries:
            found = [e.name for e in entries if e.name[0] != "." and e.name not in LEFT_BEHIND and e.is_dir()]
    if not found:
        raise FileNotFoundError(f"{folder}: expected {expected}")
    return [folder / name for name in sorted(found, key=natural)]


def image_names(folder: str | Path) -> list[str]:
    """The names of the images in a folder, in no order; none if there is no folder."""
    if not os.path.isdir(folder):
        return []
    return [name for name in os.listdir(folder) if name[0] != "." and name.lower().endswith(IMAGES)]


def images(folder: Path, expected: str) -> list[Path]:
    """The images in a folder, in natural order: x_2.jpg before x_10.JPG; FileNotFoundError if there is none."""
    names = image_names(folder)
    if not names:
        raise FileNotFoundError(f"{folder}: expected {expected}")
    return [folder / name for name in sorted(names, key=natural)]


def natural(name: str) -> tuple[list, str]:
    """A sorting key for names: numbers count by their value, whatever their digits, and letters whatever their case."""
    pieces = re.split(r"(\d+)", name.casefold())
    return [int(piece) if number % 2 else piece for number, piece in enumerate(pieces)], name


def match(pattern: str, path: Path, example: str) -> tuple[str, ...]:
    """The groups of a file's or folder's name; ValueError showing an example if the name is none of its kind."""
    found = re.fullmatch(pattern, path.name)
    if found is None:
        raise ValueError(f"{path.parent}: expected names like {example}, found {path.name!r}")
    return found.groups()


def spelt(path: str | Path) -> Path:
    """The path as it lies there: .JPG where .jpg is given, or the other way round; as given if neither is there."""
    path = Path(path)
    if not path.exists():
        for suffix in (path.suffix.upper(), path.suffix.lower()):
            if (other := path.with_suffix(suffix)).exists():
                return other
    return path


def text(path: Path) -> str:
    """A text file in UTF-8, with or without a byte-order mark; line ends are \\n, whichever they are in the file."""
    return path.read_text(encoding="utf-8-sig", errors="replace")


def table(path: Path) -> list[tuple[int, list[str]]]:
    """The rows of a file of comma-separated values that are not blank, each with its line's number, from 1."""
    reader = csv.reader(text(path).splitlines(keepends=True))
    return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]


def person_numbers(names: Sequence[str]) -> dict[str, int]:
    """A number above 0 for every name, since 0 and below mean distractors and junk in a `Tracklet`.

    Names that are whole numbers keep them, all moved up by one if somebody's is 0. Other names are numbered on from
    there, in natural order. ValueError if a name, or a number in another spelling, is there twice.
    """
    known = [(int(name) if name.isdecimal() else name, name) for name in names]
    if twice := [who for who, count in Counter(who for who, _ in known).items() if count > 1]:
        raise ValueError(f"expected each person once, found {twice[0]} again")
    whole = {name: who for who, name in known if name != who}
    moved = int(0 in whole.values())
    named = sorted((name for who, name in known if name == who), key=natural)
    last = max(whole.values(), default=0) + moved
    return {name: number + moved for name, number in whole.items()} | {n: i for i, n in enumerate(named, last + 1)}
