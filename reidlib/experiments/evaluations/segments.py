"""Segments: whether what a network takes for parts of the body are parts of the body, and stay so."""

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from reidlib.data import Benchmark
from reidlib.data.flow import pack_flow
from reidlib.data.walkers.scene import MERGED_PARTS, PARTS, merge_sides
from reidlib.evaluation import segment_scores, temporal_consistency
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.run import Run
from reidlib.models import Network

MERGED = "segments, sides merged"  # a group of scores


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """Mean IoU of the network's segments (`visuals["segments"]`, (B, T, P, h, w), the scores of P segments) with the
    true body segments after Hungarian matching over all frames of the queries, in the group "segments"; and in the
    group "segments, sides merged", where left and right limbs are one segment, as are the halves of the hips. There,
    "foreground IoU" is that of all found segments but the one matched to the background with the true silhouette.

    With test_sampling="dense", whose clips are consecutive frames, both also have "consistency": the share of the
    person's pixels whose segment is the same where the true flow takes them. Cases: the mean IoU of every frame.
    ValueError if the network shows no segments, KeyError without ground truth.
    """
    dense = run.test_sampling == "dense"
    predicted, truth, flow = [], [], []
    tracklets = pack_flow(benchmark.query, progress=progress) if dense else benchmark.query
    for batch, output in answers(network, tracklets, run, progress, truth=("parts", *(["flow"] if dense else []))):
        if "segments" not in output.visuals:
            raise ValueError(f'{run.model} shows no segments; evaluate a network with visuals["segments"]')
        number = output.visuals["segments"].shape[2]
        predicted.append(_labels(output.visuals["segments"], batch.truth["parts"].shape[-2:]))
        truth.append(batch.truth["parts"].cpu().numpy())
        if dense:
            flow.append(batch.truth["flow"].cpu().numpy())
    labels, true = np.concatenate(predicted), np.concatenate(truth)  # (clips, T, H, W)
    consistency = {}
    if dense:
        pairs = labels[:, :-1], labels[:, 1:], np.concatenate(flow)[:, :-1], true[:, :-1] > 0
        followed = temporal_consistency(*(values.reshape(-1, *values.shape[2:]) for values in pairs))
        consistency["consistency"] = followed.consistency
    scores, cases = {}, {}
    for group, names, classes in (("segments", PARTS, true), (MERGED, MERGED_PARTS, merge_sides(true))):
        flat = (values.reshape(-1, *values.shape[2:]) for values in (labels, classes))
        found = segment_scores(*flat, number, len(names))
        values = {"mean IoU": found.mean_iou, "pixel accuracy": found.pixel_accuracy}
        if group == MERGED:
            values["foreground IoU"] = _foreground_iou(found.matching[labels] != 0, classes > 0)
        values |= {f"IoU of {name}": value for name, value in zip(names, found.iou) if value == value}
        values = {name: round(float(value), 6) for name, value in (values | consistency).items()}
        scores[group] = {**values, "counts": found.counts}
        cases[group] = {"mean IoU": [round(float(v), 5) if v == v else None for v in found.frame_iou]}
    return Measured(scores, cases)


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Means over segments, with sides apart and merged, the foreground, and the consistency where it is measured."""
    names = ("mean IoU", "pixel accuracy")
    found = {name: ("segments", name) for name in names} | {f"{name}, sides merged": (MERGED, name) for name in names}
    found["foreground IoU"] = (MERGED, "foreground IoU")
    return found | ({"consistency": ("segments", "consistency")} if run.test_sampling == "dense" else {})


def _foreground_iou(found: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union of two silhouettes over all frames; NaN where both are empty."""
    union = (found | true).sum()
    return float((found & true).sum() / union) if union else float("nan")


def _labels(scores: Tensor, size: tuple[int, int]) -> np.ndarray:
    """Scores (B, T, P, h, w) of segments -> the number of the highest at each pixel of frames of that size, uint8
    (B, T, H, W)."""
    maps = F.interpolate(scores.float().flatten(0, 1), size, mode="bilinear", align_corners=False)
    return maps.argmax(1).unflatten(0, scores.shape[:2]).byte().cpu().numpy()
