"""`python tests/benchmarks/gait_speed.py`: what training gait networks costs, on one thread.

A training step of each network at mini scale, with its batch, loss and optimiser, the mean of three. Then the batch-all
triplet loss at the batches of GaitSet, forward and backward, the better of two: with every triplet written out the
largest takes ten times as long and 4 GiB, which is why `reidlib.losses.batch_all_triplets` does not. Seconds are the
processor's, whatever else it computes beside; behind them stands the process's peak memory so far.
"""

import resource
import time
from dataclasses import replace
from itertools import repeat
from types import SimpleNamespace

import torch

from reidlib.data.batches import ClipBatch
from reidlib.experiments import Run, Setting
from reidlib.experiments.sources import SILHOUETTES
from reidlib.experiments.trainings import find_training
from reidlib.losses import batch_all_triplet_loss
from reidlib.models import create_model
from reidlib.papers.baseline.rows import GAITBASE, GAITSET
from reidlib.papers.gaitmask.systems import ON_LAB, with_setting
from reidlib.training import fit

BATCHES = ((8, 4, 30, 64), (8, 16, 62, 256), (32, 16, 62, 256))  # P, K, strips, numbers a strip
RUNS = (GAITSET, GAITBASE, *(with_setting(replace(ON_LAB, model=name), "lab") for name in ("gaitgl", "gaitmask")))


def triplet_loss(people: int, clips: int, strips: int, width: int) -> float:
    """Seconds of the loss and its gradient."""
    features = torch.randn(people * clips, strips, width, requires_grad=True)
    labels = torch.arange(people).repeat_interleave(clips)
    times = []
    for _ in range(2):
        started = time.process_time()
        batch_all_triplet_loss(features, labels, margin=0.2).backward()
        times.append(time.process_time() - started)
    return min(times)


def training_step(run: Run) -> float:
    """Seconds of a step of the run's training, after one that is not counted, on silhouettes of noise."""
    labels = torch.arange(run.ids_per_batch).repeat_interleave(run.clips_per_id)
    noise = (torch.rand(len(labels), run.silhouettes, *SILHOUETTES) > 0.5).float()
    batch = ClipBatch(None, *[labels] * 4, ("",) * len(labels), labels=labels, silhouettes=noise)
    model = create_model(run.model, scale=run.scale, num_ids=run.ids_per_batch)
    plan = find_training(run.training).function(Setting(model, run, SimpleNamespace(num_ids=run.ids_per_batch)))
    for steps in (1, 3):
        started = time.process_time()
        fit(
            model,
            plan.objective,
            lambda start: repeat(batch),
            iterations=steps,
            optimisers=plan.optimisers,
            precision=run.precision,
            progress=False,
        )
    return (time.process_time() - started) / steps


def show(what: str, seconds: float) -> None:
    """Print a line of the report."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {seconds:.2f} s, {peak:.0f} MiB", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for run in RUNS:
        clips = f"{run.ids_per_batch} x {run.clips_per_id} clips of {run.silhouettes} silhouettes"
        show(f"a training step of {run.model}, {clips}", training_step(run))
    for people, clips, strips, width in BATCHES:
        found = triplet_loss(people, clips, strips, width)
        show(f"the triplet loss of {people} x {clips} clips, {strips} strips of {width}", found)
