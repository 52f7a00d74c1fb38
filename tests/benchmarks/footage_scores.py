"""Footage, measured: rendered plazas, a public surveillance video, gait and clothes on KTH, four walkers.

    python tests/benchmarks/footage_scores.py [--shared DIR]

writes figures/footage/scores.json: numbers only, no picture. The recordings are not part of the repository: `vtest.avi`
(PETS 2009, S2.L1, view 1) with its 4359 public detections, 18 walking clips of the KTH actions (Schüldt et al., 2004)
and a small set of crops of four people, below DIR/data/footage.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from reidlib import search, shared_folder
from reidlib.data import ImageFiles, Tracklet, silhouettes
from reidlib.data.footage import FootageTracklet, box_scores, open_video, write_video
from reidlib.data.walkers.plaza import plaza
from reidlib.evaluation import pairwise_distances
from reidlib.evaluation.statistics import identity_bootstrap
from reidlib.experiments.records import environment

TARGET = Path(__file__).parents[2] / "figures" / "footage" / "scores.json"
CONDITIONS = {"d1": 1, "d3": 3, "d4": 4}  # outdoors, outdoors in other clothes, indoors
PASSES = {("d1", 8): 5}  # how often the walker crosses the picture, counted by eye; all others cross it four times


def rendered() -> dict:
    """Four plazas of ten people, seeds that nothing was chosen on: tracks against the truth, and who comes back among
    everybody in all four, described inside the silhouette or in the whole box."""
    tracklets, people, totals = [], [], np.zeros(4, int)
    for camera, seed in enumerate(tqdm(range(10, 14), "plazas"), start=1):
        scene = plaza(seed, num_people=10)
        with TemporaryDirectory() as folder:
            path = write_video(Path(folder, "plaza.avi"), scene.frames, scene.fps)
            own = [replace(t, camera_id=camera) for t in search.everybody([path], progress=False)]
        scores = box_scores(rows(own), scene.boxes(min_pixels=150))
        totals += [scores.matched, scores.true, scores.found, scores.switches]
        tracklets += own
        people += [100 * camera + scene.person_in(t.numbers, t.boxes) for t in own]
    matched, true, found, switches = totals.tolist()
    result = {"recall": matched / true, "precision": matched / found, "switches": switches, "true boxes": true}
    people, usable = np.array(people), search.usable(tracklets)
    result |= {"tracklets": len(tracklets), "searched": len(usable), "rank-1": {}}
    for name in ("efficientnet_lite0", "colour_histogram"):
        for where, masks in (("box", False), ("silhouette", True)):
            features = search.describe(tracklets, search.retrieval_network(name), masks, progress=False)
            distances = search.compare(tracklets, usable, features)
            valid = (np.isfinite(distances) & (people[:, None] == people)).any(1)
            hits = people[distances.argmin(1)] == people
            result["rank-1"][f"{name}, {where}"] = interval(hits[valid].astype(float), people[valid])
    return result


def rows(tracklets: list[FootageTracklet]) -> np.ndarray:
    """Frame, number and box of all tracklets, as `box_scores` takes them."""
    numbered = enumerate(tracklets, start=1)
    return np.concatenate([np.column_stack([t.numbers, np.full(len(t.boxes), i), t.boxes]) for i, t in numbered])


def surveillance(folder: Path) -> dict:
    """Boxes of the tracks against the public detections, which carry no identities: frames are matched singly."""
    public = np.loadtxt(folder / "PETS09-S2L1_det.txt", delimiter=",")
    true = np.column_stack([public[:, 0] - 1, np.full(len(public), -1), public[:, 2:6]])
    before = memory("VmRSS")
    start = time.perf_counter()
    tracklets = search.everybody([folder / "vtest.avi"])
    seconds, peak = time.perf_counter() - start, memory("VmHWM")
    frames = open_video(folder / "vtest.avi").count
    result = {"seconds": seconds, "frames a second": frames / seconds, "added peak MiB": peak - before}
    result |= {"pixels MiB": sum(4 * t.frames([0]).size / 3 * len(t) for t in tracklets) / 2**20}
    for name, chosen in {
        "all": tracklets,
        "searched": [tracklets[i] for i in search.usable(tracklets)],
    }.items():
        scores = {f"IoU {level}": asdict(box_scores(rows(chosen), true, level)) for level in (0.5, 0.3)}
        result[name] = {"tracklets": len(chosen), **scores}
    return result


def memory(field: str) -> float:
    """Resident memory ("VmRSS") or its peak ("VmHWM") of this process, in MiB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def kth(folder: Path) -> dict:
    """Six people, three recordings each: a query in one recording, everybody's tracklets of another as the gallery.

    Tracklets are those of `search` with its defaults, all of them and those that are searched, beside `PASSES`.
    """
    tracklets, followed = [], {condition: {} for condition in CONDITIONS}
    for path in tqdm(sorted(folder.glob("*.avi")), "KTH"):
        person, condition = int(path.name[6:8]), path.name.split("_")[2]
        own = [
            replace(t, person_id=person, condition=condition, camera_id=CONDITIONS[condition])
            for t in search.everybody([path], progress=False)
        ]
        followed[condition][person] = len(own)
        tracklets += [own[i] for i in search.usable(own)]
    people = np.array([t.person_id for t in tracklets])
    conditions = np.array([t.condition for t in tracklets])
    turned = [facing_right(t) for t in tracklets]
    aligned = [silhouettes.align(t.masks()[:, 0]) for t in turned]
    imagenet, gradients = map(search.retrieval_network, ("efficientnet_lite0", "gradient_histogram"))
    features = {
        "chance": None,
        "efficientnet_lite0, box": search.describe(turned, imagenet, masks=False, progress=False),
        "efficientnet_lite0, silhouette": search.describe(turned, imagenet, masks=True, progress=False),
        "gradient histogram": search.describe(turned, gradients, masks=False, progress=False),
        "mean silhouette (gait energy image)": np.stack([a.mean(0).ravel() for a in aligned]),
        "silhouettes by phase of the step": np.stack([by_phase(a, t) for a, t in zip(aligned, turned)]),
    }
    counts = {
        c: {
            p: {
                "passes": PASSES.get((c, p), 4),
                "followed": n,
                "searched": int(((people == p) & (conditions == c)).sum()),
            }
            for p, n in own.items()
        }
        for c, own in followed.items()
    }
    result = {"tracklets": len(tracklets), "tracklets by recording and person": counts, "rank-1": {}}
    for name, values in features.items():
        hits, owners, clothes = [], [], []
        for a in CONDITIONS:
            for b in CONDITIONS:
                query, gallery = np.flatnonzero(conditions == a), np.flatnonzero(conditions == b)
                if a == b:
                    continue
                if values is None:
                    hits += [np.mean(people[gallery] == people[q]) for q in query]
                else:
                    nearest = gallery[pairwise_distances(values[query], values[gallery], "cosine").argmin(1)]
                    hits += (people[nearest] == people[query]).tolist()
                owners += people[query].tolist()
                clothes += ["d3" in (a, b)] * len(query)
        hits, owners, clothes = np.array(hits, float), np.array(owners), np.array(clothes)
        result["rank-1"][name] = {
            "all": interval(hits, owners),
            "to or from other clothes (d3)": interval(hits[clothes], owners[clothes]),
            "between d1 and d4": interval(hits[~clothes], owners[~clothes]),
        }
    return result


def interval(hits: np.ndarray, owners: np.ndarray) -> dict:
    """Share of hits with the 95 % interval of a bootstrap over identities."""
    one = identity_bootstrap(hits, owners)
    return {"rank-1": one.estimate, "low": one.low, "high": one.high, "people": one.count, "queries": len(hits)}


def facing_right(tracklet: FootageTracklet) -> Tracklet:
    """The tracklet mirrored if the person walks to the left."""
    if tracklet.boxes[-1, 0] >= tracklet.boxes[0, 0]:
        return tracklet
    return replace(tracklet, source=Mirrored(tracklet.source))


class Mirrored:
    """A frame source with left and right exchanged."""

    def __init__(self, source):
        self._source = source

    def __len__(self) -> int:
        return len(self._source)

    def frames(self, indices) -> np.ndarray:
        return self._source.frames(indices)[..., ::-1]

    def masks(self, indices) -> np.ndarray:
        return self._source.masks(indices)[..., ::-1]


def by_phase(aligned: np.ndarray, tracklet: FootageTracklet, bins: int = 8) -> np.ndarray:
    """The mean silhouette at each of 8 phases of the step: (8 · 64 · 44,).

    The step's frequency, between 1.2 and 2.6 a second, and its phase are those of the strongest wave in how far apart
    the feet are (the spread of the lowest fifth of the silhouette).
    """
    columns = np.arange(aligned.shape[2])
    low = aligned[:, -13:].sum(1)
    middle = (low * columns).sum(1) / np.maximum(low.sum(1), 1)
    spread = np.sqrt((low * (columns - middle[:, None]) ** 2).sum(1) / np.maximum(low.sum(1), 1))
    times = tracklet.times[tracklet.kept]
    frequencies = np.linspace(1.2, 2.6, 57)
    waves = np.exp(-2j * np.pi * frequencies[:, None] * times) @ (spread - spread.mean())
    best = np.abs(waves).argmax()
    phase = (frequencies[best] * times + np.angle(waves[best]) / (2 * np.pi)) % 1
    place = np.minimum((phase * bins).astype(int), bins - 1)
    mean = aligned.mean(0)
    return np.concatenate([(aligned[place == i].mean(0) if (place == i).any() else mean).ravel() for i in range(bins)])


def four_walkers(folder: Path) -> dict:
    """Every tracklet against all of other walks, and against all of other cameras (whole boxes: there are no masks)."""
    tracklets, walks = [], []
    for number, walk in enumerate(sorted(p for p in folder.glob("*/*") if p.is_dir())):
        files = sorted(walk.glob("*.jpg"))
        camera = int(files[0].name.split("_")[1][1:])
        tracklets.append(Tracklet(int(walk.parent.name), camera, ImageFiles(files, resolution=(256, 128)), number))
        walks.append(walk.name)
    people, cameras = (np.array([getattr(t, what) for t in tracklets]) for what in ("person_id", "camera_id"))
    walks, result = np.array(walks), {"tracklets": len(tracklets)}
    for name in ("efficientnet_lite0", "colour_histogram", "gradient_histogram"):
        features = search.describe(tracklets, search.retrieval_network(name), masks=False, progress=False)
        distances = pairwise_distances(features, features, "cosine")
        result[name] = {}
        for protocol, groups in {"across walks": walks, "across cameras": cameras}.items():
            allowed = groups[:, None] != groups
            same = people[:, None] == people
            valid = (allowed & same).any(1)
            nearest = np.where(allowed, distances, np.inf).argmin(1)
            chance = ((allowed & same).sum(1) / allowed.sum(1))[valid].mean()
            scores = interval((people[nearest] == people)[valid].astype(float), people[valid])
            result[name][protocol] = {**scores, "chance": chance}
    return result


def rounded(value):
    if isinstance(value, dict):
        return {str(key): rounded(entry) for key, entry in value.items()}
    return round(float(value), 4) if isinstance(value, float) else value


def timed(call: Callable, *arguments) -> dict:
    start = time.perf_counter()
    return {**call(*arguments), "seconds in all": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=shared_folder(), help="default: $REIDLIB_SHARED or ../shared")
    shared = parser.parse_args().shared
    if shared is None or not (shared / "data" / "footage").is_dir():
        sys.exit("the recordings are not here: say where with --shared DIR; nothing was measured")
    folder = shared / "data" / "footage"
    scores = {
        "vtest": timed(surveillance, folder),  # first: its peak of memory is the process's
        "rendered": timed(rendered),
        "kth": timed(kth, folder / "kth_walking"),
        "four_walkers": timed(four_walkers, folder / "four_walkers"),
        "environment": {**environment(), "opencv": metadata.version("opencv-python-headless")},
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(rounded(scores), indent=1) + "\n")
    print(TARGET.read_text())


if __name__ == "__main__":
    main()
