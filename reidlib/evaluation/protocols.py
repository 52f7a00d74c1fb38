"""Who counts: the protocols of person re-identification and the cross-view protocol of gait recognition.

Identities follow MARS: above 0 a person, 0 a distractor (a wrong answer to every query), below 0 junk (never
counted). A query is a person, or junk.
"""

from dataclasses import dataclass

import numpy as np

from reidlib.evaluation.arrays import distance_matrix, labels, mean, one_of
from reidlib.evaluation.ranking import (
    inverse_negative_penalty,
    match_ranks,
    same_identity_pairs,
    step_average_precision,
    trapezoid_average_precision,
)

_AVERAGE_PRECISION = {"step": step_average_precision, "trapezoid": trapezoid_average_precision}


@dataclass(frozen=True)
class RetrievalScores:
    """Scores of one retrieval run, fractions in [0, 1]; means are over valid queries, NaN if none is."""

    cmc: dict[int, float]  # k: share of valid queries with a true match among the first k entries
    mean_ap: float
    mean_inp: float
    average_precision: np.ndarray  # (Q,) float64, NaN where the query is not valid
    first_match_rank: np.ndarray  # (Q,) int64, from 1; 0 where the query is not valid
    valid: np.ndarray  # (Q,) bool: the query has a true match that counts under the protocol
    counts: dict[str, int]  # queries, valid; gallery (all entries given), distractors and junk among them
    protocol: str
    average_precision_kind: str


def retrieval_scores(
    distances,
    query_ids,
    gallery_ids,
    query_cameras,
    gallery_cameras,
    *,
    protocol: str = "cross-camera",
    average_precision: str = "step",
    topk: tuple[int, ...] = (1, 5, 10, 20),
) -> RetrievalScores:
    """CMC, mAP and mINP of a distance matrix.

    distances: (Q, G), NumPy or torch, smaller is closer, no NaN. query_ids, query_cameras: (Q,) integers;
    gallery_ids, gallery_cameras: (G,); a single row or column, as in .mat files, will do. An identity below 0 is
    junk, 0 a distractor, which cannot be a query: people are numbered from 1.
    protocol: "cross-camera" leaves out, for each query, the gallery entries of its identity seen by its
    camera (MARS, Market-1501, DukeMTMC-VideoReID); "all" counts every entry (iLIDS-VID, PRID-2011).
    average_precision: "step", the mean precision over the true matches; "trapezoid", the older Oxford and
    MATLAB area. CMC is that of the first match. A query without a true match that counts is not valid and
    enters no mean.
    Ties: a wrong answer comes before a true match at the same distance (see `ranking`).

    Raises ValueError on an empty query or gallery set, on queries of identity 0, on shapes that do not fit, NaN or
    unknown names.

    >>> scores = retrieval_scores([[0.1, 0.2, 0.3, 0.4]], [7], [7, 9, 7, -1], [1], [1, 2, 2, 2])
    >>> scores.cmc[1], scores.mean_ap, scores.counts["junk"]  # the closest entry is of the query's own camera
    (0.0, 0.5, 1)
    """
    one_of("protocol", protocol, ("cross-camera", "all"))
    one_of("average_precision", average_precision, tuple(_AVERAGE_PRECISION))
    if not topk or min(topk) < 1:
        raise ValueError(f"topk must name ranks from 1; it is {topk}")
    query_ids, gallery_ids = _identities(query_ids, gallery_ids)
    num_queries, num_gallery = len(query_ids), len(gallery_ids)
    distances = distance_matrix(distances, num_queries, num_gallery)
    query_cameras = labels("query_cameras", query_cameras, num_queries)
    gallery_cameras = labels("gallery_cameras", gallery_cameras, num_gallery)

    queries, entries = same_identity_pairs(query_ids, gallery_ids)
    counted = np.ones(len(queries), dtype=bool)
    if protocol == "cross-camera":
        counted = query_cameras[queries] != gallery_cameras[entries]
    ranks = match_ranks(distances, queries, entries, counted, junk=gallery_ids < 0)

    valid = ranks.matches > 0
    precision = _AVERAGE_PRECISION[average_precision](ranks)
    return RetrievalScores(
        cmc={k: mean(ranks.first[valid] <= k) for k in topk},
        mean_ap=mean(precision[valid]),
        mean_inp=mean(inverse_negative_penalty(ranks)[valid]),
        average_precision=precision,
        first_match_rank=ranks.first,
        valid=valid,
        counts={
            "queries": num_queries,
            "valid": int(valid.sum()),
            "gallery": num_gallery,
            "distractors": int((gallery_ids == 0).sum()),
            "junk": int((gallery_ids < 0).sum()),
        },
        protocol=protocol,
        average_precision_kind=average_precision,
    )


@dataclass(frozen=True)
class CrossViewScores:
    """Rank-1 accuracy for each pair of views, as fractions; rows are probe views, columns gallery views,
    ascending."""

    matrix: np.ndarray  # (V_query, V_gallery); NaN where no probe of the row has its identity in the column
    including: float  # mean over all view pairs
    excluding: float  # mean over the pairs of different views
    reachable: np.ndarray  # (V_query, V_gallery): share of the row's probes whose identity is in the column
    first_match_rank: np.ndarray  # (Q, V_gallery) int64, from 1; 0 where the identity is not in the column
    query_views: np.ndarray  # (V_query,) degrees
    gallery_views: np.ndarray  # (V_gallery,) degrees


def cross_view_accuracy(distances, query_ids, gallery_ids, query_views, gallery_views) -> CrossViewScores:
    """Rank-1 accuracy of gait recognition for each (probe view, gallery view), as on CASIA-B and OUMVLP.

    distances: (Q, G), NumPy or torch, no NaN. query_ids, query_views: (Q,) integers; gallery_ids,
    gallery_views: (G,); views in degrees. For each probe and each gallery view, the gallery sequences of that
    view alone are ranked; the probe is right if its identity is strictly closer than every other (ties count
    as wrong). A probe whose identity is missing at a gallery view counts as wrong there, as in the public
    evaluations; `reachable` says how many could be right. Junk (identity below 0) is left out,
    distractors (0, in the gallery only) are wrong answers.
    `including` and `excluding` give every view pair the same weight (pairs that are NaN none); where each
    view has the same number of probes, this equals pooling all probes. Without such a pair the mean is NaN.

    Raises ValueError on an empty probe or gallery set, on probes of identity 0, on shapes that do not fit or NaN.

    >>> scores = cross_view_accuracy([[0.1, 0.9, 0.8, 0.2]], [1], [1, 2, 1, 2], [0], [0, 0, 90, 90])
    >>> scores.matrix.tolist(), scores.including, scores.excluding
    ([[1.0, 0.0]], 0.5, 0.0)
    """
    query_ids, gallery_ids = _identities(query_ids, gallery_ids)
    num_queries, num_gallery = len(query_ids), len(gallery_ids)
    distances = distance_matrix(distances, num_queries, num_gallery)
    query_views = labels("query_views", query_views, num_queries)
    gallery_views = labels("gallery_views", gallery_views, num_gallery)

    probes = np.flatnonzero(query_ids > 0)
    entries = np.flatnonzero(gallery_ids >= 0)
    entries = entries[np.argsort(gallery_views[entries], kind="stable")]
    if not len(probes) or not len(entries):
        raise ValueError("nothing to rank: the probes or the gallery are all junk")
    rows, row = np.unique(query_views[probes], return_inverse=True)
    columns, start, column = np.unique(gallery_views[entries], return_index=True, return_inverse=True)

    others = distances[np.ix_(probes, entries)]
    probe, entry = same_identity_pairs(query_ids[probes], gallery_ids[entries])
    nearest_own = np.full((len(probes), len(columns)), np.inf)
    np.minimum.at(nearest_own, (probe, column[entry]), others[probe, entry])
    present = np.zeros(nearest_own.shape, dtype=bool)
    present[probe, column[entry]] = True
    others[probe, entry] = np.inf
    ranks = np.zeros((num_queries, len(columns)), dtype=np.int64)
    for view, (first, stop) in enumerate(zip(start, [*start[1:], len(entries)])):
        nearer = others[:, first:stop] <= nearest_own[:, [view]]
        ranks[probes, view] = np.where(present[:, view], 1 + nearer.sum(axis=1), 0)
    right = ranks[probes] == 1

    probes_a_row = np.bincount(row)[:, None]
    reachable = _sum_by_row(present, row, len(rows)) / probes_a_row
    matrix = np.where(reachable > 0, _sum_by_row(right, row, len(rows)) / probes_a_row, np.nan)
    other_view = rows[:, None] != columns
    return CrossViewScores(
        matrix=matrix,
        including=mean(matrix[reachable > 0]),
        excluding=mean(matrix[(reachable > 0) & other_view]),
        reachable=reachable,
        first_match_rank=ranks,
        query_views=rows,
        gallery_views=columns,
    )


def _identities(query_ids, gallery_ids) -> tuple[np.ndarray, np.ndarray]:
    queries, entries = labels("query_ids", query_ids), labels("gallery_ids", gallery_ids)
    if zeros := int((queries == 0).sum()):
        raise ValueError(
            f"query_ids holds identity 0 in {zeros} of {len(queries)} queries; 0 means a distractor, a wrong answer to "
            "every query. Where people are counted from 0, add 1 to the identities of people in query and gallery"
        )
    return queries, entries


def _sum_by_row(values: np.ndarray, row: np.ndarray, num_rows: int) -> np.ndarray:
    sums = np.zeros((num_rows, values.shape[1]))
    np.add.at(sums, row, values)
    return sums
