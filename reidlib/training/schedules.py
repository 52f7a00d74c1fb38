"""Learning-rate schedules: functions from the iteration (from 0) to a factor on the initial rate."""

import math
from collections.abc import Callable, Sequence

Schedule = Callable[[int], float]


def constant(iteration: int) -> float:
    """The schedule that changes nothing."""
    return 1.0


def multistep(milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """Multiplied by `gamma` at each milestone (an iteration)."""
    return lambda iteration: gamma ** sum(iteration >= milestone for milestone in milestones)


def cosine(iterations: int, final: float = 0.0) -> Schedule:
    """From 1 at iteration 0 along half a cosine to `final` at `iterations`, and constant from there.

    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (ICLR 2017), Equation 5,
    one period.
    """
    return lambda i: final + (1 - final) * (1 + math.cos(math.pi * min(i / iterations, 1))) / 2


def one_cycle(iterations: int, warmup: float = 0.1, final: float = 0.01) -> Schedule:
    """Up and down once: from a hundredth linearly to 1 over the first part of the iterations, a share `warmup` below 1,
    then along half a cosine to `final`.

    The form that Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
    (2018), propose, with a cosine in place of their second line.
    """
    rise = round(warmup * iterations)
    fall = cosine(iterations - rise, final)
    return with_warmup(lambda i: fall(max(i - rise, 0)), rise)


def with_warmup(schedule: Schedule, iterations: int, start: float = 0.01) -> Schedule:
    """`schedule` times a factor that rises linearly from `start` at iteration 0 to 1 at `iterations`."""
    return lambda i: schedule(i) * (start + (1 - start) * min(i / iterations, 1) if iterations else 1.0)
