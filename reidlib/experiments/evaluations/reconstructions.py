"""Reconstructions: how well an autoencoder draws again what it is shown."""

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import frame_scores
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured, per_frame
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = {"PSNR": "frame_psnr", "SSIM": "frame_ssim"}


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """PSNR and SSIM of the frames of the queries as the network draws them again (`visuals["reconstruction"]`,
    (B, T, 3, H, W) in [0, 1]), in one group "reconstructions". Cases: those of every frame. ValueError if the network
    draws none."""
    found = {label: [] for label in SCORES}
    for batch, output in answers(network, benchmark.query, run, progress):
        if "reconstruction" not in output.visuals:
            raise ValueError(f'{run.model}: expected visuals["reconstruction"] of the frames that it is shown')
        images = (output.visuals["reconstruction"].clamp(0, 1), batch.frames)
        scores = frame_scores(*(values.float().cpu().flatten(0, 1).numpy() for values in images))
        for label, field in SCORES.items():
            found[label].append(getattr(scores, field))
    return per_frame("reconstructions", {label: np.concatenate(v) for label, v in found.items()}, {"PSNR": "dB"})


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Both scores."""
    return {label: ("reconstructions", label) for label in SCORES}
