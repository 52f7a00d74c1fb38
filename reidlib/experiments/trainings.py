"""Trainings by name: how a network is trained, as a run names it, whichever paper it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import nn
from torch.optim import Optimizer

from reidlib.models import Network
from reidlib.training.fit import Objective
from reidlib.training.schedules import Schedule, constant, one_cycle

if TYPE_CHECKING:
    from reidlib.data import Benchmark
    from reidlib.experiments.run import Run


@dataclass(frozen=True)
class Setting:
    """What a training function is told: the network to train, its run, the benchmark whose training tracklets it sees,
    and, by name, the trained networks that stand beside it (`Part.beside`)."""

    model: Network
    run: "Run"
    benchmark: "Benchmark"
    beside: Mapping[str, nn.Module] = field(default_factory=dict)

    @property
    def num_ids(self) -> int:
        """Number of training identities."""
        return self.benchmark.num_ids

    def schedule(self, published: Schedule = constant) -> Schedule:
        """How the learning rate goes: at paper scale as `published`, at mini scale as `one_cycle`, so that no system
        gains by a schedule that fits its short training better."""
        return one_cycle(self.run.iterations) if self.run.scale == "mini" else published


@dataclass(frozen=True)
class Plan:
    """What a training function answers: objective, optimisers, schedules and weights as `reidlib.training.fit` takes
    them."""

    objective: Objective
    optimisers: Mapping[str, Optimizer]
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """A training function and the name that stands for it in the hash of a configuration."""

    function: Callable[[Setting], Plan]
    recorded_as: str


_TRAININGS: dict[str, Training] = {}


def register_training(name: str, recorded_as: str = "") -> Callable[[Callable[[Setting], Plan]], Callable]:
    """Decorator that makes a training function known by a name, "PAPER" or "PAPER/WHAT" for those of a paper.

    recorded_as: the name that stands for it in configurations' hashes, if that is another one. ValueError for a name
    that is taken by another function.
    """

    def added(function: Callable[[Setting], Plan]) -> Callable[[Setting], Plan]:
        known = _TRAININGS.get(name)
        if known and (known.function.__module__, known.function.__name__) != (function.__module__, function.__name__):
            raise ValueError(f"a training is called {name!r} already; choose another name")
        _TRAININGS[name] = Training(function, recorded_as or name)
        return function

    return added


def find_training(name: str) -> Training:
    """The training of this name; a paper's own are imported when asked for. ValueError for an unknown name."""
    if name not in _TRAININGS:
        from reidlib.experiments.papers import find_paper, list_papers

        if (paper := name.partition("/")[0]) in list_papers():
            find_paper(paper)
    if name not in _TRAININGS:
        raise ValueError(
            f"no training is called {name!r}; known: {', '.join(sorted(_TRAININGS))}. Your own is added by "
            "reidlib.experiments.register_training, in a file that --with names"
        )
    return _TRAININGS[name]
