"""A 3-D residual network with non-local blocks, a comparator of Seq-Masks ("Non-local+C3D" in its Table IV).

After Liao, He, Yang, Zhang, "Video-based Person Re-identification via 3D Convolutional Networks and Non-local
Attention" (ACCV 2018): convolutions over time beside those over space, and attention over all positions of all frames.
Their network is put together here from the parts of AGW: a temporal convolution and a non-local block follow the
blocks that AGW's non-local blocks follow. Both start as the identity, so that ImageNet weights can be used.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import BNNeck, ForegroundBranch, NonLocalBlock, NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput


class NonLocal3D(Network):
    """Clips of T frames -> one feature a clip, which depends on the frames' order.

    num_ids: number of training identities, the classes of the classifier. scale: "paper" or "mini"; weights: both as
    in `scaled_resnet`. foreground: add Seq-Masks' foreground branch, see `ForegroundBranch`.
    """

    training_only = ("classifier",)

    def __init__(
        self, *, num_ids: int, scale: str = "paper", weights: str | Path | None = None, foreground: bool = False
    ):
        super().__init__()
        self.backbone = scaled_resnet(scale, weights, non_local=True, inserted=_space_time_block)
        self.normalize = NormalizeFrames()
        self.neck = BNNeck(self.backbone.channels)
        self.classifier = nn.Linear(self.backbone.channels, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)
        self.foreground = None
        if foreground:
            self.foreground = ForegroundBranch(self.backbone.channels, num_ids, pool="average")
            self.inputs, self.training_only = ("frames", "masks"), ("classifier", "foreground.classifier")
            self.supervised = ("global", "foreground")

    def forward(self, frames: Tensor, masks: Tensor | None = None) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]; masks: (B, T, 1, H, W) of 0 and 1, which the foreground branch needs.

        embedding: the feature after the neck (B, D), joined with the foreground's if there is that branch. features:
        {"global", "foreground": the one before it, the average over positions and frames}. logits: the same names,
        (B, num_ids), empty once `for_retrieval` has dropped the classifiers. TypeError for masks without that branch.
        """
        if masks is not None and self.foreground is None:
            raise TypeError("unexpected keyword argument 'masks': this network has no foreground branch")
        batch, time = frames.shape[:2]
        maps = self.backbone(self.normalize(frames.flatten(0, 1)), time).unflatten(0, (batch, time))
        features = {"global": maps.mean((1, 3, 4), dtype=torch.float32)}
        embedding = self.neck(features["global"])
        logits = {} if self.classifier is None else {"global": self.classifier(embedding)}
        if self.foreground is not None:
            features["foreground"], after, scores = self.foreground(maps, masks)
            embedding = torch.cat([embedding, after], dim=1)
            logits |= {} if scores is None else {"foreground": scores}
        return ModelOutput(embedding, features, logits)


def _space_time_block(channels: int) -> nn.Sequential:
    return nn.Sequential(TemporalConvolution(channels), NonLocalBlock(channels))


class TemporalConvolution(nn.Module):
    """x + BN(3×1×1 convolution of x), the temporal half of a separable 3-D convolution. The batch normalisation starts
    at zero.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0), bias=False)
        self.bn = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.bn.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, T, positions) -> (B, C, T, positions)."""
        return x + self.bn(self.conv(x))
