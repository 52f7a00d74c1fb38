"""What a linear map can read off features: ridge regression, fitted on some people and judged on others."""

import numpy as np

from reidlib.evaluation.arrays import feature_pair, features, labels

PENALTIES = 10.0 ** np.arange(-1, 7)
FOLDS = 5


def linear_prediction(known, values, people, unseen) -> np.ndarray:
    """What ridge regressions, fitted to features `known` (N, D) with values (N, K), say of features `unseen` (M, D):
    float64 (M, K).

    Features are shifted and scaled to mean 0 and standard deviation 1 over the N; the penalty is λ in
    ‖values − features w‖² + λ ‖w‖². Each value has the one of `PENALTIES` under which people who are left out of the
    fit, a fifth of them at a time, are predicted best. people: who the N are of, integers (N,). NumPy or torch.
    ValueError for shapes that do not fit, numbers that are not finite, or a single person.

    >>> heights, strides = [[1.6], [1.7], [1.8], [1.9]], [[1.3], [1.4], [1.5], [1.6]]
    >>> linear_prediction(heights, strides, [1, 2, 3, 4], [[1.95]]).round(2).tolist()
    [[1.65]]
    """
    known, unseen = (given.astype(np.float64) for given in feature_pair(("known", "unseen"), known, unseen))
    values = features("values", values).astype(np.float64)
    people, numbers = np.unique(labels("people", people, len(known)), return_inverse=True)
    if len(values) != len(known) or len(people) < 2:
        raise ValueError(
            f"{len(values)} values of {len(known)} features of {len(people)} people: expected as many values as "
            "features, and two people or more"
        )
    errors = 0.0
    for fold in range(min(FOLDS, len(people))):
        left_out = numbers % FOLDS == fold
        found = _under_each_penalty(known[~left_out], values[~left_out], known[left_out])
        errors = errors + ((found - values[left_out]) ** 2).sum(axis=1)  # (penalties, K)
    found = _under_each_penalty(known, values, unseen)
    return np.take_along_axis(found, errors.argmin(axis=0)[None, None], axis=0)[0]


def explained_variance(values, predicted) -> np.ndarray:
    """R² of predictions of values, both (N, K): 1 if all are right, 0 if they are no better than the mean of the
    values, and below if they are worse; float64 (K,). NumPy or torch. ValueError for shapes that differ, and values
    that do not vary.

    >>> explained_variance([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]]).tolist()
    [0.5]
    """
    values, predicted = (v.astype(np.float64) for v in feature_pair(("values", "predicted"), values, predicted))
    spread = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    if len(values) != len(predicted) or not spread.all():
        raise ValueError(f"{len(values)} values, {len(predicted)} predictions: expected as many, of values that vary")
    return 1 - ((values - predicted) ** 2).sum(axis=0) / spread


def _under_each_penalty(known: np.ndarray, values: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """The predictions (penalties, M, K) under each of `PENALTIES`."""
    mean, scale = known.mean(axis=0), known.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    left, sizes, right = np.linalg.svd((known - mean) / scale, full_matrices=False)
    shrinking = sizes / (sizes**2 + PENALTIES[:, None])
    weights = right.T @ (shrinking[:, :, None] * (left.T @ (values - values.mean(axis=0))))
    return values.mean(axis=0) + (unseen - mean) / scale @ weights
