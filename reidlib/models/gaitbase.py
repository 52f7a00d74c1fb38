"""GaitBase: a plain residual network on every silhouette, the maximum over the walk, horizontal strips.

Fan et al., "OpenGait: Revisiting Gait Recognition Toward Better Practicality" (CVPR 2023), section 4, with the settings
of its public release. It is what convolutions over time, such as GaitGL's and GaitMask's, are measured against today.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.backbones import BasicBlock
from reidlib.models.gaitset import HIDDEN, SeparateLinear, pyramid_pooling
from reidlib.models.network import Network
from reidlib.models.order_statistics import set_max
from reidlib.models.output import ModelOutput

WIDTHS = {"paper": (64, 128, 256, 512), "mini": (16, 32, 64, 128)}  # channels of the four stages
STRIDES = (1, 2, 2, 1)
STRIPS = {"paper": 16, "mini": 8}  # rows of the last maps, of which each becomes a feature


class GaitBase(Network):
    """Sets of S silhouettes -> P strips with a feature each, whatever the order of the silhouettes.

    num_ids: number of training identities, the classes of each strip's classifier. scale: "paper" has stages of 64 to
    512 channels with one basic block each, and P = 16 strips of 256 numbers, from silhouettes of 64×44 (7,305,408
    parameters for the 74 identities of CASIA-B); "mini" is a quarter as wide, P = 8 strips of 64, from 32×22.
    """

    inputs = ("silhouettes",)
    training_only = ("norm", "classifier")

    def __init__(self, *, num_ids: int, scale: str = "paper"):
        super().__init__()
        widths, hidden, self.bins = WIDTHS[scale], HIDDEN[scale], (STRIPS[scale],)
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        )
        inputs = (widths[0], *widths)
        self.stages = nn.Sequential(*(BasicBlock(*numbers) for numbers in zip(inputs, widths, STRIDES)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.strips = SeparateLinear(STRIPS[scale], widths[-1], hidden)
        self.norm = nn.BatchNorm1d(STRIPS[scale] * hidden)
        self.classifier = SeparateLinear(STRIPS[scale], hidden, num_ids)
        self.to(memory_format=torch.channels_last)

    def forward(self, silhouettes: Tensor) -> ModelOutput:
        """silhouettes: (B, S, h, w) of 0 and 1, of any type.

        features: {"strips": (B, P, d)}, of the metric loss. embedding: the same joined, (B, P·d). logits: {"strips":
        (B, P, num_ids)}, cosines in [-1, 1] of the normalised strips and the classes' weights, until `for_retrieval`
        has dropped the classifiers. ValueError if the strips do not divide the maps, whose height is a quarter of the
        silhouettes'.
        """
        rows = silhouettes.shape[2] // 4
        if rows % self.bins[0]:
            raise ValueError(
                f"silhouettes {tuple(silhouettes.shape)} give maps of {rows} rows, which {self.bins[0]} strips do not "
                "divide; give 64×44 at scale paper, 32×22 at scale mini"
            )
        maps = self.stages(self.stem(silhouettes.flatten(0, 1)[:, None].float()))
        strips = self.strips(pyramid_pooling(set_max(maps.unflatten(0, (len(silhouettes), -1))), self.bins))
        logits = {} if self.classifier is None else {"strips": self._cosines(strips)}
        return ModelOutput(strips.flatten(1), {"strips": strips}, logits)

    def _cosines(self, strips: Tensor) -> Tensor:
        """Strips (B, P, d) -> (B, P, num_ids)."""
        directions = F.normalize(self.norm(strips.flatten(1)).view_as(strips), dim=2)
        return (directions.transpose(0, 1) @ F.normalize(self.classifier.weight, dim=1)).transpose(0, 1)
