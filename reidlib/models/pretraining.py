"""The network whose backbone becomes the weights that others start from, see `reidlib.models.pretrained`.

AGW without its non-local blocks (Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI
2022, section 4), on single images, with a classifier of identities or of attributes; or with I3D in the place of its
residual network, on images that stand still.
"""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import BNNeck, GeM, NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput
from reidlib.models.video import video_backbone


class Pretraining(Network):
    """Single images, or clips of several frames -> one feature each.

    num_ids: number of training identities, the classes of the classifier. attributes: names of attributes of 0 and 1;
    if there are any, they are predicted, and identities are not. backbone: "resnet" for images, "i3d" for clips. scale:
    "paper" or "mini", as in `scaled_resnet`.
    """

    def __init__(
        self,
        *,
        num_ids: int,
        attributes: Sequence[str] = (),
        backbone: Literal["resnet", "i3d"] = "resnet",
        scale: str = "paper",
    ):
        super().__init__()
        self.attributes = tuple(attributes)
        self.training_only = () if attributes else ("classifier",)
        self.of_images = backbone == "resnet"
        self.backbone = scaled_resnet(scale) if self.of_images else video_backbone(backbone, scale)
        self.normalize = NormalizeFrames()
        self.pool = GeM()
        self.neck = BNNeck(self.backbone.channels)
        self.classifier = nn.Linear(self.backbone.channels, len(self.attributes) or num_ids, bias=bool(attributes))
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, 1, 3, H, W) in [0, 1], or (B, T, 3, H, W) for I3D. ValueError for clips of several frames where
        it takes images.

        embedding: the feature after the neck (B, D). features: {"global": the one before it}, for the metric losses.
        logits: {"global": (B, num_ids)} of a classifier of identities, empty once `for_retrieval` has dropped it.
        attributes: {name: (B, 1)} of a classifier of attributes.
        """
        feature = self.pool(self._maps(frames))
        embedding = self.neck(feature)
        scores = None if self.classifier is None else self.classifier(embedding)
        if self.attributes:
            named = dict(zip(self.attributes, scores.split(1, dim=1)))
            return ModelOutput(embedding, {"global": feature}, attributes=named)
        return ModelOutput(embedding, {"global": feature}, {} if scores is None else {"global": scores})

    def _maps(self, frames: Tensor) -> Tensor:
        """Maps (B, C, h, w), or (B, C, t, h, w) of clips."""
        if not self.of_images:
            return self.backbone(self.normalize(frames).transpose(1, 2))
        if frames.shape[1] != 1:
            raise ValueError(f"clips of {frames.shape[1]} frames: expected single images, num_frames=1")
        return self.backbone(self.normalize(frames[:, 0]))
