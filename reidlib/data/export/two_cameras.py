"""Writing the layouts of PRID-2011 and iLIDS-VID: one tracklet of each person under each of two cameras.

A benchmark is one split; all splits of a collection go into one folder, whose split file lists them in their order.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.io

from reidlib.data.export.files import exporting, new_folder, write_images
from reidlib.data.tracklets import Benchmark, Tracklet, identities


def prid2011(splits: Sequence[Benchmark], root: str | Path, progress: bool = True) -> None:
    """Write the splits of a collection in PRID-2011's layout, which `reidlib.data.prid2011` describes and reads.

    splits: the same tracklets, divided differently. FileExistsError if `root` is there already; ValueError if they
    are not one tracklet of each person under camera 1 and one under camera 2, the same in all splits.
    """
    tracklets = _collection(splits)
    with new_folder(root) as folder:
        for tracklet in exporting(tracklets, progress):
            place = folder / "multi_shot" / f"cam_{'_ab'[tracklet.camera_id]}" / f"person_{tracklet.person_id:04d}"
            write_images(place, (f"{number:04d}.png" for number in range(1, len(tracklet) + 1)), tracklet.frames())
        listed = [
            {
                part: [f"person_{person:04d}" for person in identities(tracklets)]
                for part, tracklets in (("test", split.query), ("train", split.train))
            }
            for split in splits
        ]
        (folder / "splits_prid2011.json").write_text(json.dumps(listed, indent=4))


def ilids_vid(splits: Sequence[Benchmark], root: str | Path, progress: bool = True) -> None:
    """Write the splits of a collection in iLIDS-VID's layout, which `reidlib.data.ilids_vid` describes and reads.

    As `prid2011`; moreover, ValueError if a split does not test on half of the persons (the smaller half of an odd
    number), as this layout's split file cannot say otherwise.
    """
    tracklets = _collection(splits)
    people = identities(tracklets)
    for number, split in enumerate(splits):
        if len(identities(split.query)) != len(people) // 2:
            raise ValueError(
                f"split {number}: expected {len(people) // 2} of the {len(people)} persons to be tested on"
            )
    with new_folder(root) as folder:
        for tracklet in exporting(tracklets, progress):
            stem = f"cam{tracklet.camera_id}_person{tracklet.person_id:03d}"
            place = folder / "i-LIDS-VID" / "sequences" / Path(*stem.split("_"))
            names = (f"{stem}_{number:05d}.png" for number in range(1, len(tracklet) + 1))
            write_images(place, names, tracklet.frames())
        rows = [np.searchsorted(people, identities(s.query) + identities(s.train)) + 1 for s in splits]
        (folder / "train-test people splits").mkdir()
        path = folder / "train-test people splits" / "train_test_splits_ilidsvid.mat"
        scipy.io.savemat(path, {"ls_set": np.array(rows, np.uint16)})


def _collection(splits: Sequence[Benchmark]) -> list[Tracklet]:
    """The tracklets that the splits divide, by person and camera."""
    if not splits:
        raise ValueError("splits: expected one benchmark or more")
    collections = [
        {(t.person_id, t.camera_id): t for t in (*split.train, *split.query, *split.gallery)} for split in splits
    ]
    for number, (split, found) in enumerate(zip(splits, collections)):
        expected = {(person, camera) for person, _ in found for camera in (1, 2)}
        count = len(split.train) + len(split.query) + len(split.gallery)
        if found.keys() != expected or len(found) != count or min(found)[0] < 1 or found != collections[0]:
            raise ValueError(
                f"split {number}: expected one tracklet of each person under camera 1 and one under camera 2, "
                "the same tracklets as in the other splits"
            )
    return [collections[0][key] for key in sorted(collections[0])]
