"""Frames: whether a network foresees the next frames better than one who repeats the last."""

import numpy as np

from reidlib.data import Benchmark
from reidlib.data.batches import ClipBatch
from reidlib.data.successors import recut
from reidlib.evaluation import frame_scores
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured, per_frame
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = ("PSNR", "SSIM", "foreground error", "background error")
STEP_SCORES = SCORES[:3]  # those that have a column for each step
UNITS = {"PSNR": "dB"}
REPEATED = ", last repeated"  # the end of a group's name
KINDS = {"": "", "last repeated ": REPEATED}  # beginnings of columns, and ends of groups


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """PSNR, SSIM and mean absolute error on the person and around of the frames that the network foresees against the
    true ones, in one group "frames", and of repeating the frame that they follow, in the group "frames, last repeated";
    with several successors also for each of them, in groups "step 1", "step 1, last repeated" and so on.

    The network shows `visuals["next_frames"]`, (B, S, N, 3, H, W) in [0, 1], from as many first frames of each clip as
    it foresees from, S of its T; the run asks for the N successors with `next_frames`. The person is where it is in the
    frame that is followed or in the one that follows, each pair cut as the run's `windows` say; in fixed windows the
    second is found by the truth "box", which is wrong only where a tracker slips to somebody else.

    Cases: the means of every clip, in the first two groups, None where it does not show the person. ValueError if the
    network foresees none, or another number than the run asks for; KeyError without ground truth.
    """
    found: dict[str, list[np.ndarray]] = {"": [], REPEATED: []}  # arrays (scores, clips, S, N)
    names = ("parts", "box") if run.windows == "fixed" else ("parts",)
    truth = (*names, *(f"next_{name}" for name in names))
    for batch, output in answers(network, benchmark.query, run, progress, truth=truth):
        foreseen, true = output.visuals.get("next_frames"), batch.next_frames
        starts = 0 if foreseen is None else foreseen.shape[1]
        if not starts or true is None or foreseen.shape[:3] != true[:, :starts].shape[:3]:
            shapes = [None if values is None else tuple(values.shape) for values in (foreseen, true)]
            raise ValueError(
                f'{run.model}: expected visuals["next_frames"] for each of next_frames={run.next_frames} successors, '
                f"found shapes {shapes[0]} and {shapes[1]}"
            )
        true = true[:, :starts]
        last = batch.frames[:, :starts, None].expand_as(true)
        images = [v.float().cpu().flatten(0, 2).numpy() for v in (foreseen.clamp(0, 1), true, last)]
        person = _person(batch, starts, run.windows == "fixed")
        for end, scores in zip(found, _scores(*images, person)):
            found[end].append(scores.reshape(len(SCORES), *true.shape[:3]))
    return _measured({end: np.concatenate(parts, axis=1) for end, parts in found.items()})


def _person(batch: ClipBatch, starts: int, fixed: bool) -> np.ndarray:
    """Where the person is in either frame of each pair of a start and a successor: bool (B · S · N, H, W)."""
    truth = {name: values[:, :starts].cpu() for name, values in batch.truth.items()}
    then = truth["next_parts"] > 0
    now = (truth["parts"] > 0)[:, :, None].expand_as(then)
    now, moved = (values.flatten(0, 2).numpy() for values in (now, then))
    if fixed:
        own = truth["next_box"]
        other = truth["box"][:, :, None].expand_as(own)
        moved = recut(moved, *(boxes.flatten(0, 2).numpy() for boxes in (own, other))) > 0
    return now | moved


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


def _measured(found: dict[str, np.ndarray]) -> Measured:
    """What is kept of the scores (len(SCORES), clips, S, N) of foreseen frames and of the last repeated."""
    scores, cases = {}, {}
    for end, values in found.items():
        groups = {f"frames{end}": values}
        if values.shape[3] > 1:
            groups |= {f"step {step + 1}{end}": values[..., step] for step in range(values.shape[3])}
        for name, chosen in groups.items():
            scores |= per_frame(name, dict(zip(SCORES, chosen.reshape(len(SCORES), -1)))).scores
        cases |= per_frame(f"frames{end}", dict(zip(SCORES, _clip_means(values)))).cases
    return Measured(scores, cases, UNITS)


def _clip_means(values: np.ndarray) -> np.ndarray:
    """The means (scores, clips) of values (scores, clips, S, N), NaN left out; NaN where there is nothing else."""
    known = ~np.isnan(values)
    count, total = known.sum(axis=(2, 3)), np.where(known, values, 0).sum(axis=(2, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score, that of repeating the last frame, and all but the background's for every step."""
    found = {f"{start}{name}": (f"frames{end}", name) for start, end in KINDS.items() for name in SCORES}
    if run.next_frames > 1:
        for step in range(1, run.next_frames + 1):
            for start, end in KINDS.items():
                found |= {f"{start}{name}, step {step}": (f"step {step}{end}", name) for name in STEP_SCORES}
    return found
