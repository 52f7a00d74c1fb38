"""The PMI triplet loss against a batch that is worked out by hand."""

import math

import pytest
import torch

from reidlib.losses import pmi_triplets, pull_loss
from reidlib.losses.pmi import nearest_and_farthest


def directions(*degrees):
    angles = torch.deg2rad(torch.tensor(degrees, dtype=torch.float32))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


LABELS = torch.tensor([7, 7, 7, 9])
DESCRIBED = torch.tensor([[0.0], [1.0], [3.0], [0.5]])  # the last is near to all, but another person


def test_pairs_are_the_nearest_and_the_farthest_of_the_same_person():
    nearest, farthest, anchors = nearest_and_farthest(DESCRIBED, LABELS)
    assert nearest[:3].tolist() == [1, 0, 1] and farthest[:3].tolist() == [2, 2, 0]
    assert anchors.tolist() == [True, True, True, False]


def test_the_loss_of_a_batch_by_hand():
    features = directions(0, 90, 60, 10) * torch.tensor([[1.0], [5.0], [0.1], [2.0]])  # lengths do not count
    # d⁻ - d⁺ of the anchors: (1 - cos 60) - (1 - cos 90) = -0.5; (1 - cos 30) - (1 - cos 90) < 0; cos 30 - cos 60
    third = math.cos(math.pi / 6) - 0.5
    found = pmi_triplets(features, DESCRIBED, LABELS)
    assert found.loss.item() == pytest.approx(third / 3, abs=1e-6)
    assert found.active.item() == pytest.approx(1 / 3)
    far = [1 - math.cos(math.radians(angle)) for angle in (60, 30, 60)]
    assert pull_loss(features, DESCRIBED, LABELS).item() == pytest.approx(sum(far) / 3, abs=1e-6)


def test_with_two_clips_a_person_there_is_nothing_to_learn():
    features = directions(0, 90, 5, 170).requires_grad_()
    found = pmi_triplets(features, DESCRIBED, torch.tensor([1, 1, 2, 2]))
    found.loss.backward()
    assert found.loss.item() == 0 == found.active.item() and not features.grad.any()


def test_the_near_pair_is_pushed_apart_and_mining_has_no_gradient():
    features, described = directions(0, 90, 60, 10).requires_grad_(), DESCRIBED.clone().requires_grad_()
    pmi_triplets(features, described, LABELS).loss.backward()
    assert described.grad is None and features.grad[:3].any(dim=1).all() and not features.grad[3].any()
    with torch.no_grad():
        before, after = (1 - torch.cosine_similarity(f[2], f[1], dim=0) for f in (features, features - features.grad))
    assert after > before


def test_without_an_anchor_the_loss_is_not_a_number():
    assert pmi_triplets(directions(0, 9), DESCRIBED[:2], torch.tensor([1, 2])).loss.isnan()


def test_it_is_computed_in_full_precision():
    features = directions(0, 90, 60, 10)
    with torch.autocast("cpu", torch.bfloat16):
        found = pmi_triplets(features.bfloat16(), DESCRIBED, LABELS).loss
    expected = pmi_triplets(features.bfloat16().float(), DESCRIBED, LABELS).loss
    assert found.dtype == torch.float32 and found.item() == pytest.approx(expected.item(), abs=1e-7)
