"""The loader of CASIA-B, and of everything in its layout.

Yu, Tan, Tan, "A framework for evaluating the effect of view angle, clothing and carrying condition on gait
recognition", ICPR 2006: 124 subjects, each walking ten times past eleven cameras. Below its folder:

    001/nm-01/090/001-nm-01-090-001.png    subject, condition and number of the walk, view in degrees, frame
    CASIA-B.json                           optional, {"TRAIN_SET": ["001", …], "TEST_SET": […]}

nm-01 to nm-06 are normal walks, bg-01 and bg-02 with a bag, cl-01 and cl-02 in a coat; views are 000, 018, …, 180. The
usual partition trains on the first 74 subjects and tests on the last 50: gallery nm-01 to nm-04, queries all other
walks, scored for each condition and each pair of views (`reidlib.evaluation.cross_view_accuracy`). Some walks are
missing in the real data (subject 005's, which some leave out of training for that); they are reported.

Colour frames come as videos. Bring them into the same folders, numbered like the silhouettes, for instance by
`ffmpeg -i 001-nm-01-090.avi RGB/001/nm-01/090/%03d.png`, and give RGB as `rgb`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reidlib.data import folders
from reidlib.data.crops import PersonCrops
from reidlib.data.gait import Walk, choose_partition, present, walks_benchmark
from reidlib.data.images import ImageFiles
from reidlib.data.silhouettes import SIZE
from reidlib.data.tracklets import Benchmark, FrameSource, Tracklet, fingerprint

SOURCE = "get it from http://www.cbsr.ia.ac.cn/english/Gait%20Databases.asp (Dataset B, silhouettes)"
PARTITION_FROM = "get it from https://github.com/ShiqiYu/OpenGait (datasets/CASIA-B)"

CONDITIONS = {"nm": 6, "bg": 2, "cl": 2}  # walks of each
VIEWS = range(0, 181, 18)


def load(
    root: str | Path,
    rgb: str | Path | None = None,
    cut: bool = True,
    partition: str | Path | None = None,
    resolution: tuple[int, int] = (256, 128),
    size: tuple[int, int] = SIZE,
    workers: int | None = None,
    progress: bool = True,
) -> Benchmark:
    """CASIA-B, or whatever lies in its layout, as a benchmark with aligned silhouettes.

    rgb: the folder of colour frames, if they are wanted; a walk that has none is an error. Without it, the aligned
    silhouettes are the frames. cut: cut colour frames and masks to the person; False takes them whole, as is right for
    pictures that show little else. partition: a file such as CASIA-B.json; by default the one in `root` or, without
    it, the usual 74 / 50. resolution: (H, W) of colour frames. size: (h, w) of the aligned silhouettes, which are made
    by `workers` processes at the first call and kept in the cache folder.

    Warnings count missing subjects and walks. FileNotFoundError or ValueError naming the file or folder at fault.
    """
    root = Path(root)
    usual = tuple([f"{person:03d}" for person in people] for people in (range(1, 75), range(75, 125)))
    subjects = choose_partition(partition, root / "CASIA-B.json", usual, PARTITION_FROM)
    train, test = present([root], subjects, SOURCE)
    if rgb is not None:
        folders.subfolders(Path(rgb), "colour frames in a folder for each subject, such as 001/nm-01/090/001.png")
    walks = [
        Walk(subject, view, condition, number, root / subject / f"{condition}-{number:02d}" / f"{view:03d}")
        for subject in (*train, *test)
        for condition, count in CONDITIONS.items()
        for number in range(1, count + 1)
        for view in VIEWS
    ]
    benchmark = walks_benchmark(root, walks, subjects, in_gallery, "CASIA-B", SOURCE, size, workers, progress)
    if rgb is None:
        return benchmark
    numbers = folders.person_numbers([*subjects[0], *subjects[1]])
    places = {(numbers[w.subject], w.condition, w.number, w.view): w.folder for w in walks}

    def coloured(tracklets: Sequence[Tracklet]) -> tuple[Tracklet, ...]:
        walked = (places[t.person_id, t.condition, t.tracklet_id, t.view] for t in tracklets)
        return tuple(
            replace(t, source=_colour(Path(rgb), place, cut, resolution)) for t, place in zip(tracklets, walked)
        )

    return replace(
        benchmark,
        train=coloured(benchmark.train),
        query=coloured(benchmark.query),
        gallery=coloured(benchmark.gallery),
        fingerprint=fingerprint(benchmark.fingerprint, repr((cut, resolution))),
    )


def in_gallery(tracklet: Tracklet) -> bool:
    """Whether a test subject's walk is gallery."""
    return tracklet.condition == "nm" and tracklet.tracklet_id <= 4


def _colour(rgb: Path, folder: Path, cut: bool, resolution: tuple[int, int]) -> FrameSource:
    """The colour frames of a walk, each with its silhouette as mask; frames go together by the number in their name."""
    place = rgb.joinpath(*folder.parts[-3:])
    found = {_number(path): path for path in folders.images(place, "the colour frames of this walk")}
    masks = folders.images(folder, "silhouettes")
    numbers = [_number(path) for path in masks]
    if lost := [number for number in numbers if number not in found]:
        raise ValueError(
            f"{place}: expected a colour frame for each silhouette of {folder}, found none of number {lost[0]} "
            f"({len(lost)} of {len(numbers)} are missing); number the video's frames like the silhouettes"
        )
    frames = [found[number] for number in numbers]
    if cut:
        return PersonCrops(ImageFiles(frames, masks), resolution)
    return ImageFiles(frames, masks, resolution)


def _number(path: Path) -> int:
    """The last number in a file's name."""
    digits = re.findall(r"\d+", path.stem)
    if not digits:
        raise ValueError(f"{path}: expected a number in the name, by which colour frames and silhouettes go together")
    return int(digits[-1])
