"""Clips as tensors: P × K batches for training, ordered batches for testing.

Training batch number i is a pure function of the arguments, the seed and i, so the bytes do not depend on the
number of workers, and a run resumes anywhere by starting there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from reidlib.data.clips import Clip, Sampling, consecutive, dense_windows, evenly_spaced, read_clip, sample
from reidlib.data.successors import Windows, check_windows, pack_successors
from reidlib.data.tracklets import Tracklet, identities
from reidlib.data.transforms import Transform

UNKNOWN = -1  # the code of an attribute that a tracklet has no annotation of
PIXELS = ("frames", "masks", "silhouettes", "next_frames")  # fields of `ClipBatch` that a network may ask for


@dataclass(frozen=True)
class ClipBatch:
    """B clips of T frames.

    frames: float32 (B, T, 3, H, W) in [0, 1], not normalised: networks do that; None where silhouettes alone were asked
    for. next_frames: likewise (B, T, N, 3, H, W), the N frames that follow each. masks: float32 (B, T, 1, H, W) of 0
    and 1. silhouettes: float32 (B, S, h, w) of 0 and 1, aligned, S in a row, for gait networks. Integer tensors (B,):
    tracklets (position in the sequence that the batches were made of), person_ids, camera_ids, views in degrees,
    attributes by name (-1: not annotated), and labels, the class of each identity among those of the training set
    (None in testing). conditions: B strings. truth: ground truth by name, (B, T, …) in its own type; of the successors,
    whose names begin with "next_", (B, T, N, …).
    """

    frames: Tensor | None
    tracklets: Tensor
    person_ids: Tensor
    camera_ids: Tensor
    views: Tensor
    conditions: tuple[str, ...]
    attributes: Mapping[str, Tensor] = field(default_factory=dict)
    labels: Tensor | None = None
    masks: Tensor | None = None
    silhouettes: Tensor | None = None
    next_frames: Tensor | None = None
    truth: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tracklets)

    def inputs(self, names: Iterable[str]) -> dict[str, Tensor]:
        """What a network that declares these `inputs` is called with: fields of pixels, or ground truth by its name.

        ValueError for what the batch does not have.
        """
        found = {name: getattr(self, name) if name in PIXELS else self.truth.get(name) for name in names}
        if missing := [name for name, value in found.items() if value is None]:
            raise ValueError(f"the network needs {' and '.join(missing)}, which this batch does not have; ask for them")
        return found

    def to(self, device: torch.device | str) -> "ClipBatch":
        """The same batch with every tensor on `device`."""

        def moved(value):
            if isinstance(value, Mapping):
                return {name: tensor.to(device) for name, tensor in value.items()}
            return value.to(device) if isinstance(value, Tensor) else value

        return replace(self, **{f.name: moved(getattr(self, f.name)) for f in fields(self)})


def train_batches(
    tracklets: Sequence[Tracklet],
    *,
    ids_per_batch: int,
    clips_per_id: int,
    num_frames: int,
    iterations: int,
    seed: int,
    start: int = 0,
    workers: int = 0,
    transform: Transform | None = None,
    sampling: Sampling = "random",
    stride: int = 1,
    masks: bool = False,
    next_frames: int = 0,
    time_step: int = 1,
    truth: tuple[str, ...] = (),
    silhouettes: int = 0,
    windows: Windows = "tracked",
) -> DataLoader:
    """Batches number `start` to `iterations - 1` of `ids_per_batch` identities (P) with `clips_per_id`
    clips each (K).

    Identities come in random order, all of them before any again, and never twice in one batch. An identity's K clips
    come from different tracklets, or go round where it has fewer. Distractors and junk are left out. Clips are ordered
    by identity. `sampling` and `stride` are those of `reidlib.data.clips.sample`, `transform` one of
    `reidlib.data.transforms`; masks and truth ask for those fields of `ClipBatch`. next_frames: how many successors
    each frame has, `time_step` frames apart. windows: "tracked" for successors in boxes that follow the person, "fixed"
    for successors in the box of the frame that they follow; those are rendered once and kept in the cache folder, see
    `reidlib.data.successors`. silhouettes: how many consecutive silhouettes (S) each clip has, from a
    random start; they are never transformed. With num_frames=0 the batches have these alone. `workers` processes read
    ahead, one thread each.

    ValueError if there are fewer identities than a batch needs, nothing is asked for, or the tracklets have no fixed
    windows.
    """
    _check_counts(num_frames, silhouettes)
    if transform is not None and not num_frames:
        raise ValueError("transform with num_frames=0: silhouettes are not transformed, leave it out")
    tracklets = _with_successors(tracklets, next_frames, time_step, windows)
    draw = partial(sample, num_frames=num_frames, sampling=sampling, stride=stride, ahead=next_frames * time_step)
    draw_run = partial(consecutive, num_frames=silhouettes) if silhouettes else None
    read = partial(read_clip, masks=masks, next_frames=next_frames, time_step=time_step, truth=truth, windows=windows)
    batches = _TrainBatches(tracklets, ids_per_batch, clips_per_id, seed, draw, draw_run, read, transform)
    return _loader(batches, range(start, iterations), workers)


def evaluation_batches(
    tracklets: Sequence[Tracklet],
    *,
    num_frames: int,
    batch_size: int,
    sampling: Literal["even", "dense"] = "even",
    workers: int = 0,
    masks: bool = False,
    next_frames: int = 0,
    time_step: int = 1,
    truth: tuple[str, ...] = (),
    silhouettes: int = 0,
    windows: Windows = "tracked",
) -> DataLoader:
    """Every tracklet once, in order, in batches of up to `batch_size` clips.

    sampling: "even" gives one clip of `num_frames` evenly spaced frames for each tracklet; "dense" gives
    all windows of consecutive frames (`reidlib.data.clips.dense_windows`), so that `batch.tracklets` says
    whose embeddings are to be averaged. silhouettes: how many consecutive ones (S) each clip has, the tracklet's middle
    ones for "even", those from the window's first frame on for "dense"; without frames, they are the windows. The
    other arguments are those of `train_batches`.
    """
    if sampling not in ("even", "dense"):
        raise ValueError(f"sampling={sampling!r}: expected 'even' or 'dense'")
    _check_counts(num_frames, silhouettes)
    tracklets = _with_successors(tracklets, next_frames, time_step, windows)
    ahead = next_frames * time_step
    clips = partial(_windows, num_frames=num_frames, silhouettes=silhouettes, dense=sampling == "dense", ahead=ahead)
    read = partial(read_clip, masks=masks, next_frames=next_frames, time_step=time_step, truth=truth, windows=windows)
    batches = _EvaluationBatches(tracklets, clips, batch_size, read)
    return _loader(batches, range(len(batches)), workers)


def _with_successors(
    tracklets: Sequence[Tracklet], next_frames: int, time_step: int, windows: Windows
) -> Sequence[Tracklet]:
    """The tracklets, with the successors in fixed windows at hand where they are asked for."""
    check_windows(windows)
    if windows == "fixed" and not next_frames:
        raise ValueError("windows='fixed' with next_frames=0: windows are those of successors, ask for these")
    return pack_successors(tracklets, next_frames, time_step) if windows == "fixed" else tracklets


def _check_counts(num_frames: int, silhouettes: int) -> None:
    if num_frames < 0 or silhouettes < 0 or not num_frames + silhouettes:
        raise ValueError(f"num_frames={num_frames}, silhouettes={silhouettes}: expected one or more of either")


def _windows(length: int, num_frames: int, silhouettes: int, dense: bool, ahead: int) -> tuple[np.ndarray, np.ndarray]:
    """Frame numbers (n, T) and silhouettes' numbers (n, S) of a tracklet's n test clips; `ahead` frames at the end are
    nothing but successors."""
    length = max(length - ahead, 1)
    if dense:
        windows = dense_windows(length, num_frames or silhouettes)
        indices, starts = windows[:, :num_frames], windows[:, :1]
    else:
        indices, starts = evenly_spaced(length, num_frames)[None], max(length - silhouettes, 0) // 2
    return indices, np.broadcast_to((starts + np.arange(silhouettes)) % length, (len(indices), silhouettes))


class _TrainBatches(Dataset):
    """Training batches by number. `draw(length, rng=…)` gives frame numbers, `draw_run` likewise those of the
    silhouettes, `read(tracklet, indices, silhouettes=…)` a clip.
    """

    def __init__(
        self,
        tracklets: Sequence[Tracklet],
        ids_per_batch: int,
        clips_per_id: int,
        seed: int,
        draw: Callable[..., np.ndarray],
        draw_run: Callable[..., np.ndarray] | None,
        read: Callable[..., Clip],
        transform: Transform | None,
    ):
        self.tracklets, self.attributes = tracklets, _attribute_names(tracklets)
        self.ids_per_batch, self.clips_per_id, self.seed = ids_per_batch, clips_per_id, seed
        self.draw, self.draw_run, self.read, self.transform = draw, draw_run, read, transform
        self.labels = {person: label for label, person in enumerate(identities(tracklets))}
        self.owned = [[] for _ in self.labels]  # positions of the tracklets of each class
        for position, tracklet in enumerate(tracklets):
            if tracklet.person_id > 0:
                self.owned[self.labels[tracklet.person_id]].append(position)
        if len(self.owned) < ids_per_batch:
            advice = "" if self.owned else "; reidlib.data.half_split makes training identities of a collection's half"
            raise ValueError(f"ids_per_batch={ids_per_batch}: there are only {len(self.owned)} identities{advice}")

    def __getitem__(self, number: int) -> ClipBatch:
        rng = np.random.default_rng((self.seed, 1, number))
        positions = [p for label in self._batch_labels(number) for p in self._clip_positions(label, rng)]
        clips = [self._clip(self.tracklets[position], rng) for position in positions]
        batch = _collate(self.tracklets, positions, clips, self.attributes)
        return replace(batch, labels=torch.tensor([self.labels[i] for i in batch.person_ids.tolist()]))

    def _batch_labels(self, number: int) -> list[int]:
        """The P classes of a batch: the next ones of a pass through all classes in random order."""
        epoch, step = divmod(number, len(self.owned) // self.ids_per_batch)
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.owned))
        return order[step * self.ids_per_batch :][: self.ids_per_batch].tolist()

    def _clip_positions(self, label: int, rng: np.random.Generator) -> list[int]:
        """K tracklets of a class, each once before any again."""
        return np.resize(rng.permutation(self.owned[label]), self.clips_per_id).tolist()

    def _clip(self, tracklet: Tracklet, rng: np.random.Generator) -> Clip:
        indices = self.draw(len(tracklet), rng=rng)
        run = self.draw_run(len(tracklet), rng=rng) if self.draw_run else ()
        clip = self.read(tracklet, indices, silhouettes=run)
        return clip if self.transform is None else self.transform(clip, rng)


class _EvaluationBatches(Dataset):
    """Test batches by number. `windows(length)` gives the numbers of frames and of silhouettes of n clips."""

    def __init__(
        self,
        tracklets: Sequence[Tracklet],
        windows: Callable[[int], tuple[np.ndarray, np.ndarray]],
        batch_size: int,
        read: Callable[..., Clip],
    ):
        self.tracklets, self.attributes = tracklets, _attribute_names(tracklets)
        self.batch_size, self.read = batch_size, read
        self.clips = [
            (position, indices, run)
            for position, tracklet in enumerate(tracklets)
            for indices, run in zip(*windows(len(tracklet)))
        ]

    def __len__(self) -> int:
        return -(-len(self.clips) // self.batch_size)

    def __getitem__(self, number: int) -> ClipBatch:
        chosen = self.clips[number * self.batch_size :][: self.batch_size]
        clips = [self.read(self.tracklets[position], indices, silhouettes=run) for position, indices, run in chosen]
        return _collate(self.tracklets, [position for position, *_ in chosen], clips, self.attributes)


def _loader(batches: Dataset, numbers: range, workers: int) -> DataLoader:
    generator = torch.Generator()  # its own: a loader without one draws from the global random state
    generator.manual_seed(0)
    return DataLoader(batches, batch_size=None, sampler=numbers, num_workers=workers, generator=generator)


def _attribute_names(tracklets: Sequence[Tracklet]) -> list[str]:
    return sorted({name for tracklet in tracklets for name in tracklet.attributes})


def _collate(
    tracklets: Sequence[Tracklet], positions: list[int], clips: list[Clip], attributes: list[str]
) -> ClipBatch:
    chosen = [tracklets[position] for position in positions]
    return ClipBatch(
        frames=_pixels([clip.frames for clip in clips], 255),
        masks=_pixels([clip.masks for clip in clips], 1),
        silhouettes=_pixels([clip.silhouettes for clip in clips], 1),
        next_frames=_pixels([clip.next_frames for clip in clips], 255),
        tracklets=torch.tensor(positions),
        person_ids=torch.tensor([tracklet.person_id for tracklet in chosen]),
        camera_ids=torch.tensor([tracklet.camera_id for tracklet in chosen]),
        views=torch.tensor([tracklet.view for tracklet in chosen]),
        conditions=tuple(tracklet.condition for tracklet in chosen),
        attributes={name: torch.tensor([t.attributes.get(name, UNKNOWN) for t in chosen]) for name in attributes},
        truth={name: torch.from_numpy(np.stack([clip.truth[name] for clip in clips])) for name in clips[0].truth},
    )


def _pixels(values: list[np.ndarray | None], scale: int) -> Tensor | None:
    """The clips' arrays as one tensor, divided by `scale`; None where the clips have none."""
    return None if values[0] is None else torch.from_numpy(np.stack(values)).float().div_(scale)
