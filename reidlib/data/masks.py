"""The same tracklets with other masks or silhouettes: worse ones, and ones from which a cue has been taken.

Rendered masks are exact, those of a segmentation method are not. `with_masks` and `with_silhouettes` make the data on
which it is measured how far a result depends on that, and the controls of methods that look at masks or gait.
"""

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import ndimage

from reidlib.data.footage.foreground import cut_out
from reidlib.data.packing import pack_rows
from reidlib.data.silhouettes import SIZE, pack_masks
from reidlib.data.tracklets import Benchmark, FrameSource, Rows, Tracklet, fingerprint

PIECES = (16, 8)  # a noisy mask has this many pieces down and across
SPOILT = 0.15  # share of the pieces near the person that are wrong


def true(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The masks as they are. Here and below: uint8 (n, 1, H, W) of 0 and 1, and one generator for all of them."""
    return masks


def eroded(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Masks that lack a rim of 1/64 of the height, so that arms and ankles are thin or gone."""
    return _grown(masks, ndimage.grey_erosion)


def dilated(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Masks with a rim of background, 1/64 of the height."""
    return _grown(masks, ndimage.grey_dilation)


def noisy(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Masks with holes and patches: of the pieces that hold or touch the person, 15 % are turned over in each frame."""
    count, _, height, width = masks.shape
    rows, columns = np.arange(height) * PIECES[0] // height, np.arange(width) * PIECES[1] // width
    near = np.zeros((count, *PIECES), bool)
    frame, _, y, x = masks.nonzero()
    near[frame, rows[y], columns[x]] = True
    near = ndimage.binary_dilation(near, np.ones((1, 3, 3)))
    wrong = near & (rng.random(near.shape) < SPOILT)
    return masks ^ wrong[:, None, rows][..., columns].astype(np.uint8)


def full(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Masks that cover the whole picture: no silhouette at all."""
    return np.ones_like(masks)


QUALITIES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    function.__name__: function for function in (true, eroded, dilated, noisy, full)
}


EXTRACTED = "extracted"
REORDERED = ("shuffled", "still", "constant")  # silhouettes that are all true


def with_masks(benchmark: Benchmark, quality: str, progress: bool = True) -> Benchmark:
    """The benchmark with the masks of its frames changed; aligned silhouettes stay as they are.

    quality: a name of `QUALITIES`; or "extracted", the masks that `reidlib.data.footage` finds by background
    subtraction, packed once in the cache folder (rendered data only: who knows the empty place behind a crop?). A
    frame's mask is always the same. ValueError for an unknown quality, KeyError without empty places.
    """
    _known("quality", quality, (*QUALITIES, EXTRACTED))
    if quality == "true":
        return benchmark
    everybody = benchmark.everybody
    if quality == EXTRACTED:
        readers = [partial(_from, rows) for rows in _extracted(everybody, benchmark.fingerprint, progress)]
    else:
        readers = [partial(_changed, t.source, QUALITIES[quality], number) for number, t in enumerate(everybody)]
    changed = {t: replace(t, source=_OtherMasks(t.source, read)) for t, read in zip(everybody, readers)}
    return benchmark.map(changed.__getitem__, f"masks {quality}")


def with_silhouettes(
    benchmark: Benchmark, quality: str, size: tuple[int, int] = SIZE, progress: bool = True
) -> Benchmark:
    """The benchmark with aligned silhouettes, (h, w), made of its masks once and kept in the cache folder.

    quality: as in `with_masks`; or "shuffled", where a tracklet's silhouettes come in an order that is drawn once
    (poses without their sequence); "still", where its middle one stands for all of them (body shape without gait);
    "constant", where everybody has the same one. Tracklets without any usable silhouette are left out, with a warning.
    ValueError for an unknown quality.
    """
    _known("quality", quality, (*QUALITIES, EXTRACTED, *REORDERED))
    masked = with_masks(benchmark, "true" if quality in REORDERED else quality, progress)
    everybody = masked.everybody
    readers = [partial(_read, tracklet) for tracklet in everybody]
    aligned = pack_masks(readers, [len(t) for t in everybody], masked.fingerprint, size, progress=progress)
    without = sum(rows is None for rows in aligned)
    if without == len(aligned):
        raise ValueError(f"{benchmark.name}: expected usable silhouettes, found none in {without} tracklets' masks")
    if without:
        warnings.warn(
            f"{without} of {len(aligned)} tracklets have no usable silhouette, and are left out", stacklevel=2
        )
    if quality in REORDERED:
        anybody, rng = next(rows for rows in aligned if rows is not None), np.random.default_rng(0)
        aligned = [rows and _reordered(rows, quality, anybody, rng) for rows in aligned]
    changed = {t: rows and replace(t, aligned=rows) for t, rows in zip(benchmark.everybody, aligned)}
    return benchmark.map(changed.__getitem__, f"silhouettes {quality} {size}")


def _reordered(rows: Rows, quality: str, anybody: Rows, rng: np.random.Generator) -> "_Reordered":
    """As many rows as before: in another order, or one that stands for all."""
    if quality == "shuffled":
        return _Reordered(rows, rng.permutation(len(rows)))
    source = anybody if quality == "constant" else rows
    return _Reordered(source, np.full(len(rows), len(source) // 2))


@dataclass(frozen=True, eq=False)
class _Reordered:
    """Some of the rows, in the order of their numbers."""

    rows: Rows
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, indices: Sequence[int]) -> np.ndarray:
        return self.rows[self.numbers[indices]]


@dataclass(frozen=True)
class _OtherMasks:
    """A tracklet's frames with other masks; `read` gives those of the frames asked for."""

    source: FrameSource
    read: Callable[[Sequence[int]], np.ndarray]

    def __len__(self) -> int:
        return len(self.source)

    def frames(self, indices: Sequence[int]) -> np.ndarray:
        return self.source.frames(indices)

    def masks(self, indices: Sequence[int]) -> np.ndarray:
        return self.read(indices)

    def truth(self, name: str, indices: Sequence[int]) -> np.ndarray:
        return self.source.truth(name, indices)


def _changed(source: FrameSource, change: Callable, number: int, indices: Sequence[int]) -> np.ndarray:
    """The masks of a source, changed; `number` seeds what is random in that."""
    masks = source.masks(indices)
    if masks is None:
        raise ValueError("masks: expected a benchmark that brings them, to make others of them")
    one_by_one = [change(m[None], np.random.default_rng((number, i))) for m, i in zip(masks, indices)]
    return np.concatenate(one_by_one) if one_by_one else masks


def _from(rows: Rows, indices: Sequence[int]) -> np.ndarray:
    return rows[indices][:, None]


def _extracted(everybody: Sequence[Tracklet], key: str, progress: bool) -> list[Rows]:
    readers = [partial(_cut_out, tracklet) for tracklet in everybody]
    shape = everybody[0].frames([0]).shape[2:]
    lengths = [len(tracklet) for tracklet in everybody]
    return pack_rows("masks", fingerprint(key, EXTRACTED), readers, lengths, shape, "extracting masks", None, progress)


def _cut_out(tracklet: Tracklet) -> np.ndarray:
    pictures, empty = (np.moveaxis(p, 1, 3) for p in (tracklet.frames(), tracklet.truth("empty")))
    return np.stack([cut_out(np.ascontiguousarray(a), np.ascontiguousarray(b)) for a, b in zip(pictures, empty)])


def _grown(masks: np.ndarray, change: Callable) -> np.ndarray:
    radius = max(round(masks.shape[-2] / 64), 1)
    return change(masks, size=(1, 1, 2 * radius + 1, 2 * radius + 1), mode="nearest")


def _read(tracklet: Tracklet) -> np.ndarray:
    masks = tracklet.masks()
    if masks is None:
        raise ValueError("masks: expected a benchmark that brings them, to make silhouettes of them")
    return masks[:, 0]


def _known(what: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise ValueError(f"{what}={value!r}: expected one of {', '.join(known)}")
