"""TAE, AMEM's texture autoencoder, and the discriminator that it is trained against.

Li, Yu, Hu, "Appearance and Motion Enhancement for Video-Based Person Re-Identification" (AAAI 2020), Figure 3; the
discriminator after Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks" (ICLR 2016).
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.backbones import BasicBlock, ResNet, load_imagenet_weights, resnet18
from reidlib.models.layers import NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

DECODER = {"paper": (256, 128, 64, 3), "mini": (48, 32, 16, 3)}  # channels after each block
STRIDES = {"paper": (2, 2, 2, 2), "mini": (1, 2, 2, 2)}  # together the stride of the encoder


class TextureAutoEncoder(Network):
    """Images of people -> texture maps, and the images that are made of these again.

    The encoder is ResNet-18 with a last stride of 1, so that 256×128 gives f_tex of 512×16×8: the paper's C×H×W with C
    of the backbone, 1024, is none of its stages. scale: "paper" or "mini" (one block of 16, 32, 64 and 96
    channels a stage, f_tex of 96×8×4 for 64×32; the first block of the decoder has stride 1). weights: at paper scale
    "imagenet" or a file, as in `load_imagenet_weights`; None for random ones. num_ids is not used. ValueError for
    weights at mini scale.
    """

    def __init__(self, *, num_ids: int = 1, scale: str = "paper", weights: str | Path | None = None):
        super().__init__()
        if scale == "paper":
            encoder = resnet18(last_stride=1)
            if weights is not None:
                load_imagenet_weights(encoder, weights, "resnet18")
        else:
            if weights is not None:
                raise ValueError(f'weights={str(weights)!r} fit scale="paper" only; leave them out')
            encoder = ResNet(BasicBlock, (1, 1, 1, 1), (16, 32, 64, 96), last_stride=1, stem="small")
        self.encoder = nn.Sequential(NormalizeFrames(), encoder)
        self.channels = encoder.channels
        self.decoder = Decoder(encoder.channels, DECODER[scale], STRIDES[scale])

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1], each by itself.

        embedding: the average of the texture maps (B, C). visuals: {"reconstruction": (B, T, 3, H, W) in [0, 1]}.
        """
        textures = self.encoder(frames.flatten(0, 1))
        images = self.decoder(textures).unflatten(0, frames.shape[:2])
        embedding = textures.unflatten(0, frames.shape[:2]).mean((1, 3, 4), dtype=torch.float32)
        return ModelOutput(embedding, visuals={"reconstruction": images})


class Decoder(nn.Sequential):
    """Four 3×3 transposed convolutions, each with batch normalisation, all but the last with ReLU; then a sigmoid.

    Texture maps (N, inputs, h, w) -> images (N, 3, H, W) in [0, 1].
    """

    def __init__(self, inputs: int, channels: tuple[int, ...], strides: tuple[int, ...]):
        layers: list[nn.Module] = []
        for i, (outputs, stride) in enumerate(zip(channels, strides)):
            layers.append(
                nn.ConvTranspose2d(inputs, outputs, 3, stride, padding=1, output_padding=stride - 1, bias=False)
            )
            layers.append(nn.BatchNorm2d(outputs))
            if i < len(channels) - 1:
                layers.append(nn.ReLU(inplace=True))
            inputs = outputs
        super().__init__(*layers, nn.Sigmoid())


class Discriminator(nn.Module):
    """DCGAN's: four 4×4 convolutions of stride 2 with LeakyReLU, batch normalisation after all but the first, and one
    that covers what is left.

    Images (N, 3, H, W) in [0, 1] -> logits (N,), above 0 for real ones. scale: "paper" (256×128, 64 channels at first)
    or "mini" (64×32, 16 channels).
    """

    def __init__(self, scale: str = "paper"):
        super().__init__()
        width, last = (64, (16, 8)) if scale == "paper" else (16, (4, 2))
        layers: list[nn.Module] = []
        inputs = 3
        for i in range(4):
            layers.append(nn.Conv2d(inputs, width, 4, stride=2, padding=1, bias=i == 0))
            if i:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            inputs, width = width, 2 * width
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, 1, last, bias=False))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(2 * images - 1).flatten()


def discriminator_loss(discriminator: nn.Module, real: Tensor, made: Tensor) -> Tensor:
    """The negative of Equation 4's and 5's adversarial term, which the discriminator maximises: the mean over images of
    -log D(real) - log(1 - D(made)), in float32. Images (N, 3, H, W); there is no gradient to those that were made.
    """
    scores = discriminator(real).float(), discriminator(made.detach()).float()
    return F.softplus(-scores[0]).mean() + F.softplus(scores[1]).mean()
