"""End-point errors by hand and against the definition."""

import math

import numpy as np
import pytest
import torch

from reidlib.evaluation import end_point_error

RNG = np.random.default_rng(0)


def test_hand_computed_case():
    truth = np.zeros((2, 2, 1, 2))
    truth[0, :, 0, 1] = 6, 8  # a vector of 10 pixels
    predicted = np.zeros_like(truth)
    predicted[0, :, 0, 0] = 3, 4  # 5 off
    predicted[1, :, 0, 0] = 0, -1
    scores = end_point_error(predicted, truth)
    assert scores.frame_error.tolist() == [7.5, 0.5]
    assert scores.frame_zero_error.tolist() == [5, 0]
    assert (scores.error, scores.zero_error) == (4, 2.5)
    assert scores.counts == {"frames": 2, "valid": 2, "pixels": 4}


def test_only_valid_pixels_count_and_every_frame_weighs_the_same():
    predicted, truth = RNG.normal(size=(2, 4, 2, 5, 3))
    valid = RNG.random((4, 5, 3)) < 0.4
    valid[1] = False
    scores = end_point_error(predicted, truth, valid)
    error = np.sqrt(((predicted - truth) ** 2).sum(axis=1))
    frames = [error[n][valid[n]].mean() for n in (0, 2, 3)]
    np.testing.assert_allclose(scores.frame_error[[0, 2, 3]], frames)
    assert scores.error == pytest.approx(np.mean(frames))
    assert math.isnan(scores.frame_error[1])
    assert scores.valid.tolist() == [True, False, True, True]
    zero = end_point_error(np.zeros_like(truth), truth, valid[:, None])
    assert zero.error == zero.zero_error == pytest.approx(scores.zero_error)
    assert zero.counts == {"frames": 4, "valid": 3, "pixels": valid.sum()}


def test_the_true_flow_has_no_error_and_scaling_both_scales_it():
    predicted, truth = RNG.normal(size=(2, 3, 2, 4, 4))
    assert end_point_error(truth, truth).error == 0
    assert end_point_error(3 * predicted, 3 * truth).error == pytest.approx(3 * end_point_error(predicted, truth).error)


def test_what_is_not_finite_counts_only_where_it_is_valid():
    truth = np.zeros((1, 2, 1, 2))
    predicted = truth.copy()
    predicted[0, 1, 0, 1] = np.nan
    assert end_point_error(predicted, truth, [[[True, False]]]).error == 0
    with pytest.raises(ValueError, match="predicted holds values that are not finite at valid pixels"):
        end_point_error(predicted, truth)
    assert math.isnan(end_point_error(predicted, truth, np.zeros((1, 1, 2))).error)


def test_tensors_give_the_scores_of_arrays():
    predicted, truth = RNG.normal(size=(2, 3, 2, 4, 4)).astype("f4")
    ours = end_point_error(torch.from_numpy(predicted).requires_grad_(), torch.from_numpy(truth))
    assert ours.error == end_point_error(predicted, truth).error


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": np.zeros((1, 2, 2, 2))}, r"predicted must have the shape \(1, 2, 2, 3\)"),
        ({"truth": np.zeros((1, 3, 2, 3))}, r"truth must have the shape \(N, 2, H, W\)"),
        ({"valid": np.ones((1, 3, 2))}, "valid and a component of truth must have the same shape"),
        ({"valid": np.full((1, 2, 3), 7)}, "valid must hold booleans"),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        end_point_error(**{"predicted": np.zeros((1, 2, 2, 3)), "truth": np.zeros((1, 2, 2, 3)), **change})
