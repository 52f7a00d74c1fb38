"""Losses of part segmentation against hand-computed cases."""

import math

import pytest
import torch

from reidlib.losses.parsing import (
    balance_loss,
    concentration_loss,
    map_divergence,
    photometric_loss,
    prior_loss,
    reconstruction_loss,
    squared_difference,
)


def test_reconstruction_is_the_mean_over_three_resolutions():
    black, white = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    assert reconstruction_loss(black, white, lambda image: [image]) == 1
    assert reconstruction_loss(black, white, lambda image: [image, 2 * image]) == 1 + 4
    checkers = (torch.arange(8)[:, None] + torch.arange(8)).remainder(2).float().expand(1, 3, 8, 8)
    fine = reconstruction_loss(checkers, 1 - checkers, lambda image: [image])
    assert fine.item() == pytest.approx(1 / 3)  # at half the resolution both are grey
    sizes = []
    reconstruction_loss(black, white, lambda image: sizes.append(tuple(image.shape[2:])) or [image])
    assert sizes == [(8, 8), (8, 8), (4, 4), (4, 4), (2, 2), (2, 2)]


def test_divergence_counts_valid_positions_alone():
    found = torch.tensor([0.5, 0.5]).view(1, 2, 1, 1).repeat(1, 1, 1, 2)
    expected = torch.tensor([[0.25, 0.9], [0.75, 0.1]]).view(1, 2, 1, 2)
    valid = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    by_hand = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert map_divergence(found, expected, valid).item() == pytest.approx(by_hand, rel=1e-5)
    assert map_divergence(found, found, torch.ones_like(valid)) == 0
    assert map_divergence(found, expected, 0 * valid) == 0


def test_squared_differences_are_summed_over_a_part_s_numbers():
    one = torch.zeros(2, 3, 2, 2)
    assert squared_difference(one + 0.5, one) == 4 * 0.25
    assert squared_difference(one[..., 0] + 2, one[..., 0]) == 2 * 4


def test_concentration_is_the_sum_of_the_parts_variances():
    z = torch.stack([torch.arange(4.0).expand(2, 4), torch.zeros(2, 4)])
    maps = torch.zeros(1, 3, 2, 4)
    maps[0, 0, :, 0] = maps[0, 0, :, 3] = 0.5  # at x = 0 and 3: variance 2.25
    maps[0, 1, 0, 1] = 0.2  # a point
    maps[0, 2] = 1  # background
    assert concentration_loss(maps, z).item() == pytest.approx(2.25)
    maps[0, 1] = 0
    assert concentration_loss(maps, z).item() == pytest.approx(2.25)  # a part that is nowhere


def test_photometric_error_is_that_of_the_flow_whose_part_claims_the_pixel():
    maps = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).view(1, 2, 1, 2)
    errors = torch.tensor([[0.1, 0.9], [0.9, 0.3]]).view(1, 2, 1, 2)
    assert photometric_loss(maps, errors).item() == pytest.approx((0.1 + 0.3) / 2)


def test_the_prior_is_zero_for_maps_like_it_and_a_divergence_otherwise():
    prior = torch.tensor([0.25, 0.75]).view(2, 1, 1)
    assert prior_loss(prior.expand(3, 2, 4, 4), prior).item() == pytest.approx(0, abs=1e-6)
    frames = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).view(2, 2, 1, 1)
    by_hand = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    assert prior_loss(frames, prior).item() == pytest.approx(by_hand / 2, rel=1e-5)


def test_the_prior_pulls_at_a_part_that_is_nearly_nowhere():
    prior = torch.tensor([0.5, 0.5]).view(2, 1, 1)
    scores = torch.tensor([-5.0, 5.0]).view(1, 2, 1, 1).requires_grad_()
    prior_loss(scores.softmax(1), prior).backward()
    assert scores.grad[0, 0].item() == pytest.approx(-0.5, abs=1e-3)  # map - prior


def test_balance_is_zero_for_equal_shares_and_log_k_for_one_part():
    maps = torch.full((2, 4, 5, 5), 0.1)
    assert balance_loss(maps).item() == pytest.approx(0, abs=1e-6)
    maps[:, 1:3] = 0
    assert balance_loss(maps).item() == pytest.approx(math.log(3), rel=1e-4)
