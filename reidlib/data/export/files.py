"""What all layouts need for writing: a folder that appears when it is complete, and images."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

T = TypeVar("T")


def refuse_existing(*roots: str | Path | None) -> None:
    """FileExistsError if one of the folders to be written is there already, before time is spent on its content."""
    for root in roots:
        if root is not None and Path(root).exists():
            raise FileExistsError(f"{root} exists: give a new folder, or remove this one first")


@contextmanager
def new_folder(root: str | Path) -> Iterator[Path]:
    """A folder to write into that becomes `root` at the end, and vanishes if writing fails."""
    refuse_existing(root)
    root = Path(root)
    root.parent.mkdir(parents=True, exist_ok=True)
    folder = root.with_name(f".{root.name}.{os.getpid()}.part")
    folder.mkdir()
    try:
        yield folder
        folder.rename(root)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def exporting(tracklets: Sequence[T], progress: bool) -> Iterable[T]:
    """The tracklets, or whatever holds one each, under a progress bar."""
    return tqdm(tracklets, desc="exporting", unit="tracklet", disable=not progress)


def write_images(folder: Path, names: Iterable[str], images: np.ndarray) -> None:
    """Write images, uint8 (n, 3, H, W) in RGB or (n, H, W) in grey, into a folder, which is made where it is missing.

    The ending of the name chooses the format: ".png" keeps every pixel, ".jpg" is written at quality 95.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image.transpose(1, 2, 0) if image.ndim == 3 else image).save(folder / name, quality=95)
