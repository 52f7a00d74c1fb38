"""COSAM: attention to what the frames of a clip have in common, as in co-segmentation.

Subramaniam, Nambiar, Mittal, "Co-segmentation Inspired Attention Networks for Video-Based Person Re-Identification"
(ICCV 2019), with one module behind the residual network, and the baseline's losses.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import BNNeck, NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

POSITIONS = {"paper": 16 * 8, "mini": 8 * 4}  # of the maps of a frame


class COSAM(Network):
    """Clips of exactly `num_frames` frames -> one feature a clip.

    num_ids: number of training identities, the classes of the classifier. scale, weights: of the residual network, as
    in `scaled_resnet`; frames of 256×128 or 64×32.
    """

    training_only = ("classifier",)

    def __init__(self, *, num_ids: int, num_frames: int = 4, scale: str = "paper", weights: str | Path | None = None):
        super().__init__()
        self.backbone = scaled_resnet(scale, weights)
        channels = self.backbone.channels
        self.normalize = NormalizeFrames()
        self.attend = CoSegmentation(channels, num_frames, POSITIONS[scale])
        self.neck = BNNeck(channels)
        self.classifier = nn.Linear(channels, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]. ValueError for another number of frames than the network is made for.

        embedding: the feature after the neck (B, D). features: {"global": the one before it}. logits: {"global": (B,
        num_ids)}, empty once `for_retrieval` has dropped the classifier. visuals: {"mask": (B, T, 1, h, w) in [0, 1]}.
        """
        maps = self.backbone(self.normalize(frames.flatten(0, 1))).unflatten(0, frames.shape[:2])
        attended, mask = self.attend(maps)
        feature = attended.mean((1, 3, 4), dtype=torch.float32)
        embedding = self.neck(feature)
        logits = {} if self.classifier is None else {"global": self.classifier(embedding)}
        return ModelOutput(embedding, {"global": feature}, logits, {"mask": mask.detach().float()})


class CoSegmentation(nn.Module):
    """Each position is compared with all positions of the clip's other frames; what it finds there makes a mask, and
    the masked maps gate the channels that all frames share.

    Channels are reduced to an eighth for the comparison. The layers that sum up what was found are tied to the numbers
    of frames and of positions.
    """

    def __init__(self, channels: int, num_frames: int, positions: int):
        super().__init__()
        self.num_frames, inner = num_frames, channels // 8
        self.reduce = nn.Sequential(nn.Conv2d(channels, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU())
        self.summarise = nn.Sequential(
            nn.Linear((num_frames - 1) * positions, positions), nn.ReLU(), nn.Linear(positions, 1)
        )
        self.gate = nn.Sequential(nn.Linear(channels, inner), nn.ReLU(), nn.Linear(inner, channels))

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """maps (B, T, C, h, w) -> the attended maps, of the same shape, and the mask (B, T, 1, h, w) in [0, 1]."""
        if maps.shape[1] != self.num_frames:
            raise ValueError(f"clips of {maps.shape[1]} frames: this network is made for num_frames={self.num_frames}")
        found = correlations(self.reduce(maps.flatten(0, 1)).unflatten(0, maps.shape[:2]))
        mask = torch.sigmoid(self.summarise(found)).mT.unflatten(3, maps.shape[3:])
        masked = maps * mask
        gates = torch.sigmoid(self.gate(masked.mean((3, 4)))).mean(1)  # (B, C), shared by the frames
        return masked * gates[:, None, :, None, None], mask


def correlations(maps: Tensor) -> Tensor:
    """Normalised cross-correlation between the channels at each position and at all positions of the other frames, in
    the frames' order: maps (B, T, C, h, w) -> (B, T, h·w, (T - 1) · h·w) in [-1, 1]."""
    x = maps.float().flatten(3).mT  # (B, T, hw, C)
    x = nn.functional.normalize(x - x.mean(3, keepdim=True), dim=3)
    count = x.shape[1]
    others = [[x[:, u] for u in range(count) if u != t] for t in range(count)]
    return torch.stack([x[:, t] @ torch.cat(frames, dim=1).mT for t, frames in enumerate(others)], dim=1)
