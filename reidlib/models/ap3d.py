"""AP3D: convolutions over time for which the frames beside each frame are first put together anew to look like it.

Gu, Chang, Ma, Zhang, Chen, "Appearance-Preserving 3D Convolution for Video-based Person Re-identification" (ECCV 2020).
Layers and places are those of the authors' code, of the kind "P3D-C": a 3×3 convolution over space, to whose result a
convolution over three frames of it is added. Here with the baseline's losses, and with the average over positions where
that code takes the maximum.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.backbones import BasicBlock, Bottleneck, scaled_resnet
from reidlib.models.layers import BNNeck, NormalizeFrames, activation
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

SCALE = 4  # s, by which cosines are multiplied before their softmax
REDUCTION, NARROWEST = 16, 8  # channels are compared in a sixteenth of them, at paper scale in 8 and in 16


class AP3D(Network):
    """Clips of T frames, one or more -> one feature a clip, which depends on the frames' order.

    Every second block of the second and of the third stage looks at the frames before and after, from the first on:
    five of ResNet-50's sixteen, at mini scale one of each of these stages. A new network answers as the residual
    network alone does. num_ids: number of training identities, the classes of the classifier. scale, weights: of the
    residual network, as in `scaled_resnet`; the feature has as many channels as its maps.
    """

    training_only = ("classifier",)

    def __init__(self, *, num_ids: int, scale: str = "paper", weights: str | Path | None = None):
        super().__init__()
        self.backbone = scaled_resnet(scale, weights)
        for stage in (self.backbone.layer2, self.backbone.layer3):
            for i in range(0, len(stage), 2):
                stage[i] = TemporalBlock(stage[i])
        self.normalize = NormalizeFrames()
        self.neck = BNNeck(self.backbone.channels)
        self.classifier = nn.Linear(self.backbone.channels, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1].

        embedding: the feature after the neck (B, D). features: {"global": the one before it, the average over positions
        and frames}. logits: {"global": (B, num_ids)}, empty once `for_retrieval` has dropped the classifier. visuals:
        {"mask": how strongly the maps answer, (B, T, 1, h, w) in [0, 1]}.
        """
        shape, backbone = frames.shape[:2], self.backbone
        maps = backbone.stem(self.normalize(frames.flatten(0, 1)))
        for block in (*backbone.layer1, *backbone.layer2, *backbone.layer3, *backbone.layer4):
            maps = block(maps, shape[1]) if isinstance(block, TemporalBlock) else block(maps)
        feature = maps.unflatten(0, shape).mean((1, 3, 4), dtype=torch.float32)
        embedding = self.neck(feature)
        logits = {} if self.classifier is None else {"global": self.classifier(embedding)}
        mask = activation(maps.detach()).unflatten(0, shape)
        return ModelOutput(embedding, {"global": feature}, logits, {"mask": mask})


class TemporalBlock(nn.Module):
    """A block of a residual network, with its weights, whose 3×3 convolution, of two the first, is followed by one over
    time, before the batch normalisation."""

    def __init__(self, block: BasicBlock | Bottleneck):
        super().__init__()
        self.block, self.deep = block, isinstance(block, Bottleneck)
        self.time = AppearancePreserving((block.conv2 if self.deep else block.conv1).out_channels)

    def forward(self, x: Tensor, time: int) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H/stride, W/stride); time: how many images in a row are a clip."""
        block = self.block
        if self.deep:
            y = F.relu(block.bn1(block.conv1(x)), inplace=True)
            y = F.relu(block.bn2(self.time(block.conv2(y), time)), inplace=True)
            y = block.bn3(block.conv3(y))
        else:
            y = F.relu(block.bn1(self.time(block.conv1(x), time)), inplace=True)
            y = block.bn2(block.conv2(y))
        return F.relu(y + block.downsample(x), inplace=True)


class AppearancePreserving(nn.Module):
    """x + a 3×1×1 convolution of x, which sees the frames before and after as `reassembled` for the frame in the middle
    and masked. It starts at zero.

    The mask, contrastive attention, says where what was put together belongs to what is in the middle; its layers learn
    without changing the maps that they look at. Beyond a clip's ends all is zero.
    """

    def __init__(self, channels: int):
        super().__init__()
        inner = max(channels // REDUCTION, NARROWEST)
        self.semantics, self.middle, self.beside = (nn.Conv2d(channels, inner, 1, bias=False) for _ in range(3))
        self.agreement = nn.Conv2d(inner, 1, 1, bias=False)
        self.conv = nn.Conv2d(3 * channels, channels, 1, bias=False)  # of the frames before, in the middle and after
        nn.init.zeros_(self.conv.weight)

    def forward(self, x: Tensor, time: int) -> Tensor:
        """Maps (N, C, h, w) of clips of `time` frames in a row -> (N, C, h, w)."""
        clips = x.unflatten(0, (-1, time))
        semantics = F.normalize(self.semantics(x), dim=1).unflatten(0, (-1, time))
        before, after = (
            self._masked(reassembled(semantics, shifted(semantics, step), shifted(clips, step)).flatten(0, 1), x)
            for step in (-1, 1)
        )
        return x + self.conv(torch.cat([before, x, after], dim=1))

    def _masked(self, aligned: Tensor, x: Tensor) -> Tensor:
        common = self.middle(x.detach()) * self.beside(aligned.detach())
        return aligned * torch.sigmoid(self.agreement(common))


def shifted(clips: Tensor, step: int) -> Tensor:
    """For each frame the one that comes `step`, -1 or 1, after it, zero where there is none; (B, T, C, h, w) -> the
    same."""
    none = torch.zeros_like(clips[:, :1])
    return torch.cat([none, clips[:, :-1]] if step < 0 else [clips[:, 1:], none], dim=1)


def reassembled(middle: Tensor, beside: Tensor, maps: Tensor) -> Tensor:
    """Each position of a frame's maps as an average over the positions of the frame beside it, weighted by the softmax
    of `SCALE` times how alike they are.

    middle, beside: what positions of either frame mean (B, T, E, h, w), of length 1 over E, compared by cosine. maps:
    of the frame beside (B, T, C, h, w) -> (B, T, C, h, w). Where things are in the frame beside does not matter.
    """
    weights = (SCALE * middle.flatten(3).mT @ beside.flatten(3)).softmax(3)  # (B, T, positions, positions beside)
    return (weights @ maps.flatten(3).mT).mT.unflatten(3, maps.shape[3:])
