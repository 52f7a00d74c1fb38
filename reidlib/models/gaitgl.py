"""GaitGL: convolutions over space and time, of the whole body and of its horizontal parts.

Lin, Zhang, Yu, "Gait Recognition via Effective Global-Local Feature Representation and Local Temporal Aggregation"
(ICCV 2021; arXiv:2011.01461), with the settings of its public releases. `reidlib.models.gaitmask` shares all but the
layers.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.gaitset import SeparateLinear
from reidlib.models.layers import GeM
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput


class Layout(NamedTuple):
    """widths: channels of the first convolution, then of each global and local layer. parts: into how many horizontal
    parts the local branch cuts the maps. classifies: normalises the strips and has a classifier for each.
    """

    widths: tuple[int, ...]
    parts: int
    classifies: bool


LAYOUTS = {
    "oumvlp": Layout((32, 64, 128, 128, 256, 256), parts=2, classifies=False),
    "casia_b": Layout((32, 64, 128, 128), parts=8, classifies=True),
}
MINI_NARROWER, MINI_WIDEST = 4, 32  # by which widths are divided at scale "mini", and what they are at most
STRIPS = {"paper": 64, "mini": 32}  # rows of the last maps, of which each becomes a feature


class GaitGL(Network):
    """Walks of S silhouettes, in order -> P horizontal strips with a feature each.

    num_ids: number of training identities, the classes of each strip's classifier, where there is one.
    layout: "oumvlp" is the release for OU-MVLP and CASIA-E, whose widths and settings are those of GaitMask's Table 1
    (10,944,353 parameters at scale "paper"); "casia_b" the standard network for CASIA-B (3,096,673 for 74 identities).
    scale: "paper" for silhouettes of 64×44 (P = 64 strips) or "mini" for 32×22 (P = 32), a quarter as wide, but with 32
    channels at most: layers of 64 would take two thirds of the time, and GaitMask has none.
    """

    inputs = ("silhouettes",)
    training_only = ("classifier",)

    def __init__(self, *, num_ids: int, layout: str = "oumvlp", scale: str = "paper"):
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"layout={layout!r}: expected one of {', '.join(LAYOUTS)}")
        widths, parts, classifies = LAYOUTS[layout]
        widths = scaled_widths(widths, scale)
        self.trunk = WalkTrunk(widths, lambda *channels, join: GlobalLocalConv(*channels, parts=parts, join=join))
        self.head = StripHead(STRIPS[scale], widths[-1])
        self.norm = nn.BatchNorm1d(widths[-1]) if classifies else None
        self.classifier = SeparateLinear(STRIPS[scale], widths[-1], num_ids) if classifies else None

    def forward(self, silhouettes: Tensor) -> ModelOutput:
        """silhouettes: (B, S, h, w) of 0 and 1, of any type, S consecutive frames.

        features: {"strips": (B, P, d)}, normalised in the layout that classifies. logits: {"strips": (B, P, num_ids)}
        there, until `for_retrieval` has dropped the classifiers. embedding: the strips joined, (B, P·d). ValueError if
        the silhouettes are not as high as there are strips.
        """
        strips = self.head(self.trunk(silhouettes))
        if self.norm is not None:
            strips = self.norm(strips.mT).mT
        logits = {} if self.classifier is None else {"strips": self.classifier(strips)}
        return ModelOutput(strips.flatten(1), {"strips": strips}, logits)


class GlobalLocalConv(nn.Module):
    """The global and local convolutional layer (GLCL, section 3.3): one 3×3×3 convolution of the whole maps, another of
    each of their horizontal parts, which share it, both followed by leaky ReLU.

    join: "add" (GLCL-A) adds the two, "stack" (GLCL-B) puts the parts' maps below the others.
    """

    def __init__(self, inputs: int, outputs: int, *, parts: int, join: str):
        super().__init__()
        self.parts, self.join = parts, join
        self.whole = conv3d(inputs, outputs)
        self.part = conv3d(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, inputs, T, h, w) -> (B, outputs, T, h, w), or 2h rows for "stack"."""
        parts = torch.cat([self.part(part) for part in x.chunk(self.parts, dim=3)], dim=3)
        return join(F.leaky_relu(self.whole(x)), F.leaky_relu(parts), self.join)


class WalkTrunk(nn.Module):
    """From silhouettes to maps of the walk: a 3×3×3 convolution, local temporal aggregation (LTA, section 3.2: a
    convolution of three frames with stride three), then the layers, the first of which is followed by 2×2 max pooling;
    at last, the maximum over time.

    widths: channels of the first convolution and of each layer. layer: builds one from its numbers of input and output
    channels and `join`. last: what that is for the last layer; with "stack", branches' maps are stacked. earlier: what
    it is for all others.
    """

    def __init__(
        self, widths: Sequence[int], layer: Callable[..., nn.Module], last: str = "stack", earlier: str = "add"
    ):
        super().__init__()
        self.first = conv3d(1, widths[0])
        self.aggregation = nn.Conv3d(widths[0], widths[0], (3, 1, 1), stride=(3, 1, 1), bias=False)
        joins = [earlier] * (len(widths) - 2) + [last]
        self.layers = nn.ModuleList(layer(*channels, join=join) for channels, join in zip(pairwise(widths), joins))
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.xavier_uniform_(module.weight)
        self.to(memory_format=torch.channels_last_3d)  # the faster layout, above all in bfloat16 on a CPU

    def forward(self, silhouettes: Tensor) -> Tensor:
        """silhouettes (B, S, h, w) -> maps (B, C, h, w//2), half as high after pooling and twice after stacking;
        without stacking (B, C, h//2, w//2).

        Fewer than three silhouettes are repeated until there are three."""
        x = silhouettes.float()
        if x.shape[1] < 3:
            x = x.repeat(1, 3, 1, 1)[:, :3]
        x = F.leaky_relu(convolve_silhouettes(x, self.first.weight))
        x = F.leaky_relu(self.aggregation(x))
        for number, layer in enumerate(self.layers):
            x = layer(x)
            if number == 0:
                x = F.max_pool3d(x, (1, 2, 2))
        return x.amax(2)


class StripHead(nn.Module):
    """Generalised-mean pooling of each row of the maps, p = 6.5 at the start, and a linear layer for each."""

    def __init__(self, strips: int, channels: int):
        super().__init__()
        self.pooling = GeM(p=6.5)
        self.linear = SeparateLinear(strips, channels, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (B, C, P, w) -> strips (B, P, C). ValueError if the maps do not have P rows."""
        strips = len(self.linear.weight)
        if maps.shape[2] != strips:
            raise ValueError(
                f"maps of {maps.shape[2]} rows give as many strips, expected {strips}; give silhouettes of 64×44 at "
                "scale paper, 32×22 at scale mini"
            )
        rows = maps.transpose(1, 2).flatten(0, 1)[..., None]  # (B·P, C, w, 1)
        return self.linear(self.pooling(rows).unflatten(0, (-1, strips)))


def convolve_silhouettes(silhouettes: Tensor, weight: Tensor) -> Tensor:
    """The 3×3×3 convolution of a single channel, as a 3×3 one of three channels, each silhouette and those before and
    after it: the same numbers in half the time on a CPU.

    silhouettes (B, S, h, w), weight (C, 1, 3, 3, 3), as of `conv3d` -> maps (B, C, S, h, w), channels last in memory.
    """
    threes = F.pad(silhouettes, (0, 0, 0, 0, 1, 1)).unfold(1, 3, 1).flatten(0, 1)  # (B·S, h, w, 3)
    maps = F.conv2d(threes.permute(0, 3, 1, 2), weight[:, 0], padding=1)
    return maps.unflatten(0, silhouettes.shape[:2]).transpose(1, 2)


def scaled_widths(widths: Sequence[int], scale: str) -> list[int]:
    """Channels at a scale, "paper" or "mini", of layers that have `widths` at paper scale."""
    return list(widths) if scale == "paper" else [min(width // MINI_NARROWER, MINI_WIDEST) for width in widths]


def conv3d(inputs: int, outputs: int) -> nn.Conv3d:
    """A 3×3×3 convolution that keeps the size."""
    return nn.Conv3d(inputs, outputs, 3, padding=1, bias=False)


def join(first: Tensor, second: Tensor, how: str) -> Tensor:
    """Two branches' maps (B, C, T, h, w): their sum for "add", the second below the first for "stack"."""
    return torch.cat([first, second], dim=3) if how == "stack" else first + second
