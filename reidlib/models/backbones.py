"""Residual networks that turn images into feature maps, with the options that re-identification needs.

Layer by layer torchvision's `resnet18` and `resnet50` (He et al., "Deep Residual Learning for Image
Recognition", CVPR 2016; the stride of a bottleneck in its 3×3 convolution), with the same parameter names,
so that their ImageNet weights load. Added: a stride of 1 in the last stage, non-local blocks, other widths,
a stem for small images.
"""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.layers import NonLocalBlock
from reidlib.models.pretrained import NAMES, load_weights


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut; (N, inputs, H, W) -> (N, width, H/stride, W/stride)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _projection(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x), inplace=True)


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 convolutions and a shortcut; (N, inputs, H, W) -> (N, 4 width, H/stride, W/stride)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _projection(inputs, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x), inplace=True)


def _projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    """The shortcut: identity where the shapes agree, otherwise a strided 1×1 convolution."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """Stem and four stages: images (N, 3, H, W) -> maps (N, channels, H/s, W/s).

    block: `BasicBlock` or `Bottleneck`. blocks, widths: a number for each stage. last_stride: of the fourth
    stage; 2 as published (s = 32), 1 for a map of twice the height and width (s = 16). non_local: how many
    blocks at the end of each stage are followed by a non-local block. inserted: builds that block for a number
    of channels. stem: "imagenet" (7×7 convolution of stride 2, then maximum pooling of stride 2) or "small"
    (3×3 convolution of stride 2, so s is halved).
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        blocks: Sequence[int],
        widths: Sequence[int] = (64, 128, 256, 512),
        *,
        last_stride: int = 2,
        non_local: Sequence[int] = (0, 0, 0, 0),
        inserted: Callable[[int], nn.Module] = NonLocalBlock,
        stem: str = "imagenet",
    ):
        super().__init__()
        if stem not in ("imagenet", "small"):
            raise ValueError(f'stem={stem!r}: expected "imagenet" or "small"')
        inputs = widths[0]
        kernel = 7 if stem == "imagenet" else 3
        self.conv1 = nn.Conv2d(3, inputs, kernel, stride=2, padding=kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem == "imagenet" else nn.Identity()
        self.non_local = nn.ModuleDict()
        for stage, stride in enumerate((1, 2, 2, last_stride)):
            layers = []
            for i in range(blocks[stage]):
                layers.append(block(inputs, widths[stage], stride if i == 0 else 1))
                inputs = widths[stage] * block.expansion
                if i >= blocks[stage] - non_local[stage]:
                    self.non_local[f"layer{stage + 1}_{i}"] = inserted(inputs)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.channels = inputs
        _initialised(self)

    def forward(self, images: Tensor, time: int = 1) -> Tensor:
        """images: (N, 3, H, W) -> (N, channels, H/s, W/s). time: how many images in a row are a clip, over whose
        positions together, as maps (N/time, C, time, h·w), the inserted blocks work.
        """
        x = self.stem(images)
        for stage in ("layer1", "layer2", "layer3", "layer4"):
            for i, block in enumerate(getattr(self, stage)):
                x = block(x)
                if (name := f"{stage}_{i}") in self.non_local:
                    clips = x.unflatten(0, (-1, time)).transpose(1, 2)  # (N/time, C, time, h, w)
                    y = self.non_local[name](clips.flatten(3))
                    x = y.unflatten(3, clips.shape[3:]).transpose(1, 2).flatten(0, 1)
        return x

    def stem(self, images: Tensor) -> Tensor:
        """What comes before the stages: (N, 3, H, W) -> (N, widths[0], H/4, W/4), or H/2 × W/2 with the small stem."""
        x = images.contiguous(memory_format=torch.channels_last)
        return self.maxpool(F.relu(self.bn1(self.conv1(x)), inplace=True))


def resnet18(**options) -> ResNet:
    """ResNet-18: 512 channels, 11.2 M parameters. Options as in `ResNet`."""
    return ResNet(BasicBlock, (2, 2, 2, 2), **options)


def resnet50(**options) -> ResNet:
    """ResNet-50: 2048 channels, 23.5 M parameters. Options as in `ResNet`."""
    return ResNet(Bottleneck, (3, 4, 6, 3), **options)


def scaled_resnet(
    scale: str,
    weights: str | Path | None = None,
    *,
    non_local: bool = False,
    inserted: Callable[[int], nn.Module] = NonLocalBlock,
) -> ResNet:
    """The residual network that the systems here share, with a last stride of 1.

    scale: "paper" is ResNet-50 (256×128 images give maps of 2048×16×8); "mini" has one basic block of 16, 32,
    64 and 128 channels a stage, and 64×32 images give maps of 128×8×4. weights: None (random); at paper scale
    "imagenet", or a file, as in `load_imagenet_weights`; at mini scale one of `reidlib.models.pretrained.NAMES`.
    non_local: insert blocks where AGW has them, after the last 2 blocks of stage 2 and the last 3 of stage 3, at mini
    scale after stage 3; `inserted` builds them, and no weights are theirs. ValueError for other weights at mini scale,
    FileNotFoundError where those of the package have not been trained.
    """
    if scale == "paper":
        network = resnet50(last_stride=1, non_local=(0, 2, 3, 0) if non_local else (0, 0, 0, 0), inserted=inserted)
        if weights is not None:
            load_imagenet_weights(network, weights, "resnet50")
        return network
    if weights is not None and weights not in NAMES:
        raise ValueError(
            f'weights={str(weights)!r} fit scale="paper" only; at mini scale, expected {" or ".join(NAMES)} or None'
        )
    network = ResNet(
        BasicBlock,
        (1, 1, 1, 1),
        (16, 32, 64, 128),
        last_stride=1,
        non_local=(0, 0, 1, 0) if non_local else (0, 0, 0, 0),
        inserted=inserted,
        stem="small",
    )
    if weights is not None:
        load_weights(network, weights)
    return network


def without_last_stage(network: ResNet) -> nn.Sequential:
    """Take the fourth stage off a network, which then gives the maps of its third; what is taken off is returned."""
    stage, network.layer4 = network.layer4, nn.Sequential()
    network.channels = stage[0].conv1.in_channels
    return stage


def like_stage(stage: nn.Sequential, outputs: int) -> nn.Sequential:
    """A new stage of a residual network with the blocks and inputs of another, a stride of 1 and `outputs` channels:
    maps (N, inputs, H, W) -> (N, outputs, H, W)."""
    block, inputs = type(stage[0]), stage[0].conv1.in_channels
    blocks = [block(outputs if i else inputs, outputs // block.expansion, stride=1) for i in range(len(stage))]
    return _initialised(nn.Sequential(*blocks))


def _initialised(network: nn.Module) -> nn.Module:
    """The network with new weights of its convolutions, in the faster layout, above all in bfloat16 on a CPU."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network.to(memory_format=torch.channels_last)


def load_imagenet_weights(network: ResNet, weights: str | Path, name: str) -> None:
    """Fill a residual network with ImageNet weights; its non-local blocks, which have none, stay as they are.

    weights: "imagenet" (torchvision's `IMAGENET1K_V1` weights of the network called `name`, downloaded once
    into torch's hub folder), or a file with the state dict of such a network. Raises ValueError naming the
    source if it cannot be had, cannot be read, or belongs to another network.
    """
    if weights == "imagenet":
        from reidlib.vision import torchvision

        source = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"].url
        way_out = f'download {source} elsewhere and pass its path as weights="…", or to `reproduce` as --weights FILE'
    else:
        source, way_out = str(weights), f"pass torchvision's {name} weights (.pth), to `reproduce` as --weights FILE"
    try:
        if weights == "imagenet":
            state = torch.hub.load_state_dict_from_url(source, map_location="cpu", progress=True, weights_only=True)
        else:
            state = torch.load(source, map_location="cpu", weights_only=True)
        state = {key: value for key, value in state.items() if not key.startswith("fc.")}
        added = {key: value for key, value in network.state_dict().items() if key.startswith("non_local.")}
        network.load_state_dict(state | added)
    except Exception as error:  # the network, the file system, unpickling and key matching fail in many ways
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", 300)
        raise ValueError(f"no ImageNet weights from {source} ({reason}); {way_out}") from error
