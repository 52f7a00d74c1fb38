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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import joblib
import numpy as np
from filelock import FileLock
from tqdm.auto import tqdm

from reidlib import cache_folder
from reidlib.data.tracklets import ArrayFrames, Tracklet
from reidlib.data.walkers.compose import render
from reidlib.data.walkers.scene import Scene

CHUNK = 8  # sightings rendered by one task


@dataclass(frozen=True)
class Sighting:
    """What becomes one tracklet: its labels and its scenes, one after another (two where a tracker slips)."""

    person_id: int
    camera_id: int
    tracklet_id: int
    scenes: tuple[Scene, ...]
    view: int = 0  # degrees
    condition: str = ""
    attributes: Mapping[str, int] = field(default_factory=dict)

    @property
    def num_frames(self) -> int:
        return sum(scene.num_frames for scene in self.scenes)


def pack(
    name: str,
    sightings: Sequence[Sighting],
    resolution: tuple[int, int],
    workers: int | None = None,
    progress: bool = True,
) -> tuple[list[Tracklet], str]:
    """Render sightings, or find them rendered, and give their tracklets and the content's fingerprint.

    resolution: (height, width) in pixels. workers: processes, by default one for each core that this process may use; the bytes
    do not depend on it. Tracklets carry the truth "parts", "joints" and, rendered on demand, "flow".
    """
    folder = cache_folder() / "walkers" / f"{name}-{_key(sightings, resolution)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _render_all(folder, name, sightings, resolution, workers or joblib.cpu_count(), progress)
    arrays = {kind: np.load(folder / f"{kind}.npy", mmap_mode="r") for kind in ("frames", "parts", "joints")}
    stops = np.cumsum([s.num_frames for s in sightings]).tolist()
    tracklets = []
    for sighting, start, stop in zip(sightings, [0, *stops], stops):
        truth = {"joints": arrays["joints"], "flow": functools.partial(_flow, sighting.scenes, resolution)}
        source = ArrayFrames(arrays["frames"], arrays["parts"], start, stop, truth)
        labels = (sighting.tracklet_id, sighting.view, sighting.condition, sighting.attributes)
        tracklets.append(Tracklet(sighting.person_id, sighting.camera_id, source, *labels))
    return tracklets, json.loads((folder / "content.json").read_text())["fingerprint"]


def _key(sightings: Sequence[Sighting], resolution: tuple[int, int]) -> str:
    digest = hashlib.sha256(repr((resolution, [s.scenes for s in sightings])).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _render_all(
    folder: Path, name: str, sightings: Sequence[Sighting], resolution: tuple[int, int], workers: int, progress: bool
) -> None:
    scratch = folder.with_suffix(f".{os.getpid()}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        total = sum(s.num_frames for s in sightings)
        chunks = [[s.scenes for s in sightings[i : i + CHUNK]] for i in range(0, len(sightings), CHUNK)]
        tasks = (joblib.delayed(_render_chunk)(chunk, resolution) for chunk in chunks)
        results = joblib.Parallel(n_jobs=min(workers, len(chunks)), return_as="generator")(tasks)
        fingerprint = _write(scratch, results, total, resolution, tqdm(
            total=total, desc=f"rendering {name}", unit="frame", disable=not progress, leave=False))
        content = {"name": name, "frames": total, "resolution": resolution, "fingerprint": fingerprint}
        (scratch / "content.json").write_text(json.dumps(content))
        os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _render_chunk(chunk: list[tuple[Scene, ...]], resolution: tuple[int, int]) -> tuple[np.ndarray, ...]:
    rendered = [render(scene, resolution, truth=("parts", "joints")) for scenes in chunk for scene in scenes]
    return tuple(np.concatenate([getattr(r, kind) for r in rendered]) for kind in ("frames", "parts", "joints"))


def _write(scratch: Path, results: Iterator, total: int, resolution: tuple[int, int], bar: tqdm) -> str:
    """Fill the arrays as results arrive, in order; gives the hash of frames and parts."""
    arrays, digest, start = {}, hashlib.sha256(), 0
    with bar:
        for values in results:
            for kind, value in zip(("frames", "parts", "joints"), values):
                if kind not in arrays:
                    shape = (total, *value.shape[1:])
                    arrays[kind] = np.lib.format.open_memmap(scratch / f"{kind}.npy", "w+", value.dtype, shape)
                arrays[kind][start : start + len(value)] = value
            digest.update(values[0].tobytes())
            digest.update(values[1].tobytes())
            start += len(values[0])
            bar.update(len(values[0]))
    for array in arrays.values():
        array.flush()
    return digest.hexdigest()[:16]


def _flow(scenes: tuple[Scene, ...], resolution: tuple[int, int], indices: np.ndarray) -> np.ndarray:
    """Optical flow (n, 2, H, W) of the frames asked for, rendered now."""
    return np.concatenate([render(scene, resolution, truth=("flow",)).flow for scene in scenes])[indices]
