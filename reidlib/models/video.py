"""3-D networks on whole clips, the baselines of AMEM: a backbone, pooling, and a linear layer.

Li, Yu, Hu, "Appearance and Motion Enhancement for Video-Based Person Re-Identification" (AAAI 2020).
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.inception3d import Inception3D, load_kinetics
from reidlib.models.layers import BNNeck, NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput
from reidlib.models.pretrained import VIDEO, load_weights
from reidlib.models.resnet3d import scaled_resnet3d

BACKBONES = ("i3d", "p3d", "r3d")
DESCRIPTOR = {"paper": 512, "mini": 128}  # dimension of the feature of a clip


def video_backbone(name: str, scale: str, weights: str | Path | None = None) -> nn.Module:
    """The backbone of this name: clips (B, 3, T, H, W) -> maps (B, C, T', H', W').

    scale: "paper" (8 frames of 256×128 give 1024×3×16×8) or "mini" (8 frames of 64×32 give 128×3×8×4). weights: None
    (random); at mini scale those of the package itself, `VIDEO` for I3D, of images for P3D and R3D, which inflate them;
    at paper scale for I3D "kinetics" or a file, as in `load_kinetics`, for the others as in `scaled_resnet3d`.
    ValueError for another name, or for weights that do not fit.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone={name!r}: expected one of {', '.join(BACKBONES)}")
    if name != "i3d":
        return scaled_resnet3d(scale, weights, pseudo=name == "p3d")
    if scale == "mini":
        network = Inception3D(width=1 / 8, stem="small")
        if weights not in (None, VIDEO):
            raise ValueError(f"weights={str(weights)!r}: at mini scale I3D starts from {VIDEO!r} or None")
        if weights is not None:
            load_weights(network, VIDEO)
        return network
    network = Inception3D()
    if weights is not None:
        load_kinetics(network, weights)
    return network


class VideoNetwork(Network):
    """Clips of T frames -> one feature a clip: the average of the maps over space and time, then a linear layer and the
    neck that all networks here have before their classifier (`Descriptor`).

    num_ids: number of training identities, the classes of the classifier. scale, weights: as in `video_backbone`.
    """

    training_only = ("descriptor.classifier",)
    kind = ""  # one of `BACKBONES`

    def __init__(self, *, num_ids: int, scale: str = "paper", weights: str | Path | None = None):
        super().__init__()
        self.backbone = video_backbone(self.kind, scale, weights)
        self.normalize = NormalizeFrames()
        self.descriptor = Descriptor(self.backbone.channels, DESCRIPTOR[scale], num_ids)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1].

        embedding: f_s after the neck (B, D), which is compared by cosine. features: {"global": f_s before it, for the
        metric losses; "backbone": the pooled maps, (B, C)}. logits: {"global": (B, num_ids)}, empty once
        `for_retrieval` has dropped the classifier.
        """
        pooled = self.backbone(self.normalize(frames).transpose(1, 2)).mean((2, 3, 4), dtype=torch.float32)
        output = self.descriptor(pooled)
        output.features["backbone"] = pooled
        return output


class Descriptor(nn.Module):
    """From pooled maps to the feature of a clip: a linear layer, which gives f_s, then a neck, then a classifier.

    inputs: C, how many numbers the maps were pooled to. outputs: D, dimension of f_s. num_ids: classes.
    """

    def __init__(self, inputs: int, outputs: int, num_ids: int):
        super().__init__()
        self.reduction = nn.Linear(inputs, outputs)
        self.neck = BNNeck(outputs)
        self.classifier = nn.Linear(outputs, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, pooled: Tensor) -> ModelOutput:
        """(B, C) -> embedding after the neck (B, D), features {"global": the one before it}, logits {"global"}."""
        feature = self.reduction(pooled)
        embedding = self.neck(feature)
        logits = {} if self.classifier is None else {"global": self.classifier(embedding)}
        return ModelOutput(embedding, {"global": feature}, logits)


class I3D(VideoNetwork):
    """I3D, see `reidlib.models.inception3d`; 12,287,264 parameters in its backbone at paper scale."""

    kind = "i3d"


class P3D(VideoNetwork):
    """P3D, see `reidlib.models.resnet3d`."""

    kind = "p3d"


class R3D(VideoNetwork):
    """R3D, see `reidlib.models.resnet3d`."""

    kind = "r3d"
