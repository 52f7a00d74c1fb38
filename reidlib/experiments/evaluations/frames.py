"""Frames: whether a network foresees the next frames better than one who repeats the last."""

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import frame_scores
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured, per_frame
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = {"PSNR": "frame_psnr", "SSIM": "frame_ssim", "foreground error": "frame_foreground_error"}


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """PSNR, SSIM and mean absolute error on the person of the frames that the network foresees
    (`visuals["next_frames"]`, (B, T, N, 3, H, W) in [0, 1]) against the true ones, in one group "frames", and of
    repeating the frame that they follow, in the group "frames, last repeated".

    The run asks for the N successors with `next_frames`. The person is where it is in the frame that is followed.
    Cases: the scores of every frame. ValueError if the network foresees none, or another number than the run asks for.
    """
    groups = {"frames": {label: [] for label in SCORES}, "frames, last repeated": {label: [] for label in SCORES}}
    for batch, output in answers(network, benchmark.query, run, progress, truth=("parts",)):
        foreseen, true = output.visuals.get("next_frames"), batch.next_frames
        if foreseen is None or true is None or foreseen.shape[:3] != true.shape[:3]:
            shapes = [None if values is None else tuple(values.shape) for values in (foreseen, true)]
            raise ValueError(
                f'{run.model}: expected visuals["next_frames"] for each of next_frames={run.next_frames} successors, '
                f"found shapes {shapes[0]} and {shapes[1]}"
            )
        last = batch.frames[:, :, None].expand_as(true)
        person = (batch.truth["parts"] > 0)[:, :, None].expand(-1, -1, true.shape[2], -1, -1)
        values = [v.float().cpu().flatten(0, 2).numpy() for v in (foreseen.clamp(0, 1), true, last, person)]
        found = frame_scores(*values[:3], values[3] > 0)
        for of_group, one in zip(groups.values(), (found, found.repeated)):
            for label, field in SCORES.items():
                of_group[label].append(getattr(one, field))
    measured = [
        per_frame(group, {label: np.concatenate(v) for label, v in values.items()}, {"PSNR": "dB"})
        for group, values in groups.items()
    ]
    return Measured(
        *({k: v for m in measured for k, v in getattr(m, part).items()} for part in ("scores", "cases", "units"))
    )


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score, and that of repeating the last frame."""
    groups = {"": "frames", "last repeated ": "frames, last repeated"}
    return {f"{prefix}{label}": (group, label) for prefix, group in groups.items() for label in SCORES}
