"""What the gait data sets share: walks kept as folders of silhouette images, and partitions of their subjects."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from reidlib.data import folders
from reidlib.data.images import ImageFiles
from reidlib.data.silhouettes import pack_masks
from reidlib.data.tracklets import Rows, Tracklet, fingerprint

THRESHOLD = 128  # grey values from here on are person; lossy images have others beside 0 and 255


@dataclass(frozen=True)
class Walk:
    """One subject walking past one camera once. view in degrees; number: which of the walks of that condition."""

    person_id: int
    view: int
    condition: str
    number: int
    folder: Path


class SilhouetteFrames:
    """Frames of a data set that has nothing but silhouettes: the aligned silhouettes, in black and white."""

    def __init__(self, rows: Rows):
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def frames(self, indices: Sequence[int]) -> np.ndarray:
        """The silhouettes as RGB frames of 0 and 255, uint8 (n, 3, h, w)."""
        return np.repeat(self.masks(indices) * 255, 3, axis=1)

    def masks(self, indices: Sequence[int]) -> np.ndarray:
        """The silhouettes, uint8 (n, 1, h, w) of 0 and 1."""
        return self._rows[indices][:, None]

    def truth(self, name: str, indices: Sequence[int]) -> np.ndarray:
        """Recorded data have no ground truth: KeyError."""
        raise KeyError(f"no ground truth {name!r}: recorded, not rendered")


def read_masks(folder: Path) -> list[np.ndarray]:
    """The silhouettes of a folder, bool (H, W) each, ordered by the numbers in their names."""
    files = ImageFiles(folders.images(folder, "silhouettes"))
    return [files.frames([number])[0, 0] >= THRESHOLD for number in range(len(files))]


def pack_walks(
    walks: Sequence[Walk], size: tuple[int, int], workers: int | None, progress: bool
) -> tuple[list[Tracklet], list[Walk]]:
    """Tracklets of the walks, and the walks that have no image or no usable silhouette.

    The silhouettes are aligned once, and found in the cache folder afterwards; they are made anew if a walk's folder is
    changed or moved. A tracklet's camera_id is the place of its view among the views, from 1, and its tracklet_id the
    number of the walk.
    """
    views = {view: place for place, view in enumerate(sorted({walk.view for walk in walks}), start=1)}
    listing = tqdm(walks, "listing silhouettes", unit="walk", disable=not progress, leave=False)
    lengths = [_count(walk.folder) for walk in listing]
    filled = [walk for walk, length in zip(walks, lengths) if length]
    if not filled:
        return [], list(walks)
    changed = [(str(walk.folder.resolve()), walk.folder.stat().st_mtime_ns) for walk in filled]
    readers = [partial(read_masks, walk.folder) for walk in filled]
    packed = pack_masks(readers, [n for n in lengths if n], fingerprint(repr(changed)), size, workers, progress)
    rows = dict(zip(filled, packed))
    tracklets = [
        Tracklet(
            walk.person_id,
            views[walk.view],
            SilhouetteFrames(rows[walk]),
            walk.number,
            walk.view,
            walk.condition,
            aligned=rows[walk],
        )
        for walk in filled
        if rows[walk] is not None
    ]
    return tracklets, [walk for walk in walks if rows.get(walk) is None]


def _count(folder: Path) -> int:
    return sum(path.suffix in folders.IMAGES for path in folder.iterdir()) if folder.is_dir() else 0


def read_partition(path: str | Path, source: str) -> tuple[list[str], list[str]]:
    """The subjects to train on and to test on, by a file {"TRAIN_SET": ["001", …], "TEST_SET": […]}.

    FileNotFoundError or ValueError naming the file if it is missing, is no such file, or names a subject twice.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a partition of the subjects; {source}")
    try:
        content = json.loads(path.read_text())
        train, test = (list(content[part]) for part in ("TRAIN_SET", "TEST_SET"))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path}: expected {{"TRAIN_SET": ["001", …], "TEST_SET": […]}}, which this is not '
            f"({type(error).__name__}: {error}); {source}"
        ) from error
    everybody = train + test
    if wrong := [name for name in everybody if not isinstance(name, str) or everybody.count(name) > 1]:
        raise ValueError(f"{path}: expected names of subjects, each once, found {wrong[0]!r}; {source}")
    return train, test
