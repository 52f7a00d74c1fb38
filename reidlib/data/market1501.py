"""The loader of Market-1501, and of everything in its layout.

Zheng, Shen, Tian, Wang, Wang, Tian, "Scalable person re-identification: a benchmark", ICCV 2015: single images, each a
tracklet of one frame here. Below its folder:

    bounding_box_train/0002_c1s1_000451_03.jpg    person, camera and sequence, frame, box; 12 936 images of 751 persons
    query/…                                       3368 images of 750 other persons
    bounding_box_test/…                           19 732 images: of these 750 persons, of 0000 (2793 distractors) and
                                                  of -1 (3819 junk)
"""

import re
from pathlib import Path

from reidlib.data import folders
from reidlib.data.images import ImageFiles
from reidlib.data.tracklets import Benchmark, Tracklet, complete, fingerprint, outline

SOURCE = "get it from https://zheng-lab.cecs.anu.edu.au/Project/project_reid.html"

_NAME = re.compile(r"(-1|\d{4})_c(\d)s(\d)_(\d+)_(\d+)(?:\.\w+)+")  # a few images of the archive end on .jpg.jpg


def load(root: str | Path, resolution: tuple[int, int] = (256, 128), junk: bool = False) -> Benchmark:
    """Market-1501, or whatever lies in its layout, as a benchmark; images are read when they are needed.

    resolution: (H, W) of the frames. junk: keep junk in the gallery. A tracklet_id is the number of the frame that the
    image was cut from. The fingerprint covers persons, cameras, frame numbers and these arguments, not the
    pixels.

    FileNotFoundError or ValueError naming the file or folder at fault; an image that cannot be read is an OSError when
    it is needed.
    """
    root = Path(root)
    train = _read_folder(root / "bounding_box_train", resolution)
    query = _read_folder(root / "query", resolution)
    gallery = [t for t in _read_folder(root / "bounding_box_test", resolution) if junk or t.person_id >= 0]
    for name, part in (("bounding_box_train", train), ("query", query)):
        if wrong := [t.person_id for t in part if t.person_id <= 0]:
            raise ValueError(f"{root / name}: expected images of persons, found one of number {wrong[0]}; {SOURCE}")
    benchmark = Benchmark(
        tuple(train),
        tuple(query),
        tuple(gallery),
        protocol="cross-camera",
        name="Market-1501",
        fingerprint=fingerprint(*map(outline, (train, query, gallery)), repr(resolution)),
    )
    return complete(benchmark, root, f"is there more than junk in bounding_box_test? {SOURCE}")


def _read_folder(folder: Path, resolution: tuple[int, int]) -> list[Tracklet]:
    """The images of a folder, by their names."""
    tracklets = []
    for path in sorted(folders.images(folder, f"images such as 0002_c1s1_000451_03.jpg; {SOURCE}")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{folder}: expected names like 0002_c1s1_000451_03.jpg, found {path.name!r}; {SOURCE}")
        person, camera, _, frame, _ = (int(group) for group in match.groups())
        tracklets.append(Tracklet(person, camera, ImageFiles([path], resolution=resolution), frame))
    return tracklets
