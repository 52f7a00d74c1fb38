"""`python tests/benchmarks/order_statistics_speed.py`: the set pooling's maximum and median against those of PyTorch.

One thread, forward and backward, milliseconds, the best of five. It is why `reidlib/models/order_statistics.py` exists.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from reidlib.models.order_statistics import set_max, set_median

SHAPES = ((16, 6, 16, 16, 11), (16, 12, 16, 16, 11), (16, 12, 64, 8, 5), (4, 30, 32, 64, 44))  # B, S, C, h, w
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "set_max": set_max,
    "torch.amax": lambda x: x.amax(1),
    "set_median": set_median,
    "torch.median": lambda x: x.median(1).values,
}


def milliseconds(function: Callable[[Tensor], Tensor], x: Tensor) -> float:
    """The best of five passes forward and backward."""
    times = []
    for _ in range(5):
        x.grad = None
        started = time.perf_counter()
        function(x).sum().backward()
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for shape in SHAPES:
        sets = torch.randn(shape, requires_grad=True)
        found = ", ".join(f"{name} {milliseconds(function, sets):.1f}" for name, function in FUNCTIONS.items())
        print(f"{shape}: {found}")
