"""Clusters: whether those that a run's query expansion averages over are of one person each."""

from collections.abc import Mapping

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import cluster_scores, feature_clusters
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.features import as_compared, embed
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = ("purity", "mates", "alone", "size")


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """The scores of `reidlib.evaluation.ClusterScores`, in one group "clusters", of the clusters of queries and gallery
    that the run's expansion makes; a score of nothing is left out. ValueError for a run without expansion."""
    if run.expansion is None:
        raise ValueError(f"{run.model} is searched without expansion: there are no clusters to measure")
    features = embed(network, benchmark, run, progress)
    pair = as_compared(features.query_features, features.gallery_features, run.metric)
    clusters = feature_clusters(*pair, **_of_clusters(run.expansion))
    found = cluster_scores(np.concatenate(clusters), np.concatenate([features.query_ids, features.gallery_ids]))
    scores = {name: round(value, 6) for name, value in found._asdict().items() if value == value}
    return Measured({"clusters": scores}, units={"size": "items"})


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score."""
    return {f"clusters' {name}": ("clusters", name) for name in SCORES}


def _of_clusters(expansion: Mapping) -> dict:
    return {name: value for name, value in expansion.items() if name in ("threshold", "linkage", "relative")}
