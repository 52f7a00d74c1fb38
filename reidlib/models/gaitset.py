"""GaitSet: a walk is a set of silhouettes, described strip by strip.

Chao, He, Zhang, Feng, "GaitSet: Regarding Gait as a Set for Cross-View Gait Recognition" (AAAI 2019; TPAMI 2022), with
the settings of its released code. Trained with the batch-all triplet loss of every strip.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.network import Network
from reidlib.models.order_statistics import set_max
from reidlib.models.output import ModelOutput


class GaitSet(Network):
    """Sets of S silhouettes -> P strips with a feature each, whatever the order of the silhouettes.

    scale: "paper" has convolutions of 32, 64 and 128 channels and a pyramid of 16, 8, 4, 2 and 1 strips on each of the
    two pipelines: P = 62, of 256 channels, from silhouettes of 64×44 (2,594,592 parameters). "mini" is half as wide,
    for silhouettes of 32×22, whose maps are 8 rows high: 8, 4, 2 and 1 strips, P = 30, of 64 channels.
    num_ids is not used: no loss classifies.
    """

    inputs = ("silhouettes",)

    def __init__(self, *, scale: str = "paper", num_ids: int = 0):
        super().__init__()
        self.bins = (16, 8, 4, 2, 1) if scale == "paper" else (8, 4, 2, 1)
        self.trunk = SetTrunk(WIDTHS[scale], MaxSetPooling)
        self.strips = SeparateLinear(2 * sum(self.bins), WIDTHS[scale][-1], HIDDEN[scale])

    def forward(self, silhouettes: Tensor) -> ModelOutput:
        """silhouettes: (B, S, h, w) of 0 and 1, of any type.

        features: {"strips": (B, P, d)}, those of the main pipeline first. embedding: the same joined, (B, P·d).
        ValueError if the strips do not divide the maps, whose height is a quarter of the silhouettes'.
        """
        rows = silhouettes.shape[2] // 4
        if rows % self.bins[0]:
            raise ValueError(
                f"silhouettes {tuple(silhouettes.shape)} give maps of {rows} rows, which {self.bins[0]} strips do not "
                "divide; give 64×44 at scale paper, 32×22 at scale mini"
            )
        pooled = [pyramid_pooling(maps, self.bins) for maps in self.trunk(silhouettes)]
        strips = self.strips(torch.cat(pooled, dim=1))
        return ModelOutput(strips.flatten(1), {"strips": strips})


WIDTHS = {"paper": (32, 64, 128), "mini": (16, 32, 64)}  # channels of the three pairs of convolutions
HIDDEN = {"paper": 256, "mini": 64}  # channels of the features at the end


class SetTrunk(nn.Module):
    """GaitSet up to its maps of the set (section 3.1 to 3.4): a main pipeline of three pairs of convolutions on every
    silhouette, and the multilayer global pipeline (MGP) of two pairs, which works on the set and takes in what the main
    pipeline knows of the set after each of its pairs.

    widths: channels of the three pairs. set_pooling: builds, for a number of channels, a module that turns the maps of
    K frames (B, S, C, h, w) into the set's (B, C, h, w).
    """

    def __init__(self, widths: Sequence[int], set_pooling: Callable[[int], nn.Module]):
        super().__init__()
        first, second, third = widths
        self.frames1 = _pair(1, first, kernel=5)
        self.frames2 = _pair(first, second)
        self.frames3 = _pair(second, third)
        self.global2 = _pair(first, second)
        self.global3 = _pair(second, third)
        self.pooling = nn.ModuleList(set_pooling(width) for width in widths)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
        self.to(memory_format=torch.channels_last)  # the faster layout, above all in bfloat16 on a CPU

    def forward(self, silhouettes: Tensor) -> tuple[Tensor, Tensor]:
        """silhouettes (B, S, h, w) -> maps of the main pipeline and of the MGP, each (B, C, h//4, w//4)."""
        batch = len(silhouettes)
        x = silhouettes.flatten(0, 1)[:, None].float()
        pooled = []
        for number, convolutions in enumerate((self.frames1, self.frames2, self.frames3)):
            x = convolutions(x)
            if number < 2:
                x = F.max_pool2d(x, 2)
            pooled.append(self.pooling[number](x.unflatten(0, (batch, -1))))
        y = F.max_pool2d(self.global2(pooled[0]), 2)
        y = self.global3(y + pooled[1])
        return pooled[2], y + pooled[2]


class MaxSetPooling(nn.Module):
    """The maximum over the frames, the set pooling of the released network."""

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, S, C, h, w) -> (B, C, h, w)."""
        return set_max(x)


class SeparateLinear(nn.Module):
    """A linear layer for each of P strips, without bias: (B, P, inputs) -> (B, P, outputs)."""

    def __init__(self, strips: int, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(strips, inputs, outputs))
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)

    def forward(self, x: Tensor) -> Tensor:
        return (x.transpose(0, 1) @ self.weight).transpose(0, 1)


def pyramid_pooling(maps: Tensor, bins: Sequence[int]) -> Tensor:
    """Horizontal pyramid pooling (section 3.5): mean plus maximum of each strip of the maps.

    maps (B, C, h, w), bins: into how many strips of equal height the maps are cut at each level of the pyramid ->
    (B, sum of bins, C), level by level, from top to bottom.
    """
    levels = []
    for count in bins:
        strips = maps.unflatten(2, (count, -1)).flatten(3)  # (B, C, count, h/count·w)
        levels.append(strips.mean(3) + strips.amax(3))
    return torch.cat(levels, dim=2).transpose(1, 2)


def _pair(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.LeakyReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.LeakyReLU(inplace=True),
    )
