import math

import pytest
import torch

from reidlib.losses import identity_loss


def test_hand_computed_case():
    # softmax of (log 2, 0) is (2/3, 1/3); smoothed target of class 0 among 2: (0.95, 0.05)
    logits = torch.tensor([[math.log(2), 0.0]])
    expected = -0.95 * math.log(2 / 3) - 0.05 * math.log(1 / 3)
    assert identity_loss(logits, torch.tensor([0])).item() == pytest.approx(expected, rel=1e-6)
    assert identity_loss(logits, torch.tensor([1]), smoothing=0.0).item() == pytest.approx(math.log(3), rel=1e-6)


def test_mean_over_the_batch_with_gradient_probability_minus_target():
    logits = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 6, 3, 3, 1])
    identity_loss(logits, labels, smoothing=0.2).backward()
    target = torch.full((5, 7), 0.2 / 7, dtype=torch.float64)
    target[range(5), labels] += 0.8
    torch.testing.assert_close(logits.grad, (logits.detach().softmax(1) - target) / 5)
