"""Writing the layouts of MARS and DukeMTMC-VideoReID."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import scipy.io
from tqdm.auto import tqdm

from reidlib.data import attributes
from reidlib.data.export.files import exporting, new_folder, refuse_existing, write_images
from reidlib.data.tracklets import Benchmark, Tracklet


def mars(
    benchmark: Benchmark,
    root: str | Path,
    image_format: Literal["jpg", "png"] = "jpg",
    progress: bool = True,
    masks: bool = False,
) -> None:
    """Write a benchmark in MARS's layout, which `reidlib.data.mars` describes and reads.

    image_format: "jpg" as in MARS (quality 95), or "png", which keeps every pixel. Junk is written where
    the gallery holds it; mars_attributes.csv is written where identities have attributes. masks: write mask_train and
    mask_test, too.

    `root` appears when everything is written. FileExistsError if it is there already; ValueError if two
    tracklets would get the same file names, some attributes are missing, or masks that are asked for.
    """
    refuse_existing(root)
    _check_format(image_format)
    train = sorted(benchmark.train, key=_order)
    test = sorted({*benchmark.gallery, *benchmark.query}, key=_order)  # queries may be in the gallery as well
    if masks and any(tracklet.masks([0]) is None for tracklet in train + test):
        raise ValueError("masks=True: expected masks in all tracklets; take a benchmark that brings them")
    rows = {tracklet: row for row, tracklet in enumerate(test, start=1)}
    bar = tqdm(total=len(train) + len(test), desc="exporting", unit="tracklet", disable=not progress)
    with new_folder(root) as folder, bar:
        info = folder / "info"
        info.mkdir()
        for part, tracklets in (("train", train), ("test", test)):
            table, names = _write_images(folder, part, tracklets, image_format, masks, bar)
            scipy.io.savemat(info / f"tracks_{part}_info.mat", {f"track_{part}_info": table})
            (info / f"{part}_name.txt").write_text("".join(f"{name}\n" for name in names))
        query = np.array([rows[tracklet] for tracklet in benchmark.query], np.int32)
        scipy.io.savemat(info / "query_IDX.mat", {"query_IDX": query[None]})
        if any(tracklet.attributes for tracklet in train + test if tracklet.person_id > 0):
            attributes.write_attributes(folder / "mars_attributes.csv", train + test, attributes.MARS)


def mask_mars(benchmark: Benchmark, root: str | Path, progress: bool = True) -> None:
    """Write a benchmark in MARS's layout with its masks, for `reidlib.data.mask_mars`; errors as `mars`."""
    mars(benchmark, root, progress=progress, masks=True)


def duke_video(
    benchmark: Benchmark,
    root: str | Path,
    image_format: Literal["jpg", "png"] = "jpg",
    progress: bool = True,
) -> None:
    """Write a benchmark in DukeMTMC-VideoReID's layout, which `reidlib.data.duke_video` describes and reads.

    image_format: "jpg" as there (quality 95), or "png", which keeps every pixel. The folder gallery holds the queries,
    as there, whatever the benchmark's. Tracklets are numbered through all persons; duke_attributes.csv is written
    where identities have attributes.

    FileExistsError if `root` is there already; ValueError if a person has two tracklets under one camera (distractors
    and junk have no place in this layout), or some attributes are missing.
    """
    _check_format(image_format)
    test = sorted({*benchmark.gallery, *benchmark.query}, key=_order)
    tracklets = [*sorted(benchmark.train, key=_order), *test]
    if len({(t.person_id, t.camera_id) for t in tracklets}) < len(tracklets):
        raise ValueError("benchmark: expected one tracklet of each person under each camera at most")
    if wrong := [t.person_id for t in tracklets if not 0 < t.person_id < 10_000]:
        raise ValueError(f"person {wrong[0]}: expected persons from 1 to 9999, without distractors and junk")
    numbered = [replace(tracklet, tracklet_id=number) for number, tracklet in enumerate(tracklets, start=1)]
    with new_folder(root) as folder:
        for tracklet, original in zip(exporting(numbered, progress), tracklets):
            person = f"{tracklet.person_id:04d}"
            names = [
                f"{person}_C{tracklet.camera_id}_F{frame:04d}_X{frame:05d}.{image_format}"
                for frame in range(1, len(tracklet) + 1)
            ]
            frames = tracklet.frames()
            for part, members in (("train", benchmark.train), ("query", benchmark.query), ("gallery", test)):
                if original in members:
                    write_images(folder / part / person / f"{tracklet.tracklet_id:04d}", names, frames)
        if any(tracklet.attributes for tracklet in numbered):
            attributes.write_attributes(folder / "duke_attributes.csv", numbered, attributes.DUKE)


def _check_format(image_format: str) -> None:
    if image_format not in ("jpg", "png"):
        raise ValueError(f"image_format={image_format!r}: expected 'jpg' or 'png'")


def _order(tracklet: Tracklet) -> tuple[int, int, int]:
    return tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id


def _write_images(
    root: Path, part: str, tracklets: Sequence[Tracklet], image_format: str, masks: bool, bar: tqdm
) -> tuple[np.ndarray, list[str]]:
    """Write the tracklets' frames; gives the rows of the tracks_*_info table and all file names."""
    folder = root / f"bbox_{part}"
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
        if masks:
            shapes = (f"{name[:-4]}.png" for name in new)
            write_images(root / f"mask_{part}" / person, shapes, tracklet.masks()[:, 0] * 255)
        table.append((len(names) + 1, len(names) + len(new), max(tracklet.person_id, -1), tracklet.camera_id))
        names += new
        bar.update()
    return np.array(table, np.int32).reshape(-1, 4), names
