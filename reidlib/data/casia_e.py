"""The loaders of CASIA-E and of HID, and of everything in their layouts.

Song, Huang, Wang, Wang, "CASIA-E: a large comprehensive dataset for gait recognition", TPAMI 2022: 1014 subjects, three
scenes, two heights of the cameras, thirteen views from each, silhouettes. Two publications of it are in use, with
different subject numbers and partitions:

CASIA-E itself (`load`), as its archives unpack:

    001/H/scene2/bg/090/1/….jpg    subject, height (H, L), scene, condition (nm, bg, cl), view, number of the walk

    Its partition in use trains on subjects 1 to 200 and tests on 201 to 1014. Gallery: nm walks of scene1; queries:
    all walks of scene2, scene3 and scene3_s; the view 270 and the other walks of scene1 are left out in testing.

HID, the competition "Human identification at a distance" (`load_hid`), which names neither scene nor view:

    train/0000/SEQUENCE/….png      500 subjects
    gallery/0500/SEQUENCE/….png    505 subjects, one sequence each
    probe/0500/SEQUENCE/….png      their other sequences, more of some than of others

    The competition keeps its probes' subjects to itself (probe/SEQUENCE/….png); such a folder can be no benchmark.
    The published list of its test subjects has 506 entries, one of which is the folder name "probe".
"""

from pathlib import Path

from reidlib.data import folders
from reidlib.data.gait import Walk, choose_partition, present, walks_benchmark
from reidlib.data.silhouettes import SIZE
from reidlib.data.tracklets import Benchmark, Tracklet

SOURCE = "get it from https://www.scidb.cn/en/detail?dataSetId=57be0e918db743279baf44a38d013a06"
HID_FROM = "get it from the competition's page, https://hid.iapr-tc4.org"
PARTITION_FROM = "get it from https://github.com/ShiqiYu/OpenGait (datasets/CASIA-E)"

HEIGHTS = ("H", "L")
SCENES = ("scene1", "scene2", "scene3", "scene3_s")
CONDITIONS = ("nm", "bg", "cl")
LEFT_OUT_VIEW = 270


def load(
    root: str | Path,
    partition: str | Path | None = None,
    size: tuple[int, int] = SIZE,
    workers: int | None = None,
    progress: bool = True,
) -> Benchmark:
    """CASIA-E, or whatever lies in its layout, as a benchmark of aligned silhouettes, which are the frames too.

    partition: a file such as CASIA-E.json; by default the one in `root` or, without it, 1 to 200 / 201 to 1014. A
    tracklet's condition names height and scene as well, such as "H-scene2-bg". The other arguments are those of
    `reidlib.data.oumvlp.load`.

    Warnings count missing subjects and walks. FileNotFoundError or ValueError naming the file or folder at fault.
    """
    root = Path(root)
    subjects = choose_partition(partition, root / "CASIA-E.json", usual_partition(), PARTITION_FROM)
    train, test = present([root], subjects, SOURCE)
    walks = [walk for subject in train for walk in _walks(root / subject)]
    walks += [walk for subject in test for walk in _walks(root / subject) if _is_tested(walk)]
    if not walks:
        raise FileNotFoundError(f"{root}: expected walks such as {(train + test)[0]}/H/scene1/nm/000/1; {SOURCE}")
    return walks_benchmark(root, walks, subjects, in_gallery, "CASIA-E", SOURCE, size, workers, progress)


def usual_partition() -> tuple[list[str], list[str]]:
    """The subjects to train on and to test on."""
    return [f"{person:03d}" for person in range(1, 201)], [f"{person:03d}" for person in range(201, 1015)]


def _walks(subject: Path) -> list[Walk]:
    """The walks of one subject's folder; there are not the same ones for all."""
    walks = []
    for place in sorted(place for place in subject.glob("[!.]*/[!.]*/[!.]*/[!.]*/[!.]*") if place.is_dir()):
        height, scene, condition, view, number = place.parts[-5:]
        known = height in HEIGHTS and scene in SCENES and condition in CONDITIONS
        if not (known and view.isdecimal() and number.isdecimal()):
            raise ValueError(f"{subject}: expected walks such as H/scene1/nm/000/1, found {place.relative_to(subject)}")
        walks.append(Walk(subject.name, int(view), f"{height}-{scene}-{condition}", int(number), place))
    return walks


def _is_tested(walk: Walk) -> bool:
    _, scene, condition = walk.condition.split("-")
    return walk.view != LEFT_OUT_VIEW and (scene != "scene1" or condition == "nm")


def in_gallery(tracklet: Tracklet) -> bool:
    """Whether a test subject's walk is gallery, by CASIA-E's protocol."""
    return tracklet.condition.split("-")[1] == "scene1"


def load_hid(
    root: str | Path, size: tuple[int, int] = SIZE, workers: int | None = None, progress: bool = True
) -> Benchmark:
    """HID, or whatever lies in its layout, as a benchmark of aligned silhouettes, which are the frames too.

    Views are not known and 0; a tracklet's condition says the part, "train", "gallery" or "probe". The arguments are
    those of `reidlib.data.oumvlp.load`. Where one subject is 0000, which would be a distractor here, all subjects'
    numbers are moved up by one.

    A warning counts sequences without silhouettes. FileNotFoundError or ValueError naming the folder at fault.
    """
    root = Path(root)
    walks, subjects = [], {}
    for part in ("train", "gallery", "probe"):
        subjects[part] = set()
        for place in folders.subfolders(root / part, f"a folder for each subject, such as 0000; {HID_FROM}"):
            if part == "probe" and not any(inner.is_dir() for inner in place.iterdir()):
                raise ValueError(
                    f"{place}: expected a folder for each sequence of a subject, found images; sequences of unknown "
                    "subjects cannot be scored, only sent to the competition"
                )
            (person,) = folders.match(r"(\d+)", place, "0000")
            subjects[part].add(person)
            for inner in folders.subfolders(place, f"a folder for each sequence; {HID_FROM}"):
                (number,) = folders.match(r"(\d+)", inner, "0")
                walks.append(Walk(person, 0, part, int(number), inner))
    if both := subjects["train"] & (subjects["gallery"] | subjects["probe"]):
        raise ValueError(f"{root}: subject {min(both)} is in train and among the test subjects; {HID_FROM}")
    partition = sorted(subjects["train"]), sorted(subjects["gallery"] | subjects["probe"])
    return walks_benchmark(root, walks, partition, _in_hid_gallery, "HID", HID_FROM, size, workers, progress)


def _in_hid_gallery(tracklet: Tracklet) -> bool:
    return tracklet.condition == "gallery"
