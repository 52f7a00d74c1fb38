"""The loader of MARS, and of everything in its layout.

Zheng, Bie, Sun, Wang, Su, Wang, Tian, "MARS: a video benchmark for large-scale person re-identification",
ECCV 2016. Below its folder:

    bbox_train/0001/0001C1T0001F001.jpg    person, camera, tracklet, frame
    bbox_test/0002/…                       0000 holds distractors, 00-1 junk
    info/train_name.txt, test_name.txt     all file names, in the order that the tables count in
    info/tracks_train_info.mat             track_train_info (8298, 4): first and last line of the names
                                           (from 1, inclusive), person and camera of each tracklet
    info/tracks_test_info.mat              track_test_info (12180, 4), likewise
    info/query_IDX.mat                     query_IDX (1, 1980): rows (from 1) of track_test_info
    mars_attributes.csv                    optional, see `reidlib.data.attributes`
    mask_train/…, mask_test/…              optional, no part of MARS: silhouettes by any segmentation method, PNG
                                           files of the images' names, read as `reidlib.data.decoding` says

Two set-ups are in use. "usual": the gallery is everything but queries and junk (9330 tracklets), so that
140 queries have no match from another camera; they stay in `query`, and the evaluation counts them as not
valid. "mixing": the queries are in the gallery as well (11 310), and every query has a match.
"""

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from reidlib.data import attributes as attribute_files
from reidlib.data import folders
from reidlib.data.images import ImageFiles
from reidlib.data.matlab import as_vector, is_vector, read_whole_numbers
from reidlib.data.tracklets import Benchmark, Tracklet, complete, fingerprint

IMAGES_FROM = "get it from http://www.liangzheng.com.cn/Project/project_mars.html"
INFO_FROM = "get it from https://github.com/liangzheng06/MARS-evaluation"

_NAME = re.compile(r"(\d{4}|00-1)C(\d+)T(\d+)F(\d+)\.\w+")


class FrameName(NamedTuple):
    """What a file name says; ordered as the frames of a folder are."""

    person_id: int
    camera_id: int
    tracklet_id: int
    frame: int


def parse_name(name: str, where: str | Path) -> FrameName:
    """Read a file name such as 0065C1T0002F016.jpg; ValueError mentioning `where` if it is none."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{where}: expected a file name like 0065C1T0002F016.jpg, found {name!r}")
    person, *numbers = match.groups()
    return FrameName(-1 if person == "00-1" else int(person), *map(int, numbers))


@dataclass(frozen=True)
class MarsInfo:
    """The split files of MARS.

    train and test: int64 (N, 4), for each tracklet the first and last line of the name list (from 1,
    inclusive), the person and the camera. query: int64 (Q,), rows of `test`, from 0.
    """

    train: np.ndarray
    test: np.ndarray
    query: np.ndarray

    def gallery(self, setup: Literal["usual", "mixing"], junk: bool = False) -> np.ndarray:
        """Rows of `test` that are the gallery of a set-up, ascending; with `junk`, junk stays in it."""
        if setup not in ("usual", "mixing"):
            raise ValueError(f"setup={setup!r}: expected 'usual' or 'mixing'")
        kept = np.ones(len(self.test), bool) if junk else self.test[:, 2] >= 0
        if setup == "usual":
            kept[self.query] = False
        return np.flatnonzero(kept)


def read_info(folder: str | Path) -> MarsInfo:
    """Read tracks_train_info.mat, tracks_test_info.mat and query_IDX.mat of a folder.

    FileNotFoundError or ValueError naming the file, what was expected there and where to get it.
    """
    folder = Path(folder)
    train = _read_table(folder / "tracks_train_info.mat", "track_train_info")
    test = _read_table(folder / "tracks_test_info.mat", "track_test_info")
    path = folder / "query_IDX.mat"
    query = as_vector(read_whole_numbers(path, "query_IDX", INFO_FROM, is_vector), f"{path}: query_IDX")
    if query.size and not 1 <= query.min() <= query.max() <= len(test):
        raise ValueError(
            f"{path}: expected row numbers from 1 to {len(test)}, found {query.min()} to {query.max()}; {INFO_FROM}"
        )
    return MarsInfo(train, test, query - 1)


def _read_table(path: Path, variable: str) -> np.ndarray:
    table = read_whole_numbers(path, variable, INFO_FROM, lambda values: values.shape[1:] == (4,))
    if table.ndim != 2 or table.shape[1] != 4:
        raise ValueError(f"{path}: expected {variable} with 4 columns, found shape {table.shape}; {INFO_FROM}")
    wrong = np.flatnonzero((table[:, 0] < 1) | (table[:, 1] < table[:, 0]))
    if wrong.size:
        row = wrong[0]
        raise ValueError(f"{path}: row {row + 1} of {variable} is no range of lines: {table[row, :2]}; {INFO_FROM}")
    return table


def load(
    root: str | Path,
    setup: Literal["usual", "mixing"] = "usual",
    attributes: str | Path | None = None,
    resolution: tuple[int, int] = (256, 128),
    junk: bool = False,
    masks: bool = False,
) -> Benchmark:
    """MARS, or whatever lies in its layout, as a benchmark; images are read when they are needed.

    setup: see the top of this file. junk: keep junk in the gallery, to show what that does. attributes: the
    annotation file; mars_attributes.csv in `root` by default, where that exists. resolution: (H, W) of the
    frames. masks: read mask_train and mask_test, too; they need a file for every image, empty where nobody was found.
    The fingerprint covers everything in info/, the attributes, and these arguments, not the pixels.

    FileNotFoundError or ValueError naming the file at fault; broken images are dealt with as in
    `ImageFiles`.
    """
    root = Path(root)
    attributes = attribute_files.annotation(attributes, root / "mars_attributes.csv", attribute_files.MARS)
    info = read_info(root / "info")
    gallery = info.gallery(setup, junk)
    for what, rows in (("tracks_train_info", info.train), ("query_IDX", info.test[info.query])):
        if (rows[:, 2] <= 0).any():
            raise ValueError(f"{root / 'info' / what}.mat: expected persons, found a distractor or junk; {INFO_FROM}")
    names = {part: _names(root, part, masks) for part in ("train", "test")}
    train = _listed(root, "train", info.train, names["train"], resolution, masks)
    test = _listed(root, "test", info.test, names["test"], resolution, masks)
    if attributes is not None:
        train = attribute_files.join_attributes(train, attributes, attribute_files.MARS)
        test = attribute_files.join_attributes(test, attributes, attribute_files.MARS)
    benchmark = Benchmark(
        train=tuple(train),
        query=tuple(test[row] for row in info.query),
        gallery=tuple(test[row] for row in gallery),
        protocol="cross-camera",
        name="MARS" if setup == "usual" else "MARS mixing",
        fingerprint=fingerprint(
            *(table.tobytes() for table in (info.train, info.test, info.query, gallery)),
            *(_names_file(root, part).read_bytes() for part in ("train", "test")),
            b"" if attributes is None else attributes.read_bytes(),
            repr(resolution),
            *(["masks"] if masks else []),
        ),
    )
    return complete(benchmark, root, f"are the files of info/ whole? {INFO_FROM}")


def _names_file(root: Path, part: str) -> Path:
    return folders.spelt(root / "info" / f"{part}_name.txt")


def _names(root: Path, part: str, masks: bool) -> list[str]:
    """The names of all images of bbox_train or bbox_test, whose folders are there, and those of the masks."""
    path = _names_file(root, part)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected the names of all images of bbox_{part}, a line each; {INFO_FROM}")
    names = folders.text(path).split()
    images = root / f"bbox_{part}"
    people = {name[:4] for name in names}
    if absent := [person for person in sorted(people) if not (images / person).is_dir()]:
        raise FileNotFoundError(
            f"{images / absent[0]}: expected a folder of images ({len(absent)} of {len(people)} folders are "
            f"missing); {IMAGES_FROM}"
        )
    if masks and not (root / f"mask_{part}").is_dir():
        raise FileNotFoundError(
            f"{root / f'mask_{part}'}: expected silhouettes named like the images of bbox_{part}, but ending on .png; "
            "make them by a segmentation method of your choice"
        )
    return names


def _listed(
    root: Path, part: str, table: np.ndarray, names: list[str], resolution: tuple[int, int], masks: bool
) -> list[Tracklet]:
    """The tracklets of bbox_train or bbox_test, by the table and the list of names."""
    path, images = _names_file(root, part), root / f"bbox_{part}"
    if len(table) and table[:, 1].max() > len(names):
        raise ValueError(
            f"{path}: expected {table[:, 1].max()} names or more, as tracks_{part}_info.mat counts them, "
            f"found {len(names)}; {INFO_FROM}"
        )
    tracklets = []
    for first, last, person, camera in table.tolist():
        frames = names[first - 1 : last]
        start = parse_name(frames[0], path)
        prefix = frames[0][: frames[0].index("T") + 1]
        if start[:2] != (person, camera) or not all(name.startswith(prefix) for name in frames):
            raise ValueError(
                f"{path}, lines {first} to {last}: expected frames of person {person} by camera {camera}, as "
                f"tracks_{part}_info.mat says, found {frames[0]} to {frames[-1]}; {INFO_FROM}"
            )
        paths = [f"{images}/{name[:4]}/{name}" for name in frames]
        shapes = [f"{root}/mask_{part}/{name[:4]}/{Path(name).stem}.png" for name in frames] if masks else None
        source = ImageFiles(paths, shapes, resolution)
        tracklets.append(Tracklet(person, camera, source, start.tracklet_id))
    return tracklets


def read_tracklets(
    folder: str | Path,
    resolution: tuple[int, int] = (256, 128),
    crop: tuple[int, int, int, int] | None = None,
    attributes: str | Path | None = None,
) -> list[Tracklet]:
    """Every tracklet of a folder such as bbox_train, as the file names tell, without info/.

    resolution and crop are those of `ImageFiles`; attributes: an annotation file to join. Ordered by
    person, camera and tracklet. FileNotFoundError if there are no images; ValueError for an image named
    otherwise, or if the first one does not hold the crop.
    """
    expected = f"images such as 0065/0065C1T0002F016.jpg; {IMAGES_FROM}"
    people = folders.subfolders(Path(folder), expected)
    paths = [person / name for person in people for name in folders.image_names(person)]
    if not paths:
        raise FileNotFoundError(f"{folder}: expected {expected}")
    frames = sorted((parse_name(path.name, path.parent), path) for path in paths)
    if crop is not None:
        _check_crop(frames[0][1], crop)
    tracklets = [
        Tracklet(person, camera, ImageFiles([path for _, path in group], None, resolution, crop), number)
        for (person, camera, number), group in groupby(frames, key=lambda frame: frame[0][:3])
    ]
    if attributes is None:
        return tracklets
    return attribute_files.join_attributes(tracklets, attributes, attribute_files.MARS)


def _check_crop(path: Path, crop: tuple[int, int, int, int]) -> None:
    """ValueError if an image is smaller than the part of it that is to be used."""
    with Image.open(path) as image:
        width, height = image.size
    if crop[2] > width or crop[3] > height:
        raise ValueError(
            f"{path}: expected images that hold crop={crop}, such as the edge maps of MARS, 256 × 256 pixels each, "
            f"found {width} × {height}; the images of MARS itself show the person alone: read them by "
            "reidlib.data.mars.load, without a crop"
        )
