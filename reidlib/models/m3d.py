"""M3D's temporal stream, a comparator of AMEM (its Table 5): 2-D blocks, each with convolutions over several times.

After Li, Zhang, Huang, "Multi-scale 3D Convolution Network for Video Based Person Re-identification" (AAAI 2019): an
M3D layer adds to its input what convolutions over three frames find that lie 1, 2 and 3 apart, so that one layer sees
many spans of time. Put together here from the parts of AGW: a layer follows each of the first three stages, where
non-local blocks would be. Their residual attention and their second, two-dimensional stream are left out.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.backbones import BasicBlock, ResNet, load_imagenet_weights, resnet50
from reidlib.models.layers import NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput
from reidlib.models.pretrained import load_weights
from reidlib.models.video import DESCRIPTOR, Descriptor

SPANS = (1, 2, 3)  # frames between the three that a convolution sees


class M3D(Network):
    """Clips of T frames -> one feature a clip, which depends on the frames' order.

    num_ids: number of training identities, the classes of the classifier. scale: "paper" (ResNet-50) or "mini" (the
    residual network that the systems share), weights: as in `reidlib.models.backbones.scaled_resnet`.
    """

    training_only = ("descriptor.classifier",)

    def __init__(self, *, num_ids: int, scale: str = "paper", weights: str | Path | None = None):
        super().__init__()
        options = {"last_stride": 1, "non_local": (1, 1, 1, 0), "inserted": MultiScaleTime}
        if scale == "paper":
            self.backbone = resnet50(**options)
            if weights is not None:
                load_imagenet_weights(self.backbone, weights, "resnet50")
        else:
            self.backbone = ResNet(BasicBlock, (1, 1, 1, 1), (16, 32, 64, 128), stem="small", **options)
            if weights is not None:
                load_weights(self.backbone, weights)
        self.normalize = NormalizeFrames()
        self.descriptor = Descriptor(self.backbone.channels, DESCRIPTOR[scale], num_ids)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1].

        embedding: (B, D), compared by cosine. features: {"global": the one before the neck}. logits: {"global":
        (B, num_ids)}, empty once `for_retrieval` has dropped the classifier.
        """
        batch, time = frames.shape[:2]
        maps = self.backbone(self.normalize(frames.flatten(0, 1)), time).unflatten(0, (batch, time))
        return self.descriptor(maps.mean((1, 3, 4), dtype=torch.float32))


class MultiScaleTime(nn.Module):
    """x + Σ_d BN_d(3×1×1 convolution of x with dilation d), d of `SPANS`. The batch normalisations start at zero, so
    that a new layer changes nothing. Maps (B, C, T, positions) -> (B, C, T, positions).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, channels, (3, 1), padding=(d, 0), dilation=(d, 1), bias=False) for d in SPANS
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in SPANS)
        for norm in self.norms:
            nn.init.zeros_(norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + sum(norm(conv(x)) for conv, norm in zip(self.convs, self.norms))
