"""Mask scores against scikit-learn, hand-computed cases and invariants."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, jaccard_score

from reidlib.evaluation import best_iou, mask_scores, preference, ranks_among

RNG = np.random.default_rng(0)


def silhouettes(frames=6, height=12, width=8):
    truth = RNG.random((frames, height, width)) < 0.3
    truth[:, 0, 0], truth[:, 0, 1] = True, False
    return truth


def test_scores_are_those_of_scikit_learn_frame_by_frame():
    truth = silhouettes(30)
    masks = RNG.random(truth.shape)
    masks[::2] = masks[::2].round(1)  # many ties
    scores = mask_scores(masks, truth, threshold=0.4)
    for n, (mask, person) in enumerate(zip(masks, truth)):
        expected = average_precision_score(person.ravel(), mask.ravel())
        assert scores.frame_average_precision[n] == pytest.approx(expected)
        assert scores.frame_iou[n] == pytest.approx(jaccard_score(person.ravel(), mask.ravel() >= 0.4))
        assert scores.frame_pointing[n] == pytest.approx(np.mean(person[mask == mask.max()]))
    assert scores.average_precision == pytest.approx(scores.frame_average_precision.mean())


def test_hand_computed_frame():
    # Highest value shared by a pixel of the person and one beside it; then the person's other pixel; then the rest.
    scores = mask_scores([[[0.9, 0.9, 0.5, 0.0]]], [[[1, 0, 1, 0]]])
    assert scores.pointing == 1 / 2
    assert scores.average_precision == pytest.approx((1 / 2) * (1 / 2) + (1 / 2) * (2 / 3))
    assert scores.iou == 2 / 3  # 0.5 reaches the threshold
    assert scores.chance == 1 / 2


def test_a_perfect_mask_scores_one_and_its_opposite_worst():
    truth = silhouettes()
    perfect = mask_scores(truth.astype(float), truth)
    assert (perfect.iou, perfect.average_precision, perfect.pointing) == (1, 1, 1)
    opposite = mask_scores(1.0 - truth, truth)
    assert (opposite.iou, opposite.pointing) == (0, 0)
    assert opposite.average_precision == pytest.approx(truth.mean())  # everybody comes last, together


@pytest.mark.parametrize("threshold", [0.1, 1.0])
def test_a_mask_of_ones_scores_chance(threshold):
    truth = silhouettes()
    scores = mask_scores(np.ones(truth.shape), truth, threshold)
    for name in ("iou", "average_precision", "pointing"):
        np.testing.assert_allclose(getattr(scores, f"frame_{name}"), truth.mean(axis=(1, 2)))
    assert scores.chance == pytest.approx(truth.mean())


def test_random_masks_score_what_is_said_of_them():
    truth = np.repeat(silhouettes(1), 4000, axis=0)
    scores = mask_scores(RNG.random(truth.shape), truth)
    pixels, excess = truth[0].size, np.sum(1 / np.arange(1, truth[0].size + 1)) / truth[0].size
    error = 4 / np.sqrt(4000)  # four standard errors of a share
    assert scores.pointing == pytest.approx(scores.chance, abs=error / 2)
    assert scores.chance < scores.average_precision < scores.chance + excess
    assert scores.iou == pytest.approx(scores.chance / (1 + scores.chance), abs=0.01)
    person, n = truth[0].sum(), pixels  # the expected average precision of a random order, in full
    exact = (person - 1) / (n - 1) * (1 - excess) + excess
    assert scores.average_precision == pytest.approx(exact, abs=0.003)


def test_a_monotone_change_leaves_ranking_scores_alone():
    truth = silhouettes()
    masks = RNG.random(truth.shape).round(1)
    scores, changed = mask_scores(masks, truth), mask_scores(masks**3 / 2, truth)
    np.testing.assert_allclose(changed.frame_average_precision, scores.frame_average_precision)
    np.testing.assert_array_equal(changed.frame_pointing, scores.frame_pointing)
    assert changed.iou != scores.iou


def test_frames_without_foreground_or_without_background_are_left_out_and_counted():
    truth = silhouettes(5)
    masks = RNG.random(truth.shape)
    alone = mask_scores(masks[2:], truth[2:])
    truth[0], truth[1] = False, True
    scores = mask_scores(masks, truth)
    assert scores.counts == {"frames": 5, "valid": 3, "empty": 1, "full": 1}
    assert scores.valid.tolist() == [False, False, True, True, True]
    assert np.isnan(scores.frame_iou[:2]).all()
    for name in ("iou", "average_precision", "pointing", "chance"):
        assert getattr(scores, name) == getattr(alone, name)
    assert math.isnan(mask_scores(masks[:2], truth[:2]).iou)


def test_a_coarse_mask_is_interpolated_between_the_centres_of_its_cells():
    # Two cells over four columns have centres at 0.5 and 2.5: the pixels are at 1, 3/4, 1/4 and 0 of the way.
    truth = [[[1, 1, 0, 0]]]
    scores = mask_scores([[[1.0, 0.0]]], truth, threshold=0.75)
    assert (scores.iou, scores.average_precision) == (1, 1)
    assert mask_scores([[[1.0, 0.0]]], truth, threshold=0.76).iou == 1 / 2
    assert mask_scores([[[1.0, 0.0]]], truth, threshold=0.25).iou == 2 / 3
    truth = silhouettes()
    coarse = mask_scores(np.ones((6, 3, 2)), truth)
    assert coarse.average_precision == pytest.approx(coarse.chance)


def test_tensors_with_a_channel_give_the_scores_of_arrays():
    truth = silhouettes()
    masks = RNG.random(truth.shape).astype("f4")
    ours = mask_scores(torch.from_numpy(masks)[:, None].requires_grad_(), torch.from_numpy(truth)[:, None])
    assert ours.average_precision == mask_scores(masks, truth.astype("u1")).average_precision


@pytest.mark.parametrize(
    ("masks", "truth", "message"),
    [
        (np.full((1, 2, 2), 1.5), np.ones((1, 2, 2)), r"masks must lie in \[0, 1\]; it ranges from 1.5"),
        (np.full((1, 2, 2), np.nan), np.ones((1, 2, 2)), r"masks must lie in \[0, 1\]"),
        (np.ones((1, 2, 2)), np.full((1, 2, 2), 255), "truth must hold booleans, or 0 and 1; it ranges from 255"),
        (np.ones((1, 4, 2)), np.ones((1, 2, 2)), "not finer"),
        (np.ones((2, 2, 2)), np.ones((1, 2, 2)), "one for each frame of truth"),
        (np.ones((1, 3, 2, 2)), np.ones((1, 2, 2)), r"masks must have the shape \(N, H, W\)"),
        (np.ones((0, 2, 2)), np.ones((0, 2, 2)), "truth must have the shape"),
    ],
)
def test_bad_input_is_refused(masks, truth, message):
    with pytest.raises(ValueError, match=message):
        mask_scores(masks, truth)


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_bad_thresholds_are_refused(threshold):
    with pytest.raises(ValueError, match="threshold must lie in"):
        mask_scores(np.ones((1, 2, 2)), np.ones((1, 2, 2)), threshold)


def test_the_best_threshold_finds_what_another_scale_hides():
    truth = silhouettes()
    mask = np.where(truth, 0.31, 0.3)
    assert mask_scores(mask, truth).iou == 0
    iou, threshold = best_iou(mask, truth)
    assert (iou == 1).all() and threshold == pytest.approx(0.31)


def test_one_threshold_serves_all_frames_and_none_is_better():
    truth = silhouettes()
    masks = RNG.random(truth.shape)
    truth[2] = True  # nothing to tell from the person
    iou, threshold = best_iou(masks, truth)
    assert np.isnan(iou[2]) and np.isfinite(np.delete(iou, 2)).all()
    np.testing.assert_allclose(iou, mask_scores(masks, truth, threshold).frame_iou)
    others = np.quantile(masks, np.linspace(0.02, 0.98, 49))
    assert max(mask_scores(masks, truth, t).iou for t in others) == pytest.approx(np.nanmean(iou))


def test_preference_is_the_area_under_the_curve_stretched_to_the_share_chosen():
    """The mean rank of n chosen among m is (AUC (m - n) + n / 2) / m, AUC being the chance that a chosen pixel has the
    higher value."""
    among = silhouettes(4)
    chosen = among & (RNG.random(among.shape) < 0.4)
    masks = RNG.random(among.shape).round(1)
    found = preference(ranks_among(masks, among), chosen)
    for n in range(4):
        inside, outside = masks[n][chosen[n]], masks[n][among[n] & ~chosen[n]]
        auc = ((inside[:, None] > outside) + 0.5 * (inside[:, None] == outside)).mean()
        count, rest = len(inside), len(outside)
        assert found[n] == pytest.approx((auc * rest + count / 2) / (count + rest))


def test_no_preference_is_a_half_and_nothing_chosen_is_no_number():
    among = np.ones((3, 4, 4), bool)
    chosen = among.copy()
    chosen[0, 2:], chosen[1] = False, False
    found = preference(ranks_among(np.full((3, 4, 4), 0.7), among), chosen)
    assert found[0] == 0.5 and np.isnan(found[1:]).all()
    rising = np.arange(16.0).reshape(1, 4, 4) / 16
    assert preference(ranks_among(rising, among[:1]), chosen[:1])[0] == 0.25  # chosen are the lower half


def test_ranks_are_those_of_scipy_frame_by_frame():
    among = silhouettes(4)
    among[2] = False
    masks = RNG.random(among.shape).round(1)
    ranks = ranks_among(masks, among)
    assert np.array_equal(np.isfinite(ranks), among)
    for n in (0, 1, 3):
        expected = (rankdata(masks[n][among[n]]) - 0.5) / among[n].sum()
        np.testing.assert_allclose(ranks[n][among[n]], expected)
