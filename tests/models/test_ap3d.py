"""AP3D: what alignment does, written out and by its invariants, and what a new network is."""

import pytest
import torch
import torch.nn.functional as F

from reidlib.models import create_model
from reidlib.models.ap3d import AppearancePreserving, TemporalBlock, reassembled, shifted
from reidlib.models.backbones import Bottleneck, scaled_resnet
from reidlib.models.pretrained import save_weights


@pytest.fixture
def mini():
    torch.manual_seed(0)
    return create_model("ap3d", num_ids=7, scale="mini").eval()


@pytest.fixture
def layer():
    """One whose convolution over time does something."""
    torch.manual_seed(0)
    layer = AppearancePreserving(6)
    torch.nn.init.normal_(layer.conv.weight)
    return layer


def frames(*shape):
    return torch.rand(*shape, 3, 64, 32, generator=torch.Generator().manual_seed(0))


def places(network):
    stages = (f"layer{number}" for number in (1, 2, 3, 4))
    return {
        (stage, i)
        for stage in stages
        for i, block in enumerate(getattr(network.backbone, stage))
        if isinstance(block, TemporalBlock)
    }


def test_paper_scale_is_resnet_50_with_every_second_block_of_two_stages_changed(count):
    with torch.device("meta"):
        network = create_model("ap3d", num_ids=625)
        out = network(frames=torch.empty(2, 3, 3, 256, 128))
    assert places(network) == {("layer2", 0), ("layer2", 2), ("layer3", 0), ("layer3", 2), ("layer3", 4)}
    # by hand: three kernels of c × c, three maps of c × c/16, and one of c/16
    added = sum(times * (3 * c * c + 3 * c * c // 16 + c // 16) for times, c in ((2, 128), (3, 256)))
    assert added == 731_200 and count(network.backbone) == 23_508_032 + added
    assert count(network) == count(network.backbone) + 2 * 2048 + 625 * 2048
    assert out.embedding.shape == out.features["global"].shape == (2, 2048) and out.logits["global"].shape == (2, 625)
    assert out.visuals["mask"].shape == (2, 3, 1, 16, 8)


def test_a_position_is_put_together_of_those_of_the_frame_beside_as_written_out():
    torch.manual_seed(0)
    middle, beside = (F.normalize(torch.randn(2, 3, 5, 2, 2), dim=2) for _ in range(2))
    maps = torch.randn(2, 3, 4, 2, 2)
    found = reassembled(middle, beside, maps)
    for position in range(4):
        cosines = torch.stack([middle.flatten(3)[1, 2, :, position] @ beside.flatten(3)[1, 2, :, p] for p in range(4)])
        weights = (4 * cosines).exp() / (4 * cosines).exp().sum()
        expected = sum(weights[p] * maps.flatten(3)[1, 2, :, p] for p in range(4))
        torch.testing.assert_close(found.flatten(3)[1, 2, :, position], expected)


def test_the_frames_beside_are_those_of_the_same_clip_and_zero_beyond_its_ends():
    clips = torch.arange(1.0, 7).view(2, 3, 1, 1, 1)
    assert shifted(clips, -1).flatten().tolist() == [0, 1, 2, 0, 4, 5]
    assert shifted(clips, 1).flatten().tolist() == [2, 3, 0, 5, 6, 0]
    assert not shifted(clips[:, :1], 1).any()


def test_where_things_are_in_the_frames_beside_does_not_matter(layer):
    maps = torch.rand(1, 3, 6, 4, 2)
    moved = maps.clone()
    moved[:, 0], moved[:, 2] = maps[:, 0].roll(1, dims=2), maps[:, 2].flip(2)
    seen, after_the_move = (layer(x.flatten(0, 1), 3)[1] for x in (maps, moved))  # by the frame in the middle
    torch.testing.assert_close(after_the_move, seen)
    torch.nn.init.zeros_(layer.conv.weight)
    torch.testing.assert_close(layer(maps.flatten(0, 1), 3), maps.flatten(0, 1))


def test_of_frames_that_stand_still_and_are_the_same_everywhere_it_is_the_plain_3d_convolution(layer):
    still = torch.rand(2, 1, 6, 1, 1).expand(2, 4, 6, 3, 2)
    torch.nn.init.zeros_(layer.agreement.weight)  # a mask of one half
    kernels = layer.conv.weight.unflatten(1, (3, 6)).transpose(1, 2)  # (C, C, 3, 1, 1)
    kernels = kernels * torch.tensor([0.5, 1.0, 0.5])[:, None, None]
    expected = still + F.conv3d(still.transpose(1, 2), kernels, padding=(1, 0, 0)).transpose(1, 2)
    torch.testing.assert_close(layer(still.flatten(0, 1), 4).unflatten(0, (2, 4)), expected)


def test_the_mask_is_learnt_and_leaves_the_maps_alone(layer):
    def gradient():
        maps = torch.rand(4, 6, 2, 2, generator=torch.Generator().manual_seed(1)).requires_grad_()
        common = layer.middle(maps.detach()) * layer.beside(maps.detach())
        masked = layer._masked(maps, maps)
        torch.testing.assert_close(masked, maps * torch.sigmoid(layer.agreement(common)))
        masked.sum().backward()
        return maps.grad, torch.sigmoid(layer.agreement(common)).expand_as(maps)

    torch.testing.assert_close(*gradient())
    assert all(part.weight.grad.any() for part in (layer.middle, layer.beside, layer.agreement))


@pytest.mark.usefixtures("own_weights")
def test_a_new_network_averages_what_the_residual_network_says_of_each_frame():
    save_weights(scaled_resnet("mini"), "walkers", {})
    network = create_model("ap3d", num_ids=7, scale="mini", weights="walkers").eval()
    assert places(network) == {("layer2", 0), ("layer3", 0)}
    clips = frames(2, 3)
    with torch.no_grad():
        maps = scaled_resnet("mini", "walkers").eval()(network.normalize(clips.flatten(0, 1)))
        expected = maps.mean((2, 3)).unflatten(0, (2, 3)).mean(1)
        torch.testing.assert_close(network(frames=clips).features["global"], expected, rtol=1e-4, atol=1e-5)


def test_a_deep_block_is_its_own_block_until_time_is_learnt():
    torch.manual_seed(0)
    block = Bottleneck(8, 4, stride=2).eval()
    changed, images = TemporalBlock(block).eval(), torch.rand(2, 8, 8, 4)
    with torch.no_grad():
        torch.testing.assert_close(changed(images, 2), block(images))


def test_it_knows_the_order_of_frames_once_time_is_learnt(mini):
    clips = frames(1, 4)
    with torch.no_grad():
        forward, backward = (mini(frames=clips[:, order]).embedding for order in ([0, 1, 2, 3], [3, 2, 1, 0]))
        torch.testing.assert_close(forward, backward, rtol=1e-4, atol=1e-5)
        torch.nn.init.normal_(mini.backbone.layer3[0].time.conv.weight)
        forward, backward = (mini(frames=clips[:, order]).embedding for order in ([0, 1, 2, 3], [3, 2, 1, 0]))
    assert not torch.allclose(forward, backward, rtol=1e-2)


@pytest.mark.parametrize("time", [1, 4, 6])
def test_output(mini, time):
    out = mini.train()(frames=frames(4, time))
    assert out.embedding.shape == out.features["global"].shape == (4, 128) and out.logits["global"].shape == (4, 7)
    assert out.visuals["mask"].shape == (4, time, 1, 8, 4) and out.visuals["mask"].max() == 1
    out.logits["global"].logsumexp(1).sum().backward()
    assert {name for name, p in mini.named_parameters() if p.grad is None} == {"neck.bias"}
    assert not mini.for_retrieval()(frames=frames(1, time)).logits
