"""The semantic segmentation network: its facts, what it shows, and what reaches the part maps."""

import math

import pytest
import torch

from reidlib.models import create_model
from reidlib.models.parsing import (
    RESIDUAL_BLOCKS,
    TEMPERATURE,
    Prediction,
    Segmentation,
    enlarging_kernel,
    flow_to_next,
)
from reidlib.models.part_motion import Parts, positions


@pytest.fixture
def clips():
    torch.manual_seed(0)
    return torch.rand(2, 3, 3, 64, 32), torch.rand(2, 3, 1, 3, 64, 32)


@pytest.mark.parametrize("scale", ["paper", "mini"])
@pytest.mark.parametrize("num_parts", [1, 6])
def test_segmentation_has_6k_plus_1_channels_and_starts_at_the_identity(scale, num_parts):
    network = Segmentation(num_parts, scale=scale).eval()
    assert network.head.out_channels == 6 * num_parts + 1
    assert len(network.down) == len(network.up) == 4
    frames = torch.rand(1, 3, 256, 128) if scale == "paper" else torch.rand(1, 3, 64, 32)
    maps, shifts, affines = network(frames)
    assert maps.shape == (1, num_parts + 1, 64, 32) and shifts.shape == (1, num_parts, 2)
    torch.testing.assert_close(maps.sum(1), torch.ones(1, 64, 32))
    assert torch.equal(affines, torch.eye(2).expand(1, num_parts, 2, 2))
    assert (shifts[..., 0].abs() < 0.5).all() and (shifts[..., 1].abs() < 1).all()
    bias = network.head.bias.detach()
    assert bias[: num_parts + 1].softmax(0)[-1].item() == pytest.approx(0.5)  # of the background
    assert bias[num_parts].item() == pytest.approx(math.log(num_parts))


def test_affines_are_averages_of_the_last_layer_s_channels():
    torch.manual_seed(0)
    network = Segmentation(3, scale="mini").eval()
    torch.nn.init.normal_(network.head.weight, std=0.3)
    torch.nn.init.normal_(network.head.bias)
    seen = torch.randn(2, network.head.in_channels, 64, 32)
    found, output = network._parts(seen), network.head(seen)
    torch.testing.assert_close(found.maps, output[:, :4].softmax(1))
    weights = (output[:, 4:7] / TEMPERATURE).flatten(2).softmax(2).view(2, 3, 1, 64, 32)
    channels = output[:, 7:].view(2, 3, 4, 64, 32)
    expected = torch.eye(2) + (weights * channels).sum((3, 4)).view(2, 3, 2, 2)
    torch.testing.assert_close(found.affines, expected, rtol=1e-4, atol=1e-4)


def test_an_enlarging_kernel_reads_each_value_with_the_weights_of_its_two_copies():
    """Of 1, 1, 2, 2, 3, 3 the kernel 100, 10, 1 makes 0 + 10 + 1, 100 + 10 + 2, 100 + 20 + 2, and so on."""
    kernel = torch.zeros(1, 1, 3, 3)
    kernel[0, 0, 1] = torch.tensor([100.0, 10.0, 1.0])
    row = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    found = torch.nn.functional.conv_transpose2d(row, enlarging_kernel(kernel), stride=2, padding=1)
    assert found[0, 0].tolist() == [[11.0, 112.0, 122.0, 223.0, 233.0, 330.0]] * 2
    kernel, maps = torch.randn(3, 2, 3, 3), torch.randn(2, 2, 5, 4)
    twice = torch.nn.functional.interpolate(maps, scale_factor=2)
    expected = torch.nn.functional.conv2d(twice, kernel, padding=1)
    found = torch.nn.functional.conv_transpose2d(maps, enlarging_kernel(kernel), stride=2, padding=1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_frozen_networks_answer_as_those_that_learn(clips):
    network = create_model("parsing", scale="mini")
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                torch.nn.init.uniform_(values, 0.2, 1.2)
    torch.nn.init.normal_(network.segmentation.head.weight, std=0.3)
    network.eval()
    frames, following = clips[0].flatten(0, 1), clips[1].flatten(0, 2)
    learning = network.pair(frames, following)
    frozen = network.requires_grad_(False).pair(frames, following)
    assert learning.predicted.requires_grad and not frozen.predicted.requires_grad
    torch.testing.assert_close(frozen, learning, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(network.segmentation.maps(frames), learning.now.maps, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("scale", "size", "inside"), [("paper", (256, 128), (64, 32)), ("mini", (64, 32), (32, 16))])
def test_prediction_moves_features_of_the_flow_s_size(scale, size, inside):
    network = Prediction(scale=scale).eval()
    seen = []
    network.residual[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[2:]))
    still = positions(64, 32, torch.zeros(()))[None]
    with torch.no_grad():
        frame = network(torch.rand(1, 3, *size), still, torch.ones(1, 1, 64, 32))
    assert frame.shape == (1, 3, *size) and seen == [inside] and frame.min() >= 0 and frame.max() <= 1
    assert len(network.down) == len(network.up) == (2 if scale == "paper" else 1)
    assert len(network.residual) == RESIDUAL_BLOCKS == 5


def test_what_is_shown(clips):
    network = create_model("parsing", scale="mini").eval()
    output = network(*clips)
    assert {name: tuple(v.shape) for name, v in output.visuals.items()} == {
        "segments": (2, 3, 7, 64, 32),
        "flow": (2, 3, 2, 64, 32),
        "next_frames": (2, 3, 1, 3, 64, 32),
    }
    torch.testing.assert_close(output.embedding.sum(1), torch.ones(2))
    background = network.segmentation(clips[0].flatten(0, 1)).maps[:, -1]
    torch.testing.assert_close(output.visuals["segments"][:, :, 0].flatten(0, 1), background)


def test_parts_come_from_single_frames(clips):
    network = create_model("parsing", scale="mini").eval()
    frames, following = clips
    one, other = network(frames, following), network(frames, torch.rand_like(following))
    assert torch.equal(one.visuals["segments"], other.visuals["segments"])
    assert not torch.equal(one.visuals["flow"], other.visuals["flow"])
    alone = network(frames[:1, 1:2], following[:1, 1:2]).visuals["segments"]
    torch.testing.assert_close(alone[0, 0], one.visuals["segments"][0, 1])


def test_flow_to_the_next_frame_is_the_part_s_shift_where_the_part_is():
    maps = torch.zeros(1, 2, 64, 32)
    maps[:, 0, :32], maps[:, 1, 32:] = 1, 1
    now = Parts(maps, torch.zeros(1, 1, 2), torch.eye(2).view(1, 1, 2, 2))
    then = Parts(maps.flip(2), torch.tensor([[[0.125, 0.25]]]), torch.eye(2).view(1, 1, 2, 2))
    flow = flow_to_next(now, then)
    torch.testing.assert_close(flow[0, :, :32].mean((1, 2)), torch.tensor([4.0, 8.0]))
    torch.testing.assert_close(flow[0, :, 32:], torch.zeros(2, 32, 32))


@pytest.mark.parametrize(("visibility", "reached"), [("learned", True), ("detached", False)])
def test_without_motion_only_o_can_carry_the_picture_s_error_to_the_maps(visibility, reached, clips):
    network = create_model("parsing", scale="mini", motion="none", visibility=visibility)
    pair = network.pair(*(values.flatten(0, 1).flatten(0, values.ndim - 5) for values in clips))
    [gradient] = torch.autograd.grad(pair.predicted.sum(), [network.segmentation.head.weight], allow_unused=True)
    assert (gradient is not None and bool(gradient.any())) == reached


def test_parts_that_do_not_move_show_no_flow_and_repeat_the_frame(clips):
    network = create_model("parsing", scale="mini", motion="none", foresees="flow").eval()
    visuals = network(*clips).visuals
    assert not visuals["flow"].any()
    torch.testing.assert_close(visuals["next_frames"][:, :, 0], clips[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("option", ["visibility", "motion", "foresees"])
def test_unknown_options_are_refused_with_those_that_are_known(option):
    with pytest.raises(ValueError, match=f"{option}='x': expected one of"):
        create_model("parsing", scale="mini", **{option: "x"})
