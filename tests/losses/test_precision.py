import pytest
import torch

from reidlib import losses


@pytest.mark.parametrize(
    "loss",
    [
        lambda x, y: losses.identity_loss(x, y),
        lambda x, y: losses.batch_hard_triplet_loss(x, y),
        lambda x, y: losses.batch_all_triplet_loss(x, y),
        lambda x, y: losses.batch_all_triplet_loss(x.unflatten(1, (4, 2)), y),
        lambda x, y: losses.weighted_triplet_loss(x, y),
        lambda x, y: losses.center_loss(x, y, torch.zeros(3, 8)),
    ],
)
def test_every_loss_is_computed_in_float32_under_autocast_and_keeps_float64(loss):
    torch.manual_seed(0)
    features, labels = 10 * torch.randn(6, 8), torch.tensor([0, 0, 1, 1, 2, 2])
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss(features.bfloat16(), labels)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, loss(features.bfloat16().float(), labels), rtol=0, atol=0)
    assert loss(features.double(), labels).dtype == torch.float64
