"""Writing the layouts of the gait data sets: CASIA-B."""

import json
from collections.abc import Sequence
from pathlib import Path

from reidlib.data.casia_b import CONDITIONS, VIEWS
from reidlib.data.export.files import exporting, new_folder, write_images
from reidlib.data.tracklets import Benchmark, Tracklet


def casia_b(benchmark: Benchmark, root: str | Path, rgb: str | Path | None = None, progress: bool = True) -> None:
    """Write a benchmark's masks in CASIA-B's layout, which `reidlib.data.casia_b` describes and reads.

    rgb: a second folder, for the colour frames; they show the person alone, so load them with `cut=False`.

    FileExistsError if a folder is there already; ValueError if a tracklet has no masks, or is not one of CASIA-B's
    walks: subjects 1 to 999, a condition and a number (tracklet_id) of `CONDITIONS`, one of `VIEWS`, each once.
    """
    tracklets = [*benchmark.train, *benchmark.gallery, *benchmark.query]
    _check(tracklets)
    for t in tracklets:
        known = 0 < t.person_id < 1000 and 0 < t.tracklet_id <= CONDITIONS.get(t.condition, 0) and t.view in VIEWS
        if not known:
            raise ValueError(
                f"person {t.person_id}, {t.condition}-{t.tracklet_id:02d}, view {t.view}: expected a walk of CASIA-B"
            )
    with new_folder(root) as folder:
        _write_walks(folder, tracklets, "mask", progress)
        _write_partition(folder / "CASIA-B.json", benchmark, 3)
    if rgb is not None:
        with new_folder(rgb) as folder:
            _write_walks(folder, tracklets, "frame", progress)


def _write_walks(folder: Path, tracklets: Sequence[Tracklet], kind: str, progress: bool) -> None:
    for tracklet in exporting(tracklets, progress):
        parts = f"{tracklet.person_id:03d}", f"{tracklet.condition}-{tracklet.tracklet_id:02d}", f"{tracklet.view:03d}"
        names = [f"{'-'.join(parts)}-{number:03d}.png" for number in range(1, len(tracklet) + 1)]
        write_images(
            folder.joinpath(*parts), names, tracklet.masks()[:, 0] * 255 if kind == "mask" else tracklet.frames()
        )


def _check(tracklets: Sequence[Tracklet]) -> None:
    """ValueError if a tracklet has no masks or is there twice."""
    keys = {(t.person_id, t.condition, t.tracklet_id, t.view) for t in tracklets}
    if len(keys) < len(tracklets):
        raise ValueError("benchmark: expected each walk once, found two of one person, condition, number and view")
    if without := [t.person_id for t in tracklets if t.masks([0]) is None]:
        raise ValueError(f"person {without[0]}: expected masks to write, found a tracklet without; take other data")


def _write_partition(path: Path, benchmark: Benchmark, digits: int) -> None:
    people = {
        "TRAIN_SET": sorted({t.person_id for t in benchmark.train}),
        "TEST_SET": sorted({t.person_id for t in (*benchmark.query, *benchmark.gallery)}),
    }
    path.write_text(json.dumps({part: [f"{p:0{digits}d}" for p in ids] for part, ids in people.items()}, indent=4))
