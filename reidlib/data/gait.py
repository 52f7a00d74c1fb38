"""What the gait data sets share: walks kept as folders of silhouette images, and partitions of their subjects."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from reidlib.data import folders
from reidlib.data.images import MaskFiles
from reidlib.data.notices import warn
from reidlib.data.silhouettes import pack_masks
from reidlib.data.tracklets import Benchmark, Rows, Tracklet, complete, fingerprint, outline, validation_split

Partition = tuple[Sequence[str], Sequence[str]]  # names of the subjects to train on, and of those to test on


@dataclass(frozen=True)
class Walk:
    """One subject walking past one camera once.

    subject: the name in the partition. view in degrees; number: which of the walks of that condition.
    """

    subject: str
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
    """The silhouettes of a folder, uint8 (H, W) of 0 and 1 each, in natural order of their names."""
    files = MaskFiles(folders.images(folder, "silhouettes"))
    return [files.read([number])[0] for number in range(len(files))]


def walks_benchmark(
    root: Path,
    walks: Sequence[Walk],
    partition: Partition,
    in_gallery: Callable[[Tracklet], bool],
    name: str,
    source: str,
    size: tuple[int, int],
    workers: int | None,
    progress: bool,
) -> Benchmark:
    """The benchmark of these walks: some subjects of the partition are trained on; the others' are gallery or query.

    A tracklet's person_id is the subject's number, by `folders.person_numbers`, its camera_id the place of its view
    among the views, from 1, its tracklet_id the number of the walk, and its frames are its aligned silhouettes. These
    are made once, and found in the cache folder afterwards; they are made anew if a walk's folder is moved, or files in
    it come or go. The fingerprint covers walks and lengths, not the pixels.

    Walks without images or without a usable silhouette are left out and counted in a warning; FileNotFoundError if
    there is no other, ValueError if there is nothing to train on, search with or search in.
    """
    numbers = folders.person_numbers([*partition[0], *partition[1]])
    train = {numbers[subject] for subject in partition[0]}
    tracklets, missing = _pack_walks(walks, numbers, size, workers, progress)
    if not tracklets:
        raise FileNotFoundError(f"{walks[0].folder}: expected silhouettes, as of every walk; {source}")
    if missing:
        warn(
            f"{root}: {len(missing)} of {len(walks)} walks have no silhouettes (subjects "
            f"{_some({walk.subject for walk in missing})}; the first is {missing[0].folder.relative_to(root)}), "
            "and are left out"
        )
    digest = fingerprint(name, repr((sorted(train), size)), outline(tracklets))
    advice = f"have all subjects of the partition walks in gallery and queries? {source}"
    return complete(divide(tracklets, train, in_gallery, name, digest), root, advice, train=bool(train))


def divide(
    tracklets: Sequence[Tracklet],
    train: Collection[int],
    in_gallery: Callable[[Tracklet], bool],
    name: str,
    digest: str,
) -> Benchmark:
    """The benchmark of these tracklets under the protocol "all": subjects in `train` are trained on; of the others'
    tracklets those `in_gallery` are gallery, the rest queries. digest: its fingerprint."""
    tested = [t for t in tracklets if t.person_id not in train]
    return Benchmark(
        train=tuple(t for t in tracklets if t.person_id in train),
        query=tuple(t for t in tested if not in_gallery(t)),
        gallery=tuple(t for t in tested if in_gallery(t)),
        protocol="all",
        name=name,
        fingerprint=digest,
    )


def gait_validation_split(benchmark: Benchmark, fraction: float = 0.2, seed: int = 0) -> Benchmark:
    """A benchmark of training subjects only that asks what the whole asks: the same walks are gallery and queries.

    `fraction` of the training subjects, drawn by `seed` as in `reidlib.data.validation_split`, are held out. Their
    walks of a condition and number that is in the benchmark's gallery are the gallery, their others of a condition that
    is among its queries are queries, and what is neither is left out. (`validation_split` would search for a walk among
    the other cameras' pictures of that very walk.)

    ValueError if any part would be empty, as where training walks are not labelled like the test's (HID).
    """
    held_out = validation_split(replace(benchmark, protocol="cross-camera"), fraction, seed)  # query = gallery = all
    gallery_walks = {(t.condition, t.tracklet_id) for t in benchmark.gallery}
    query_conditions = {t.condition for t in benchmark.query}
    gallery = tuple(t for t in held_out.gallery if (t.condition, t.tracklet_id) in gallery_walks)
    searched = set(gallery)
    query = tuple(t for t in held_out.query if t not in searched and t.condition in query_conditions)
    if not gallery or not query:
        raise ValueError(
            f"{benchmark.name}: expected training walks labelled like those of gallery and queries, found "
            f"{len(gallery)} and {len(query)}; reidlib.data.validation_split needs no labels"
        )
    return replace(
        held_out,
        query=query,
        gallery=gallery,
        protocol=benchmark.protocol,
        fingerprint=fingerprint(held_out.fingerprint, "gait"),
    )


def _pack_walks(
    walks: Sequence[Walk], numbers: Mapping[str, int], size: tuple[int, int], workers: int | None, progress: bool
) -> tuple[list[Tracklet], list[Walk]]:
    """Tracklets of the walks, and the walks that give none."""
    views = {view: place for place, view in enumerate(sorted({walk.view for walk in walks}), start=1)}
    listing = tqdm(walks, "listing silhouettes", unit="walk", disable=not progress, leave=False)
    lengths = {walk: count for walk in listing if (count := len(folders.image_names(walk.folder)))}
    if not lengths:
        return [], list(walks)
    changed = [(str(walk.folder.resolve()), walk.folder.stat().st_mtime_ns) for walk in lengths]
    key = fingerprint("mask_code", repr(changed))
    readers = [partial(read_masks, walk.folder) for walk in lengths]
    packed = pack_masks(readers, list(lengths.values()), key, size, workers, progress)
    rows = {walk: one for walk, one in zip(lengths, packed) if one is not None}
    tracklets = [
        Tracklet(numbers[w.subject], views[w.view], SilhouetteFrames(one), w.number, w.view, w.condition, aligned=one)
        for w, one in rows.items()
    ]
    return tracklets, [walk for walk in walks if walk not in rows]


def present(places: Sequence[Path], partition: Partition, source: str) -> Partition:
    """The subjects of a partition who have a folder in one of the places.

    Warnings count those who have none, and folders of other names. FileNotFoundError if a place has no folder at all,
    or no subject to train on, or none to test on, has one.
    """
    expected = f"a folder for each subject, such as {[*partition[0], *partition[1], '001'][0]}; {source}"
    there = {folder.name for place in places for folder in folders.subfolders(place, expected)}
    for half, purpose in zip(partition, ("train on", "test on")):
        if half and not there.intersection(half):
            raise FileNotFoundError(
                f"{places[0]}: expected folders of subjects to {purpose}, such as {half[0]}, found none of these "
                f"{len(half)}, but {_some(there)}; {source}, or name the subjects that you have in a file and give it "
                "as partition="
            )
    listed = {*partition[0], *partition[1]}
    if absent := listed - there:
        warn(f"{places[0]}: {len(absent)} of the partition's {len(listed)} subjects have no folder ({_some(absent)})")
    if strangers := there - listed:
        warn(
            f"{places[0]}: {len(strangers)} folders are left out, as the partition names no such subjects "
            f"({_some(strangers)})"
        )
    return tuple([subject for subject in half if subject in there] for half in partition)


def _some(names: Collection[str]) -> str:
    """The first five of some names."""
    return ", ".join(sorted(names, key=folders.natural)[:5]) + (", …" if len(names) > 5 else "")


def choose_partition(given: str | Path | None, beside: Path, usual: Partition, source: str) -> Partition:
    """The subjects to train on and to test on: by the file `given`, else by the file `beside` the data if there is
    one, else the `usual` ones. Errors as in `read_partition`.

    ValueError if there is no such file beside the data, but another JSON file that may have been meant.
    """
    beside = folders.spelt(beside)
    if given is not None or beside.is_file():
        return read_partition(beside if given is None else given, source)
    if others := sorted(path.name for path in beside.parent.glob("[!.]*.[jJ][sS][oO][nN]")):
        raise ValueError(f"{beside.parent / others[0]}: is it the partition? Call it {beside.name}, or give partition=")
    return usual


def read_partition(path: str | Path, source: str) -> Partition:
    """The subjects to train on and to test on, by a file {"TRAIN_SET": ["001", …], "TEST_SET": […]}.

    Subjects may have any names. FileNotFoundError or ValueError naming the file if it is missing, is no such file, or
    names a subject twice.
    """
    path = folders.spelt(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a partition of the subjects; {source}")
    try:
        content = json.loads(folders.text(path))
        train, test = ([name.strip() for name in content[part]] for part in ("TRAIN_SET", "TEST_SET"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{path}: expected {{"TRAIN_SET": ["001", …], "TEST_SET": […]}}, which this is not '
            f"({type(error).__name__}: {error}); {source}"
        ) from error
    try:
        folders.person_numbers([*train, *test])
    except ValueError as error:
        raise ValueError(f"{path}: {error}; {source}") from error
    return train, test
