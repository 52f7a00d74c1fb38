"""Mask-MARS: the tracklets of MARS with enough good silhouettes.

The SeqMasks paper made it of MARS and the masks of an instance segmentation method; neither masks nor list of
tracklets are public. This loader takes MARS with masks of any method (mask_train, mask_test, see `reidlib.data.mars`)
and applies the paper's two rules: a mask is effective if it covers at least 15 % of its image, and a tracklet stays if
at least 8 of its masks are effective. Frames with other masks stay in the tracklet: the paper's longest tracklet has
920 frames, as many as the longest of MARS, which would be unlikely if frames had been taken out.

The paper's own numbers are not forced on the result, as they do not agree with one another. It counts 14 764 tracklets,
but 5726 + 1819 + 7170 = 14 715. Its gallery holds 621 identities, of which at most 620 are real persons beside the
distractors, while the queries have 626: so at least six of them are without a match. Here such queries stay, and the
evaluation counts them as not valid. With another segmentation method, other tracklets
stay.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import joblib
import numpy as np
from filelock import FileLock
from tqdm.auto import tqdm

from reidlib import cache_folder
from reidlib.data import mars
from reidlib.data.tracklets import Benchmark, Tracklet, complete, fingerprint, outline

MIN_SHARE = 0.15  # of the image, that an effective mask covers
MIN_MASKS = 8  # effective ones, that a tracklet needs


def load(
    root: str | Path,
    setup: Literal["usual", "mixing"] = "usual",
    attributes: str | Path | None = None,
    resolution: tuple[int, int] = (256, 128),
    workers: int | None = None,
    progress: bool = True,
) -> Benchmark:
    """Mask-MARS, from MARS with masks below `root`; the arguments and errors are those of `reidlib.data.mars.load`.

    All masks are looked through by `workers` processes at the first call, and what was found is kept in the cache
    folder; it is made anew if a folder of masks is moved, or files in it come or go.
    """
    benchmark = mars.load(root, setup, attributes, resolution, masks=True)
    places = sorted(place for part in ("train", "test") for place in Path(root, f"mask_{part}").glob("[!.]*"))
    changed = [(str(place.resolve()), place.stat().st_mtime_ns) for place in places]
    key = fingerprint(benchmark.fingerprint, "mask_code", repr(changed))
    screened = screen(benchmark, key, workers, progress)
    return replace(screened, name=benchmark.name.replace("MARS", "Mask-MARS"))


def screen(benchmark: Benchmark, key: str, workers: int | None = None, progress: bool = True) -> Benchmark:
    """The benchmark's tracklets that have `MIN_MASKS` effective masks or more.

    key: a hash that decides the masks' bytes; for a rendered benchmark, its fingerprint. ValueError if a tracklet has
    no masks, or no training tracklet, no query or nothing in the gallery stays.
    """
    everybody = list(dict.fromkeys((*benchmark.train, *benchmark.query, *benchmark.gallery)))
    counts = dict(zip(everybody, _counts(everybody, key, workers, progress)))

    def kept(tracklets: Sequence[Tracklet]) -> tuple[Tracklet, ...]:
        return tuple(tracklet for tracklet in tracklets if counts[tracklet] >= MIN_MASKS)

    train, query, gallery = kept(benchmark.train), kept(benchmark.query), kept(benchmark.gallery)
    screened = replace(
        benchmark,
        train=train,
        query=query,
        gallery=gallery,
        name=f"{benchmark.name} with masks",
        fingerprint=fingerprint(benchmark.fingerprint, *map(outline, (train, query, gallery))),
    )
    rule = f"only those count that have {MIN_MASKS} masks or more which cover {MIN_SHARE:.0%} of their image"
    return complete(screened, benchmark.name, rule)


def effective(masks: np.ndarray) -> np.ndarray:
    """Which of these masks, (n, 1, H, W) of 0 and 1, cover enough of their image; bool (n,)."""
    return masks.mean(axis=(1, 2, 3)) >= MIN_SHARE


def _counts(tracklets: Sequence[Tracklet], key: str, workers: int | None, progress: bool) -> list[int]:
    """How many effective masks each tracklet has; looked through once, then found in the cache folder."""
    path = cache_folder() / "mask_mars" / f"{fingerprint(key, outline(tracklets))}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if not path.exists():
            tasks = (joblib.delayed(_count)(tracklet) for tracklet in tracklets)
            found = joblib.Parallel(workers or joblib.cpu_count(), return_as="generator")(tasks)
            counts = list(tqdm(found, "screening masks", len(tracklets), unit="tracklet", disable=not progress))
            part = path.with_suffix(".part.npy")
            np.save(part, counts)
            part.rename(path)
    return np.load(path).tolist()


def _count(tracklet: Tracklet) -> int:
    masks = tracklet.masks()
    if masks is None:
        raise ValueError(
            f"tracklet {tracklet.tracklet_id} of person {tracklet.person_id}: expected masks to screen; "
            "take a benchmark that brings them"
        )
    return int(effective(masks).sum())
