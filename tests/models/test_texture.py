"""The texture autoencoder and its discriminator."""

import pytest
import torch
from torch import nn

from reidlib.models import create_model
from reidlib.models.texture import Discriminator, discriminator_loss


@pytest.mark.parametrize(
    ("scale", "size", "map_"), [("paper", (256, 128), (512, 16, 8)), ("mini", (64, 32), (96, 8, 4))]
)
def test_textures_have_the_backbone_s_size_and_images_come_back(scale, size, map_):
    with torch.device("meta"):
        network = create_model("tae", scale=scale).eval()
        images = torch.empty(2, 3, *size)
        assert network.encoder(images).shape == (2, *map_)
        assert network(frames=images[:, None]).visuals["reconstruction"].shape == (2, 1, 3, *size)
        assert Discriminator(scale)(images).shape == (2,)


def test_the_decoder_has_four_blocks_and_no_relu_in_the_last():
    layers = [type(layer) for layer in create_model("tae", scale="mini").decoder]
    block = [nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU]
    assert layers == [*block * 3, *block[:2], nn.Sigmoid]


def test_the_discriminator_s_loss_by_hand_and_without_a_gradient_to_who_made_the_images():
    def linear(images):
        return images.flatten(1).sum(1)

    real, made = torch.full((2, 3, 1, 1), 0.5), torch.full((2, 3, 1, 1), 0.25, requires_grad=True)
    loss = discriminator_loss(linear, real, made)
    by_hand = -torch.sigmoid(torch.tensor(1.5)).log() - (1 - torch.sigmoid(torch.tensor(0.75))).log()
    torch.testing.assert_close(loss, by_hand)
    assert not loss.requires_grad


def test_weights_are_for_paper_scale():
    with pytest.raises(ValueError, match="weights='imagenet' fit scale=\"paper\" only"):
        create_model("tae", scale="mini", weights="imagenet")
