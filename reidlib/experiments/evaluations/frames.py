"""Frames: whether a network foresees the next frames better than one who repeats the last."""

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import frame_scores
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured, per_frame
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = ("PSNR", "SSIM", "foreground error", "background error")
REPEATED = ", last repeated"  # the end of a group's name
STEPS = (("", ""), ("last repeated ", REPEATED))


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """PSNR, SSIM and mean absolute error on the person and around of the frames that the network foresees
    (`visuals["next_frames"]`, (B, T, N, 3, H, W) in [0, 1]) against the true ones, in one group "frames", and of
    repeating the frame that they follow, in the group "frames, last repeated"; with several successors also for each of
    them, in groups "step 1", "step 1, last repeated" and so on.

    The run asks for the N successors with `next_frames`. The person is where it is in the frame that is followed.
    Cases: the scores of every frame, in the first two groups. ValueError if the network foresees none, or another
    number than the run asks for.
    """
    found: dict[str, list[np.ndarray]] = {"": [], REPEATED: []}  # arrays (scores, frames, N)
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
        for end, scores in zip(found, _scores(*values[:3], values[3] > 0)):
            found[end].append(scores.reshape(len(SCORES), -1, true.shape[2]))
    groups = {}
    for end, parts in found.items():
        values = np.concatenate(parts, axis=1)
        groups[f"frames{end}"] = values.reshape(len(SCORES), -1)
        if values.shape[2] > 1:
            groups |= {f"step {step + 1}{end}": values[:, :, step] for step in range(values.shape[2])}
    measured = {name: per_frame(name, dict(zip(SCORES, values)), {"PSNR": "dB"}) for name, values in groups.items()}
    return Measured(
        {name: one.scores[name] for name, one in measured.items()},
        {name: one.cases[name] for name, one in measured.items() if name.startswith("frames")},
        {"PSNR": "dB"},
    )


def _scores(foreseen: np.ndarray, true: np.ndarray, last: np.ndarray, person: np.ndarray) -> tuple[np.ndarray, ...]:
    """The scores (len(SCORES), N) of N foreseen frames, and of repeating the last."""
    of = frame_scores(foreseen, true, last, person)
    return tuple(
        np.stack([one.frame_psnr, one.frame_ssim, one.frame_foreground_error, _error(images, true, ~person)])
        for one, images in ((of, foreseen), (of.repeated, last))
    )


def _error(images: np.ndarray, true: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Mean absolute error (N,) of images (N, 3, H, W) at these pixels (N, H, W), NaN where there are none."""
    pixels = where.sum(axis=(1, 2))
    total = (np.abs(images - true).mean(axis=1) * where).sum(axis=(1, 2))
    return np.where(pixels > 0, total / np.maximum(pixels, 1), np.nan)


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score, that of repeating the last frame, and PSNR of every step."""
    groups = {"": "frames", "last repeated ": f"frames{REPEATED}"}
    found = {f"{prefix}{label}": (group, label) for prefix, group in groups.items() for label in SCORES}
    if run.next_frames > 1:
        for step in range(1, run.next_frames + 1):
            found |= {f"{prefix}PSNR, step {step}": (f"step {step}{end}", "PSNR") for prefix, end in STEPS}
    return found
