"""The loader of OU-MVLP, and of everything in its layout.

Takemura, Makihara, Muramatsu, Echigo, Yagi, "Multi-view large population gait dataset and its performance evaluation
for cross-view gait recognition", IPSJ Transactions on Computer Vision and Applications 2018: 10 307 subjects, fourteen
views, two sequences each, silhouettes only. Below its folder:

    Silhouette_090-01/00001/0001.png    view in degrees and sequence, subject, frame
    OUMVLP.json                         optional, {"TRAIN_SET": ["00001", …], "TEST_SET": […]}

Views are 000, 015, …, 090 and 180, 195, …, 270. The official partition trains on the 5153 subjects of odd number but
the last, 10 307, and tests on the other 5154: gallery sequence 01, queries sequence 00, scored for each pair of views
(`reidlib.evaluation.cross_view_accuracy`). Many subjects lack some sequences; they are counted in a warning.
"""

from pathlib import Path

from reidlib.data.gait import Walk, choose_partition, present, walks_benchmark
from reidlib.data.silhouettes import SIZE
from reidlib.data.tracklets import Benchmark, Tracklet

SOURCE = "get it from http://www.am.sanken.osaka-u.ac.jp/BiometricDB/GaitMVLP.html"
PARTITION_FROM = "get it from https://github.com/ShiqiYu/OpenGait (datasets/OUMVLP)"

VIEWS = (*range(0, 91, 15), *range(180, 271, 15))
NUM_SUBJECTS = 10_307


def load(
    root: str | Path,
    partition: str | Path | None = None,
    size: tuple[int, int] = SIZE,
    workers: int | None = None,
    progress: bool = True,
) -> Benchmark:
    """OU-MVLP, or whatever lies in its layout, as a benchmark of aligned silhouettes, which are the frames too.

    partition: a file such as OUMVLP.json; by default the one in `root` or, without it, the official one. size: (h, w)
    of the aligned silhouettes, which are made by `workers` processes at the first call and kept in the cache folder.

    Warnings count missing subjects and walks. FileNotFoundError or ValueError naming the file or folder at fault.
    """
    root = Path(root)
    subjects = choose_partition(partition, root / "OUMVLP.json", official_partition(), PARTITION_FROM)
    places = {(view, number): root / f"Silhouette_{view:03d}-{number:02d}" for view in VIEWS for number in (0, 1)}
    there = [place for place in places.values() if place.is_dir()]
    if not there:
        raise FileNotFoundError(f"{root}: expected the folders Silhouette_000-00 to Silhouette_270-01; {SOURCE}")
    train, test = present(there, subjects, SOURCE)
    walks = [
        Walk(subject, view, "nm", number, place / subject)
        for subject in (*train, *test)
        for (view, number), place in places.items()
    ]
    return walks_benchmark(root, walks, subjects, in_gallery, "OU-MVLP", SOURCE, size, workers, progress)


def official_partition() -> tuple[list[str], list[str]]:
    """The subjects to train on and to test on."""
    people = range(1, NUM_SUBJECTS + 1)
    train = [person for person in people if person % 2 and person < NUM_SUBJECTS]
    test = [person for person in people if not person % 2 or person == NUM_SUBJECTS]
    return [f"{person:05d}" for person in train], [f"{person:05d}" for person in test]


def in_gallery(tracklet: Tracklet) -> bool:
    """Whether a test subject's sequence is gallery."""
    return tracklet.tracklet_id == 1
