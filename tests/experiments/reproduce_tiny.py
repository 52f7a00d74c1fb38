"""`reproduce_tiny.py FIGURES ITERATIONS [READY GO]`: measure tiny runs under two seeds, used by test_execute.py.

ITERATIONS are those of one run or, with commas, of several. Checkpoints are written after every iteration. The file
READY is made before the first run, which then waits for the file GO. Each run measured here is printed as a line.
"""

import functools
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from reidlib.experiments import Row, Run, execute, train


def main(figures: str, iterations: str, ready: str = "", go: str = "") -> None:
    torch.set_num_threads(1)
    train.fit = functools.partial(train.fit, checkpoint_every=1)
    run = Run(
        model="agw",
        training="baseline/agw",
        data="street",
        data_options={"num_ids": 10, "workers": 1},
        setups=("usual", "mixing"),
        learning_rate=1e-3,
        ids_per_batch=2,
        clips_per_id=2,
        num_frames=2,
    )
    rows = [Row("street", n, replace(run, iterations=int(n)), seeds=2) for n in iterations.split(",")]
    if ready:
        Path(ready).touch()
        while not Path(go).exists():
            time.sleep(0.001)

    def report(row, record):
        sys.stdout.write(f"measured {record.seed}\n")

    done = execute.reproduce(
        "baseline", rows, resources=train.Resources(progress=False), figures=Path(figures), report=report
    )
    sys.stdout.write(f"done {done}\n")
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
