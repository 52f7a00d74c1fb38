"""Masks: whether a network's attention finds the person."""

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import mask_scores
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured, per_frame
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = {"IoU": "frame_iou", "average precision": "frame_average_precision", "pointing": "frame_pointing"}
SCORES["chance"] = "frame_chance"


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """IoU, average precision and pointing game of the mask that the network shows for each frame of the queries
    (`visuals["mask"]`, (B, T, 1, h, w) in [0, 1]), against the true silhouettes, in one group "mask"; "chance" is what
    a mask of ones scores in all of them. Cases: the scores of every frame, None where a frame has no person or nothing
    else. ValueError if the network shows no mask, KeyError without true silhouettes.
    """
    frames = {label: [] for label in SCORES}
    for batch, output in answers(network, benchmark.query, run, progress, truth=("parts",)):
        if "mask" not in output.visuals:
            raise ValueError(f'{run.model} shows no mask; evaluate a network with visuals["mask"]')
        mask = output.visuals["mask"].float().cpu().flatten(0, 1).numpy()
        found = mask_scores(mask, (batch.truth["parts"] > 0).cpu().flatten(0, 1).numpy())
        for label, field in SCORES.items():
            frames[label].append(getattr(found, field))
    return per_frame("mask", {label: np.concatenate(values) for label, values in frames.items()})


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score."""
    return {label: ("mask", label) for label in SCORES}
