"""What can be measured of a trained network: one file a kind.

A kind is a module, or anything else that has two functions: `measure(network, benchmark, run, progress)`, which gives
`Measured`, and `columns(run)`, which names the columns of a table by default, {column: (group, score)}. The file's name
is the kind's, with "-" for "_"; your own kind is `register_evaluation`ed.
"""

import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from reidlib.data import Benchmark
from reidlib.experiments.run import Run
from reidlib.models import Network


@dataclass(frozen=True)
class Measured:
    """What a kind of evaluation finds.

    scores: {group: {score: value, …}}, the groups being what the kind tells apart (set-ups, conditions, attributes);
    fractions, or in the unit that `units` names, {score: "dB"}; "protocol" and "counts" of a group are no scores.
    cases: the outcome of every single case, {group: {what: one value a case}}. notes: {"tied": …}, what a reader has to
    know of the network.
    """

    scores: Mapping[str, Mapping]
    cases: Mapping[str, Mapping] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, float] = field(default_factory=dict)


def per_frame(group: str, values: Mapping[str, np.ndarray], units: Mapping[str, str] | None = None) -> Measured:
    """One group of scores that are means over frames, whose values (N,) are the cases; NaN is left out, and None in the
    cases. ValueError if a score has no frame at all."""
    if empty := [name for name, found in values.items() if np.isnan(found).all()]:
        raise ValueError(f"{group}: no frame to measure {empty[0]} on; the test clips show nobody")
    scores = {name: round(float(np.nanmean(found)), 6) for name, found in values.items()}
    cases = {name: [None if v != v else round(float(v), 5) for v in found] for name, found in values.items()}
    return Measured({group: scores}, {group: cases}, units or {})


class Evaluation(Protocol):
    """A kind of evaluation."""

    def measure(self, network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
        """What the run's network scores on the benchmark."""

    def columns(self, run: Run) -> dict[str, tuple[str, str]]:
        """The columns of a table in which every score of the run has its own, {column: (group, score)}."""


_ADDED: dict[str, Evaluation] = {}


def register_evaluation(name: str, evaluation: Evaluation) -> None:
    """Make a kind of your own known. ValueError for a name that another one has."""
    same = name in _ADDED and _origin(_ADDED[name]) == _origin(evaluation)  # its file has been run again
    if _module(name) or (name in _ADDED and not same):
        raise ValueError(f"an evaluation is called {name!r} already; choose another name")
    _ADDED[name] = evaluation


def find_evaluation(name: str) -> Evaluation:
    """The kind of this name. ValueError for an unknown one."""
    if name in _ADDED:
        return _ADDED[name]
    if not (module := _module(name)):
        raise ValueError(
            f"no evaluation is called {name!r}; those of the package are the files of {__name__}, your own are added "
            "by reidlib.experiments.register_evaluation"
        )
    return importlib.import_module(module)


def _origin(evaluation: Evaluation) -> tuple[str, str]:
    """Where a kind is written."""
    return evaluation.measure.__module__, evaluation.measure.__qualname__


def _module(name: str) -> str:
    module = f"{__name__}.{name.replace('-', '_')}"
    return module if name.replace("-", "_").isidentifier() and importlib.util.find_spec(module) else ""


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """All that the run asks for, together. ValueError where two kinds call a group alike."""
    return together(find_evaluation(name).measure(network, benchmark, run, progress) for name in run.evaluations)


def together(measured: Iterable[Measured]) -> Measured:
    """Several findings as one. ValueError where two of them call a group alike."""
    whole = Measured({}, {}, {}, {})
    for found in measured:
        if shared := whole.scores.keys() & found.scores.keys():
            raise ValueError(f"two evaluations both have a group {sorted(shared)[0]!r}; ask for one of them")
        for part in ("scores", "cases", "units", "notes"):
            getattr(whole, part).update(getattr(found, part))
    return whole


def columns_of(run: Run) -> dict[str, tuple[str, str]]:
    """Every score of a run as a column, {column: (group, score)}: "mAP", "mixing mAP"; "NM including"."""
    kinds = [find_evaluation(name).columns(run) for name in run.evaluations]
    return {column: place for columns in kinds for column, place in columns.items()}
