"""What PRID-2011 and iLIDS-VID share: persons seen once by each of two cameras, and splits into halves.

The queries are the test persons under camera 1, the gallery the same persons under camera 2. There are ten splits by
custom, and results are means over them. Where a data set's folder lacks the published ones, ten are drawn, the same
at every call.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from reidlib.data import folders
from reidlib.data.images import ImageFiles
from reidlib.data.tracklets import Benchmark, Tracklet, fingerprint, outline

NUM_SPLITS = 10

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
        paths = folders.images(place, f"the frames of person {int(number)} by camera {camera}; {source}")
        tracklets[int(number)] = Tracklet(int(number), camera, ImageFiles(paths, resolution=resolution), tracklet_id=1)
    return tracklets


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

    ValueError if there is no split of that number, or it names somebody who is not under both cameras. The
    fingerprint covers the name, the split, and the number of frames of each tracklet, not the pixels.
    """
    if not 0 <= split < len(splits):
        raise ValueError(f"split={split}: expected 0 to {len(splits) - 1}, the number of one of the splits")
    train, test = splits[split]
    if absent := [person for person in (*train, *test) if any(person not in camera for camera in cameras)]:
        raise ValueError(
            f"{name} split {split}: expected person {absent[0]} under both cameras ({len(absent)} of the "
            f"{len(train) + len(test)} persons are missing); are all images unpacked, and is it the data set's split?"
        )
    trained = tuple(camera[person] for person in train for camera in cameras)
    query, gallery = (tuple(camera[person] for person in test) for camera in cameras)
    content = outline((*trained, *query, *gallery))
    return Benchmark(
        trained, query, gallery, "all", f"{name} split {split}", fingerprint(name, repr((train, test)), content)
    )
