"""What a tracklet is: one person, seen by one camera, in consecutive frames that are read when asked for.

Every source of data, rendered or recorded, gives a `Benchmark` of `Tracklet`s; what differs is the
`FrameSource` behind a tracklet: packed arrays (`ArrayFrames`) or image files
(`reidlib.data.images.ImageFiles`).
"""

import functools
import hashlib
import mmap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np


class FrameSource(Protocol):
    """Where the pixels of one tracklet come from. `indices` are frame numbers within the tracklet, from 0."""

    def __len__(self) -> int:
        """Number of frames."""

    def frames(self, indices: Sequence[int]) -> np.ndarray:
        """RGB frames, uint8 (n, 3, H, W)."""

    def masks(self, indices: Sequence[int]) -> np.ndarray | None:
        """Silhouettes of the person, uint8 (n, 1, H, W) of 0 and 1; None where the data have none."""

    def truth(self, name: str, indices: Sequence[int]) -> np.ndarray:
        """Rendered ground truth by name; KeyError if there is none of that name.

        "parts": uint8 (n, H, W), labels with 0 as background. "joints": float (n, J, 3), x and y in pixels
        and a visibility flag. "box": float32 (n, 3), the box in the picture of the camera, which stands still:
        centre x and y (only differences mean something) and height, in pixels of the tracklet's first crop, of
        a scene's first one where a tracklet has two. A still point at offset p from the crop's centre is at
        (p h / H - shift) H / h' in the next crop, h and h' being the two heights and H the crop's; so it moves
        by minus the box's shift while the height stays H. "flow": float (n, 2, H, W), motion to the next frame
        in pixels; "fixed_flow": likewise where the next frame is cut with this frame's box, so that what stands
        still has none. "empty": uint8 (n, 3, H, W), the same places with nobody there.
        """


@dataclass(frozen=True, eq=False)
class WithTruth:
    """A source of frames that has one more ground truth, or one of its own at hand: what `rows` give, by a name."""

    source: FrameSource
    name: str
    rows: "Rows | np.ndarray"

    def __len__(self) -> int:
        return len(self.source)

    def frames(self, indices: Sequence[int]) -> np.ndarray:
        return self.source.frames(indices)

    def masks(self, indices: Sequence[int]) -> np.ndarray | None:
        return self.source.masks(indices)

    def truth(self, name: str, indices: Sequence[int]) -> np.ndarray:
        return self.rows[indices] if name == self.name else self.source.truth(name, indices)


class Later(Protocol):
    """Later frames of one tracklet, cut with an earlier frame's box."""

    key: str  # decides their bytes

    def __call__(self, indices: Sequence[int], count: int, time_step: int) -> np.ndarray:
        """For each of `indices`, the `count` frames that follow it, `time_step` apart, cut with its own box: uint8
        (n, count, 3, H, W). Where the scene ends before, its last frame stands for those that are missing."""


class ArrayFrames:
    """Frames `start` to `stop` of arrays that hold many tracklets one after another.

    frames: uint8 (N, 3, H, W). parts: uint8 (N, H, W), 0 is background; silhouettes are `parts > 0`. truth:
    further ground truth by name, each an array of N rows or, where it is computed on demand, a function
    from frame numbers within this tracklet to values; loader workers need functions that can be pickled.
    Memory-mapped arrays are pickled as their files' names, and mapped once in each process.
    """

    def __init__(
        self,
        frames: np.ndarray,
        parts: np.ndarray | None = None,
        start: int = 0,
        stop: int | None = None,
        truth: Mapping[str, np.ndarray | Callable[[np.ndarray], np.ndarray]] | None = None,
    ):
        stop = len(frames) if stop is None else stop
        if not 0 <= start < stop <= len(frames):
            raise ValueError(f"frames {start} to {stop}: expected a non-empty range of the {len(frames)}")
        self._frames, self._parts, self._truth = frames, parts, dict(truth or {})
        self._start, self._stop = start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def frames(self, indices: Sequence[int]) -> np.ndarray:
        """RGB frames, uint8 (n, 3, H, W)."""
        return self._rows(self._frames, indices)

    def masks(self, indices: Sequence[int]) -> np.ndarray | None:
        """Silhouettes, uint8 (n, 1, H, W) of 0 and 1, or None without parts."""
        if self._parts is None:
            return None
        return (self._rows(self._parts, indices) > 0).astype(np.uint8)[:, None]

    def truth(self, name: str, indices: Sequence[int]) -> np.ndarray:
        """Ground truth by name, see `FrameSource.truth`; KeyError if there is none of that name."""
        known = self._truth if self._parts is None else {"parts": self._parts, **self._truth}
        if name not in known:
            raise KeyError(f"no ground truth {name!r} here; known: {', '.join(known) or 'none'}")
        values = known[name]
        return values(np.asarray(indices)) if callable(values) else self._rows(values, indices)

    def _rows(self, values: np.ndarray, indices: Sequence[int]) -> np.ndarray:
        return np.asarray(values[self._start + np.asarray(indices)])

    def __getstate__(self) -> dict:
        truth = {name: _by_name(values) for name, values in self._truth.items()}
        mapped = {"_frames": _by_name(self._frames), "_parts": _by_name(self._parts), "_truth": truth}
        return self.__dict__ | mapped

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._frames, self._parts = _mapped(self._frames), _mapped(self._parts)
        self._truth = {name: _mapped(values) for name, values in self._truth.items()}


@dataclass(frozen=True)
class _MappedFile:
    """What it takes to map an array's file again; pickling the memory map itself would copy its content."""

    path: str
    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int


def _by_name(values):
    if isinstance(values, np.memmap) and isinstance(values.base, mmap.mmap):  # a whole map, not a part of one
        return _MappedFile(str(values.filename), values.dtype, values.shape, values.offset)
    return values


def _mapped(values):
    return _map_file(values) if isinstance(values, _MappedFile) else values


@functools.lru_cache(maxsize=64)
def _map_file(file: _MappedFile) -> np.memmap:
    return np.memmap(file.path, file.dtype, "r", file.offset, file.shape)


class Rows:
    """Rows `start` to `stop` of an array that holds many tracklets one after another, read when asked for.

    As with `ArrayFrames`, a memory-mapped array is pickled as its file's name.
    """

    def __init__(self, values: np.ndarray, start: int, stop: int):
        self._values, self._start, self._stop = values, start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, indices: Sequence[int]) -> np.ndarray:
        return np.asarray(self._values[self._start + np.asarray(indices)])

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_values": _by_name(self._values)}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._values = _mapped(self._values)


@dataclass(frozen=True, eq=False)
class Tracklet:
    """One person followed by one camera.

    person_id: above 0 an identity; 0 a distractor (a wrong answer to every query); below 0 junk (never
    counted). tracklet_id: the T number of MARS's file names, or 0. view: azimuth of the camera in degrees.
    condition: what is special about the recording (CASIA-B: "nm", "bg", "cl"). attributes: codes by name.
    aligned: for gait networks, the silhouettes of all frames, centred and of one height, see
    `reidlib.data.silhouettes`. later: of rendered tracklets, what follows a frame where its box stays in its place, see
    `reidlib.data.successors`.
    """

    person_id: int
    camera_id: int
    source: FrameSource
    tracklet_id: int = 0
    view: int = 0
    condition: str = ""
    attributes: Mapping[str, int] = field(default_factory=dict)
    aligned: Rows | None = None
    later: Later | None = None

    def __len__(self) -> int:
        return len(self.source)

    def frames(self, indices: Sequence[int] | None = None) -> np.ndarray:
        """RGB frames, uint8 (n, 3, H, W); all of them by default."""
        return self.source.frames(self._indices(indices))

    def masks(self, indices: Sequence[int] | None = None) -> np.ndarray | None:
        """Silhouettes, uint8 (n, 1, H, W) of 0 and 1, or None where the data have none."""
        return self.source.masks(self._indices(indices))

    def silhouettes(self, indices: Sequence[int] | None = None) -> np.ndarray | None:
        """Aligned silhouettes, uint8 (n, h, w) of 0 and 1, or None without them; all frames' by default."""
        return None if self.aligned is None else self.aligned[self._indices(indices)]

    def truth(self, name: str, indices: Sequence[int] | None = None) -> np.ndarray:
        """Rendered ground truth, see `FrameSource.truth`; KeyError if there is none of that name."""
        return self.source.truth(name, self._indices(indices))

    def _indices(self, indices: Sequence[int] | None) -> np.ndarray:
        if indices is None:
            return np.arange(len(self))
        indices = np.asarray(indices, dtype=np.int64)
        if indices.size and (indices.min() < 0 or indices.max() >= len(self)):
            raise IndexError(f"frames {indices.tolist()}: expected numbers from 0 to {len(self) - 1}")
        return indices


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Training tracklets, queries and gallery, and which pairs of query and gallery count.

    protocol: "cross-camera" (tracklets of the query's identity under its own camera do not count) or "all".
    fingerprint: a hash, equal for equal data; each source says what goes into it. renderer: version of the renderer for
    rendered worlds, `reidlib.data.walkers.RENDERER`; 0 for recorded data.
    """

    train: tuple[Tracklet, ...]
    query: tuple[Tracklet, ...]
    gallery: tuple[Tracklet, ...]
    protocol: Literal["cross-camera", "all"]
    name: str
    fingerprint: str
    renderer: int = 0

    @property
    def num_ids(self) -> int:
        """Number of training identities (distractors and junk are none)."""
        return len(identities(self.train))

    @property
    def everybody(self) -> list[Tracklet]:
        """All tracklets, each once: those of training, then queries, then the rest of the gallery."""
        return list(dict.fromkeys((*self.train, *self.query, *self.gallery)))

    def map(self, change: Callable[[Tracklet], Tracklet | None], how: str) -> "Benchmark":
        """The benchmark with every tracklet exchanged for what `change` makes of it, or left out where that is None.

        how: what was changed, in words that are equal for equal changes; the fingerprint covers them.
        """
        changed = {tracklet: change(tracklet) for tracklet in self.everybody}

        def part(tracklets: tuple[Tracklet, ...]) -> tuple[Tracklet, ...]:
            return tuple(new for t in tracklets if (new := changed[t]) is not None)

        return replace(
            self,
            train=part(self.train),
            query=part(self.query),
            gallery=part(self.gallery),
            fingerprint=fingerprint(self.fingerprint, how),
        )


def identities(tracklets: Sequence[Tracklet]) -> list[int]:
    """The identities of the tracklets, ascending, without distractors and junk; class i is the i-th."""
    return sorted({tracklet.person_id for tracklet in tracklets if tracklet.person_id > 0})


def complete(benchmark: Benchmark, place: str | Path, advice: str, train: bool = True) -> Benchmark:
    """The benchmark; ValueError naming the place if it has no query, no gallery or, with `train`, no training tracklet.

    advice: what to do then, the end of the message.
    """
    parts = {"training": benchmark.train, "query": benchmark.query, "gallery": benchmark.gallery}
    counts = ", ".join(f"{len(tracklets)} {name}" for name, tracklets in parts.items())
    if not (benchmark.query and benchmark.gallery and (benchmark.train or not train)):
        raise ValueError(f"{place}: {benchmark.name} needs tracklets in each part, found {counts}; {advice}")
    return benchmark


def fingerprint(*content: bytes | str) -> str:
    """A short hash (16 hexadecimal digits) of the pieces given; their order and borders matter."""
    digest = hashlib.sha256()
    for piece in content:
        piece = piece.encode() if isinstance(piece, str) else piece
        digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()[:16]


def outline(tracklets: Sequence[Tracklet]) -> str:
    """What is known of tracklets without their pixels, as text for a fingerprint; attributes are left out."""
    return repr([(t.person_id, t.camera_id, t.tracklet_id, t.view, t.condition, len(t)) for t in tracklets])


def validation_split(benchmark: Benchmark, fraction: float = 0.2, seed: int = 0) -> Benchmark:
    """A benchmark of training identities only, for every choice that must not look at the test identities.

    `fraction` of the identities, drawn by `seed`, are held out; all their tracklets are query and gallery.
    Across cameras that is sound because a query never meets its own camera; under "all", where a query would
    find itself, one drawn tracklet of each identity is its query and the others are the gallery. Distractors
    and junk are left out. fraction=1 searches all training identities, and leaves none to train on. ValueError if
    either part would be empty otherwise.
    """
    people = identities(benchmark.train)
    count = round(fraction * len(people))
    if not 0 < count < len(people) + (fraction == 1):
        raise ValueError(f"fraction={fraction} of {len(people)} identities: expected some on either side")
    rng = np.random.default_rng(seed)
    chosen = set(rng.choice(people, count, replace=False).tolist())
    query = gallery = tuple(t for t in benchmark.train if t.person_id in chosen)
    if benchmark.protocol == "all":
        first = {gallery[i].person_id: i for i in rng.permutation(len(gallery)).tolist()}
        query = tuple(gallery[i] for i in sorted(first.values()))
        gallery = tuple(t for t in gallery if t not in set(query))
    return replace(
        benchmark,
        train=tuple(t for t in benchmark.train if t.person_id > 0 and t.person_id not in chosen),
        query=query,
        gallery=gallery,
        name=f"{benchmark.name} validation",
        fingerprint=fingerprint(benchmark.fingerprint, repr((fraction, seed))),
    )


def half_split(tracklets: Sequence[Tracklet], seed: int, name: str) -> Benchmark:
    """Train on half of the identities, search the other half across cameras (all are query and gallery).

    For collections that bring no test split. `seed` draws the halves. The fingerprint covers `name` and the
    tracklets' identities, cameras, numbers and lengths.
    """
    content = repr([(t.person_id, t.camera_id, t.tracklet_id, len(t)) for t in tracklets])
    whole = Benchmark(tuple(tracklets), (), (), "cross-camera", name, fingerprint(name, content))
    return replace(validation_split(whole, fraction=0.5, seed=seed), name=f"{name} half {seed}")
