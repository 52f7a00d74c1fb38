"""The loader of PRID-2011's multi-shot part, and of everything in its layout.

Hirzer, Beleznai, Roth, Bischof, "Person re-identification by descriptive and discriminative classification",
SCIA 2011. Below its folder, or below prid_2011 in it:

    multi_shot/cam_a/person_0001/0001.png      385 persons under camera A
    multi_shot/cam_b/person_0001/0001.png      749 under camera B; 1 to 200 are the same people in both
    splits_prid2011.json                       the splits in use, a list of {"train": […], "test": […]}, beside either;
                                               it may be called splits.json

Following Wang, Gong, Zhu, Wang, "Person re-identification by video ranking", ECCV 2014, only the 178 of the 200 with
at least 27 frames under either camera take part, 89 to train on and 89 to test on, in ten splits. The split file,
which the literature passes on, lists these 178. Without it, the loader picks the persons by their frames and draws
ten splits itself, with a warning.
"""

from pathlib import Path

from reidlib.data import folders
from reidlib.data.tracklets import Benchmark
from reidlib.data.two_cameras import drawn_splits, first_file, read_camera, read_splits, split_benchmark

IMAGES_FROM = (
    "get it from https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/prid11/ "
    "(the archive's folder multi_shot)"
)
SPLITS_FROM = "get it as splits_prid2011.json from a collection of person re-identification code such as torchreid"

MIN_FRAMES = 27  # under either camera
NUM_SHARED = 200  # persons 1 to 200 are the same under both cameras, those beyond are not


def load(root: str | Path, split: int = 0, resolution: tuple[int, int] = (256, 128)) -> Benchmark:
    """PRID-2011, or whatever lies in its layout, as the benchmark of one split; images are read when needed.

    split: 0 to 9. Queries are under camera 1 (A), the gallery under camera 2 (B). resolution: (H, W) of the frames.

    FileNotFoundError or ValueError naming the file or folder at fault; broken images are dealt with as in
    `ImageFiles`.
    """
    expected = f"the sequences of cameras A and B; {IMAGES_FROM}"
    multi_shot = folders.find(root, ("multi_shot", "prid_2011/multi_shot"), expected)
    cameras = tuple(
        read_camera(multi_shot / name, r"person_(\d+)", "person_0001", camera, resolution, IMAGES_FROM)
        for camera, name in enumerate(("cam_a", "cam_b"), start=1)
    )
    places = dict.fromkeys((Path(root), multi_shot.parent))
    path = first_file([place / name for place in places for name in ("splits_prid2011.json", "splits.json")])
    if path is not None:
        return split_benchmark(cameras, read_splits(path, SPLITS_FROM), split, "PRID-2011")
    people = [
        person
        for person in cameras[0].keys() & cameras[1].keys()
        if person <= NUM_SHARED and min(len(camera[person]) for camera in cameras) >= MIN_FRAMES
    ]
    return split_benchmark(cameras, drawn_splits(people), split, "PRID-2011 drawn")
