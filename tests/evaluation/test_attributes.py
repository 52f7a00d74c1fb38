"""Attribute scores against scikit-learn, hand-computed cases and loops that follow the definitions."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from reidlib.evaluation import attribute_scores, multilabel_scores


@pytest.mark.filterwarnings("ignore::UserWarning")  # scikit-learn warns of classes that are not among the targets
def test_scores_are_those_of_scikit_learn_over_the_known_cases():
    rng = np.random.default_rng(0)
    for _ in range(200):
        cases, classes = int(rng.integers(1, 30)), int(rng.integers(2, 8))
        predicted, target = rng.integers(0, classes, cases), rng.integers(-2, classes, cases)
        target[0] = 0
        known = target >= 0
        pair = target[known], predicted[known]
        scores = attribute_scores(predicted, target, classes)
        assert scores.accuracy == pytest.approx(accuracy_score(*pair))
        assert scores.balanced_accuracy == pytest.approx(balanced_accuracy_score(*pair))
        assert scores.macro_f1 == pytest.approx(f1_score(*pair, average="macro"))
        assert scores.counts == {"cases": cases, "valid": known.sum(), "missing": (~known).sum()}
        np.testing.assert_array_equal(scores.valid, known)
        np.testing.assert_array_equal(scores.right, known & (predicted == target))


def test_hand_computed_classes():
    # Class 0: 2 of 3 found and one more said; class 1: never found; class 2: said once, never true; class 3: nowhere.
    scores = attribute_scores([0, 0, 2, 0, 1], [0, 0, 0, 1, -1], num_classes=4)
    np.testing.assert_allclose(scores.recall, [2 / 3, 0, np.nan, np.nan])
    np.testing.assert_allclose(scores.f1, [4 / 6, 0, 0, np.nan])
    assert scores.targets.tolist() == [3, 1, 0, 0]
    assert scores.predictions.tolist() == [3, 0, 1, 0]
    assert scores.right.tolist() == [True, True, False, False, False]
    assert (scores.accuracy, scores.balanced_accuracy) == pytest.approx((1 / 2, 1 / 3))
    assert scores.macro_f1 == pytest.approx(2 / 9)


def test_perfect_predictions_score_one_and_a_new_naming_of_the_classes_changes_nothing():
    rng = np.random.default_rng(1)
    predicted, target = rng.integers(0, 5, 60), rng.integers(-1, 5, 60)
    perfect = attribute_scores(target.clip(0), target, 5)
    assert (perfect.accuracy, perfect.balanced_accuracy, perfect.macro_f1) == (1, 1, 1)
    naming = rng.permutation(5)
    renamed = attribute_scores(naming[predicted], np.where(target < 0, -1, naming[target]), 5)
    scores = attribute_scores(predicted, target, 5)
    assert renamed.accuracy == scores.accuracy
    assert renamed.macro_f1 == pytest.approx(scores.macro_f1)
    assert renamed.balanced_accuracy == pytest.approx(scores.balanced_accuracy)


def test_always_the_most_frequent_class_has_a_balanced_accuracy_of_chance():
    target = np.repeat([0, 1, 2, 3], [70, 10, 10, 10])
    scores = attribute_scores(np.zeros(100, int), target, 4)
    assert scores.accuracy == pytest.approx(0.7)
    assert scores.balanced_accuracy == pytest.approx(1 / 4)


def test_nothing_known_gives_no_mean():
    scores = attribute_scores([0, 1], [-1, -1], 2)
    assert all(math.isnan(x) for x in (scores.accuracy, scores.balanced_accuracy, scores.macro_f1))
    assert scores.counts["valid"] == 0
    many = multilabel_scores([[0, 1]], [[-1, -1]])
    assert math.isnan(many.mean_accuracy)
    assert math.isnan(many.f1)
    assert many.counts["missing"] == 2


def multilabel_oracle(predicted, target):
    """Label by label and case by case, as the paper writes it."""
    terms, cases = [], []
    for a in range(target.shape[1]):
        there = [predicted[n, a] == 1 for n in range(len(target)) if target[n, a] == 1]
        absent = [predicted[n, a] == 0 for n in range(len(target)) if target[n, a] == 0]
        if there and absent:
            terms.append((sum(there) / len(there) + sum(absent) / len(absent)) / 2)
    for p, t in zip(predicted, target):
        true = {a for a in range(len(t)) if t[a] == 1}
        said = {a for a in range(len(t)) if t[a] >= 0 and p[a] == 1}
        if true:
            both = len(true & said)
            cases.append((both / len(true | said), both / len(said) if said else 0, both / len(true)))
    accuracy, precision, recall = np.mean(cases, axis=0) if cases else (math.nan,) * 3
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
    return np.mean(terms) if terms else math.nan, accuracy, precision, recall, f1


def test_multilabel_scores_follow_their_definitions():
    rng = np.random.default_rng(2)
    for _ in range(300):
        shape = int(rng.integers(1, 9)), int(rng.integers(1, 6))
        predicted, target = rng.integers(0, 2, shape), rng.integers(-1, 2, shape)
        scores = multilabel_scores(predicted, target)
        found = scores.mean_accuracy, scores.accuracy, scores.precision, scores.recall, scores.f1
        np.testing.assert_allclose(found, multilabel_oracle(predicted, target), atol=1e-12)
        np.testing.assert_array_equal(scores.right, predicted == target)
        assert (~np.isnan(scores.attribute_accuracy)).sum() == scores.counts["valid_attributes"]
        assert (~np.isnan(scores.case_recall)).sum() == scores.counts["valid_cases"]


def test_hand_computed_labels():
    # Case 0: {0, 1} true, {0, 2} said. Case 1: nothing true. Case 2: {0} true, nothing said, the last not known.
    scores = multilabel_scores([[1, 0, 1], [0, 1, 0], [0, 0, 1]], [[1, 1, 0], [0, 0, 0], [1, 0, -1]])
    np.testing.assert_allclose(scores.case_accuracy, [1 / 3, np.nan, 0])
    np.testing.assert_allclose(scores.case_precision, [1 / 2, np.nan, 0])
    np.testing.assert_allclose(scores.case_recall, [1 / 2, np.nan, 0])
    assert (scores.precision, scores.recall, scores.f1) == (0.25, 0.25, 0.25)
    np.testing.assert_allclose(scores.attribute_accuracy, [(1 / 2 + 1) / 2, (0 + 1 / 2) / 2, np.nan])
    assert scores.mean_accuracy == pytest.approx(1 / 2)
    assert scores.counts == {"cases": 3, "valid_cases": 2, "attributes": 3, "valid_attributes": 2, "missing": 1}


def test_perfect_labels_score_one_and_all_ones_have_a_mean_accuracy_of_one_half():
    target = np.random.default_rng(3).integers(0, 2, (40, 6))
    perfect = multilabel_scores(target, target)
    assert {perfect.mean_accuracy, perfect.accuracy, perfect.precision, perfect.recall, perfect.f1} == {1}
    ones = multilabel_scores(np.ones((40, 6), bool), target.astype(bool))
    assert (ones.mean_accuracy, ones.recall) == (0.5, 1)


def test_tensors_and_columns_give_the_scores_of_arrays():
    predicted, target = np.array([0, 1, 2, 1]), np.array([0, 1, 1, -1])
    expected = attribute_scores(predicted, target, 3)
    for given in (torch.from_numpy(predicted), predicted[:, None], predicted[None]):
        assert attribute_scores(given, target, 3).macro_f1 == expected.macro_f1
    many = torch.tensor([[0, 1], [1, 1]])
    assert multilabel_scores(many, many).f1 == 1


@pytest.mark.parametrize(
    ("predicted", "target", "message"),
    [
        ([0, 3], [0, 1], "predicted must hold integers from 0 to 2; it holds 3"),
        ([0, -1], [0, 1], "predicted must hold integers from 0 to 2; it holds -1"),
        ([0, 1], [0, 5], "target must hold integers from 0 to 2, or below 0 where it is not known; it holds 5"),
        ([0.5, 1.0], [0, 1], "predicted must hold integers; its type is float64"),
        ([0, 1, 1], [0, 1], "predicted and target must have the same shape"),
        ([], [], "predicted must have the shape"),
        (np.zeros((2, 3), int), [0, 1], r"predicted must have the shape \(N,\)"),
    ],
)
def test_bad_input_is_refused(predicted, target, message):
    with pytest.raises(ValueError, match=message):
        attribute_scores(predicted, target, 3)


def test_bad_labels_are_refused():
    with pytest.raises(ValueError, match="predicted must hold integers from 0 to 1"):
        multilabel_scores([[2]], [[1]])
    with pytest.raises(ValueError, match=r"target must have the shape \(N, A\)"):
        multilabel_scores([[1]], [1])
