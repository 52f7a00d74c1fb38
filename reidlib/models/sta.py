"""STA, attention over positions and frames that nothing is learned for: where a frame's maps answer strongly.

Fu, Wang, Wei, Huang, "STA: Spatial-Temporal Attention for Large-Scale Video-Based Person Re-Identification" (AAAI
2019). Without its regularisation between frames, so that its losses are the baseline's.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import BNNeck, NormalizeFrames, activation
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

BLOCKS = 4  # horizontal blocks of a map


class STA(Network):
    """Clips of T frames -> one feature a clip.

    num_ids: number of training identities, the classes of the classifier. scale, weights: of the residual network, as
    in `scaled_resnet`; the feature has as many channels as its maps.
    """

    training_only = ("classifier",)

    def __init__(self, *, num_ids: int, scale: str = "paper", weights: str | Path | None = None):
        super().__init__()
        self.backbone = scaled_resnet(scale, weights)
        channels = self.backbone.channels
        self.normalize = NormalizeFrames()
        self.reduce = nn.Linear(2 * channels, channels)
        self.neck = BNNeck(channels)
        self.classifier = nn.Linear(channels, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1], for maps whose height `BLOCKS` divides.

        embedding: the feature after the neck (B, D). features: {"global": the one before it}. logits: {"global": (B,
        num_ids)}, empty once `for_retrieval` has dropped the classifier. visuals: {"mask": how strongly the maps
        answer, (B, T, 1, h, w) in [0, 1]}.
        """
        shape = frames.shape[:2]
        maps = self.backbone(self.normalize(frames.flatten(0, 1)))
        mask = activation(maps).unflatten(0, shape)
        feature = self.reduce(torch.cat(fused_blocks(maps.unflatten(0, shape)), dim=1))
        embedding = self.neck(feature)
        logits = {} if self.classifier is None else {"global": self.classifier(embedding)}
        return ModelOutput(embedding, {"global": feature}, logits, {"mask": mask.detach()})


def block_scores(maps: Tensor) -> Tensor:
    """How much each frame counts in each horizontal block: the sum of the block's answers (squares over channels,
    normalised in the frame), as a share of all frames' sums. maps (B, T, C, h, w) -> (B, T, `BLOCKS`), shares."""
    answers = maps.float().square().sum(2)
    answers = answers / answers.flatten(2).norm(dim=2)[..., None, None].clamp(min=1e-12)
    sums = answers.unflatten(2, (BLOCKS, -1)).sum((3, 4))
    return sums / sums.sum(1, keepdim=True).clamp(min=1e-12)


def fused_blocks(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The average over positions of two maps that are put together of frames' blocks: each block of the frame where it
    scores highest, and each block as the sum over frames weighted by the scores. maps (B, T, C, h, w) -> twice (B,
    C), float32."""
    scores = block_scores(maps)
    pooled = maps.float().unflatten(3, (BLOCKS, -1)).mean((4, 5))  # (B, T, C, BLOCKS)
    chosen = scores.argmax(1)[:, None, None].expand(-1, 1, maps.shape[2], -1)
    strongest = pooled.gather(1, chosen)[:, 0]
    weighted = (pooled * scores[:, :, None]).sum(1)
    return strongest.mean(2), weighted.mean(2)
