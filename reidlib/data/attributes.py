"""Tracklet-level attributes: which columns the annotation files have, reading them, joining them to
tracklets.

Chen, Li, Wang, "A temporal attentive approach for video-based pedestrian attribute recognition" (PRCV 2019)
annotate MARS and DukeMTMC-VideoReID with attributes that stay with a person (identity-relevant), motion and
pose, which do not (identity-irrelevant), and flags of a tracklet's quality. The two files have different
columns. "Identity-relevant" labels are given to each tracklet, and not always the same for all tracklets of
a person (208 of MARS's 1259).
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reidlib.data import folders
from reidlib.data.tracklets import Tracklet

KEYS = ("person_id", "camera_id", "tracklets_id")  # the last is the T number of MARS's file names
SPELLINGS = {"tracklet_id": "tracklets_id", "muti-person": "multi-person"}  # as found in some files
SOURCE = "get it from http://irip.buaa.edu.cn/mars_duke_attributes/index.html"

AttributeTable = Mapping[tuple[int, int, int], Mapping[str, int]]  # {(person, camera, T number): {name: code}}


@dataclass(frozen=True)
class Attribute:
    """A column: codes 0 to num_codes - 1, and what they mean where that is documented."""

    name: str
    num_codes: int = 2
    meanings: tuple[str, ...] | None = None


def _plain(*names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name) for name in names)


@dataclass(frozen=True)
class Schema:
    """The attributes of one annotation file, in the order of its columns.

    keys: the columns that say which tracklet a row describes.
    """

    name: str
    id_irrelevant: tuple[Attribute, ...]
    quality: tuple[Attribute, ...]
    id_relevant: tuple[Attribute, ...]
    keys: tuple[str, ...] = KEYS

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """All attributes, in the order of the file."""
        return self.id_irrelevant + self.quality + self.id_relevant


_TOP = ("black", "purple", "green", "blue", "gray", "white", "yellow", "red", "complex")
_BOTTOM = ("white", "purple", "black", "green", "dark gray", "pink", "yellow", "blue", "brown", "complex")
_AGE = ("young", "teenager", "adult", "old")
_MOTION_AND_POSE = (Attribute("motion", 5), Attribute("pose", 6))
_QUALITY = (
    *_plain("occlusion", "cut-out", "multi-person", "background-dominant"),
    *_plain("target-change", "target-miss", "wrong-target"),
)

MARS = Schema(
    "MARS",
    id_irrelevant=_MOTION_AND_POSE,
    quality=_QUALITY,
    id_relevant=(
        Attribute("top color", 9, _TOP),
        Attribute("bottom color", 10, _BOTTOM),
        Attribute("age", 4, _AGE),
        *_plain("top length", "bottom length", "shoulder bag", "backpack", "hat", "hand bag"),
        *_plain("hair", "gender", "bottom type"),
    ),
)

DUKE = Schema(
    "DukeMTMC-VideoReID",
    id_irrelevant=_MOTION_AND_POSE,
    quality=_QUALITY,
    id_relevant=(
        *_plain("backpack", "bag", "handbag", "boots", "gender", "hat", "shoes", "top"),
        Attribute("bottom color", 8),
        Attribute("top color", 9),
    ),
    keys=KEYS[:2],  # a person has one tracklet under each camera; editions number the tracklets differently
)


def read_attributes(path: str | Path, schema: Schema) -> AttributeTable:
    """Read an annotation file; further columns than the schema's are ignored.

    FileNotFoundError if it is missing; ValueError naming file, line and column for a column that is
    missing, a cell that is no integer, a code that the schema does not know, a tracklet listed twice, or a
    file without rows.
    """
    path = annotation(path, None, schema)
    rows = folders.table(path)
    if len(rows) < 2:
        raise ValueError(f"{path}: expected a header and a row for each tracklet, found neither; {SOURCE}")
    header = [SPELLINGS.get(name.strip(), name.strip()) for name in rows[0][1]]
    sizes = {key: None for key in KEYS} | {attribute.name: attribute.num_codes for attribute in schema.attributes}
    if missing := [name for name in sizes if name not in header]:
        raise ValueError(f"{path}: expected all columns of {schema.name}; missing: {', '.join(missing)}; {SOURCE}")
    columns = {name: header.index(name) for name in sizes}
    table: dict[tuple[int, int, int], dict[str, int]] = {}
    for line, row in rows[1:]:
        values = {name: _code(path, line, name, row, columns[name], sizes[name]) for name in sizes}
        key = tuple(values.pop(name) for name in KEYS)
        if key in table:
            raise ValueError(f"{path}, line {line}: tracklet {key} (person, camera, T) is listed a second time")
        table[key] = values
    return table


def annotation(given: str | Path | None, beside: Path | None, schema: Schema) -> Path | None:
    """The annotation file that is given, else the one beside the images where there is one, else None.

    FileNotFoundError if the one that is given is not there.
    """
    if given is None:
        beside = folders.spelt(beside)
        return beside if beside.is_file() else None
    path = folders.spelt(given)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected the attribute annotation of {schema.name}; {SOURCE}")
    return path


def _code(path: Path, line: int, name: str, row: list[str], column: int, num_codes: int | None) -> int:
    cell = row[column] if column < len(row) else ""
    try:
        code = int(cell)
    except ValueError:
        raise ValueError(f"{path}, line {line}, column {name!r}: expected an integer, found {cell!r}") from None
    if num_codes is not None and not 0 <= code < num_codes:
        raise ValueError(f"{path}, line {line}, column {name!r}: expected 0 to {num_codes - 1}, found {code}")
    return code


def join_attributes(tracklets: Sequence[Tracklet], path: str | Path, schema: Schema) -> list[Tracklet]:
    """The tracklets with their attributes, looked up by person and camera and, where the schema's keys hold it, T
    number.

    Distractors and junk are not annotated and stay as they are. ValueError if an identity's tracklet has no
    row, or more than one.
    """
    used = len(schema.keys)
    table: dict[tuple[int, ...], Mapping[str, int]] = {}
    for key, codes in read_attributes(path, schema).items():
        if key[:used] in table:
            raise ValueError(f"{path}: expected one row for person {key[0]}, camera {key[1]}; {SOURCE}")
        table[key[:used]] = codes
    joined = []
    for tracklet in tracklets:
        key = (tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id)
        if tracklet.person_id > 0 and key[:used] not in table:
            raise ValueError(
                f"{path}: expected a row for person {key[0]}, camera {key[1]}, tracklet {key[2]}; "
                f"is this the annotation of these images? {SOURCE}"
            )
        joined.append(replace(tracklet, attributes=table.get(key[:used], {})))
    return joined


def write_attributes(path: str | Path, tracklets: Sequence[Tracklet], schema: Schema) -> None:
    """Write the attributes of all identities' tracklets as an annotation file with the schema's columns.

    ValueError if a tracklet lacks one of them.
    """
    names = [attribute.name for attribute in schema.attributes]
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*KEYS, *names))
        for tracklet in tracklets:
            if tracklet.person_id <= 0:
                continue
            if missing := [name for name in names if name not in tracklet.attributes]:
                raise ValueError(
                    f"tracklet {tracklet.tracklet_id} of person {tracklet.person_id} lacks attributes of "
                    f"{schema.name}: {', '.join(missing)}"
                )
            key = (tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id)
            writer.writerow((*key, *(tracklet.attributes[name] for name in names)))
