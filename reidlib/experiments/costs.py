"""What a network costs: parameters, multiply-adds and milliseconds a tracklet."""

import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from reidlib.data import Benchmark
from reidlib.experiments.clips import batches_of, inputs_of
from reidlib.experiments.run import Run
from reidlib.models import Network
from reidlib.training.distributed import start_processes
from reidlib.training.precision import autocast

REPEATED = 5  # times that a forward pass is timed


@torch.no_grad()
def costs(network: Network, benchmark: Benchmark, run: Run) -> dict[str, float]:
    """Costs of a network that is ready for retrieval: its "parameters", and for one test tracklet alone
    "multiply-adds" (of convolutions and matrix products) and "milliseconds" (the median of five passes on this
    device)."""
    tracklet = (benchmark.query or benchmark.gallery or benchmark.train)[:1]
    device = start_processes().device
    batch = next(iter(batches_of(tracklet, network, run))).to(device)
    inputs = batch.inputs(inputs_of(network, run))
    network.to(device).eval()
    with autocast(run.precision, device):
        with FlopCounterMode(display=False) as counter:
            network(**inputs)
        times = [_seconds(network, inputs, device) for _ in range(REPEATED)]
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "multiply-adds": counter.get_total_flops() // 2,
        "milliseconds": round(1000 * sorted(times)[REPEATED // 2], 2),
    }


def _seconds(network: Network, inputs: dict[str, torch.Tensor], device: torch.device) -> float:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    started = time.perf_counter()
    network(**inputs)
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter() - started
