"""Writing the layouts of the data sets of single images: Market-1501 and PETA."""

from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
import scipy.io

from reidlib.data.export.files import exporting, new_folder, write_images
from reidlib.data.peta import group
from reidlib.data.tracklets import Benchmark


def market1501(
    benchmark: Benchmark, root: str | Path, image_format: Literal["jpg", "png"] = "jpg", progress: bool = True
) -> None:
    """Write a benchmark in Market-1501's layout, which `reidlib.data.market1501` describes and reads.

    Every frame of every tracklet becomes an image, and the images of a person under one camera are numbered.
    image_format: "jpg" as there (quality 95), or "png", which keeps every pixel.

    FileExistsError if `root` is there already; ValueError for persons above 9999, cameras beyond 1 to 9, or distractors
    and junk outside the gallery.
    """
    if image_format not in ("jpg", "png"):
        raise ValueError(f"image_format={image_format!r}: expected 'jpg' or 'png'")
    parts = {"bounding_box_train": benchmark.train, "query": benchmark.query, "bounding_box_test": benchmark.gallery}
    for name, members in parts.items():
        for t in members:
            if not (t.person_id <= 9999 and 1 <= t.camera_id <= 9 and (t.person_id > 0 or name == "bounding_box_test")):
                raise ValueError(f"{name}: no place for person {t.person_id} under camera {t.camera_id} in this layout")
    tracklets = [(name, t) for name, members in parts.items() for t in members]
    counts = Counter()
    with new_folder(root) as folder:
        for name, t in exporting(tracklets, progress):
            person = "-1" if t.person_id < 0 else f"{t.person_id:04d}"
            frames = t.frames()
            first = counts[person, t.camera_id]
            counts[person, t.camera_id] += len(frames)
            numbers = range(first + 1, first + len(frames) + 1)
            write_images(
                folder / name, (f"{person}_c{t.camera_id}s1_{n:06d}_01.{image_format}" for n in numbers), frames
            )


def peta(benchmark: Benchmark, root: str | Path, progress: bool = True) -> None:
    """Write single images with attributes in PETA's layout, which `reidlib.data.peta` describes and reads.

    Its training tracklets and queries become the train and test part of one partition, whose val part is empty; the
    gallery is not written. A tracklet's first frame is its image. All attributes count as selected.

    FileExistsError if `root` is there already; ValueError if the tracklets do not have the same attributes, of 0 and 1,
    with names that PETA's groups know.
    """
    tracklets = [*benchmark.train, *benchmark.query]
    names = list(tracklets[0].attributes) if tracklets else []
    if not names or any(list(t.attributes) != names or set(t.attributes.values()) - {0, 1} for t in tracklets):
        raise ValueError("benchmark: expected the same attributes, of 0 and 1, in the same order in all tracklets")
    for name in names:
        group(name)
    data = [
        (number, t.person_id, t.camera_id, t.person_id, *t.attributes.values())
        for number, t in enumerate(tracklets, start=1)
    ]
    numbers = np.arange(1, len(data) + 1)[:, None]
    parts = {"train": numbers[: len(benchmark.train)], "val": numbers[:0], "test": numbers[len(benchmark.train) :]}
    columns = {
        "data": np.array(data, np.uint16),
        "attribute": np.array([[name] for name in names], object),
        "selected_attribute": np.arange(5, 5 + len(names))[None],
        "partion_attribute": _cell(parts),
    }
    with new_folder(root) as folder:
        for number, t in enumerate(exporting(tracklets, progress), start=1):
            write_images(folder / "images", [f"{number:05d}.png"], t.frames([0]))
        scipy.io.savemat(folder / "PETA.mat", {"peta": columns})


def _cell(content: dict) -> np.ndarray:
    """A MATLAB cell of one struct."""
    cell = np.empty((1, 1), object)
    cell[0, 0] = content
    return cell
