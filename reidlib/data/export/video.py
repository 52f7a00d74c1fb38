"""Writing the layouts of the larger video data sets: MARS."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import scipy.io
from tqdm.auto import tqdm

from reidlib.data import attributes
from reidlib.data.export.files import new_folder, write_images
from reidlib.data.tracklets import Benchmark, Tracklet


def mars(
    benchmark: Benchmark,
    root: str | Path,
    image_format: Literal["jpg", "png"] = "jpg",
    progress: bool = True,
) -> None:
    """Write a benchmark in MARS's layout, which `reidlib.data.mars` describes and reads.

    image_format: "jpg" as in MARS (quality 95), or "png", which keeps every pixel. Junk is written where
    the gallery holds it; mars_attributes.csv is written where identities have attributes.

    `root` appears when everything is written. FileExistsError if it is there already; ValueError if two
    tracklets would get the same file names, or some attributes are missing.
    """
    if image_format not in ("jpg", "png"):
        raise ValueError(f"image_format={image_format!r}: expected 'jpg' or 'png'")
    train = sorted(benchmark.train, key=_order)
    test = sorted({*benchmark.gallery, *benchmark.query}, key=_order)  # queries may be in the gallery as well
    rows = {tracklet: row for row, tracklet in enumerate(test, start=1)}
    bar = tqdm(total=len(train) + len(test), desc="exporting", unit="tracklet", disable=not progress)
    with new_folder(root) as folder, bar:
        info = folder / "info"
        info.mkdir()
        for part, tracklets in (("train", train), ("test", test)):
            table, names = _write_images(folder / f"bbox_{part}", tracklets, image_format, bar)
            scipy.io.savemat(info / f"tracks_{part}_info.mat", {f"track_{part}_info": table})
            (info / f"{part}_name.txt").write_text("".join(f"{name}\n" for name in names))
        query = np.array([rows[tracklet] for tracklet in benchmark.query], np.int32)
        scipy.io.savemat(info / "query_IDX.mat", {"query_IDX": query[None]})
        if any(tracklet.attributes for tracklet in train + test if tracklet.person_id > 0):
            attributes.write_attributes(folder / "mars_attributes.csv", train + test, attributes.MARS)


def _order(tracklet: Tracklet) -> tuple[int, int, int]:
    return tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id


def _write_images(
    folder: Path, tracklets: Sequence[Tracklet], image_format: str, bar: tqdm
) -> tuple[np.ndarray, list[str]]:
    """Write the tracklets' frames; gives the rows of the tracks_*_info table and all file names."""
    folder.mkdir()
    table, names = [], []
    for tracklet in tracklets:
        person = "00-1" if tracklet.person_id < 0 else f"{tracklet.person_id:04d}"
        prefix = f"{person}C{tracklet.camera_id}T{tracklet.tracklet_id:04d}F"
        if (folder / person / f"{prefix}001.{image_format}").exists() or len(person) > 4:
            raise ValueError(
                f"person {person}, camera {tracklet.camera_id}, tracklet {tracklet.tracklet_id}: expected "
                "persons up to 9999, and a tracklet_id for each tracklet, different under one camera"
            )
        new = [f"{prefix}{number:03d}.{image_format}" for number in range(1, len(tracklet) + 1)]
        write_images(folder / person, new, tracklet.frames())
        table.append((len(names) + 1, len(names) + len(new), max(tracklet.person_id, -1), tracklet.camera_id))
        names += new
        bar.update()
    return np.array(table, np.int32).reshape(-1, 4), names
