"""AGW, the baseline: a strong image network applied to every frame, averaged over the clip.

Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook" (TPAMI 2022), section 4:
ResNet-50 with non-local blocks, generalised-mean pooling and BNNeck, here with an average over the frames
before the neck. Its losses are `reidlib.losses`' identity, weighted-regularisation triplet and centre loss.
"""

from pathlib import Path

from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import BNNeck, GeM, NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput


class AGW(Network):
    """Clips of T frames -> one feature a clip.

    num_ids: number of training identities, the classes of the classifier.
    scale: "paper" (ResNet-50 for 256×128 frames) or "mini" (for 64×32 frames), weights: those of
    `scaled_resnet`, with its non-local blocks.
    """

    training_only = ("classifier",)

    def __init__(self, *, num_ids: int, scale: str = "paper", weights: str | Path | None = None):
        super().__init__()
        self.backbone = scaled_resnet(scale, weights, non_local=True)
        self.normalize = NormalizeFrames()
        self.pool = GeM()
        self.neck = BNNeck(self.backbone.channels)
        self.classifier = nn.Linear(self.backbone.channels, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1].

        embedding: the feature after the neck (B, D). features: {"global": the one before it}, for the
        metric losses.
        logits: {"global": (B, num_ids)}, empty once `for_retrieval` has dropped the classifier. visuals, in evaluation
        mode: {"mask": how strongly the maps answer, `activation` of them, (B, T, 1, h, w) in [0, 1]}.
        """
        batch, time = frames.shape[:2]
        maps = self.backbone(self.normalize(frames.flatten(0, 1)))
        feature = self.pool(maps).unflatten(0, (batch, time)).mean(1)
        embedding = self.neck(feature)
        logits = {} if self.classifier is None else {"global": self.classifier(embedding)}
        visuals = {} if self.training else {"mask": activation(maps).unflatten(0, (batch, time))}
        return ModelOutput(embedding, {"global": feature}, logits, visuals)


def activation(maps: Tensor) -> Tensor:
    """Where maps answer: the sum of squares over channels, divided by its largest value in the frame.

    Zagoruyko and Komodakis, "Paying More Attention to Attention" (ICLR 2017), section 3.1, F²_sum. maps (N, C, h, w) ->
    (N, 1, h, w) in [0, 1].
    """
    answers = maps.float().square().sum(1, keepdim=True)
    return answers / answers.amax((2, 3), keepdim=True).clamp(min=1e-12)
