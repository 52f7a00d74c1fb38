"""Residual networks over space and time: R3D, whose convolutions are 3-D, and P3D, whose are split into both.

Hara, Kataoka, Satoh, "Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?" (CVPR 2018); Qiu, Yao,
Mei, "Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks" (ICCV 2017). Layers are named as in the
2-D networks of `reidlib.models.backbones`, whose weights they can start from.

What is changed for AMEM (Li et al., AAAI 2020), which gives neither depth nor layout: both have 50 layers; time is
halved once, by the pooling after the stem, which is not padded over time (8 frames become 3), instead of by every
stage; the last stage has no stride (16×8 of 256×128); a 1×1×1 convolution brings 2048 channels to 1024.
"""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet

ADDED = ("temporal", "reduce")  # what inflated networks do not have


class Temporal(nn.Module):
    """A convolution over three frames, batch normalisation and ReLU; (B, C, T, H, W), not negative -> the same.

    serial: it starts as the identity; otherwise as zero, to be added to something.
    """

    def __init__(self, channels: int, serial: bool):
        super().__init__()
        self.conv = nn.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.bn = nn.BatchNorm3d(channels)
        self.serial = serial

    def start(self) -> None:
        """Set the weights to the identity or to zero."""
        if self.serial:
            nn.init.dirac_(self.conv.weight)
        else:
            nn.init.zeros_(self.bn.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Block3D(nn.Module):
    """A residual block, (B, inputs, T, H, W) -> (B, outputs, T, H/stride, W/stride).

    deep: convolutions of 1, 3 and 1, the outputs being 4 width; otherwise two of 3, the outputs being width. kind: ""
    for R3D; for P3D, whose convolutions are over space alone, how time follows the first of 3 (S, T for space, time):
    "A" is T(S(x)), "B" S(x) + T(x), "C" S(x) + T(S(x)). A strided "B" is "C", for its x has another shape.
    """

    def __init__(self, inputs: int, width: int, stride: int, *, deep: bool, kind: str):
        super().__init__()
        outputs = 4 * width if deep else width

        def conv(a: int, b: int, kernel: int, stride: int = 1) -> nn.Conv3d:
            sizes = (1 if kind else kernel, kernel, kernel)
            padding = tuple(size // 2 for size in sizes)
            return nn.Conv3d(a, b, sizes, (1, stride, stride), padding, bias=False)

        self.deep, self.kind = deep, kind
        self.conv1, self.bn1 = conv(inputs, width, 1 if deep else 3, 1 if deep else stride), nn.BatchNorm3d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride if deep else 1), nn.BatchNorm3d(width)
        if deep:
            self.conv3, self.bn3 = conv(width, outputs, 1), nn.BatchNorm3d(outputs)
        self.temporal = Temporal(width, serial=kind == "A") if kind else None
        self.downsample = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm3d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        if self.deep:
            y = self._with_time(y, F.relu(self.bn2(self.conv2(y))))
            y = self.bn3(self.conv3(y))
        else:
            y = self.bn2(self.conv2(self._with_time(x, y)))
        return F.relu(y + self.downsample(x))

    def _with_time(self, x: Tensor, spatial: Tensor) -> Tensor:
        if self.temporal is None:
            return spatial
        if self.kind == "A":
            return self.temporal(spatial)
        return spatial + self.temporal(x if self.kind == "B" and x.shape == spatial.shape else spatial)


class ResNet3D(nn.Module):
    """Clips (B, 3, T, H, W) -> maps (B, channels, T', H/16, W/16), T' = 3 for T = 8; H/8 × W/8 with the small stem.

    blocks, widths: a number for each stage. deep: as in `Block3D`. pseudo: P3D, whose blocks are of kinds A, B and C in
    turns. channels: what a last convolution brings the maps to, None for none. stem: "imagenet" or "small", as in
    `reidlib.models.backbones.ResNet`.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        widths: Sequence[int],
        *,
        deep: bool,
        pseudo: bool,
        channels: int | None = None,
        stem: str = "imagenet",
    ):
        super().__init__()
        inputs, size = widths[0], 7 if stem == "imagenet" else 3
        time = 1 if pseudo else size
        self.stem = stem
        self.conv1 = nn.Conv3d(
            3, inputs, (time, size, size), (1, 2, 2), padding=(time // 2, size // 2, size // 2), bias=False
        )
        self.bn1 = nn.BatchNorm3d(inputs)
        kinds = cycle("ABC" if pseudo else ("",))
        for stage, stride in enumerate((1, 2, 2, 1)):
            layers = []
            for i in range(blocks[stage]):
                layers.append(Block3D(inputs, widths[stage], stride if i == 0 else 1, deep=deep, kind=next(kinds)))
                inputs = widths[stage] * (4 if deep else 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.reduce = None
        if channels is not None:
            self.reduce = nn.Sequential(
                nn.Conv3d(inputs, channels, 1, bias=False), nn.BatchNorm3d(channels), nn.ReLU(inplace=True)
            )
        self.channels = channels or inputs
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for module in self.modules():
            if isinstance(module, Temporal):
                module.start()
        self.to(memory_format=torch.channels_last_3d)

    def forward(self, clips: Tensor) -> Tensor:
        """Clips of any number of frames; those of fewer than three are pooled over time as far as they go."""
        x = F.relu(self.bn1(self.conv1(clips.contiguous(memory_format=torch.channels_last_3d))))
        time = min(3, x.shape[2])
        if self.stem == "imagenet":
            x = F.max_pool3d(x, (time, 3, 3), 2, (0, 1, 1))
        else:
            x = F.max_pool3d(x, (time, 1, 1), (2, 1, 1))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x if self.reduce is None else self.reduce(x)


def inflate(network: ResNet3D, state: Mapping[str, Tensor]) -> None:
    """Fill a 3-D network with the weights of one of the same layers, in 2-D or 3-D; other layers stay as they are.

    A 2-D kernel becomes the middle of a 3-D one that is zero elsewhere, so that the network starts by seeing each frame
    alone. RuntimeError for weights of other shapes or names.
    """
    own = network.state_dict()
    found = {}
    for key, value in state.items():
        wanted = own.get(key)
        if wanted is not None and wanted.dim() == 5 and value.dim() == 4:
            middle = torch.zeros((*value.shape[:2], wanted.shape[2], *value.shape[2:]), dtype=value.dtype)
            middle[:, :, wanted.shape[2] // 2] = value
            value = middle
        found[key] = value
    added = {key: value for key, value in own.items() if set(key.split(".")) & {*ADDED}}
    network.load_state_dict(added | found)


def scaled_resnet3d(scale: str, weights: str | Path | None = None, *, pseudo: bool) -> ResNet3D:
    """R3D, or P3D if `pseudo`.

    scale: "paper" (50 layers, maps of 1024 channels) or "mini" (the layers of `reidlib.models.backbones.scaled_resnet`,
    maps of 128 channels). weights: those of `scaled_resnet`, inflated; at paper scale also a file of a 3-D network's
    weights with the names of torchvision's ResNet-50, such as Hara's of Kinetics. ValueError naming the file if not.
    """
    if scale == "mini":
        network = ResNet3D((1, 1, 1, 1), (16, 32, 64, 128), deep=False, pseudo=pseudo, stem="small")
        if weights is not None:
            inflate(network, scaled_resnet("mini", weights).state_dict())
        return network
    network = ResNet3D((3, 4, 6, 3), (64, 128, 256, 512), deep=True, pseudo=pseudo, channels=1024)
    if weights == "imagenet":
        inflate(network, scaled_resnet("paper", weights).state_dict())
    elif weights is not None:
        _load_file(network, weights)
    return network


def _load_file(network: ResNet3D, path: str | Path) -> None:
    """Fill the network with the weights of a file, which may be wrapped as those of Hara's are."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {key.removeprefix("module."): value for key, value in state.get("state_dict", state).items()}
        inflate(network, {key: value for key, value in state.items() if not key.startswith("fc.")})
    except Exception as error:  # the file system, unpickling and key matching fail in many ways
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", 300)
        raise ValueError(
            f"no weights of a residual network of 50 layers from {path} ({reason}); pass a state dict with the names "
            "of torchvision's ResNet-50, in 2-D or 3-D (.pth)"
        ) from error
