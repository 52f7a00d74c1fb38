"""`python tests/benchmarks/triplet_speed.py`: the batch-all triplet loss at the batches of GaitSet.

One thread, forward and backward, seconds, the better of two, and the process's peak memory so far. With every triplet
written out the largest takes ten times as long and 4 GiB. It is why `reidlib.losses.batch_all_triplets` does not.
"""

import resource
import time

import torch

from reidlib.losses import batch_all_triplet_loss

BATCHES = ((8, 4, 30, 64), (8, 16, 62, 256), (32, 16, 62, 256))  # P, K, strips, numbers a strip

if __name__ == "__main__":
    torch.set_num_threads(1)
    for people, clips, strips, width in BATCHES:
        features = torch.randn(people * clips, strips, width, requires_grad=True)
        labels = torch.arange(people).repeat_interleave(clips)
        times = []
        for _ in range(2):
            started = time.perf_counter()
            batch_all_triplet_loss(features, labels, margin=0.2).backward()
            times.append(time.perf_counter() - started)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{people} x {clips} clips, {strips} strips of {width}: {min(times):.2f} s, {peak:.0f} MiB")
