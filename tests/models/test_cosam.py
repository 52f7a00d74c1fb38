"""COSAM: correlations written out, and what the mask and the gates do."""

import numpy as np
import pytest
import torch

from reidlib.models import create_model
from reidlib.models.cosam import CoSegmentation, correlations


def test_correlations_are_those_of_numpy_with_the_other_frames_in_their_order():
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 5, 2, 2)
    found = correlations(maps)
    assert found.shape == (2, 3, 4, 8)
    x = maps.flatten(3)
    for frame, others in enumerate(((1, 2), (0, 2), (0, 1))):
        for n, (other, position) in enumerate((o, p) for o in others for p in range(4)):
            expected = np.corrcoef(x[1, frame, :, 3], x[1, other, :, position])[0, 1]
            assert found[1, frame, 3, n].item() == pytest.approx(expected, abs=1e-5)


def test_the_mask_and_gates_multiply_the_maps():
    torch.manual_seed(0)
    module, maps = CoSegmentation(16, num_frames=3, positions=4).eval(), torch.rand(2, 3, 16, 2, 2)
    attended, mask = module(maps)
    assert attended.shape == maps.shape and mask.shape == (2, 3, 1, 2, 2) and 0 < mask.min() < mask.max() < 1
    gates = attended / (maps * mask)  # of a clip and a channel
    torch.testing.assert_close(gates, gates[:, :1, :, :1, :1].expand_as(gates), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="clips of 2 frames: this network is made for num_frames=3"):
        module(maps[:, :2])


def test_output():
    torch.manual_seed(0)
    network = create_model("cosam", num_ids=7, scale="mini", num_frames=3)
    out = network(frames=torch.rand(4, 3, 3, 64, 32))
    assert out.embedding.shape == out.features["global"].shape == (4, 128) and out.logits["global"].shape == (4, 7)
    assert out.visuals["mask"].shape == (4, 3, 1, 8, 4)
    out.logits["global"].logsumexp(1).sum().backward()
    assert {name for name, p in network.named_parameters() if p.grad is None} == {"neck.bias"}
