import pytest
import torch

from reidlib.models import create_model
from reidlib.models.layers import BNNeck, ForegroundBranch, GeM, NonLocalBlock, NormalizeFrames


def test_normalize_frames_maps_imagenet_mean_and_one_deviation_above_it_to_zero_and_one():
    layer = NormalizeFrames()
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1) / 255  # the 8-bit statistics that Caffe models use
    deviation = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1) / 255
    torch.testing.assert_close(layer(mean.expand(2, 4, 3, 5, 6)), torch.zeros(2, 4, 3, 5, 6), atol=1e-6, rtol=0)
    torch.testing.assert_close(layer(mean + deviation), torch.ones(3, 1, 1))
    assert not list(layer.parameters())
    assert set(layer.state_dict()) == {"mean", "std"}


def test_gem_lies_between_average_and_maximum():
    x = torch.rand(5, 3, 4, 6)
    torch.testing.assert_close(GeM(p=1.0)(x), x.mean((2, 3)))
    torch.testing.assert_close(GeM(p=500.0)(x), x.amax((2, 3)), rtol=0.01, atol=0)
    torch.testing.assert_close(GeM(p=3.0)(x), x.double().pow(3).mean((2, 3)).pow(1 / 3).float())


def test_gem_survives_large_activations_and_zero_maps_in_bfloat16():
    large = torch.full((1, 1, 2, 2), 1e20, dtype=torch.bfloat16)  # its cube is beyond float32
    torch.testing.assert_close(GeM()(large), torch.tensor([[1e20]]), rtol=0.01, atol=0)
    gem = GeM()
    dead = torch.zeros(1, 2, 3, 3, requires_grad=True)
    gem(dead).sum().backward()
    assert torch.isfinite(dead.grad).all()
    assert torch.isfinite(gem.p.grad)


def test_gem_learns_its_exponent():
    x, gem = torch.rand(2, 3, 4, 5, dtype=torch.float64), GeM()
    gem(x).sum().backward()
    step = 1e-3
    slope = sum(sign * x.pow(3 + sign * step).mean((2, 3)).pow(1 / (3 + sign * step)).sum() for sign in (1, -1))
    assert gem.p.grad.item() == pytest.approx(slope.item() / (2 * step), rel=1e-3)


def test_a_new_non_local_block_is_the_identity():
    x = torch.randn(2, 8, 4, 3)
    torch.testing.assert_close(NonLocalBlock(8)(x), x, rtol=0, atol=0)


def test_non_local_block_against_the_sum_over_all_pairs_of_positions():
    torch.manual_seed(0)
    block = NonLocalBlock(6).eval()
    block.bn.weight.data.fill_(1.0)
    x = torch.randn(2, 6, 3, 2)
    assert block.theta.out_channels == block.phi.out_channels == block.g.out_channels == 3  # half, not one
    with torch.no_grad():
        expected = x.clone()
        theta, phi, g = block.theta(x), block.phi(x), block.g(x)
        positions = [(i, j) for i in range(3) for j in range(2)]
        y = torch.zeros_like(g)
        for i in positions:
            for j in positions:
                affinity = (theta[:, :, *i] * phi[:, :, *j]).sum(1, keepdim=True)
                y[:, :, *i] += affinity * g[:, :, *j] / len(positions)
        expected += block.bn(block.out(y))
        torch.testing.assert_close(block(x), expected)


def test_bnneck_standardises_and_has_no_learned_shift():
    neck = BNNeck(4)
    out = neck(torch.randn(64, 4) * 7 + 3)
    torch.testing.assert_close(out.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.var(0, unbiased=False), torch.ones(4), atol=1e-3, rtol=0)
    assert [name for name, p in neck.named_parameters() if p.requires_grad] == ["weight"]
    assert not neck.bias.any()


@pytest.mark.parametrize("name", ["agw", "nonlocal3d"])
def test_the_foreground_branch_looks_at_the_person_alone(name):
    torch.manual_seed(0)
    network = create_model(name, num_ids=5, scale="mini", foreground=True)
    frames = torch.rand(4, 2, 3, 64, 32)
    masks = torch.zeros(4, 2, 1, 64, 32)
    masks[..., 16:48, 8:24] = 1
    assert network.inputs == ("frames", "masks")
    output = network(frames=frames, masks=masks)
    channels = network.backbone.channels
    assert output.embedding.shape == (4, 2 * channels)
    assert {key: tuple(value.shape) for key, value in output.features.items()} == dict.fromkeys(
        ("global", "foreground"), (4, channels)
    )
    assert {key: tuple(value.shape) for key, value in output.logits.items()} == dict.fromkeys(
        ("global", "foreground"), (4, 5)
    )
    retrieval = network.for_retrieval()
    with torch.inference_mode():
        answer = retrieval(frames=frames, masks=masks)
    assert not answer.logits and answer.embedding.shape == (4, 2 * channels)


def test_a_pooled_foreground_of_all_positions_is_the_generalised_mean():
    branch = ForegroundBranch(channels=3, num_ids=2, pool="gem").eval()
    maps = torch.rand(1, 1, 3, 4, 2)
    feature, _, logits = branch(maps, torch.ones(1, 1, 1, 8, 4))
    torch.testing.assert_close(feature, GeM()(maps[0]), rtol=1e-5, atol=1e-6)
    assert logits.shape == (1, 2)
    only_first = torch.zeros(1, 1, 1, 8, 4)
    only_first[..., :2, :2] = 1  # the first of 4 × 2 positions
    torch.testing.assert_close(branch(maps, only_first)[0], maps[0, :, :, 0, 0], rtol=1e-5, atol=1e-6)
