import pytest
import torch

from reidlib.losses import CenterLoss, center_loss


def test_hand_computed_case():
    centers = torch.tensor([[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]])
    features = torch.tensor([[3.0, 4.0], [1.0, 3.0]])
    assert center_loss(features, torch.tensor([0, 1]), centers).item() == pytest.approx((25 + 4) / 2)


def test_gradient_pulls_features_and_the_centres_of_present_identities_together():
    loss = CenterLoss(num_ids=3, channels=2)
    features = torch.randn(4, 2, requires_grad=True)
    labels = torch.tensor([0, 2, 2, 2])
    loss(features, labels).backward()
    difference = (features - loss.centers[labels]).detach()
    torch.testing.assert_close(features.grad, 2 * difference / 4)
    torch.testing.assert_close(loss.centers.grad[0], -2 * difference[0] / 4)
    torch.testing.assert_close(loss.centers.grad[2], -2 * difference[1:].sum(0) / 4)
    assert not loss.centers.grad[1].any()


def test_sgd_on_fixed_features_brings_every_centre_to_its_mean():
    torch.manual_seed(0)
    loss = CenterLoss(num_ids=3, channels=4)
    features, labels = torch.randn(12, 4), torch.arange(12) % 3
    optimiser = torch.optim.SGD(loss.parameters(), lr=0.5)
    for _ in range(100):
        optimiser.zero_grad()
        loss(features, labels).backward()
        optimiser.step()
    means = torch.stack([features[labels == i].mean(0) for i in range(3)])
    torch.testing.assert_close(loss.centers.detach(), means)
