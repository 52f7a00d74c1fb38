"""TCLNet: of two frames in a row, the second is looked at without what the first was recognised by.

Hou, Chang, Ma, Shan, Chen, "Temporal Complementary Learning for Video Person Re-Identification" (ECCV 2020). Layers and
places are those of the authors' code: temporal saliency boosting behind the second stage, temporal saliency erasing
before the fourth, pairs of frames with two ordered learners, which share the fourth stage but for its last block. Here
with the baseline's losses for either learner, and with the average over positions where that code takes the maximum.
"""

import copy
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import BNNeck, NormalizeFrames, activation
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

LEARNERS = ("first", "second")  # in the order of the frames that they learn from
SCALE = 5  # by which cosines are multiplied before their softmax, in the boosting
ROWS = {"paper": 3, "mini": 2}  # that are erased, of the 16 or 8 of a frame's maps


class TCLNet(Network):
    """Clips of T frames, an even number -> one feature a clip, of both learners' side by side.

    num_ids: number of training identities, the classes of the classifiers. scale, weights: of the residual network, as
    in `scaled_resnet`; the feature has twice as many channels as its maps. At mini scale, where the fourth stage is one
    block, the learners share none of it.
    """

    training_only = ("classifiers",)
    supervised = LEARNERS

    def __init__(self, *, num_ids: int, scale: str = "paper", weights: str | Path | None = None):
        super().__init__()
        self.backbone = scaled_resnet(scale, weights)
        channels, last = self.backbone.channels, self.backbone.layer4
        inputs = last[0].conv1.in_channels
        self.normalize = NormalizeFrames()
        self.boost = SaliencyBoosting(self.backbone.layer3[0].conv1.in_channels)
        self.erase = SaliencyErasing(inputs, channels, ROWS[scale])
        self.backbone.layer4 = last[:-1]
        self.learners = nn.ModuleDict({name: copy.deepcopy(last[-1]) for name in LEARNERS})
        self.necks = nn.ModuleDict({name: BNNeck(channels) for name in LEARNERS})
        self.classifiers = nn.ModuleDict({name: nn.Linear(channels, num_ids, bias=False) for name in LEARNERS})
        for classifier in self.classifiers.values():
            nn.init.normal_(classifier.weight, std=0.001)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]. ValueError for an odd number of frames.

        embedding: the learners' features after their necks, each of length 1, side by side (B, 2 D). features:
        {"first", "second": the one before it (B, D), the average over positions of the pairs' first frames, and of
        their second ones}. logits: the same names, (B, num_ids), empty once `for_retrieval` has dropped the
        classifiers. visuals: {"mask": how strongly the learners' maps answer, (B, T, 1, h, w) in [0, 1]}.
        """
        batch, time = frames.shape[:2]
        if time % 2:
            raise ValueError(f"clips of {time} frames: this network takes frames in pairs, so an even number of them")
        backbone = self.backbone
        maps = backbone.layer2(backbone.layer1(backbone.stem(self.normalize(frames.flatten(0, 1)))))
        maps = self.boost(maps.unflatten(0, (batch, time))).flatten(0, 1)
        maps = self._learned(backbone.layer3(maps).unflatten(0, (-1, 2))).unflatten(0, (batch, -1))
        features = dict(zip(LEARNERS, maps.mean((1, 4, 5), dtype=torch.float32).unbind(1)))
        after = {name: self.necks[name](feature) for name, feature in features.items()}
        embedding = torch.cat([F.normalize(feature, dim=1) for feature in after.values()], dim=1)
        logits = {name: classifier(after[name]) for name, classifier in self.classifiers.items()}
        mask = activation(maps.detach().flatten(0, 2)).unflatten(0, (batch, time))
        return ModelOutput(embedding, features, logits, {"mask": mask})

    def _learned(self, pairs: Tensor) -> Tensor:
        """Maps of pairs (N, 2, C, h, w) before the fourth stage -> behind it (N, 2, D, h, w)."""
        first, second = pairs.unbind(1)
        first = self._learner("first", self.erase(first))
        return torch.stack([first, self._learner("second", self.erase(second, first.detach().mean((2, 3))))], dim=1)

    def _learner(self, name: str, maps: Tensor) -> Tensor:
        return self.learners[name](self.backbone.layer4(maps))


class SaliencyBoosting(nn.Module):
    """Adds to all positions of a frame what is salient in the clip's other frames, see `propagated`, behind a linear
    layer and a batch normalisation that starts at zero."""

    def __init__(self, channels: int):
        super().__init__()
        self.out = _zero_layer(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, T, C, h, w) of two frames or more -> the same."""
        found = self.out(propagated(maps).flatten(0, 1)).unflatten(0, maps.shape[:2])
        return maps + found[..., None, None]


class SaliencyErasing(nn.Module):
    """Sets the rows to zero that the frame before was recognised by, and adds the average of what is left, behind a
    linear layer and a batch normalisation that starts at zero: through its weights the choice of rows can be learnt.

    channels: of the maps; found: of the feature of the frame before; rows: how many are erased.
    """

    def __init__(self, channels: int, found: int, rows: int):
        super().__init__()
        self.rows = rows
        self.reduce = nn.Linear(found, channels, bias=False)
        nn.init.kaiming_normal_(self.reduce.weight, mode="fan_out")
        self.out = _zero_layer(channels)

    def forward(self, maps: Tensor, before: Tensor | None = None) -> Tensor:
        """maps (N, C, h, w), before: (N, `found`), None for a first frame, which keeps all rows -> (N, C, h, w)."""
        if before is None:
            return maps + self.out(maps.mean((2, 3)))[..., None, None]
        alike = torch.einsum("nc,nchw->nhw", self.reduce(before), maps) / maps.shape[1] ** 0.5
        erased = salient_rows(alike, self.rows)[:, :, None].expand_as(alike)
        weights = alike.masked_fill(erased, -torch.inf).flatten(1).softmax(1)
        left = torch.einsum("np,ncp->nc", weights, maps.flatten(2))
        return maps.masked_fill(erased[:, None], 0) + self.out(left)[..., None, None]


def salient_rows(alike: Tensor, rows: int) -> Tensor:
    """Which block of so many rows, one below the other, has the highest sum: alike (N, h, w) -> bool (N, h)."""
    top = alike.sum(2).unfold(1, rows, 1).sum(2).argmax(1, keepdim=True)
    row = torch.arange(alike.shape[1], device=alike.device)
    return (row >= top) & (row < top + rows)


def propagated(maps: Tensor) -> Tensor:
    """What each frame finds in the others: the average of all their positions, weighted by the softmax of `SCALE` times
    the cosine between the frame's average and the average of four neighbouring positions, the one above, the one to the
    left and the one between these included, zero beyond the border. maps (B, T, C, h, w), T > 1 -> (B, T, C)."""
    query = F.normalize(maps.mean((3, 4)), dim=2)
    memory = F.avg_pool2d(F.pad(maps.flatten(0, 1), (1, 0, 1, 0)), 2, stride=1).unflatten(0, maps.shape[:2])
    alike = SCALE * torch.einsum("btc,buchw->btuhw", query, F.normalize(memory, dim=2))
    itself = torch.eye(maps.shape[1], dtype=torch.bool, device=maps.device)[..., None, None]
    weights = alike.masked_fill(itself, -torch.inf).flatten(2).softmax(2).view_as(alike)
    return torch.einsum("btuhw,buchw->btc", weights, maps)


def _zero_layer(channels: int) -> nn.Sequential:
    layer = nn.Sequential(nn.Linear(channels, channels), nn.BatchNorm1d(channels))
    nn.init.zeros_(layer[1].weight)
    return layer
