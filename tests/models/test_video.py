"""The 3-D baselines: their output, and AMEM's arithmetic of the model size."""

import pytest
import torch

from reidlib.models import create_model

MEBIBYTE = 2**20


def test_the_baseline_s_size_is_the_paper_s_50_2_megabytes(count):
    with torch.device("meta"):
        network = create_model("i3d", num_ids=625)
    assert count(network) == 12_287_264 + 1024 * 512 + 512 + 2 * 512 + 512 * 625  # the neck's shift counts as well
    assert 4 * count(network) / MEBIBYTE == pytest.approx(50.2, abs=0.15)  # with buffers of normalisation a bit more


@pytest.mark.parametrize("name", ["i3d", "p3d", "r3d"])
def test_order_of_frames_matters_and_the_classifier_goes(name):
    torch.manual_seed(0)
    network = create_model(name, num_ids=5, scale="mini").eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.ones_(module.weight)  # P3D's convolutions over time start as nothing
    frames = torch.rand(2, 8, 3, 64, 32)
    with torch.no_grad():
        output = network(frames=frames)
        assert output.embedding.shape == (2, 128) and output.logits["global"].shape == (2, 5)
        assert not torch.allclose(network(frames=frames.flip(1)).embedding, output.embedding, rtol=1e-4, atol=1e-6)
        kept = network.for_retrieval()(frames=frames)
    assert kept.logits == {} and torch.equal(kept.embedding, output.embedding)
    feature = network.descriptor.reduction(kept.features["backbone"])
    torch.testing.assert_close(feature, kept.features["global"])
    torch.testing.assert_close(feature / (1 + 1e-5) ** 0.5, kept.embedding)  # the neck's, which has seen nothing yet
