"""From scenes to tracklets: rendered once, in parallel, into memory-mapped arrays under the user's cache folder.

A cache folder is named after everything that decides its bytes: the scenes, the resolution and the renderer's own
source. It is written beside its final place and renamed when complete, so that a killed rendering leaves nothing
half done, and two processes that want the same benchmark render it once.
"""

import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import joblib
import numpy as np
from filelock import FileLock
from tqdm.auto import tqdm

from reidlib import cache_folder
from reidlib.data.tracklets import ArrayFrames, Tracklet
from reidlib.data.walkers import exact
from reidlib.data.walkers.compose import empty_place, later_frames, render
from reidlib.data.walkers.scene import Scene

# The version of what is drawn, raised whenever that changes, if only in last bits. 1, the worlds before there was a
# number: bytes differed between processors. 2: the street grew where people came near, and limbs had no sides.
RENDERER = 3

KINDS = ("frames", "parts", "joints", "box")  # the arrays of a cache folder; flow is large, and rendered when asked for
CHUNK = 8  # sightings rendered by one task


@dataclass(frozen=True)
class RenderedLater:
    """Later frames of a tracklet of these scenes, see `reidlib.data.tracklets.Later`; rendered whenever asked for."""

    scenes: tuple[Scene, ...]
    resolution: tuple[int, int]
    key: str

    def __call__(self, indices: Sequence[int], count: int, time_step: int) -> np.ndarray:
        """uint8 (n, count, 3, H, W)."""

        def ahead(steps: int) -> np.ndarray:
            return np.concatenate([later_frames(scene, self.resolution, steps) for scene in self.scenes])[indices]

        return np.stack([ahead(time_step * number) for number in range(1, count + 1)], 1)


@dataclass(frozen=True)
class Sighting:
    """What becomes one tracklet: its labels, as in `Tracklet`, and its scenes, one after another."""

    person_id: int
    camera_id: int
    tracklet_id: int
    scenes: tuple[Scene, ...]  # one, or two where a tracker slips from one person to another
    view: int = 0  # degrees
    condition: str = ""
    attributes: Mapping[str, int] = field(default_factory=dict)

    @property
    def num_frames(self) -> int:
        """Frames of all scenes together."""
        return sum(scene.num_frames for scene in self.scenes)


def pack(
    name: str,
    sightings: Sequence[Sighting],
    resolution: tuple[int, int],
    workers: int | None = None,
    progress: bool = True,
) -> tuple[list[Tracklet], str]:
    """Render sightings, or find them rendered, and give their tracklets, in order, and a hash of frames and part maps.

    name: what the cache folder and the bar are called. resolution: (height, width) in pixels. workers: processes, by
    default one for each core that this process may use; the bytes do not depend on it. The tracklets carry the truth
    "parts", "joints", "box" and, rendered when asked for, "flow" and "fixed_flow" (at the end of a scene, to where it
    would have gone on) and "empty" (what the boxes show with nobody there).
    """
    folder = cache_folder() / "walkers" / f"{name}-{_key(sightings, resolution)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _render_all(folder, name, sightings, resolution, workers or joblib.cpu_count(), progress)
    frames, parts, joints, box = (np.load(folder / f"{kind}.npy", mmap_mode="r") for kind in KINDS)
    tracklets, start = [], 0
    for sighting in sightings:
        stop = start + sighting.num_frames
        truth = {
            "joints": joints,
            "box": box,
            "flow": functools.partial(_rendered, "flow", sighting.scenes, resolution),
            "fixed_flow": functools.partial(_rendered, "fixed_flow", sighting.scenes, resolution),
            "empty": functools.partial(_empty, sighting.scenes, resolution),
        }
        tracklets.append(
            Tracklet(
                person_id=sighting.person_id,
                camera_id=sighting.camera_id,
                source=ArrayFrames(frames, parts, start, stop, truth),
                tracklet_id=sighting.tracklet_id,
                view=sighting.view,
                condition=sighting.condition,
                attributes=sighting.attributes,
                later=RenderedLater(sighting.scenes, resolution, f"{folder.name} {start}"),
            )
        )
        start = stop
    return tracklets, json.loads((folder / "content.json").read_text())["hash"]


def _key(sightings: Sequence[Sighting], resolution: tuple[int, int]) -> str:
    scenes = [exact.settled(s.scenes) for s in sightings]  # as they are rendered
    digest = hashlib.sha256(repr((resolution, scenes)).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _render_all(
    folder: Path, name: str, sightings: Sequence[Sighting], resolution: tuple[int, int], workers: int, progress: bool
) -> None:
    """Fill `folder`, all or nothing. The caller holds its lock."""
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)  # of a rendering that was killed
    scratch.mkdir()
    total = sum(s.num_frames for s in sightings)
    bar = tqdm(total=total, desc=f"rendering {name}", unit="frame", disable=not progress, leave=False)
    try:
        chunks = [[s.scenes for s in sightings[i : i + CHUNK]] for i in range(0, len(sightings), CHUNK)]
        tasks = (joblib.delayed(_render_chunk)(chunk, resolution) for chunk in chunks)
        with bar:
            results = joblib.Parallel(n_jobs=min(workers, len(chunks)), return_as="generator")(tasks)
            content = _write(scratch, results, total, bar)
        (scratch / "content.json").write_text(json.dumps({"name": name, "frames": total, "hash": content}))
        os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _render_chunk(chunk: list[tuple[Scene, ...]], resolution: tuple[int, int]) -> tuple[np.ndarray, ...]:
    rendered = [render(scene, resolution, truth=KINDS[1:]) for scenes in chunk for scene in scenes]
    return tuple(np.concatenate([getattr(r, kind) for r in rendered]) for kind in KINDS)


def _write(scratch: Path, results: Iterable[tuple[np.ndarray, ...]], total: int, bar: tqdm) -> str:
    """Write the arrays, of `total` frames, as results arrive, in order; gives the hash of frames and part maps.

    Joints and boxes are left out of it; they follow from the same scenes.
    """
    arrays, digest, start = {}, hashlib.sha256(), 0
    for values in results:
        stop = start + len(values[0])
        for kind, value in zip(KINDS, values):
            if kind not in arrays:
                shape = (total, *value.shape[1:])
                arrays[kind] = np.lib.format.open_memmap(scratch / f"{kind}.npy", "w+", value.dtype, shape)
            arrays[kind][start:stop] = value
            if kind in ("frames", "parts"):
                digest.update(value.tobytes())
        bar.update(stop - start)
        start = stop
    for array in arrays.values():
        array.flush()
    return digest.hexdigest()[:16]


def _rendered(kind: str, scenes: tuple[Scene, ...], resolution: tuple[int, int], indices: np.ndarray) -> np.ndarray:
    """One kind of truth, (n, …), of the frames asked for, rendered now."""
    return np.concatenate([getattr(render(scene, resolution, (kind,)), kind) for scene in scenes])[indices]


def _empty(scenes: tuple[Scene, ...], resolution: tuple[int, int], indices: np.ndarray) -> np.ndarray:
    """The empty places (n, 3, H, W) behind the frames asked for, rendered now."""
    return np.concatenate([empty_place(scene, resolution) for scene in scenes])[indices]
