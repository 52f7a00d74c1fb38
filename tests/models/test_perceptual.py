"""Perceptual networks: VGG-19 agrees with torchvision's, the substitute with the backbone it is cut from."""

import pytest
import torch
from torch import nn

from reidlib.models import create_model
from reidlib.models.perceptual import downscaled
from reidlib.vision import torchvision

RELU_1 = (1, 6, 11, 20, 29)  # of each block, in torchvision's `features`


def test_vgg19_with_torchvision_s_weights_gives_torchvision_s_maps(tmp_path):
    layers = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["E"])[:30]
    torch.save({f"features.{name}": value for name, value in layers.state_dict().items()}, tmp_path / "vgg.pth")
    network = create_model("perceptual", network="vgg19", weights=tmp_path / "vgg.pth").for_retrieval()
    image = torch.rand(1, 3, 32, 16)
    expected, x = [], network.normalize(image)
    with torch.no_grad():
        for number, layer in enumerate(layers):
            x = (nn.ReLU() if isinstance(layer, nn.ReLU) else layer)(x)
            if number in RELU_1:
                expected.append(x)
        found = network.maps(image)
    assert [tuple(m.shape[1:]) for m in found] == [(64, 32, 16), (128, 16, 8), (256, 8, 4), (512, 4, 2), (512, 2, 1)]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_another_file_is_refused_with_the_way_out(tmp_path):
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="no VGG-19 weights from .*other.pth.*put https.*without VGG-19"):
        create_model("perceptual", network="vgg19", weights=tmp_path / "other.pth")
    with pytest.raises(ValueError, match="network='vgg': expected one of"):
        create_model("perceptual", network="vgg")


def test_the_substitute_is_the_start_of_a_residual_network():
    network = create_model("perceptual", scale="mini").eval()
    maps = network.maps(torch.rand(2, 3, 64, 32))
    assert [tuple(m.shape[1:]) for m in maps] == [(16, 32, 16), (16, 32, 16), (32, 16, 8), (64, 8, 4)]


def test_downscaling_averages():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    assert downscaled(image, (2, 2)).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert downscaled(image, (4, 4)) is image
