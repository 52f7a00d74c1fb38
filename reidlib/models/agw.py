"""AGW, the baseline: a strong image network applied to every frame, averaged over the clip.

Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook" (TPAMI 2022), section 4:
ResNet-50 with non-local blocks, generalised-mean pooling and BNNeck, here with an average over the frames
before the neck. Its losses are `reidlib.losses`' identity, weighted-regularisation triplet and centre loss.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import BNNeck, ForegroundBranch, GeM, NormalizeFrames, activation
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

POOLS = {"gem": GeM, "average": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())}


class AGW(Network):
    """Clips of T frames -> one feature a clip.

    num_ids: number of training identities, the classes of the classifier.
    scale: "paper" (ResNet-50 for 256×128 frames) or "mini" (for 64×32 frames), weights: those of
    `scaled_resnet`, with its non-local blocks. foreground: add Seq-Masks' foreground branch, see `ForegroundBranch`.
    pool: "gem" as published, or "average" over positions, as most networks that it is compared with have it.
    """

    training_only = ("classifier",)

    def __init__(
        self,
        *,
        num_ids: int,
        scale: str = "paper",
        weights: str | Path | None = None,
        foreground: bool = False,
        pool: str = "gem",
    ):
        super().__init__()
        if pool not in POOLS:
            raise ValueError(f"pool={pool!r}: expected one of {', '.join(POOLS)}")
        self.backbone = scaled_resnet(scale, weights, non_local=True)
        self.normalize = NormalizeFrames()
        self.pool = POOLS[pool]()
        self.neck = BNNeck(self.backbone.channels)
        self.classifier = nn.Linear(self.backbone.channels, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)
        self.foreground = None
        if foreground:
            self.foreground = ForegroundBranch(self.backbone.channels, num_ids, pool=pool)
            self.inputs, self.training_only = ("frames", "masks"), ("classifier", "foreground.classifier")
            self.supervised = ("global", "foreground")

    def forward(self, frames: Tensor, masks: Tensor | None = None) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]; masks: (B, T, 1, H, W) of 0 and 1, which the foreground branch needs.

        embedding: the feature after the neck (B, D), joined with the foreground's if there is that branch. features:
        {"global", "foreground": the one before it}, for the metric losses. logits: the same names, (B, num_ids), empty
        once `for_retrieval` has dropped the classifiers. visuals, in evaluation mode: {"mask": how strongly the maps
        answer, `activation` of them, (B, T, 1, h, w) in [0, 1]}. TypeError for masks without that branch.
        """
        if masks is not None and self.foreground is None:
            raise TypeError("unexpected keyword argument 'masks': this network has no foreground branch")
        batch, time = frames.shape[:2]
        maps = self.backbone(self.normalize(frames.flatten(0, 1)))
        features = {"global": self.pool(maps).unflatten(0, (batch, time)).mean(1)}
        embedding = self.neck(features["global"])
        logits = {} if self.classifier is None else {"global": self.classifier(embedding)}
        if self.foreground is not None:
            features["foreground"], after, scores = self.foreground(maps.unflatten(0, (batch, time)), masks)
            embedding = torch.cat([embedding, after], dim=1)
            logits |= {} if scores is None else {"foreground": scores}
        visuals = {} if self.training else {"mask": activation(maps).unflatten(0, (batch, time))}
        return ModelOutput(embedding, features, logits, visuals)
