"""Gait evaluation over pairs of views: rank-1 for the probes of each condition."""

from collections.abc import Mapping

import numpy as np

from reidlib.data import Benchmark
from reidlib.evaluation import CrossViewScores, cross_view_accuracy
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.evaluations.retrieval import on_training_people
from reidlib.experiments.features import RetrievalFeatures, embed, tied_share
from reidlib.experiments.run import Run
from reidlib.models import Network

VIEW_PAIRS = ("including", "excluding")  # the same angle


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """Scores and outcomes for the probes of each of the run's conditions, or for "all".

    Scores: rank-1 over pairs of views "including" and "excluding" the same angle; "probe 90": over the other gallery
    views for the probes at 90 degrees, the columns of CASIA-B's tables; "difference 18": over all pairs whose views are
    18 degrees apart. Outcomes: person_id and view of every probe, and first_match_rank at each gallery view, ascending.
    With the set-up "training people", groups such as "training people, nm" say how the training identities are found
    among themselves. ValueError if there is no probe of a condition, or as `cross_view_accuracy`.
    """
    scores, cases, ties = {}, {}, []
    for setup in run.setups:
        searched = on_training_people(benchmark) if setup == "training people" else benchmark
        features = embed(network, searched, run, progress)
        ties.append(tied_share(features))
        prefix = "training people, " if setup == "training people" else ""
        refinement = {"expansion": run.expansion, "rerank": run.rerank}
        for condition, entry in _entries(features, searched, run.conditions, run.metric, refinement).items():
            scores[f"{prefix}{condition}"], cases[f"{prefix}{condition}"] = entry
    return Measured(scores, cases, notes={"tied": round(max(ties), 4)})


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Rank-1 for each condition: "NM including", …, "NM excluding", …; "all including"."""
    return {f"{c.upper() if c != 'all' else c} {pairs}": (c, pairs) for pairs in VIEW_PAIRS for c in run.conditions}


def _entries(
    features: RetrievalFeatures, benchmark: Benchmark, conditions: tuple[str, ...], metric: str, refinement: Mapping
) -> dict[str, tuple[dict, dict]]:
    """{condition: (scores, outcomes)}."""
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
            **_by_view(scores),
            "protocol": "cross-view",
            "counts": {"queries": len(chosen), "gallery": len(gallery_views)},
        }
        outcome = {"person_id": ids, "view": views, "first_match_rank": scores.first_match_rank}
        entries[condition] = summary, {name: values.tolist() for name, values in outcome.items()}
    return entries


def _by_view(scores: CrossViewScores) -> dict[str, float]:
    """Rank-1 at each probe view, over the other gallery views, and at each difference of views, where there are any."""
    difference = np.abs((scores.query_views[:, None] - scores.gallery_views + 180) % 360 - 180)
    counted = ~np.isnan(scores.matrix)
    strata = {f"probe {view}": (scores.query_views == view)[:, None] & (difference > 0) for view in scores.query_views}
    strata |= {f"difference {angle}": difference == angle for angle in np.unique(difference)}
    pairs = {name: chosen & counted for name, chosen in strata.items()}
    return {name: round(float(scores.matrix[chosen].mean()), 6) for name, chosen in pairs.items() if chosen.any()}
