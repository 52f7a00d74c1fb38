import pytest
import torch

from reidlib.models import create_model
from reidlib.models.inception3d import Inception3D


@pytest.fixture
def images():
    return torch.rand(3, 1, 3, 64, 32, generator=torch.Generator().manual_seed(0))


def build(**options):
    torch.manual_seed(0)
    return create_model("pretraining", num_ids=11, scale="mini", **options).eval()


def test_it_is_agw_without_non_local_blocks_on_single_images(images, count):
    network, agw = build(), create_model("agw", num_ids=11, scale="mini").eval()
    assert not network.backbone.non_local
    assert count(agw) - count(network) == sum(p.numel() for p in agw.backbone.non_local.parameters())
    agw.load_state_dict(network.state_dict(), strict=False)  # whose new blocks are the identity
    with torch.no_grad():
        found, expected = network(frames=images), agw(frames=images)
    torch.testing.assert_close(found.embedding, expected.embedding)
    torch.testing.assert_close(found.logits["global"], expected.logits["global"])
    assert found.attributes == {}


def test_attributes_take_the_place_of_identities(images):
    network = build(attributes=["hat", "bag"])
    output = network.for_retrieval()(frames=images)
    assert {name: scores.shape for name, scores in output.attributes.items()} == {"hat": (3, 1), "bag": (3, 1)}
    assert output.logits == {} and output.embedding.shape == (3, 128)
    network.classifier.bias.data[1] = 5.0
    assert (network(frames=images).attributes["bag"] > 4).all()


def test_for_retrieval_drops_the_classifier_of_identities(images, count):
    network = build()
    assert count(network) - count(network.for_retrieval()) == 11 * 128
    assert network.for_retrieval()(frames=images).logits == {}


def test_clips_of_several_frames_are_refused():
    with pytest.raises(ValueError, match="clips of 2 frames: expected single images"):
        build()(frames=torch.rand(1, 2, 3, 64, 32))


def test_i3d_takes_the_place_of_the_residual_network_on_clips_of_any_length():
    network = build(backbone="i3d")
    assert isinstance(network.backbone, Inception3D)
    for frames in (1, 3, 8):
        output = network(frames=torch.rand(2, frames, 3, 64, 32))
        assert output.embedding.shape == (2, 128) and output.logits["global"].shape == (2, 11)


def test_a_clip_is_pooled_over_space_and_time_together():
    network, clips = build(backbone="i3d"), torch.rand(2, 8, 3, 64, 32)
    with torch.no_grad():
        maps = network.backbone(network.normalize(clips).transpose(1, 2))
        expected = maps.clamp(min=1e-6).pow(3).mean((2, 3, 4)).pow(1 / 3)
        found = network(frames=clips).features["global"]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
