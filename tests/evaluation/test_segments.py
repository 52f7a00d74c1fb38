"""Segment scores against brute force over all matchings, and consistency against a loop over pixels."""

import itertools
import math

import numpy as np
import pytest
import torch

from reidlib.evaluation import segment_scores, temporal_consistency

RNG = np.random.default_rng(0)


def iou_of(said, person):
    union = (said | person).sum()
    return (said & person).sum() / union if union else 0


def best_by_trying(predicted, truth, num_predicted, num_true):
    """The highest mean IoU over every one-to-one naming of the found segments; -1 is no class."""
    names = [*range(num_true), *[-1] * num_predicted]
    best = 0
    occurring = np.unique(truth)
    for naming in set(itertools.permutations(names, num_predicted)):
        named = np.array(naming)[predicted]
        best = max(best, np.mean([iou_of(named == c, truth == c) for c in occurring]))
    return best


def test_mean_iou_is_that_of_the_best_naming():
    for _ in range(60):
        found, true = int(RNG.integers(1, 5)), int(RNG.integers(1, 5))
        truth = RNG.integers(0, true, (2, 3, 4))
        predicted = np.where(RNG.random(truth.shape) < 0.5, truth % found, RNG.integers(0, found, truth.shape))
        scores = segment_scores(predicted, truth, found, true)
        assert scores.mean_iou == pytest.approx(best_by_trying(predicted, truth, found, true))


def test_all_scores_follow_from_the_matching():
    truth = RNG.integers(0, 4, (5, 6, 3))
    truth[2][truth[2] == 3] = 0
    predicted = (truth * 2 + (RNG.random(truth.shape) < 0.3)) % 7
    scores = segment_scores(predicted, truth, 7, 4)
    named = scores.matching[predicted]
    assert scores.counts == {"frames": 5, "classes": 4, "matched": 4}
    np.testing.assert_allclose(scores.iou, [iou_of(named == c, truth == c) for c in range(4)])
    np.testing.assert_allclose(scores.frame_accuracy, (named == truth).mean(axis=(1, 2)))
    assert scores.pixel_accuracy == pytest.approx((named == truth).mean())
    frames = [np.mean([iou_of(n == c, t == c) for c in np.unique(t)]) for n, t in zip(named, truth)]
    np.testing.assert_allclose(scores.frame_iou, frames)


def test_hand_computed_case():
    # Segment 1 covers class 0 and one pixel more, segment 0 the rest of class 1, segment 2 class 2, class 3 is nowhere.
    scores = segment_scores([[[1, 1, 1, 0], [0, 2, 2, 2]]], [[[0, 0, 1, 1], [1, 2, 2, 2]]], 4, 4)
    np.testing.assert_allclose(scores.iou, [2 / 3, 2 / 3, 1, np.nan])
    assert scores.matching.tolist() == [1, 0, 2, -1]
    assert scores.mean_iou == pytest.approx(7 / 9)
    assert scores.pixel_accuracy == pytest.approx(7 / 8)
    assert scores.counts == {"frames": 1, "classes": 3, "matched": 3}


def test_one_matching_serves_the_whole_set():
    # Frame by frame the segments change their meaning; each alone would score 1.
    truth, predicted = np.array([[[0, 1]], [[0, 1]], [[0, 1]]]), np.array([[[0, 1]], [[0, 1]], [[1, 0]]])
    scores = segment_scores(predicted, truth, 2, 2)
    assert scores.frame_iou.tolist() == [1, 1, 0]
    assert scores.mean_iou == pytest.approx(2 / 4)


def test_a_true_class_without_a_segment_scores_zero():
    scores = segment_scores(np.zeros((1, 2, 2), int), [[[0, 0], [0, 1]]], 1, 2)
    np.testing.assert_allclose(scores.iou, [3 / 4, 0])
    assert scores.frame_iou[0] == scores.mean_iou == pytest.approx(3 / 8)


def test_other_numbers_for_the_segments_or_the_classes_change_nothing():
    truth, predicted = RNG.integers(0, 5, (4, 6, 6)), RNG.integers(0, 7, (4, 6, 6))
    predicted = np.where(RNG.random(truth.shape) < 0.6, truth, predicted)
    scores = segment_scores(predicted, truth, 7, 5)
    found, true = RNG.permutation(7), RNG.permutation(5)
    renamed = segment_scores(found[predicted], true[truth], 7, 5)
    assert renamed.mean_iou == pytest.approx(scores.mean_iou)
    assert renamed.pixel_accuracy == pytest.approx(scores.pixel_accuracy)
    np.testing.assert_allclose(renamed.iou[true], scores.iou)
    np.testing.assert_allclose(renamed.frame_iou, scores.frame_iou)
    known = scores.matching >= 0
    np.testing.assert_array_equal(renamed.matching[found][known], true[scores.matching[known]])


def test_the_truth_under_other_numbers_is_perfect():
    truth = RNG.integers(0, 4, (3, 5, 5))
    scores = segment_scores(np.array([3, 0, 5, 1])[truth], truth, 6, 4)
    assert (scores.mean_iou, scores.pixel_accuracy) == (1, 1)
    assert scores.frame_iou.tolist() == [1, 1, 1]


def test_tensors_give_the_scores_of_arrays():
    truth, predicted = RNG.integers(0, 3, (2, 4, 4)), RNG.integers(0, 3, (2, 4, 4))
    ours = segment_scores(torch.from_numpy(predicted), torch.from_numpy(truth).to(torch.uint8), 3, 3)
    np.testing.assert_array_equal(ours.iou, segment_scores(predicted, truth, 3, 3).iou)


@pytest.mark.parametrize(
    ("predicted", "truth", "message"),
    [
        (np.full((1, 2, 2), 3), np.zeros((1, 2, 2), int), "predicted must hold integers from 0 to 2; it holds 3"),
        (np.zeros((1, 2, 2), int), np.full((1, 2, 2), -1), "truth must hold integers from 0 to 3; it holds -1"),
        (np.zeros((1, 2, 1), int), np.zeros((1, 2, 2), int), "predicted and truth must have the same shape"),
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2), int), "predicted must hold integers; its type is float64"),
    ],
)
def test_bad_segments_are_refused(predicted, truth, message):
    with pytest.raises(ValueError, match=message):
        segment_scores(predicted, truth, 3, 4)


def consistency_by_loop(now, after, flow, valid):
    shares, outside = [], 0
    for n in range(len(now)):
        same = []
        for row, column in zip(*np.nonzero(valid[n])):
            x, y = math.floor(column + flow[n, 0, row, column] + 0.5), math.floor(row + flow[n, 1, row, column] + 0.5)
            if 0 <= x < now.shape[2] and 0 <= y < now.shape[1]:
                same.append(now[n, row, column] == after[n, y, x])
            else:
                outside += 1
        shares.append(np.mean(same) if same else math.nan)
    return shares, outside


def test_consistency_agrees_with_a_loop_over_pixels():
    for _ in range(20):
        shape = 4, int(RNG.integers(1, 6)), int(RNG.integers(1, 6))
        now, after, valid = RNG.integers(0, 3, shape), RNG.integers(0, 3, shape), RNG.random(shape) < 0.7
        flow = RNG.normal(0, 2, (4, 2, *shape[1:]))
        scores = temporal_consistency(now, after, flow, valid)
        shares, outside = consistency_by_loop(now, after, flow, valid)
        np.testing.assert_allclose(scores.pair_consistency, shares)
        assert scores.counts["outside"] == outside
        assert scores.counts["followed"] + outside == valid.sum()
        if not np.isnan(shares).all():
            assert scores.consistency == pytest.approx(np.nanmean(shares))


def test_labels_that_move_with_the_flow_are_consistent_and_only_with_it():
    now = RNG.integers(0, 5, (3, 10, 8))
    after, flow = np.roll(now, (2, 1), axis=(1, 2)), np.zeros((3, 2, 10, 8))
    flow[:, 0], flow[:, 1] = 1.2, 1.8  # to the right and down, not quite whole pixels
    scores = temporal_consistency(now, after, flow)
    assert scores.consistency == 1
    assert scores.counts == {"pairs": 3, "valid": 3, "followed": 3 * 8 * 7, "outside": 3 * (80 - 56)}
    assert temporal_consistency(now, after, np.zeros_like(flow)).consistency < 0.5
    assert temporal_consistency(np.ones_like(now), np.ones_like(now), flow).consistency == 1


def test_a_pair_without_a_pixel_to_follow_is_left_out():
    now, flow = np.zeros((2, 2, 2), int), np.zeros((2, 2, 2, 2))
    flow[0, 0] = 9
    after = np.array([[[0, 0], [0, 0]], [[0, 0], [0, 1]]])
    scores = temporal_consistency(now, after, torch.from_numpy(flow))
    np.testing.assert_array_equal(scores.pair_consistency, [np.nan, 3 / 4])
    assert scores.consistency == 3 / 4
    assert scores.counts == {"pairs": 2, "valid": 1, "followed": 4, "outside": 4}


def test_flow_that_is_not_finite_counts_only_where_it_is_followed():
    now, flow = np.zeros((1, 1, 2), int), np.array([[[[0, np.nan]], [[0, 0]]]])
    assert temporal_consistency(now, now, flow, [[[True, False]]]).consistency == 1
    with pytest.raises(ValueError, match="flow holds values that are not finite at valid pixels"):
        temporal_consistency(now, now, flow)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels_now": np.full((1, 2, 3), -1)}, "labels_now must hold integers from 0"),
        ({"labels_next": np.zeros((1, 3, 2), int)}, "labels_now and labels_next must have the same shape"),
        ({"flow": np.zeros((1, 2, 3, 2))}, r"flow must have the shape \(1, 2, 2, 3\)"),
        ({"valid": np.ones((1, 3, 2))}, "labels_now and valid must have the same shape"),
    ],
)
def test_bad_pairs_are_refused(change, message):
    labels = np.zeros((1, 2, 3), int)
    with pytest.raises(ValueError, match=message):
        temporal_consistency(**{"labels_now": labels, "labels_next": labels, "flow": np.zeros((1, 2, 2, 3)), **change})
