"""Clusters of features, from the bottom up, and how well they keep people apart: what query expansion rests on."""

from typing import NamedTuple

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from reidlib.evaluation.arrays import feature_pair, labels, mean, one_of
from reidlib.evaluation.distances import centred, rescaled

LINKAGES = ("single", "complete", "average")


class ClusterScores(NamedTuple):
    """How clusters agree with people; fractions but for `size`.

    purity: the share of all items whose cluster has no other identity more often. mates: for an item that is not alone,
    the share of its cluster's other members who are its own person, in the mean; NaN if all are alone. alone: the share
    of items that are. size: items a cluster, in the mean.
    """

    purity: float
    mates: float
    alone: float
    size: float


def feature_clusters(
    query, gallery, threshold: float, linkage: str = "single", *, relative: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The clusters of queries and gallery together, numbered from 0 as they are met: int (Q,) and (G,).

    query: (Q, D), gallery: (G, D), NumPy or torch, taken as they are. The two clusters that are nearest by Euclidean
    distance are joined until no two are at most `threshold` apart, which is at least 0. linkage: how far two clusters
    are apart, "single" (their nearest members: features linked directly or through others form a cluster), "complete"
    (their farthest members) or "average" (the mean over all pairs). relative: the threshold is a share of the mean
    distance between any two of the features, so that one threshold serves features of any scale. Of pairs that are
    equally far apart, SciPy's `linkage` decides which is joined first. All (Q + G)² / 2 distances are held, in double
    precision.

    Raises ValueError on empty, non-finite or differently shaped features, a negative threshold and an unknown linkage.

    >>> feature_clusters([[0.0]], [[1.0], [2.0], [9.0]], threshold=1.5, linkage="complete")[1].tolist()
    [0, 1, 2]
    """
    one_of("linkage", linkage, LINKAGES)
    if not threshold >= 0:
        raise ValueError(f"threshold is a Euclidean distance, or a share of the mean one, at least 0; got {threshold}")
    queries, entries, scale = rescaled(*feature_pair(("query", "gallery"), query, gallery))
    distances = pdist(centred(queries, entries).astype(np.float64))
    reach = threshold * distances.mean() if relative else threshold / float(scale)
    found = hierarchy.fcluster(hierarchy.linkage(distances, linkage), reach, criterion="distance")
    _, first, found = np.unique(found, return_index=True, return_inverse=True)
    found = first.argsort().argsort()[found]
    return found[: len(queries)], found[len(queries) :]


def cluster_scores(clusters, ids) -> ClusterScores:
    """Scores of clusters (N,) of items that show the people `ids` (N,), both integers.

    ValueError if there are no items, or not as many of each.

    >>> cluster_scores([0, 0, 0, 1], [7, 7, 8, 8])
    ClusterScores(purity=0.75, mates=0.3333333333333333, alone=0.25, size=2.0)
    """
    ids = labels("ids", ids)
    clusters = labels("clusters", clusters, len(ids))
    if not len(ids):
        raise ValueError("ids: expected one item or more")
    _, cluster, size = np.unique(clusters, return_inverse=True, return_counts=True)
    pairs, pair, together = np.unique(np.stack([cluster, ids]), axis=1, return_inverse=True, return_counts=True)
    most = np.zeros(len(size), int)
    np.maximum.at(most, pairs[0], together)
    own, others = together[pair.ravel()] - 1, size[cluster] - 1
    shares = own[others > 0] / others[others > 0]
    return ClusterScores(
        purity=float(most.sum() / len(ids)),
        mates=mean(shares),
        alone=float((others == 0).mean()),
        size=float(size.mean()),
    )
