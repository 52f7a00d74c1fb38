"""From features to what a record keeps: scores as fractions, and the outcome of every single query."""

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import RetrievalScores, cross_view_accuracy
from reidlib.papers.features import TestFeatures


def retrieval_entries(
    features: TestFeatures, benchmark: Benchmark, setups: tuple[str, ...], metric: str, **refinement
) -> tuple[dict, dict]:
    """Scores and outcomes under the benchmark's protocol, {set-up: …}, for galleries "usual" and "mixing" (with the
    queries); as `entry_of_retrieval`. refinement: expansion and rerank of `TestFeatures.scores`."""
    entries = {}
    for setup in setups:
        setting = features.mixing() if setup == "mixing" else features
        scores = setting.scores(benchmark.protocol, metric, **refinement)
        entries[setup] = entry_of_retrieval(scores, features.query_ids)
    return _apart(entries)


def cross_view_entries(
    features: TestFeatures, benchmark: Benchmark, conditions: tuple[str, ...], metric: str, **refinement
) -> tuple[dict, dict]:
    """Scores and outcomes of gait evaluation, {condition: …}, for probes of that condition, or "all".

    Scores: rank-1 as fractions over pairs of views "including" and "excluding" the same angle, and the number of
    probes. Outcomes: person_id and view of every probe, and first_match_rank at each gallery view, ascending.
    ValueError if there is no probe of a condition, or as `cross_view_accuracy`.
    """
    distances = features.distances(metric, **refinement)
    query_views, gallery_views = (np.array([t.view for t in part]) for part in (benchmark.query, benchmark.gallery))
    found = np.array([t.condition for t in benchmark.query])
    entries = {}
    for condition in conditions:
        chosen = np.flatnonzero((found == condition) | (condition == "all"))
        if not chosen.size:
            raise ValueError(f"{benchmark.name} has no probes of condition {condition!r}; known: {sorted({*found})}")
        ids, views = features.query_ids[chosen], query_views[chosen]
        scores = cross_view_accuracy(distances[chosen], ids, features.gallery_ids, views, gallery_views)
        summary = {
            "including": round(scores.including, 6),
            "excluding": round(scores.excluding, 6),
            "protocol": "cross-view",
            "counts": {"queries": len(chosen), "gallery": len(gallery_views)},
        }
        outcome = {"person_id": ids, "view": views, "first_match_rank": scores.first_match_rank}
        entries[condition] = summary, {name: values.tolist() for name, values in outcome.items()}
    return _apart(entries)


def entry_of_retrieval(scores: RetrievalScores, query_ids: np.ndarray) -> tuple[dict, dict]:
    """What a record keeps of one retrieval: (scores as fractions, outcome of every query; None and 0 if not valid)."""
    summary = {f"rank-{k}": round(value, 6) for k, value in scores.cmc.items()}
    summary |= {"mAP": round(scores.mean_ap, 6), "mINP": round(scores.mean_inp, 6)}
    summary |= {"protocol": scores.protocol, "counts": dict(scores.counts)}
    queries = {
        "person_id": [int(person) for person in query_ids],
        "average_precision": [
            round(float(value), 5) if valid else None for value, valid in zip(scores.average_precision, scores.valid)
        ],
        "first_match_rank": [int(rank) for rank in scores.first_match_rank],
    }
    return summary, queries


def _apart(entries: dict[str, tuple[dict, dict]]) -> tuple[dict, dict]:
    """{set-up: (scores, outcomes)} -> ({set-up: scores}, {set-up: outcomes})."""
    return tuple({setup: entry[part] for setup, entry in entries.items()} for part in (0, 1))
