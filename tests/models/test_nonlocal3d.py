import pytest
import torch

from reidlib.models import create_model
from reidlib.models.backbones import scaled_resnet
from reidlib.models.nonlocal3d import TemporalConvolution
from reidlib.models.pretrained import save_weights


@pytest.fixture
def mini():
    torch.manual_seed(0)
    return create_model("nonlocal3d", num_ids=11, scale="mini").eval()


@pytest.fixture
def frames():
    return torch.rand(2, 4, 3, 64, 32, generator=torch.Generator().manual_seed(0))


def test_paper_scale_is_agw_s_backbone_with_temporal_convolutions(count):
    with torch.device("meta"):
        network, agw = create_model("nonlocal3d", num_ids=625), create_model("agw", num_ids=625)
        out = network(frames=torch.empty(2, 4, 3, 256, 128))
    temporal = sum(times * (3 * c * c + 2 * c) for times, c in ((2, 512), (3, 1024)))
    assert count(network) == count(agw) - 1 + temporal  # AGW's pooling has one parameter
    assert out.embedding.shape == out.features["global"].shape == (2, 2048)
    assert out.logits["global"].shape == (2, 625)


def test_temporal_convolution_is_the_3d_convolution_of_its_weights():
    torch.manual_seed(0)
    layer = TemporalConvolution(6).eval()
    layer.bn.weight.data.fill_(1.0)
    reference = torch.nn.Conv3d(6, 6, (3, 1, 1), padding=(1, 0, 0), bias=False)
    reference.weight.data = layer.conv.weight.data[..., None]
    x = torch.randn(2, 6, 5, 4, 3)
    with torch.no_grad():
        expected = x + reference(x) / (1 + 1e-5) ** 0.5
        torch.testing.assert_close(layer(x.flatten(3)).unflatten(3, (4, 3)), expected)


def test_a_new_network_averages_its_frames(mini, frames):
    with torch.no_grad():
        single = torch.stack([mini(frames=frames[:, [t]]).features["global"] for t in range(4)]).mean(0)
        torch.testing.assert_close(mini(frames=frames).features["global"], single, rtol=1e-4, atol=1e-5)


def test_attention_reaches_other_frames_in_any_order_and_convolutions_know_their_order(mini, frames):
    temporal, non_local = mini.backbone.non_local["layer3_0"]
    with torch.no_grad():
        average = mini(frames=frames).features["global"]
        non_local.bn.weight.fill_(1.0)
        attended = mini(frames=frames).features["global"]
        assert not torch.allclose(attended, average, rtol=1e-3)
        shuffled = mini(frames=frames[:, [2, 0, 3, 1]]).features["global"]
        torch.testing.assert_close(shuffled, attended, rtol=1e-4, atol=1e-5)
        temporal.bn.weight.fill_(1.0)
        shuffled = mini(frames=frames[:, [2, 0, 3, 1]]).features["global"]
        assert not torch.allclose(shuffled, mini(frames=frames).features["global"], rtol=1e-3)


def test_gradients_reach_everything_that_is_learned(mini, frames):
    mini.train()
    for block in mini.backbone.non_local["layer3_0"]:
        block.bn.weight.data.fill_(1.0)  # the rest of a new block, behind a zero, waits for its first step
    out = mini(frames=frames)
    (out.logits["global"].logsumexp(1).sum() + out.features["global"].square().sum()).backward()
    assert {name for name, p in mini.named_parameters() if p.grad is None} == {"neck.bias"}


def test_for_retrieval_drops_the_classifier_from_a_copy(mini, frames, count):
    network = mini.for_retrieval()
    assert count(mini) - count(network) == 11 * 128
    with torch.no_grad():
        torch.testing.assert_close(network(frames=frames).embedding, mini(frames=frames).embedding)
        assert network(frames=frames).logits == {}
    assert mini.classifier is not None


@pytest.mark.usefixtures("own_weights")
def test_on_a_clip_that_stands_still_it_starts_with_the_maps_of_the_network_that_it_starts_from(frames):
    save_weights(scaled_resnet("mini"), "walkers", {})
    plain = scaled_resnet("mini", "walkers").eval()
    network = create_model("nonlocal3d", num_ids=11, scale="mini", weights="walkers").eval()
    still = frames[:, :1].expand(-1, 4, -1, -1, -1)
    with torch.no_grad():
        maps = network.backbone(still.flatten(0, 1), 4).unflatten(0, (2, 4))
        expected = plain(frames[:, 0])
    for time in range(4):
        torch.testing.assert_close(maps[:, time], expected)
