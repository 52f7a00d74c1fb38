"""Pseudo-labels: how right a recogniser of PETA's attributes is about tracklets that are annotated as MARS is, frame by
frame and after averaging over the frames."""

from collections.abc import Mapping

import numpy as np

from reidlib.data import Benchmark
from reidlib.data.walkers.worlds.annotations import PETA_TO_MARS
from reidlib.evaluation import attribute_scores
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = {"accuracy": "accuracy", "balanced accuracy": "balanced_accuracy", "F1": "macro_f1"}
SINGLE, AVERAGED = "frame by frame", "averaged"
Meaning = tuple[tuple[str, int], ...]  # columns of MARS and their codes


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """Accuracy, balanced accuracy and F1, means over what the columns mean in MARS's (`PETA_TO_MARS`), of each frame's
    probabilities above 0.5 in the group "frame by frame", and of their mean over the clip's frames in "averaged".

    The network says probabilities (B, T, N) of its N attributes, `visuals["probabilities"]`. Columns that mean the same
    are one: what any of them says. Cases, for each meaning: the truth, and how probable it is on average. ValueError if
    the network says none, or the queries are not annotated.
    """
    found: dict[Meaning, list[tuple[np.ndarray, np.ndarray]]] = {}
    for batch, output in answers(network, benchmark.query, run, progress):
        said = output.visuals.get("probabilities")
        if said is None:
            raise ValueError(f'{run.model}: expected visuals["probabilities"] of PETA\'s attributes, found none')
        codes = {name: values.cpu().numpy() for name, values in batch.attributes.items()}
        by_name = dict(zip(output.attributes, said.float().cpu().numpy().transpose(2, 0, 1)))
        for meaning, names in _meanings(by_name).items():
            if all(column in codes for column, _ in meaning):
                probable = np.max([by_name[name] for name in names], axis=0)
                found.setdefault(meaning, []).append((probable, _truth(meaning, codes)))
    if not found:
        raise ValueError(f"{run.model} predicts nothing that the queries of {benchmark.name} are annotated with")
    groups = {SINGLE: [], AVERAGED: []}
    cases = {}
    for meaning, parts in found.items():
        probable, truth = (np.concatenate(values) for values in zip(*parts))  # (cases, T), (cases,)
        if (truth < 0).all():
            continue
        groups[SINGLE].append(_scores(probable.ravel(), truth.repeat(probable.shape[1])))
        groups[AVERAGED].append(_scores(probable.mean(axis=1), truth))
        means = [round(float(value), 4) for value in probable.mean(axis=1)]
        cases[" and ".join(f"{column} {code}" for column, code in meaning)] = {"code": truth.tolist(), "mean": means}
    scores = {
        group: {label: round(float(np.nanmean(values)), 6) for label, values in zip(SCORES, zip(*found_scores))}
        for group, found_scores in groups.items()
    }
    return Measured(scores, cases)


def _meanings(names: Mapping[str, object]) -> dict[Meaning, list[str]]:
    """What the columns mean, and those that mean it."""
    found: dict[Meaning, list[str]] = {}
    for name in names:
        if name in PETA_TO_MARS:
            found.setdefault(tuple(sorted(PETA_TO_MARS[name].items())), []).append(name)
    return found


def _truth(meaning: Meaning, codes: Mapping[str, np.ndarray]) -> np.ndarray:
    """1 where all columns have the code, 0 where one has another, -1 where one is not annotated; (B,)."""
    there = np.all([codes[column] == code for column, code in meaning], axis=0).astype(int)
    return np.where(np.any([codes[column] < 0 for column, _ in meaning], axis=0), -1, there)


def _scores(probable: np.ndarray, truth: np.ndarray) -> list[float]:
    of = attribute_scores((probable > 0.5).astype(int), truth, 2)
    return [getattr(of, field) for field in SCORES.values()]


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score of both ways."""
    return {f"{group}, {label}": (group, label) for group in (SINGLE, AVERAGED) for label in SCORES}
