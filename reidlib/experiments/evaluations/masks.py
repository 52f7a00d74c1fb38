"""Masks: whether a network's attention finds the person."""

from collections.abc import Sequence

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import best_iou, mask_scores
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = {"IoU": "frame_iou", "average precision": "frame_average_precision", "pointing": "frame_pointing"}
SCORES["chance"] = "frame_chance"
BEST = "best IoU"
PRIOR = "centred Gaussian"  # the group of a mask that knows nothing but that people are in the middle


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """IoU, average precision and pointing game of every mask that the network shows for the frames of the queries
    (`visuals` that are called "mask" or begin with "mask ", (B, T, 1, h, w) in [0, 1]), against the true silhouettes,
    each in the group of its name; "best IoU" is at the best threshold, see `best_iou`, and "chance" what a mask of ones
    scores in the three. The group "centred Gaussian" is a mask that is the same everywhere.

    Cases: the means over each query's frames, None without a frame that has a person and anything else. ValueError if
    the network shows no mask, or no frame has a person; KeyError without true silhouettes.
    """
    masks, found = masks_and_truth(network, benchmark, run, progress)
    truth = found["parts"] > 0
    masks[PRIOR] = np.broadcast_to(centred_gaussian(*truth.shape[-2:]), truth.shape)
    flat = truth.reshape(-1, *truth.shape[2:])
    scored = {name: _scores(values.reshape(-1, *values.shape[2:]), flat) for name, values in masks.items()}
    if all(np.isnan(scores["chance"]).all() for scores in scored.values()):
        raise ValueError(f"no frame of the queries of {benchmark.name} shows a person and anything else")
    scores = {
        name: {label: round(float(np.nanmean(values)), 6) for label, values in of_mask.items()}
        for name, of_mask in scored.items()
    }
    cases = {
        name: {label: _by_query(values.reshape(truth.shape[:2])) for label, values in of_mask.items()}
        for name, of_mask in scored.items()
        if name != PRIOR
    }
    return Measured(scores, cases)


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score of the mask that is called "mask"."""
    return {label: ("mask", label) for label in (*SCORES, BEST)}


def masks_and_truth(
    network: Network, benchmark: Benchmark, run: Run, progress: bool = True, truth: Sequence[str] = ("parts",)
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The masks that the network shows of the queries' frames, {name: (Q, T, h, w)}, and what is true of them, {name:
    (Q, T, …)}, as in `ClipBatch`. ValueError if the network shows none, KeyError without ground truth."""
    masks, true = {}, {name: [] for name in truth}
    for batch, output in answers(network, benchmark.query, run, progress, truth=tuple(truth)):
        shown = {name: mask for name, mask in output.visuals.items() if name.partition(" ")[0] == "mask"}
        if not shown:
            raise ValueError(f'{run.model} shows no mask; evaluate a network with visuals["mask"]')
        for name, mask in shown.items():
            masks.setdefault(name, []).append(mask.float().cpu().numpy()[:, :, 0])
        for name, values in true.items():
            values.append(batch.truth[name].cpu().numpy())
    return tuple({name: np.concatenate(values) for name, values in found.items()} for found in (masks, true))


def centred_gaussian(height: int, width: int) -> np.ndarray:
    """exp(-(x² + y²) / 2), x and y being the distances from the middle in quarters of the width and of the height:
    (height, width), at most 1."""
    y, x = (((np.arange(size) + 0.5) / size - 0.5) * 4 for size in (height, width))
    return np.exp(-(y[:, None] ** 2 + x**2) / 2)


def _scores(masks: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """{score: (N,)} of masks (N, h, w)."""
    found = mask_scores(masks, truth)
    return {label: getattr(found, field) for label, field in SCORES.items()} | {BEST: best_iou(masks, truth)[0]}


def _by_query(values: np.ndarray) -> list[float | None]:
    """The means over frames of values (Q, T), of those that are no NaN."""
    return [None if np.isnan(frames).all() else round(float(np.nanmean(frames)), 5) for frames in values]
