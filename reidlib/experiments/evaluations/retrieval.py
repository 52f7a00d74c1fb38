"""Retrieval: CMC, mAP and mINP of every set-up, and how they depend on condition and view."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from reidlib.data import Benchmark, Tracklet, validation_split
from reidlib.data.gait import gait_validation_split
from reidlib.evaluation import RetrievalScores
from reidlib.experiments.evaluations import Measured
from reidlib.experiments.features import embed, tied_share
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = ("rank-1", "rank-5", "rank-20", "mAP", "mINP")
SETUPS = ("usual", "mixing", "training people")
DIFFERENCES = (0, 15, 30, 60, 90, 181)  # degrees, borders of the strata


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """Scores and outcomes under the benchmark's protocol for each of the run's set-ups: the galleries "usual" and
    "mixing" (with the queries), and "training people", who are searched among themselves.

    Where queries have conditions or views, each set-up is followed by its strata, the queries of one condition or of
    one range of the smallest angle to a true match: "usual, nm", "usual, 15 to 30 degrees". ValueError for an unknown
    set-up, or as `RetrievalFeatures.scores`.
    """
    scores, cases, ties = {}, {}, []
    for setup in run.setups:
        if setup not in SETUPS:
            raise ValueError(f"setups={run.setups}: expected some of {', '.join(SETUPS)}")
        searched = on_training_people(benchmark) if setup == "training people" else benchmark
        features = embed(network, searched, run, progress)
        ties.append(tied_share(features))
        setting = features.mixing() if setup == "mixing" else features
        found = setting.scores(searched.protocol, run.metric, expansion=run.expansion, rerank=run.rerank)
        scores[setup], cases[setup] = entry_of_retrieval(found, features.query_ids)
        gallery = searched.gallery + (searched.query if setup == "mixing" else ())
        for stratum, chosen in _strata(searched.query, gallery):
            if (counted := chosen & found.valid).any():
                scores[f"{setup}, {stratum}"] = {
                    "rank-1": round(float((found.first_match_rank[counted] == 1).mean()), 6),
                    "mAP": round(float(found.average_precision[counted].mean()), 6),
                    "counts": {"valid": int(counted.sum())},
                }
    return Measured(scores, cases, notes={"tied": round(max(ties), 4)})


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Every score of each set-up, the first set-up's without its name: "mAP", "mixing mAP"."""
    first = run.setups[0]
    return {name if s == first else f"{s} {name}": (s, name) for s in run.setups for name in SCORES}


def on_training_people(benchmark: Benchmark) -> Benchmark:
    """The benchmark with its training identities to search instead of the others: a walk of them among the walks that
    are labelled as the gallery's are, where tracklets have conditions."""
    walks = benchmark.protocol == "all" and all(tracklet.condition for tracklet in benchmark.query)
    return (gait_validation_split if walks else validation_split)(benchmark, fraction=1.0)


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


def _strata(query: tuple[Tracklet, ...], gallery: tuple[Tracklet, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Names of strata and which queries they hold, bool (Q,)."""
    conditions = np.array([t.condition for t in query])
    if len(known := sorted({*conditions} - {""})) > 1:
        yield from ((condition, conditions == condition) for condition in known)
    if len({t.view for t in gallery}) > 1:
        difference = _smallest_angles(query, gallery)
        for low, high in pairwise(DIFFERENCES):
            yield f"{low} to {min(high, 180)} degrees", (low <= difference) & (difference < high)


def _smallest_angles(query: tuple[Tracklet, ...], gallery: tuple[Tracklet, ...]) -> np.ndarray:
    """How far each query's view is from the nearest view of its person in the gallery, degrees (Q,); NaN without."""
    views: dict[int, set[int]] = {}
    for tracklet in gallery:
        views.setdefault(tracklet.person_id, set()).add(tracklet.view)
    angles = [[(t.view - view + 180) % 360 - 180 for view in views.get(t.person_id, ())] for t in query]
    return np.array([min(map(abs, found), default=np.nan) for found in angles], float)
