"""Probes: what a linear map can read off a network's features about how people walk."""

from collections.abc import Sequence

import numpy as np

from reidlib.data import Benchmark, Tracklet
from reidlib.data.walkers.worlds.gaits import NUMBERS, with_gaits
from reidlib.evaluation import explained_variance, linear_prediction
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.run import Run
from reidlib.models import Network

FEATURES = ("backbone", "appearance", "motion")  # that are looked at, where a network has them
SCORES = {"cadence": [0], "stride length": [1], "phase": [2, 3]}  # the places of their numbers in `NUMBERS`


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """How much of the variance of cadence, stride length and phase (of its sine and its cosine, the mean of both) each
    of the network's `FEATURES` explains, R², in a group of the feature's name.

    Ridge regressions are fitted to the clips of the training people and judged on those of the queries, of all whose
    person walks throughout; the phase is that of the clip's middle frame. 0 is what the queries' mean would explain,
    and less is less than nothing. Cases: what is predicted minus what is true, of every clip, in the units of
    `with_gaits`. ValueError if the network has none of these features, or the scenes of the data are not known.
    """
    known, values, people = _clips(network, benchmark.train, run, progress)
    unseen, true, _ = _clips(network, benchmark.query, run, progress)
    if not known:
        raise ValueError(f"{run.model} has none of the features {', '.join(FEATURES)}")
    scores, cases = {}, {}
    for name in known:
        predicted = linear_prediction(known[name], values, people, unseen[name])
        explained = explained_variance(true, predicted)
        scores[name] = {label: round(float(explained[places].mean()), 6) for label, places in SCORES.items()}
        errors = (predicted - true).round(3).T.tolist()
        cases[name] = dict(zip(NUMBERS, errors))
    return Measured(scores, cases)


def _clips(
    network: Network, tracklets: Sequence[Tracklet], run: Run, progress: bool
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Of all clips in which somebody walks throughout: the features (N, D) by name, `NUMBERS` of their middle frames
    (N, 4), and who it is (N,)."""
    found, values, people = {}, [], []
    for batch, output in answers(network, with_gaits(tracklets), run, progress, truth=("gait",)):
        gait = batch.truth["gait"].cpu().numpy()  # (B, T, 4)
        walks = (gait[:, :, 0] == gait[:, :1, 0]).all(axis=1)  # NaN equals nothing
        values.append(gait[walks, gait.shape[1] // 2])
        people.append(batch.person_ids.cpu().numpy()[walks])
        for name in FEATURES:
            if name in output.features:
                found.setdefault(name, []).append(output.features[name].float().cpu().numpy()[walks])
    features = {name: np.concatenate(parts) for name, parts in found.items()}
    return features, np.concatenate(values), np.concatenate(people)


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score of every feature."""
    return {f"{name}, {label}": (name, label) for name in FEATURES for label in SCORES}
