"""Networks whose maps say how alike two images look: the features of a perceptual loss.

Johnson, Alahi, Li, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution" (ECCV 2016), section 3.2;
SS-HSP takes VGG-19. Its ImageNet weights (548 MB) are not part of this package: where they are not at hand, and at mini
scale, the stated substitute is the residual network that the systems start from, with the weights of that start.
"""

import textwrap
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

NETWORKS = ("resnet", "vgg19")
VGG_BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (1, 512))  # convolutions and channels, up to the ReLU "conv5_1"


class Perceptual(Network):
    """Images -> the maps of several depths.

    network: "resnet" (stem and first three stages of `scaled_resnet`) or "vgg19" (after the first ReLU of each of its
    five blocks, at any scale). weights: None (random); for "resnet" as in `scaled_resnet`; for "vgg19" a file with
    torchvision's state dict, or "vgg19", which downloads it once into torch's hub folder. num_ids: means nothing here.
    ValueError for another network, or weights that do not fit.
    """

    def __init__(
        self,
        *,
        scale: str = "paper",
        num_ids: int = 0,
        network: str = "resnet",
        weights: str | Path | None = None,
    ):
        super().__init__()
        if network not in NETWORKS:
            raise ValueError(f"network={network!r}: expected one of {NETWORKS}")
        self.normalize = NormalizeFrames()
        if network == "resnet":
            whole = scaled_resnet(scale, weights)
            stem = nn.Sequential(whole.conv1, whole.bn1, nn.ReLU(inplace=True))
            self.stages = nn.ModuleList([stem, nn.Sequential(whole.maxpool, whole.layer1), whole.layer2, whole.layer3])
        else:
            self.stages = _vgg19()
            if weights is not None:
                _load_vgg19(self.stages, weights)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Images (N, 3, H, W) in [0, 1] -> maps (N, C, h, w), one for each depth."""
        x, found = self.normalize(images), []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]. embedding: the average of the deepest maps, (B, C)."""
        last = self.maps(frames.flatten(0, 1))[-1].mean((2, 3))
        return ModelOutput(last.unflatten(0, frames.shape[:2]).mean(1))


def _vgg19() -> nn.ModuleList:
    """VGG-19 (Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015)
    cut after the first ReLU of each block."""
    stages, inputs, rest = [], 3, []
    for number, channels in VGG_BLOCKS:
        stages.append(nn.Sequential(*rest, nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU()))
        inputs, rest = channels, []
        for _ in range(number - 1):
            rest += [nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()]
        rest.append(nn.MaxPool2d(2))
    return nn.ModuleList(stages)


def _load_vgg19(stages: nn.ModuleList, weights: str | Path) -> None:
    """Fill the convolutions, in their order, with torchvision's `features.N`. ValueError naming the source if they
    cannot be had or are another network's."""
    from reidlib.vision import torchvision

    address = torchvision.models.get_model_weights("vgg19")["IMAGENET1K_V1"].url
    source = address if weights == "vgg19" else str(weights)
    try:
        if weights == "vgg19":
            state = torch.hub.load_state_dict_from_url(address, map_location="cpu", weights_only=True)
        else:
            state = torch.load(source, map_location="cpu", weights_only=True)
        numbers = sorted({int(key.split(".")[1]) for key in state if key.startswith("features.")})
        convolutions = [module for module in stages.modules() if isinstance(module, nn.Conv2d)]
        for number, convolution in zip(numbers, convolutions):
            convolution.load_state_dict({name: state[f"features.{number}.{name}"] for name in ("weight", "bias")})
        if len(numbers) < len(convolutions):
            raise ValueError(f"{len(numbers)} convolutions")
    except Exception as error:  # the network, the file system, unpickling and key matching fail in many ways
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", 300)
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise ValueError(
            f"no VGG-19 weights from {source} ({reason}); put {address} into {folder}, or take the "
            'stated substitute: the rows that say "without VGG-19"'
        ) from error


def downscaled(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (N, C, H, W) averaged to a smaller size whose sides divide theirs; as they are if it is theirs."""
    return images if images.shape[-2:] == size else F.adaptive_avg_pool2d(images, size)
