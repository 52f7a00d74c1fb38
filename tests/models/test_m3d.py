"""M3D's layer over several spans of time."""

import torch

from reidlib.models import create_model
from reidlib.models.m3d import SPANS, MultiScaleTime


def test_a_layer_adds_convolutions_over_frames_that_lie_one_two_and_three_apart():
    torch.manual_seed(0)
    layer = MultiScaleTime(2).eval()
    x = torch.rand(1, 2, 9, 4)
    torch.testing.assert_close(layer(x), x)  # at first it changes nothing
    for norm in layer.norms:
        torch.nn.init.ones_(norm.weight)
    with torch.no_grad():
        added = (layer(x) - x)[0, :, 4] * (1 + 1e-5) ** 0.5
        by_hand = sum(
            torch.einsum("oi,ip->op", conv.weight[:, :, k, 0], x[0, :, 4 + (k - 1) * d])
            for d, conv in zip(SPANS, layer.convs)
            for k in range(3)
        )
    torch.testing.assert_close(added, by_hand)


def test_shapes_at_both_scales():
    with torch.device("meta"):
        assert create_model("m3d", num_ids=5)(frames=torch.empty(2, 4, 3, 256, 128)).embedding.shape == (2, 512)
        assert create_model("m3d", num_ids=5, scale="mini")(frames=torch.empty(2, 8, 3, 64, 32)).embedding.shape == (
            2,
            128,
        )
