"""What PRID-2011 and iLIDS-VID share: persons seen once by each of two cameras, and splits into halves.

The queries are the test persons under camera 1, the gallery the same persons under camera 2. There are ten splits by
custom, and results are means over them. Where a data set's folder lacks the published ones, ten are drawn, the same
at every call; a warning and the benchmark's name say so.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reidlib.data import folders
from reidlib.data.images import ImageFiles
from reidlib.data.notices import warn
from reidlib.data.tracklets import Benchmark, Tracklet, complete, fingerprint, outline

NUM_SPLITS = 10
PARTS = ("train", "test")

Split = tuple[Sequence[int], Sequence[int]]  # persons to train on, persons to test on


def read_camera(
    folder: Path, pattern: str, example: str, camera: int, resolution: tuple[int, int], source: str
) -> dict[int, Tracklet]:
    """The persons' tracklets of one camera, {person: tracklet}, from one folder of images for each person.

    pattern: a folder's name, with the person's number as its group; example: such a name. FileNotFoundError for a
    folder without images, ValueError for one named otherwise; both end on `source`, where to get the data.
    """
    tracklets = {}
    for place in folders.subfolders(folder, f"folders such as {example}; {source}"):
        (number,) = folders.match(pattern, place, example)
        if int(number) in tracklets:
            raise ValueError(f"{place}: expected one folder of person {int(number)}, found another; {source}")
        paths = folders.images(place, f"the frames of person {int(number)} by camera {camera}; {source}")
        tracklets[int(number)] = Tracklet(int(number), camera, ImageFiles(paths, resolution=resolution), tracklet_id=1)
    return tracklets


def read_splits(path: Path, source: str) -> list[Split]:
    """The splits of a JSON file, a list of {"train": ["person_0001", …], "test": […]}, as persons' numbers.

    FileNotFoundError if it is missing; ValueError if it is not such a file, or somebody is in both halves of a split.
    """
    path = folders.spelt(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected the list of splits; {source}")
    try:
        splits = [
            tuple([int(name.removeprefix("person").removeprefix("_")) for name in entry[part]] for part in PARTS)
            for entry in json.loads(folders.text(path))
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{path}: expected a list of {{"train": ["person_0001", …], "test": […]}}, which this is not '
            f"({type(error).__name__}: {error}); {source}"
        ) from error
    for number, (train, test) in enumerate(splits):
        if twice := sorted(set(train) & set(test)):
            raise ValueError(f"{path}: person {twice[0]} is in both halves of split {number}; {source}")
    if not splits:
        raise ValueError(f"{path}: expected one split or more, found an empty list; {source}")
    return splits


def first_file(candidates: Sequence[Path]) -> Path | None:
    """The first split file of these that is there; None, after a warning that splits will be drawn, if none is."""
    if there := [path for path in map(folders.spelt, candidates) if path.is_file()]:
        return there[0]
    names = " or ".join(dict.fromkeys(path.name for path in candidates))
    warn(
        f"{candidates[0].parent}: there is no file of splits ({names}), so ten are drawn; scores on them do not "
        "compare with published ones"
    )
    return None


def drawn_splits(people: Sequence[int]) -> list[Split]:
    """Ten random halvings of these people; split i is drawn by seed i. ValueError if there are not even two."""
    if len(people) < 2:
        raise ValueError(f"{len(people)} persons under both cameras: expected two or more to split them")
    splits = []
    for seed in range(NUM_SPLITS):
        order = np.random.default_rng(seed).permutation(sorted(people)).tolist()
        splits.append((sorted(order[len(order) // 2 :]), sorted(order[: len(order) // 2])))
    return splits


def split_benchmark(
    cameras: tuple[Mapping[int, Tracklet], Mapping[int, Tracklet]], splits: Sequence[Split], split: int, name: str
) -> Benchmark:
    """The benchmark of split number `split`, from 0.

    A tracklet's person_id is the person's number, moved up by one if somebody's is 0, which would be a distractor.

    ValueError if there is no split of that number, it names somebody who is not under both cameras, or nobody in one of
    its halves. The fingerprint covers the name, the split, and the number of frames of each tracklet, not the pixels.
    """
    if not 0 <= split < len(splits):
        raise ValueError(f"split={split}: expected 0 to {len(splits) - 1}, the number of one of the splits")
    train, test = splits[split]
    if absent := [person for person in (*train, *test) if any(person not in camera for camera in cameras)]:
        raise ValueError(
            f"{name} split {split}: expected person {absent[0]} under both cameras ({len(absent)} of the "
            f"{len(train) + len(test)} persons are missing); are all images unpacked, and is it the data set's split?"
        )
    if any(0 in camera for camera in cameras):
        cameras = tuple({p: replace(t, person_id=p + 1) for p, t in camera.items()} for camera in cameras)
    trained = tuple(camera[person] for person in train for camera in cameras)
    query, gallery = (tuple(camera[person] for person in test) for camera in cameras)
    content = outline((*trained, *query, *gallery))
    digest = fingerprint(name, repr((train, test)), content)
    benchmark = Benchmark(trained, query, gallery, "all", f"{name} split {split}", digest)
    return complete(benchmark, f"split {split}", "expected persons in both halves of each split")
