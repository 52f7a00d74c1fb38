"""Pose distances: how far apart a person's tracklets are whose pose and motion differ, and who is found instead."""

import numpy as np

from reidlib.data import Benchmark, Tracklet
from reidlib.evaluation import pairwise_distances
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.features import embed
from reidlib.experiments.run import Run
from reidlib.models import Network

NEAR, FAR = 45, 90  # degrees between two directions of view: nearer than, at least
SCORES = ("near pose", "far pose", "other motion", "same person", "other people", "same to other people")
WRONG = ("wrong at rank 1", "distractor at rank 1", "distractors among the wrong")
DISTANCE, RATIO = "cosine distance", "ratio"


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """Group "distances": means of one minus the cosine between queries and the gallery's tracklets of other cameras, of
    one person seen from near directions ("near pose", less than 45 degrees apart) and from far ones ("far pose", 90 or
    more), in different annotated motion, of one person at all, of different people, and the ratio of the last two.

    Group "rank 1", in the set-up "mixing" if the run has it: the share of queries with a true match whose nearest
    tracklet is of another person, or is a distractor (identity 0), and the share of distractors among the wrong ones.
    Scores that no pair counts for are left out. Under the cross-camera protocol; ValueError for another.
    """
    if benchmark.protocol != "cross-camera":
        raise ValueError(
            f"{benchmark.name} has the protocol {benchmark.protocol!r}; distances are measured across cameras"
        )
    features, query, gallery = embed(network, benchmark, run, progress), benchmark.query, benchmark.gallery
    if "mixing" in run.setups:
        features, gallery = features.mixing(), gallery + query
    distances = pairwise_distances(features.query_features, features.gallery_features, "cosine")
    people, cameras = features.query_ids[:, None], features.query_cameras[:, None]
    same = people == features.gallery_ids
    across = cameras != features.gallery_cameras
    angle = _angles(query, gallery)
    pairs = {
        "near pose": same & across & (angle < NEAR),
        "far pose": same & across & (angle >= FAR),
        "other motion": same & across & _other_motion(query, gallery),
        "same person": same & across,
        "other people": ~same & (features.gallery_ids > 0),
    }
    found = {name: float(distances[chosen].mean()) for name, chosen in pairs.items() if chosen.any()}
    if {"same person", "other people"} <= found.keys():
        found["same to other people"] = found["same person"] / found["other people"]
    scores = {"distances": found, "rank 1": _wrong(distances, features.gallery_ids, same, across)}
    units = dict.fromkeys(SCORES[:-1], DISTANCE) | {SCORES[-1]: RATIO}
    return Measured({group: {k: round(v, 6) for k, v in s.items()} for group, s in scores.items()}, units=units)


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score."""
    return {name: ("distances", name) for name in SCORES} | {name: ("rank 1", name) for name in WRONG}


def _wrong(distances: np.ndarray, gallery_ids: np.ndarray, same: np.ndarray, across: np.ndarray) -> dict[str, float]:
    """The group "rank 1"."""
    counted = (gallery_ids >= 0) & (across | ~same)
    valid = (same & across).any(axis=1)
    first = np.where(counted, distances, np.inf).argmin(axis=1)
    wrong = ~same[np.arange(len(same)), first] & valid
    distractor = wrong & (gallery_ids[first] == 0)
    found = {name: float(what.sum() / valid.sum()) for name, what in zip(WRONG, (wrong, distractor)) if valid.any()}
    return found | ({WRONG[2]: float(distractor.sum() / wrong.sum())} if wrong.any() else {})


def _angles(query: tuple[Tracklet, ...], gallery: tuple[Tracklet, ...]) -> np.ndarray:
    """Degrees between the directions of view of each pair, (Q, G) in [0, 180]."""
    a, b = (np.array([t.view for t in tracklets]) for tracklets in (query, gallery))
    return np.abs((a[:, None] - b + 180) % 360 - 180)


def _other_motion(query: tuple[Tracklet, ...], gallery: tuple[Tracklet, ...]) -> np.ndarray:
    """Whether the two of a pair are annotated, and move differently; bool (Q, G)."""
    a, b = (np.array([t.attributes.get("motion", -1) for t in tracklets]) for tracklets in (query, gallery))
    return (a[:, None] != b) & (a[:, None] >= 0) & (b >= 0)
