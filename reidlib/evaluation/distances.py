"""Distances between features: between vectors, and between features made of strips (gait).

Before anything is squared, features are divided by a power of two near their largest magnitude. That rounds nothing,
so ordinary features get the very same distances, and no square can leave the range of the numbers.
"""

import numpy as np

from reidlib.evaluation.arrays import as_given, feature_pair, one_of


def pairwise_distances(a, b, metric: str = "euclidean"):
    """Distances between all rows of two sets of features, for the price of one matrix product.

    a: (N, D), b: (M, D), NumPy or torch, finite; float64 is computed in float64, everything else in float32.
    metric: "euclidean", ‖a − b‖, or "cosine", 1 − cos(a, b) in [0, 2], where a zero vector is at 1 from
    everything.
    Returns (N, M), a tensor on the inputs' device if either input is a tensor. The product runs on the CPU.
    Euclidean distances come from ‖a‖² + ‖b‖² − 2ab after subtracting the mean of b, which changes no distance
    but keeps digits; a squared distance is then off by at most about D·ε times the centred squared norms.

    Raises ValueError on empty, non-finite or differently shaped features, on distances too large for the features'
    precision and on an unknown metric.

    >>> pairwise_distances([[0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[5.0, 0.0]]
    """
    one_of("metric", metric, ("euclidean", "cosine"))
    left, right = feature_pair(("a", "b"), a, b)
    if metric == "cosine":
        result = unit_rows(left) @ unit_rows(right).T
        np.clip(np.subtract(1, result, out=result), 0, 2, out=result)
    else:
        left, right, scale = rescaled(left, right)
        result = _in_scale(_euclidean(left, right), scale)
    return as_given(result, a, b)


def strip_distances(a, b, reduce: str = "mean"):
    """Distances between features made of P strips, by either convention of gait evaluation.

    a: (N, P, D), b: (M, P, D), NumPy or torch. reduce: "mean", the mean over strips of each strip's Euclidean
    distance (the public OpenGait evaluation); "concatenate", the Euclidean distance between the
    P·D-dimensional vectors (the public GaitSet evaluation). They rank differently: the second lets the strips
    that differ most decide.
    Returns (N, M), a tensor if either input is one.

    Raises ValueError on empty, non-finite or differently shaped features, on distances too large for the features'
    precision and on an unknown `reduce`.

    >>> a, b = [[[0.0], [0.0]]], [[[3.0], [4.0]]]
    >>> strip_distances(a, b, "mean").tolist(), strip_distances(a, b, "concatenate").tolist()
    ([[3.5]], [[5.0]])
    """
    one_of("reduce", reduce, ("mean", "concatenate"))
    left, right, scale = rescaled(*feature_pair(("a", "b"), a, b, dims=3))
    if reduce == "concatenate":
        result = _euclidean(left.reshape(len(left), -1), right.reshape(len(right), -1))
    else:
        strips = left.shape[1]
        result = _euclidean(left[:, 0], right[:, 0])
        for strip in range(1, strips):
            result += _euclidean(left[:, strip], right[:, strip])
        result /= strips
    return as_given(_in_scale(result, scale), a, b)


def magnitude(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """A power of two near the largest magnitude of the values, or of each row with axis=1 (N, 1); 1 for zeros.

    Values divided by it are below 4, and their largest one is not so small that its square vanishes.
    """
    largest = np.maximum(values.max(axis=axis, keepdims=axis == 1), -values.min(axis=axis, keepdims=axis == 1))
    limit = -np.finfo(values.dtype).minexp  # within it, a power of two and its inverse are normal numbers
    return np.ldexp(values.dtype.type(1), np.clip(np.frexp(largest)[1], -limit, limit))


def rescaled(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.floating]:
    """Copies of a and b divided by their common magnitude, and this power of two."""
    scale = np.maximum(magnitude(a), magnitude(b))
    return a / scale, b / scale, scale


def _euclidean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances (N, M) between rows of `rescaled` features, which are centred in place."""
    centre = b.mean(axis=0)
    a -= centre
    b -= centre
    result = squared_distances(a, b, squared_norms(a), squared_norms(b))
    return np.sqrt(result, out=result)


def _in_scale(distances: np.ndarray, scale: np.floating) -> np.ndarray:
    """Distances between `rescaled` features, in the scale that the features had."""
    with np.errstate(over="ignore"):
        distances *= scale
    if distances.max() == np.inf:
        raise ValueError(f"distances between a and b are too large for {distances.dtype}; scale both sets down")
    return distances


def squared_distances(a: np.ndarray, b: np.ndarray, a_norms: np.ndarray, b_norms: np.ndarray) -> np.ndarray:
    """‖a‖² + ‖b‖² − 2ab for all rows, never negative; one matrix product, finished in place."""
    result = a @ b.T
    result *= -2
    result += b_norms
    result += a_norms[:, None]
    return np.maximum(result, 0, out=result)


def squared_norms(rows: np.ndarray) -> np.ndarray:
    """The squared Euclidean norm of each row."""
    return np.einsum("nd,nd->n", rows, rows)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Each row divided by its Euclidean norm; a zero row stays zero."""
    rows = rows / magnitude(rows, axis=1)
    norms = np.sqrt(squared_norms(rows))[:, None]
    return np.divide(rows, np.where(norms > 0, norms, 1), out=rows)


def centred(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """All features, queries first, minus their mean (Q + G, D)."""
    together = np.concatenate([query, gallery])
    together -= together.mean(axis=0)
    return together


def nearest(distances: np.ndarray, k: int) -> np.ndarray:
    """Indices (N, min(k, M)) of each row's k smallest entries, ascending; ties to the lowest index."""
    k = min(k, distances.shape[1])
    limit = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
    rows, columns = np.divmod(np.flatnonzero(distances <= limit), distances.shape[1])
    order = np.lexsort((distances[rows, columns], rows))  # a stable sort: equal distances stay in index order
    first = np.searchsorted(rows, np.arange(len(distances)))
    return columns[order][first[:, None] + np.arange(k)]
