"""The loader of your own pictures, in the simplest layout there is: three levels of folders, named as you like.

    IDENTITY/CAMERA/TRACKLET/frame.jpg    Anna/door/1/0001.jpg, Anna/door/2/…, 002/cam 2/morning/7.png, …
    split.csv                             optional: whom to train on, to search for and to search in

Identities, cameras and the tracklets of one identity under one camera are numbered from 1 in natural order of their
names ("cam 2" before "cam 10"); frames follow it, too. A camera of one name is the same for everybody. `names` tells
which number is whose.

split.csv has the columns identity and split and, where they are wanted, camera and tracklet:

    identity,camera,tracklet,split
    Anna,,,train                train: training tracklets
    002,cam 2,morning,query     query, gallery: tracklets of somebody who is not trained on
    002,,,gallery               junk: in the gallery, but never counted; distractor: a wrong answer to every query

A row without tracklet stands for all under this camera, one without camera for all of this identity; of several rows
that stand for a tracklet, the most exact one counts. Two equal ones may make it query and gallery.

Without split.csv every tracklet is query and gallery and there is nothing to train on, or half of the identities are
trained on (`half`). In either case only tracklets under another camera answer a query ("cross-camera").
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from reidlib.data import folders
from reidlib.data.images import ImageFiles
from reidlib.data.tracklets import Benchmark, Tracklet, complete, fingerprint, half_split, outline

LAYOUT = "IDENTITY/CAMERA/TRACKLET/frame.jpg"
SPLITS = ("train", "query", "gallery", "junk", "distractor")


class Place(NamedTuple):
    """The names of a tracklet's folders; in a row of split.csv, "" stands for all."""

    identity: str
    camera: str
    tracklet: str


def load(root: str | Path, half: int | None = None, resolution: tuple[int, int] = (256, 128)) -> Benchmark:
    """Your own pictures as a benchmark, called like the folder; images are read when they are needed.

    half: without split.csv, the seed that draws the half of the identities to train on, see
    `reidlib.data.half_split`. resolution: (H, W) of the frames. The fingerprint covers names, numbers of frames, the
    split and the resolution, not the pixels.

    FileNotFoundError or ValueError naming the file or folder at fault, where folders are not three levels deep, rows
    of split.csv do not fit, or no query has an answer under another camera. Broken images are dealt with as in
    `ImageFiles`.
    """
    root = Path(root)
    places = _places(root)
    tracklets = dict(zip(places, _tracklets(root, places, resolution)))
    name, path = root.resolve().name, folders.spelt(root / "split.csv")
    if path.is_file():
        if half is not None:
            raise ValueError(f"{path}: expected no such file where half={half} divides the identities; leave one out")
        benchmark = _divided(tracklets, read_split(path, places), name)
    elif half is not None:
        benchmark = half_split([*tracklets.values()], half, name)
    else:
        everybody = tuple(tracklets.values())
        benchmark = Benchmark((), everybody, everybody, "cross-camera", name, "")
    complete(benchmark, root, "which tracklets are which? say so in split.csv", train=False)
    _check_answers(root, benchmark)
    parts = map(outline, (benchmark.train, benchmark.query, benchmark.gallery))
    return replace(benchmark, fingerprint=fingerprint(repr([*map(tuple, places)]), *parts, repr(resolution)))


def names(root: str | Path) -> tuple[list[str], list[str]]:
    """The names of identities and cameras below `root`; number n of a tracklet is that of the n-th, from 1."""
    places = _places(Path(root))
    return _ordered({place.identity for place in places}), _ordered({place.camera for place in places})


def read_split(path: str | Path, places: Sequence[Place]) -> dict[Place, set[str]]:
    """What split.csv says of each of these tracklets: one of `SPLITS`, or both query and gallery.

    ValueError naming the file and the line for columns or splits of other names, a row that stands for no tracklet or
    is there twice, a tracklet without a row or in two splits that exclude each other, or an identity that is both
    trained on and searched.
    """
    path = Path(path)
    rows = folders.table(path)
    header = [name.strip().lower() for name in rows[0][1]] if rows else []
    if not {"identity", "split"} <= {*header} <= {*Place._fields, "split"}:
        raise ValueError(f"{path}: expected the columns identity, split and perhaps camera, tracklet, found {header}")
    known = {key for place in places for key in _keys(place)}
    listed: dict[Place, set[str]] = {}
    for line, row in rows[1:]:
        cells = {name: cell.strip() for name, cell in zip(header, row)}
        split = cells.pop("split", "").lower()
        key = Place(*(cells.get(name, "") for name in Place._fields))
        where = f"{path}, line {line}"
        if split not in SPLITS:
            raise ValueError(f"{where}: expected one of {', '.join(SPLITS)} as split, found {split!r}")
        if key not in known:
            raise ValueError(
                f"{where}: there is no folder for {tuple(key)}, identity, camera and tracklet; identities are "
                f"{', '.join(_ordered({place.identity for place in places})[:5])}, … (spreadsheets turn 002 into 2)"
            )
        others = listed.setdefault(key, set())
        if others and (split in others or others | {split} != {"query", "gallery"}):
            raise ValueError(f"{where}: {tuple(key)} is {' and '.join(sorted(others))} already, by another row")
        others.add(split)
    found = {place: next((listed[key] for key in _keys(place) if key in listed), set()) for place in places}
    if without := [place for place, splits in found.items() if not splits]:
        raise ValueError(
            f"{path}: expected a row for every tracklet, found none for {'/'.join(without[0])} ({len(without)} are "
            "without; junk is never counted)"
        )
    trained = {place.identity for place, splits in found.items() if "train" in splits}
    searched = {place.identity for place, splits in found.items() if splits & {"query", "gallery"}}
    if both := _ordered(trained & searched):
        raise ValueError(f"{path}: identity {both[0]!r} is trained on and searched ({len(both)} are)")
    return found


def _keys(place: Place) -> tuple[Place, Place, Place]:
    """The rows that may stand for a tracklet, the most exact one first."""
    return place, place._replace(tracklet=""), place._replace(camera="", tracklet="")


def _places(root: Path) -> list[Place]:
    """All tracklets' folders, in natural order."""
    return [
        Place(identity.name, camera.name, tracklet.name)
        for identity in _inside(root, "identity")
        for camera in _inside(identity, "camera")
        for tracklet in _inside(camera, "tracklet")
    ]


def _inside(place: Path, level: str) -> list[Path]:
    """The folders in a folder that holds nothing else."""
    expected = f"a folder for each {level}; the layout is {LAYOUT}"
    if loose := folders.image_names(place):
        raise ValueError(f"{place}: expected {expected}; found images here ({min(loose)}, …), so a level is missing")
    return folders.subfolders(place, expected)


def _tracklets(root: Path, places: Sequence[Place], resolution: tuple[int, int]) -> list[Tracklet]:
    identities, cameras = (
        {name: number for number, name in enumerate(_ordered(found), start=1)}
        for found in ({place.identity for place in places}, {place.camera for place in places})
    )
    tracklets = []
    for (identity, camera), group in groupby(places, key=lambda place: place[:2]):
        for number, place in enumerate(group, start=1):
            paths = folders.images(root.joinpath(*place), f"the images of a tracklet; the layout is {LAYOUT}")
            source = ImageFiles(paths, resolution=resolution)
            tracklets.append(Tracklet(identities[identity], cameras[camera], source, number))
    return tracklets


def _divided(tracklets: Mapping[Place, Tracklet], split: Mapping[Place, set[str]], name: str) -> Benchmark:
    """The benchmark by what split.csv says."""
    people = {"junk": -1, "distractor": 0}
    parts = {part: [tracklets[place] for place, splits in split.items() if part in splits] for part in SPLITS}
    others = [replace(tracklet, person_id=people[part]) for part in people for tracklet in parts[part]]
    train, query, gallery = (tuple(parts[part]) for part in ("train", "query", "gallery"))
    return Benchmark(train, query, (*gallery, *others), "cross-camera", name, "")


def _check_answers(root: Path, benchmark: Benchmark) -> None:
    cameras: dict[int, set[int]] = {}
    for tracklet in benchmark.gallery:
        cameras.setdefault(tracklet.person_id, set()).add(tracklet.camera_id)
    if not any(cameras.get(query.person_id, set()) - {query.camera_id} for query in benchmark.query):
        raise ValueError(
            f"{root}: expected queries that the gallery shows under another camera, found none among "
            f"{len(benchmark.query)}; across cameras nothing else counts (the layout is {LAYOUT})"
        )


def _ordered(found: set[str]) -> list[str]:
    return sorted(found, key=folders.natural)
