"""k-reciprocal re-ranking: distances refined by which neighbours two items share.

Source: Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017, and the
code that its authors published, which is followed exactly (it accepts a neighbour's set if more than two
thirds of it are shared; the paper writes at least). Sets of neighbours are sparse 0/1 matrices here, so that
each of the paper's set operations is one matrix operation; the full distance matrix is never held, only
blocks of its rows.
"""

import numpy as np
from scipy import sparse
from tqdm.auto import tqdm

from reidlib.evaluation.arrays import as_given, feature_pair
from reidlib.evaluation.distances import centred, nearest, rescaled, squared_distances, squared_norms

_ROWS = 512  # rows of the distance matrix held at a time
_ENTRIES = 2**18  # entries of the Jaccard matrix computed at a time


def k_reciprocal_rerank(query_features, gallery_features, k1: int = 20, k2: int = 6, lambda_value: float = 0.3):
    """Re-ranked distances between queries and gallery.

    query_features: (Q, D), gallery_features: (G, D), NumPy or torch, taken as they are: the distances
    underneath are squared Euclidean, each row divided by its maximum, and nothing else is normalised. float64
    is computed in float64, everything else in float32. k1: neighbours of a reciprocal set; k2: neighbours of
    the local query expansion (1: none); lambda_value in [0, 1]: the original distance's weight.
    Returns (Q, G), in [0, 1], a tensor if either input is one. It uses all queries and the whole gallery
    together: the result for one query depends on the other queries (transductive).

    An item is always its own first neighbour; other exact ties go to the lower index, queries first. With
    fewer than k1 + 1 (or k2) items in all, every item is a neighbour, as slicing the ranked list implies.

    Raises ValueError on empty, non-finite or differently shaped features and on parameters out of range.

    >>> k_reciprocal_rerank([[0.0], [9.0]], [[1.0], [8.0]], k1=1, k2=1, lambda_value=0.0).round(1).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    if k1 < 1 or k2 < 1 or not 0 <= lambda_value <= 1:
        raise ValueError(f"k1 and k2 must be at least 1, lambda_value in [0, 1]; got {k1}, {k2}, {lambda_value}")
    query, gallery = feature_pair(("query_features", "gallery_features"), query_features, gallery_features)
    query, gallery, _ = rescaled(query, gallery)  # the scale of the features leaves no trace in the result
    together, num_queries = centred(query, gallery), len(query)
    with tqdm(total=len(together) + num_queries, desc="re-ranking", unit=" items", delay=2, leave=False) as bar:
        neighbours, farthest, result = _neighbours(together, num_queries, max(k1 + 1, k2), bar)
        encoding = _encoding(together, neighbours, farthest, k1)
        if k2 > 1:
            expansion = _as_sets(neighbours[:, :k2])
            encoding = expansion @ encoding / min(k2, len(together))  # V_p = mean of V_g, g in N(p, k2)
        _blend_jaccard(result, encoding, lambda_value, bar)
    return as_given(result, query_features, gallery_features)


def _neighbours(together: np.ndarray, num_queries: int, k: int, bar: tqdm) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest items (N, k), greatest squared distance (N,) of each; scaled query-gallery distances (Q, G)."""
    total, norms = len(together), squared_norms(together)
    neighbours = np.empty((total, min(k, total)), dtype=np.int64)
    farthest = np.empty(total, dtype=together.dtype)
    scaled = np.empty((num_queries, total - num_queries), dtype=together.dtype)
    for top in range(0, total, _ROWS):
        rows = slice(top, min(top + _ROWS, total))
        distances = squared_distances(together[rows], together, norms[rows], norms)
        farthest[rows] = distances.max(axis=1)
        queries = slice(top, min(rows.stop, num_queries))
        if top < num_queries:
            scaled[queries] = distances[: queries.stop - top, num_queries:]
        np.fill_diagonal(distances[:, top:], -1)  # an item is its own first neighbour
        neighbours[rows] = nearest(distances, k)
        bar.update(len(distances))
    farthest[farthest == 0] = 1  # all items are equal
    scaled /= farthest[:num_queries, None]
    return neighbours, farthest, scaled


def _encoding(together: np.ndarray, neighbours: np.ndarray, farthest: np.ndarray, k1: int) -> sparse.csr_array:
    """The k-reciprocal feature of each item (N, N), sparse, each row summing to 1."""
    reciprocal = _reciprocal(neighbours[:, : k1 + 1])
    half = _reciprocal(neighbours[:, : round(k1 / 2) + 1])
    shared = (reciprocal @ half).multiply(reciprocal).tocoo()  # |R(p, k1) ∩ R(q, k1/2)|, q in R(p, k1)
    size = half.sum(axis=1)
    accepted = shared.data > 2 / 3 * size[shared.col]
    accepted = sparse.csr_array(
        (np.ones(accepted.sum()), (shared.row[accepted], shared.col[accepted])), shape=shared.shape
    )
    expanded = (reciprocal + accepted @ half).tocsr()  # its non-zero entries are R*(p, k1)
    expanded.sort_indices()

    norms = squared_norms(together)
    for item in range(len(together)):
        entries = slice(expanded.indptr[item], expanded.indptr[item + 1])
        members = expanded.indices[entries]
        squared = norms[members] + norms[item] - 2 * (together[members] @ together[item])
        squared[members == item] = 0
        weight = np.exp(-np.maximum(squared, 0) / farthest[item])  # V_{p,g} = exp(−d(p, g))
        expanded.data[entries] = weight / weight.sum()
    return expanded


def _blend_jaccard(result: np.ndarray, encoding: sparse.csr_array, lambda_value: float, bar: tqdm) -> None:
    """Replaces the scaled distances (Q, G) by d* = (1 − λ) d_J + λ d.

    The Jaccard distance is d_J = 1 − Σ min / Σ max. Rows sum to 1, so Σ max = 2 − Σ min, and the sums of
    minima are enough; they come from the gallery's inverted index.
    """
    num_queries, num_gallery = result.shape
    inverted = encoding[num_queries:].tocsc()
    rows = max(1, _ENTRIES // num_gallery)
    for top in range(0, num_queries, rows):
        block = encoding[top : min(top + rows, num_queries)].tocoo()
        first = inverted.indptr[block.col]
        length = inverted.indptr[block.col + 1] - first
        entry = np.arange(length.sum()) + np.repeat(first - np.cumsum(length) + length, length)
        smaller = np.minimum(np.repeat(block.data, length), inverted.data[entry])
        cell = np.repeat(block.row.astype(np.int64) * num_gallery, length) + inverted.indices[entry]
        minima = np.bincount(cell, weights=smaller, minlength=block.shape[0] * num_gallery)
        jaccard = 1 - minima / (2 - minima)
        target = result[top : top + block.shape[0]]
        target *= lambda_value
        target += (1 - lambda_value) * jaccard.reshape(target.shape)
        bar.update(block.shape[0])


def _as_sets(neighbours: np.ndarray) -> sparse.csr_array:
    """Row i's set of neighbours as a sparse 0/1 matrix (N, N)."""
    total, k = neighbours.shape
    starts = np.arange(0, total * k + 1, k)
    return sparse.csr_array((np.ones(total * k), neighbours.ravel(), starts), shape=(total, total))


def _reciprocal(neighbours: np.ndarray) -> sparse.csr_array:
    """R(i, k): those neighbours of i that have i among theirs; symmetric."""
    sets = _as_sets(neighbours)
    return sets.multiply(sets.T).tocsr()
