"""Writing the layouts of the gait data sets: CASIA-B, OU-MVLP, CASIA-E and HID."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from reidlib.data import casia_b as casia_b_layout
from reidlib.data import casia_e as casia_e_layout
from reidlib.data import oumvlp as oumvlp_layout
from reidlib.data.export.files import exporting, new_folder, refuse_existing, write_images
from reidlib.data.tracklets import Benchmark, Tracklet, identities


def casia_b(benchmark: Benchmark, root: str | Path, rgb: str | Path | None = None, progress: bool = True) -> None:
    """Write a benchmark's masks in CASIA-B's layout, which `reidlib.data.casia_b` describes and reads.

    rgb: a second folder, for the colour frames; they show the person alone, so load them with `cut=False`.

    FileExistsError if a folder is there already; ValueError if a tracklet has no masks, or is not one of CASIA-B's
    walks: subjects 1 to 999, its conditions, numbers (tracklet_id) and views, each once.
    """
    refuse_existing(root, rgb)
    tracklets = [*benchmark.train, *benchmark.gallery, *benchmark.query]
    _check(tracklets)
    for t in tracklets:
        if not (
            0 < t.person_id < 1000
            and 0 < t.tracklet_id <= casia_b_layout.CONDITIONS.get(t.condition, 0)
            and t.view in casia_b_layout.VIEWS
        ):
            raise ValueError(
                f"person {t.person_id}, {t.condition}-{t.tracklet_id:02d}, view {t.view}: expected a walk of CASIA-B"
            )

    def names(tracklet: Tracklet) -> tuple[str, str, str]:
        return f"{tracklet.person_id:03d}", f"{tracklet.condition}-{tracklet.tracklet_id:02d}", f"{tracklet.view:03d}"

    with new_folder(root) as folder:
        for t in exporting(tracklets, progress):
            _write_masks(folder.joinpath(*names(t)), t, "-".join(names(t)) + "-", 3)
        _write_partition(folder / "CASIA-B.json", benchmark, 3)
    if rgb is not None:
        with new_folder(rgb) as folder:
            for t in exporting(tracklets, progress):
                images = (f"{number:03d}.png" for number in range(1, len(t) + 1))
                write_images(folder.joinpath(*names(t)), images, t.frames())


def oumvlp(benchmark: Benchmark, root: str | Path, progress: bool = True) -> None:
    """Write a benchmark's masks in OU-MVLP's layout, which `reidlib.data.oumvlp` describes and reads.

    FileExistsError if `root` is there already; ValueError if a tracklet has no masks, or is not one of OU-MVLP's walks:
    subjects 1 to 99999, one of its views, sequences (tracklet_id) 0, the queries, and 1, the gallery, each once.
    """
    refuse_existing(root)
    tracklets = [*benchmark.train, *benchmark.gallery, *benchmark.query]
    _check(tracklets)
    trained = set(identities(benchmark.train))
    gallery = set(benchmark.gallery)
    for t in tracklets:
        known = 0 < t.person_id < 100_000 and t.view in oumvlp_layout.VIEWS and t.tracklet_id in (0, 1)
        if not known or (t.person_id not in trained and (t in gallery) != (t.tracklet_id == 1)):
            raise ValueError(f"person {t.person_id}, view {t.view}, {t.tracklet_id}: expected a walk of OU-MVLP")
    with new_folder(root) as folder:
        for t in exporting(tracklets, progress):
            _write_masks(folder / f"Silhouette_{t.view:03d}-{t.tracklet_id:02d}" / f"{t.person_id:05d}", t, "", 4)
        _write_partition(folder / "OUMVLP.json", benchmark, 5)


def casia_e(benchmark: Benchmark, root: str | Path, progress: bool = True) -> None:
    """Write a benchmark's masks in CASIA-E's layout, which `reidlib.data.casia_e` describes and reads.

    FileExistsError if `root` is there already; ValueError if a tracklet has no masks, its condition names no height
    and scene as "H-scene2-bg" does, or a walk is there twice.
    """
    refuse_existing(root)
    tracklets = [*benchmark.train, *benchmark.gallery, *benchmark.query]
    _check(tracklets)
    known = {
        "-".join(parts) for parts in product(casia_e_layout.HEIGHTS, casia_e_layout.SCENES, casia_e_layout.CONDITIONS)
    }
    if wrong := [t.condition for t in tracklets if t.condition not in known]:
        raise ValueError(f"condition {wrong[0]!r}: expected height, scene and condition such as H-scene2-bg")
    with new_folder(root) as folder:
        for t in exporting(tracklets, progress):
            parts = f"{t.person_id:03d}", *t.condition.split("-"), f"{t.view:03d}", str(t.tracklet_id)
            _write_masks(folder.joinpath(*parts), t, "", 3)
        _write_partition(folder / "CASIA-E.json", benchmark, 3)


def hid(benchmark: Benchmark, root: str | Path, progress: bool = True) -> None:
    """Write a benchmark's masks in HID's layout, which `reidlib.data.casia_e` describes and reads.

    Sequences are numbered as they come, from 0, so that they need no number of their own; subject n becomes n - 1.

    FileExistsError if `root` is there already; ValueError if a tracklet has no masks or is a distractor or junk.
    """
    refuse_existing(root)
    parts = {"train": benchmark.train, "gallery": benchmark.gallery, "probe": benchmark.query}
    tracklets = [t for part in parts.values() for t in part]
    _need_masks(tracklets)
    if min(t.person_id for t in tracklets) < 1:
        raise ValueError("benchmark: expected identities alone, found a distractor or junk")
    with new_folder(root) as folder:
        places = {part: Counter() for part in parts}
        for part, t in exporting([(part, t) for part, members in parts.items() for t in members], progress):
            place = folder / part / f"{t.person_id - 1:04d}" / str(places[part][t.person_id])
            places[part][t.person_id] += 1
            _write_masks(place, t, "", 3)


def _write_masks(folder: Path, tracklet: Tracklet, prefix: str, digits: int) -> None:
    names = (f"{prefix}{number:0{digits}d}.png" for number in range(1, len(tracklet) + 1))
    write_images(folder, names, tracklet.masks()[:, 0] * 255)


def _check(tracklets: Sequence[Tracklet]) -> None:
    """ValueError if a tracklet has no masks or is there twice."""
    keys = {(t.person_id, t.condition, t.tracklet_id, t.view) for t in tracklets}
    if len(keys) < len(tracklets):
        raise ValueError("benchmark: expected each walk once, found two of one person, condition, number and view")
    _need_masks(tracklets)


def _need_masks(tracklets: Sequence[Tracklet]) -> None:
    if without := [t.person_id for t in tracklets if t.masks([0]) is None]:
        raise ValueError(f"person {without[0]}: expected masks to write, found a tracklet without; take other data")


def _write_partition(path: Path, benchmark: Benchmark, digits: int) -> None:
    people = {
        "TRAIN_SET": sorted({t.person_id for t in benchmark.train}),
        "TEST_SET": sorted({t.person_id for t in (*benchmark.query, *benchmark.gallery)}),
    }
    path.write_text(json.dumps({part: [f"{p:0{digits}d}" for p in ids] for part, ids in people.items()}, indent=4))
