"""Query expansion: features replaced by averages over their neighbours before distances are computed."""

import numpy as np
from scipy import sparse
from tqdm.auto import tqdm

from reidlib.evaluation.arrays import as_given, feature_pair
from reidlib.evaluation.clusters import feature_clusters
from reidlib.evaluation.distances import nearest, rescaled, unit_rows

_ROWS = 512  # rows of a similarity matrix held at a time


def average_query_expansion(query, gallery, k: int, alpha: float):
    """Each feature plus its k most similar gallery features, weighted by similarity^alpha (αQE).

    query: (Q, D), gallery: (G, D), NumPy or torch. Similarity is the cosine, negative ones counting as 0;
    features are brought to unit length before and after. k: neighbours (at least 1; all, if there are fewer);
    a gallery feature is not its own neighbour. alpha: at least 0; with 0 all neighbours weigh as much as the
    feature itself (plain average query expansion). Queries do not see each other.
    Returns the expanded (query, gallery), rows of unit length (zero rows stay zero); tensors if either input
    is one.
    Source: Radenović, Tolias, Chum, "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2019;
    the gallery is expanded in the same way (database-side augmentation).

    Raises ValueError on empty, non-finite or differently shaped features, k < 1 or alpha < 0.

    >>> query, gallery = average_query_expansion([[2.0, 0.0]], [[0.0, 3.0], [-1.0, 0.0]], k=1, alpha=0)
    >>> query.round(3).tolist()
    [[0.707, 0.707]]
    """
    if k < 1 or alpha < 0:
        raise ValueError(f"k must be at least 1 and alpha at least 0; got {k} and {alpha}")
    queries, entries = (unit_rows(x) for x in feature_pair(("query", "gallery"), query, gallery))
    expanded = []
    with tqdm(total=len(queries) + len(entries), desc="query expansion", unit=" items", delay=2, leave=False) as bar:
        for items, skip_self in ((queries, False), (entries, True)):
            blocks = []
            for top in range(0, len(items), _ROWS):
                block = items[top : top + _ROWS]
                similarity = block @ entries.T
                if skip_self:
                    np.fill_diagonal(similarity[:, top:], -np.inf)
                blocks.append(unit_rows(block + _weighted_neighbours(similarity, entries, k, alpha)))
                bar.update(len(block))
            expanded.append(np.concatenate(blocks))
    return tuple(as_given(x, query, gallery) for x in expanded)


def cluster_query_expansion(
    query,
    gallery,
    threshold: float,
    leave_one_out: bool = True,
    *,
    linkage: str = "single",
    own_share: float = 0.0,
    relative: bool = False,
):
    """Each feature replaced by the mean of the other members of its cluster, as GaitMask's query expansion.

    query: (Q, D), gallery: (G, D), NumPy or torch, taken as they are. threshold, linkage, relative: of
    `reidlib.evaluation.clusters.feature_clusters`; how far clusters reach, how far two of them are apart, and whether
    the threshold is a share of the mean distance.
    leave_one_out: without it the mean is that of the whole cluster, the feature included, so that all members coincide
    and their distances tie at zero. own_share: in [0, 1], what the feature itself keeps, the mean having the rest. A
    feature alone in its cluster stays as it is.
    Returns the expanded (query, gallery); tensors if either input is one.

    Transductive: all queries and the whole gallery are clustered together, so a query's feature depends on
    the other queries; scores obtained so do not compare with those of a system that answers one query at a
    time.
    The paper names neither the algorithm nor the threshold. Single linkage depends on no order, but chains everything
    together where the threshold is a little too large; average linkage does so less.

    Raises ValueError on empty, non-finite or differently shaped features, a negative threshold, an unknown linkage and
    a share beyond 0 to 1.

    >>> query, gallery = cluster_query_expansion([[0.0]], [[1.0], [2.0], [9.0]], threshold=1.5)
    >>> query.tolist(), gallery.tolist()
    ([[1.5]], [[1.0], [0.5], [9.0]])
    >>> cluster_query_expansion([[0.0]], [[1.0], [2.0], [9.0]], threshold=1.5, linkage="complete")[0].tolist()
    [[1.0]]
    """
    if not 0 <= own_share <= 1:
        raise ValueError(f"own_share is what a feature keeps of itself, from 0 to 1; got {own_share}")
    queries, entries = feature_pair(("query", "gallery"), query, gallery)
    small_queries, small_entries, scale = rescaled(queries, entries)
    cluster = np.concatenate(feature_clusters(queries, entries, threshold, linkage, relative=relative))
    together = np.concatenate([small_queries, small_entries])
    size = np.bincount(cluster).astype(together.dtype)[cluster][:, None]
    members = sparse.csr_array((np.ones(len(cluster), together.dtype), (cluster, np.arange(len(cluster)))))
    total = (members @ together)[cluster]
    mean = (total - together) / np.maximum(size - 1, 1) if leave_one_out else total / size
    mean = own_share * together + (1 - own_share) * mean
    expanded = np.where(size > 1, mean * scale, np.concatenate([queries, entries]))
    return tuple(as_given(x, query, gallery) for x in (expanded[: len(queries)], expanded[len(queries) :]))


def _weighted_neighbours(similarity: np.ndarray, gallery: np.ndarray, k: int, alpha: float) -> np.ndarray:
    """Sum (N, D) over each row's k most similar gallery features, weighted by similarity^alpha."""
    neighbours = nearest(-similarity, k)
    rows = np.repeat(np.arange(len(neighbours)), neighbours.shape[1])
    similarity = similarity[rows, neighbours.ravel()]
    weight = np.where(similarity == -np.inf, 0, np.maximum(similarity, 0) ** alpha)
    weights = sparse.csr_array((weight, (rows, neighbours.ravel())), shape=(len(neighbours), len(gallery)))
    return (weights @ gallery).astype(gallery.dtype)
