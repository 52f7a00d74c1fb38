"""How well attributes are predicted: one attribute with several classes, or many that are there or not.

An attribute whose class is not known in a case (a code below 0) is left out of every score and counted. What
always answering the most frequent class would score can be read from `targets`.
"""

from dataclasses import dataclass

import numpy as np

from reidlib.evaluation.arrays import codes, flat, mean, same_shape


@dataclass(frozen=True)
class AttributeScores:
    """Scores of one attribute of C classes, fractions in [0, 1]; means are over valid cases, NaN if none is."""

    accuracy: float
    balanced_accuracy: float  # mean recall over the classes that occur among the targets
    macro_f1: float  # mean F1 over the classes that occur among the targets or the predictions
    recall: np.ndarray  # (C,) float64, NaN where the class is no target
    f1: np.ndarray  # (C,) float64, NaN where the class is neither a target nor predicted
    targets: np.ndarray  # (C,) int64: valid cases of each class
    predictions: np.ndarray  # (C,) int64: valid cases in which each class is predicted
    right: np.ndarray  # (N,) bool: predicted as it is; False where not valid
    valid: np.ndarray  # (N,) bool: the class is known
    counts: dict[str, int]  # cases, valid, missing


def attribute_scores(predicted, target, num_classes: int) -> AttributeScores:
    """Accuracy, balanced accuracy and macro F1 of an attribute with `num_classes` classes.

    predicted: (N,) integers from 0 to num_classes − 1, the class with the highest score; target: (N,), the same, or
    below 0 where the class is not known; NumPy or torch. F1 of a class is 2·TP / (targets + predictions), which is 0
    for a class that is predicted and never right, or is a target and never found.
    Without missing targets these are scikit-learn's accuracy_score, balanced_accuracy_score and
    f1_score(average="macro").

    Raises ValueError on no cases, on shapes that differ and on codes out of range.

    >>> scores = attribute_scores([0, 0, 1, 1], [0, 0, 0, -1], num_classes=2)
    >>> round(scores.accuracy, 3), scores.f1.round(3).tolist(), scores.counts["missing"]
    (0.667, [0.8, 0.0], 1)
    """
    predicted = codes("predicted", flat(predicted), "(N,)", num_classes)
    target = codes("target", flat(target), "(N,)", num_classes, missing=True)
    same_shape(("predicted", "target"), predicted, target)
    valid = target >= 0
    right = valid & (predicted == target)
    targets, predictions, hits = (
        np.bincount(values, minlength=num_classes) for values in (target[valid], predicted[valid], target[right])
    )
    recall = _ratio(hits, targets)
    f1 = _ratio(2 * hits, targets + predictions)
    return AttributeScores(
        accuracy=mean(right[valid]),
        balanced_accuracy=mean(recall[targets > 0]),
        macro_f1=mean(f1[targets + predictions > 0]),
        recall=recall,
        f1=f1,
        targets=targets,
        predictions=predictions,
        right=right,
        valid=valid,
        counts={"cases": len(target), "valid": int(valid.sum()), "missing": int((~valid).sum())},
    )


@dataclass(frozen=True)
class MultiLabelScores:
    """Scores of A attributes that are there or not, fractions in [0, 1]; a mean over nothing is NaN."""

    mean_accuracy: float  # mA: mean over attributes of the mean of the recalls of "there" and "not there"
    accuracy: float  # instance-based, as are the next three: means over cases
    precision: float
    recall: float
    f1: float  # of the mean precision and the mean recall
    attribute_accuracy: np.ndarray  # (A,) float64, the terms of mA; NaN where an attribute is left out
    case_accuracy: np.ndarray  # (N,) float64, as are the next two; NaN where a case is left out
    case_precision: np.ndarray
    case_recall: np.ndarray
    right: np.ndarray  # (N, A) bool: predicted as it is; False where not valid
    valid: np.ndarray  # (N, A) bool: it is known whether the attribute is there
    counts: dict[str, int]  # cases, valid_cases, attributes, valid_attributes, missing (labels)


def multilabel_scores(predicted, target) -> MultiLabelScores:
    """Label-based and instance-based scores of attributes that are there (1) or not (0), as on PETA and RAP.

    predicted: (N, A) integers 0 or 1, or booleans; target: (N, A), the same, or below 0 where it is not known;
    NumPy or torch. In a case with the true attributes Y and the predicted ones F, accuracy is |Y ∩ F| / |Y ∪ F|,
    precision |Y ∩ F| / |F| (0 if nothing is predicted) and recall |Y ∩ F| / |Y|. Left out and counted are labels that
    are not known, from mA attributes that are nowhere there or everywhere, and from the instance-based scores cases
    in which nothing is there.
    Source: Li et al., "A Richly Annotated Dataset for Pedestrian Attribute Recognition", 2016.

    Raises ValueError on no cases, on shapes that differ and on other codes.

    >>> scores = multilabel_scores([[1, 1, 0], [1, 0, 0]], [[1, 0, 0], [0, 1, 0]])
    >>> scores.accuracy, scores.mean_accuracy, scores.counts["valid_attributes"]
    (0.25, 0.25, 2)
    """
    predicted = codes("predicted", predicted, "(N, A)", 2)
    target = codes("target", target, "(N, A)", 2, missing=True)
    same_shape(("predicted", "target"), predicted, target)
    valid = target >= 0
    right = valid & (predicted == target)
    there, absent, found = target == 1, target == 0, valid & (predicted == 1)

    recalls = [_ratio((right & what).sum(axis=0), what.sum(axis=0)) for what in (there, absent)]
    attribute_accuracy = (recalls[0] + recalls[1]) / 2
    valid_attributes = ~np.isnan(attribute_accuracy)

    both, true = (there & found).sum(axis=1), there.sum(axis=1)
    case_recall = _ratio(both, true)
    case_accuracy = np.where(true > 0, _ratio(both, (there | found).sum(axis=1)), np.nan)
    case_precision = np.where(true > 0, both / np.maximum(found.sum(axis=1), 1), np.nan)
    precision, recall = mean(case_precision[true > 0]), mean(case_recall[true > 0])
    return MultiLabelScores(
        mean_accuracy=mean(attribute_accuracy[valid_attributes]),
        accuracy=mean(case_accuracy[true > 0]),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if precision + recall != 0 else 0.0,
        attribute_accuracy=attribute_accuracy,
        case_accuracy=case_accuracy,
        case_precision=case_precision,
        case_recall=case_recall,
        right=right,
        valid=valid,
        counts={
            "cases": len(target),
            "valid_cases": int((true > 0).sum()),
            "attributes": target.shape[1],
            "valid_attributes": int(valid_attributes.sum()),
            "missing": int((~valid).sum()),
        },
    )


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole is 0."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
