"""Attributes: how well a network says what people look like."""

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import attribute_scores
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = {"accuracy": "accuracy", "balanced accuracy": "balanced_accuracy", "F1": "macro_f1"}


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """Accuracy, balanced accuracy and F1 of every attribute that the network predicts and the queries have, each a
    group "attribute NAME", and their means over attributes, the group "attributes".

    What is predicted is the code of the highest score, or for an attribute with one score whether it is above 0. Cases:
    the true and the predicted code of each query. ValueError if there is no such attribute.
    """
    scores: dict[str, list[np.ndarray]] = {}
    truth: dict[str, list[np.ndarray]] = {}
    for batch, output in answers(network, benchmark.query, run, progress):
        for name in output.attributes.keys() & batch.attributes.keys():
            scores.setdefault(name, []).append(output.attributes[name].float().cpu().numpy())
            truth.setdefault(name, []).append(batch.attributes[name].cpu().numpy())
    if not scores:
        raise ValueError(
            f"{run.model} predicts no attribute that the queries of {benchmark.name} have; evaluate a network whose "
            "output has attributes, on data that are annotated"
        )
    found, cases = {}, {}
    for name in sorted(scores):
        values, codes = np.concatenate(scores[name]), np.concatenate(truth[name])
        classes = max(values.shape[1], 2)
        predicted = values.argmax(1) if values.shape[1] > 1 else (values[:, 0] > 0).astype(int)
        of_attribute = attribute_scores(predicted, codes, classes)
        found[f"attribute {name}"] = {
            **{label: round(float(getattr(of_attribute, field)), 6) for label, field in SCORES.items()},
            "counts": {**of_attribute.counts, "targets": of_attribute.targets.tolist()},
        }
        cases[f"attribute {name}"] = {"code": codes.tolist(), "predicted": predicted.tolist()}
    means = {label: round(float(np.mean([found[group][label] for group in found])), 6) for label in SCORES}
    return Measured({"attributes": means, **found}, cases)


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """The means over attributes."""
    return {label: ("attributes", label) for label in SCORES}
