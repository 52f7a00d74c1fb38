"""Mask segments: which parts of the body a network's attention prefers, and whether its masks differ in it."""

from itertools import combinations

import numpy as np

from reidlib.data import Benchmark
from reidlib.data.walkers.scene import MERGED_PARTS, merge_sides
from reidlib.evaluation import preference, ranks_among
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.evaluations.masks import masks_and_truth
from reidlib.experiments.run import Run
from reidlib.models import Network

LEGS = ("upper legs", "lower legs", "feet")
NEAR = 0.04  # of the frame's height: how far from a joint a pixel is still at it
PLACES = ("head", "torso", "arms", "legs", "carried", "joints", "outline")


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """How much every mask of the network (as in the evaluation "masks") prefers a segment of the body to the rest of
    the person in the queries' frames, in the group "NAME, segments": the mean rank of its values there among those on
    the person, 0.5 being no preference, see `preference`.

    "legs" are upper legs, lower legs and feet; "joints" the person's pixels near a visible joint; "outline" those with
    a neighbour that is not the person. Group "masks alike": the mean correlation over positions of each two masks,
    "NAME and NAME", in the unit "correlation". ValueError if the network shows no mask, KeyError without ground truth.
    """
    masks, truth = masks_and_truth(network, benchmark, run, progress, ("parts", "joints"))
    parts, joints = (values.reshape(-1, *values.shape[2:]) for values in (truth["parts"], truth["joints"]))
    places = _places(parts, joints)
    scores, alike = {}, {}
    for name, values in masks.items():
        flat = values.reshape(-1, *values.shape[2:])
        ranks = ranks_among(flat, parts > 0)
        found = {place: preference(ranks, where) for place, where in places.items()}
        scores[f"{name}, segments"] = {
            place: round(float(np.nanmean(ranks)), 6) for place, ranks in found.items() if not np.isnan(ranks).all()
        }
    for one, other in combinations(masks, 2):
        pairs = (masks[name].reshape(-1, masks[name][0, 0].size) for name in (one, other))
        correlations = _correlations(*pairs)
        if not np.isnan(correlations).all():
            alike[f"{one} and {other}"] = round(float(np.nanmean(correlations)), 6)
    units = dict.fromkeys(alike, "correlation")
    return Measured(scores | ({"masks alike": alike} if alike else {}), units=units)


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """The preferences of the mask that is called "mask"."""
    return {place: ("mask, segments", place) for place in PLACES}


def _places(parts: np.ndarray, joints: np.ndarray) -> dict[str, np.ndarray]:
    """Where the segments are in frames with part maps (N, H, W) and joints (N, J, 3): {place: bool (N, H, W)}."""
    merged = merge_sides(parts)
    numbers = {name: number for number, name in enumerate(MERGED_PARTS)}
    groups = {name: (name,) for name in ("head", "torso", "arms", "carried")} | {"legs": LEGS}
    places = {place: np.isin(merged, [numbers[name] for name in names]) for place, names in groups.items()}
    return places | {"joints": near_joints(joints, merged.shape[1:]), "outline": outline(merged > 0)}


def near_joints(joints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels of frames of `size` (H, W) whose centre is nearer than `NEAR` H to a visible joint. joints (N, J, 3):
    x and y in pixels and whether it is visible. bool (N, H, W)."""
    y, x = np.arange(size[0])[:, None], np.arange(size[1])
    near = np.zeros((len(joints), *size), bool)
    for joint_x, joint_y, visible in joints[..., None, None].transpose(1, 2, 0, 3, 4):
        near |= ((x - joint_x) ** 2 + (y - joint_y) ** 2 < (NEAR * size[0]) ** 2) & (visible > 0)
    return near


def outline(person: np.ndarray) -> np.ndarray:
    """The person's pixels that have a neighbour above, below or beside which is not the person; bool (N, H, W)."""
    around = np.pad(person, ((0, 0), (1, 1), (1, 1)), mode="edge")
    shifted = (around[:, :-2, 1:-1], around[:, 2:, 1:-1], around[:, 1:-1, :-2], around[:, 1:-1, 2:])
    return person & ~np.logical_and.reduce(shifted)


def _correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each row of a (N, n) with that of b; NaN where one of them is constant."""
    a, b = (values.astype(float) - values.mean(axis=1, keepdims=True, dtype=float) for values in (a, b))
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.divide((a * b).sum(axis=1), scale, out=np.full(len(a), np.nan), where=scale > 1e-12)
