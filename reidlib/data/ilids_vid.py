"""The loader of iLIDS-VID, and of everything in its layout.

Wang, Gong, Zhu, Wang, "Person re-identification by video ranking", ECCV 2014: 300 persons, each once under each of
two cameras of an airport hall. Below its folder:

    i-LIDS-VID/sequences/cam1/person001/cam1_person001_00317.png
    train-test people splits/train_test_splits_ilidsvid.mat      ls_set (10, 300), a row for each split: places from 1
                                                                 in the sorted list of persons; those of the first
                                                                 half are tested on, the others trained on
    splits.json                                                  what some collections of code keep instead, a list of
                                                                 {"train": ["person001", …], "test": […]}

Without either, the loader draws ten splits itself, with a warning.
"""

from pathlib import Path

import numpy as np

from reidlib.data import folders
from reidlib.data.matlab import is_vector, read_whole_numbers
from reidlib.data.tracklets import Benchmark
from reidlib.data.two_cameras import Split, drawn_splits, first_file, read_camera, read_splits, split_benchmark

SOURCE = "get it from http://www.eecs.qmul.ac.uk/~xiatian/downloads_qmul_iLIDS-VID_ReID_dataset.html"


def load(root: str | Path, split: int = 0, resolution: tuple[int, int] = (256, 128)) -> Benchmark:
    """iLIDS-VID, or whatever lies in its layout, as the benchmark of one split; images are read when needed.

    split: 0 to 9. Queries are under camera 1, the gallery under camera 2. resolution: (H, W) of the frames.

    FileNotFoundError or ValueError naming the file or folder at fault; broken images are dealt with as in
    `ImageFiles`.
    """
    places = ("i-LIDS-VID/sequences", "sequences")
    sequences = folders.find(root, places, f"the folders cam1 and cam2; {SOURCE}")
    cameras = tuple(
        read_camera(sequences / f"cam{camera}", r"person(\d+)", "person001", camera, resolution, SOURCE)
        for camera in (1, 2)
    )
    if alone := sorted(cameras[0].keys() ^ cameras[1].keys()):
        raise ValueError(f"{sequences}: person {alone[0]} has a folder under one camera only; {SOURCE}")
    people = sorted(cameras[0])
    places = (Path(root, "train-test people splits"), Path(root))
    names = ("train_test_splits_ilidsvid.mat", "splits.json")
    path = first_file([place / name for name in names for place in places])
    if path is None:
        return split_benchmark(cameras, drawn_splits(people), split, "iLIDS-VID drawn")
    listed = path.suffix.lower() == ".json"
    splits = read_splits(path, SOURCE) if listed else read_table(path, people)
    return split_benchmark(cameras, splits, split, "iLIDS-VID")


def read_table(path: str | Path, people: list[int]) -> list[Split]:
    """The splits of train_test_splits_ilidsvid.mat, for these persons, ascending.

    FileNotFoundError or ValueError naming the file if it is missing, unreadable, or made for other persons.
    """
    count = len(people)
    table = read_whole_numbers(Path(path), "ls_set", SOURCE, lambda values: count in (values.size, *values.shape[1:]))
    if is_vector(table):  # a single split
        table = table.reshape(1, -1)
    if table.ndim != 2 or table.shape[1] != len(people) or (np.sort(table) != np.arange(len(people)) + 1).any():
        raise ValueError(
            f"{path}: expected each row of ls_set to hold the numbers 1 to {len(people)}, one for each person that has "
            f"images, found shape {table.shape}; {SOURCE}"
        )
    half = len(people) // 2
    named = np.array(people)[table - 1]
    return [(sorted(row[half:].tolist()), sorted(row[:half].tolist())) for row in named]
