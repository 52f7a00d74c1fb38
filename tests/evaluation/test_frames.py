"""Frame scores against loops over windows, hand-computed cases and invariants."""

import math

import numpy as np
import pytest
import torch

from reidlib.evaluation import frame_scores
from reidlib.evaluation.frames import MAX_PSNR

RNG = np.random.default_rng(0)


def images(frames=2, height=14, width=13):
    return RNG.random((frames, 3, height, width))


def ssim_by_loop(x, y):
    """One image: the weighted moments of every 11 × 11 window that lies inside, in each channel."""
    offset = np.arange(-5, 6)
    window = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for a, b in zip(x, y):
        for row in range(a.shape[0] - 10):
            for column in range(a.shape[1] - 10):
                p, q = (image[row : row + 11, column : column + 11] for image in (a, b))
                mean_p, mean_q = (window * p).sum(), (window * q).sum()
                variance_p, variance_q = (window * (p - mean_p) ** 2).sum(), (window * (q - mean_q) ** 2).sum()
                covariance = (window * (p - mean_p) * (q - mean_q)).sum()
                luminance = (2 * mean_p * mean_q + 0.0001) / (mean_p**2 + mean_q**2 + 0.0001)
                values.append(luminance * (2 * covariance + 0.0009) / (variance_p + variance_q + 0.0009))
    return np.mean(values)


def test_ssim_agrees_with_a_loop_over_windows():
    target = images(4)
    predicted = target.copy()
    predicted[0] = images(1)[0]
    predicted[1] = (target[1] + 0.1 * images(1)[0]).clip(0, 1)
    predicted[2] = 1 - target[2]
    scores = frame_scores(predicted, target)
    np.testing.assert_allclose(scores.frame_ssim, [ssim_by_loop(*pair) for pair in zip(predicted, target)], atol=1e-12)
    assert scores.frame_ssim[2] < 0 < scores.frame_ssim[1]
    assert scores.ssim == pytest.approx(scores.frame_ssim.mean())


def test_ssim_of_even_images_is_the_luminance_term():
    scores = frame_scores(np.full((1, 3, 11, 11), 0.2), np.full((1, 3, 11, 11), 0.6))
    assert scores.ssim == pytest.approx((2 * 0.2 * 0.6 + 0.0001) / (0.2**2 + 0.6**2 + 0.0001))


def test_hand_computed_errors():
    target, predicted = np.zeros((2, 3, 11, 12)), np.zeros((2, 3, 11, 12))
    predicted[0, 1] = 0.3  # one channel of three
    predicted[1, :, 0, 0] = 1
    foreground = np.zeros((2, 11, 12), bool)
    foreground[0, :3], foreground[1, 0, :2] = True, True
    scores = frame_scores(predicted, target, foreground=foreground)
    np.testing.assert_allclose(scores.frame_mse, [0.03, 1 / 132])
    np.testing.assert_allclose(scores.frame_psnr, [-10 * math.log10(0.03), 10 * math.log10(132)])
    np.testing.assert_allclose(scores.frame_foreground_error, [0.1, 1 / 2])
    assert scores.psnr == pytest.approx(scores.frame_psnr.mean())
    assert scores.foreground_error == pytest.approx(0.3)
    assert scores.repeated is None


def test_equal_frames_are_best_and_have_no_infinite_score():
    target = images()
    scores = frame_scores(target, target, foreground=np.ones((2, 1, 14, 13)))
    assert scores.ssim == 1
    assert (scores.psnr, scores.mse, scores.foreground_error) == (MAX_PSNR, 0, 0)


def test_scores_are_symmetric_and_fall_with_noise():
    a, b = images(), images()
    there, back = frame_scores(a, b), frame_scores(b, a)
    np.testing.assert_allclose(there.frame_ssim, back.frame_ssim)
    np.testing.assert_array_equal(there.frame_psnr, back.frame_psnr)
    noise = 0.5 * (b - a)
    ladder = [frame_scores(a + step * noise, a) for step in (0.1, 0.3, 0.9)]
    assert ladder[0].psnr > ladder[1].psnr > ladder[2].psnr
    assert ladder[0].ssim > ladder[1].ssim > ladder[2].ssim


def test_the_repeated_frame_is_scored_like_a_prediction():
    predicted, target, last = images(), images(), images()
    foreground = RNG.random((2, 14, 13)) < 0.5
    repeated = frame_scores(predicted, target, last, foreground).repeated
    alone = frame_scores(last, target, foreground=foreground)
    np.testing.assert_array_equal(repeated.frame_ssim, alone.frame_ssim)
    np.testing.assert_array_equal(repeated.frame_foreground_error, alone.frame_foreground_error)
    assert (repeated.psnr, repeated.mse, repeated.counts) == (alone.psnr, alone.mse, alone.counts)


def test_frames_without_foreground_are_left_out_and_counted():
    predicted, target = images(3), images(3)
    foreground = np.ones((3, 14, 13), bool)
    foreground[1] = False
    scores = frame_scores(predicted, target, foreground=foreground)
    assert scores.counts == {"frames": 3, "empty": 1}
    assert math.isnan(scores.frame_foreground_error[1])
    assert scores.foreground_error == pytest.approx(np.abs(predicted - target)[[0, 2]].mean())
    without = frame_scores(predicted, target)
    assert (without.foreground_error, without.counts) == (None, {"frames": 3})


def test_tensors_give_the_scores_of_arrays():
    predicted, target = images().astype("f4"), images().astype("f4")
    ours = frame_scores(torch.from_numpy(predicted).requires_grad_(), torch.from_numpy(target))
    assert ours.ssim == frame_scores(predicted, target).ssim


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": np.full((1, 3, 12, 12), 1.01)}, r"predicted must lie in \[0, 1\].*clip the output"),
        ({"target": np.full((1, 3, 12, 12), 255)}, r"target must lie in \[0, 1\].*divide bytes by 255"),
        ({"last": np.full((1, 3, 12, 12), np.nan)}, r"last must lie in \[0, 1\]"),
        ({"last": np.zeros((2, 3, 12, 12))}, "last and target must have the same shape"),
        ({"predicted": np.zeros((1, 3, 12, 13))}, "predicted and target must have the same shape"),
        ({"predicted": np.zeros((1, 1, 12, 12))}, r"predicted must have the shape \(N, 3, H, W\)"),
        ({"target": np.zeros((1, 3, 10, 12))}, "target must be at least 11 × 11 pixels"),
        ({"foreground": np.zeros((1, 6, 6))}, "foreground and a channel of target must have the same shape"),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        frame_scores(**{"predicted": np.zeros((1, 3, 12, 12)), "target": np.zeros((1, 3, 12, 12)), **change})
