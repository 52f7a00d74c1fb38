"""ARM, which recognises attributes in groups: it teaches AMEM's appearance branch by what it says of frames.

Li, Yu, Hu, "Appearance and Motion Enhancement for Video-Based Person Re-Identification" (AAAI 2020), Figure 2.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

Groups = Mapping[str, Sequence[str]]  # group -> names of its attributes
WIDTH = {"paper": 256, "mini": 32}  # of a group's feature a_m


class AttributeGroups(nn.Module):
    """For each of M groups a linear layer to its feature a_m, and another one to its attributes.

    inputs: channels of the pooled maps. groups: names of binary attributes, or {name: number of its codes} for those
    that have several. ValueError for a name in two groups, or none at all.
    """

    def __init__(self, inputs: int, groups: Groups | Mapping[str, Mapping[str, int]], width: int):
        super().__init__()
        self.sizes = [
            dict(names) if isinstance(names, Mapping) else dict.fromkeys(names, 1) for names in groups.values()
        ]
        names = [name for sizes in self.sizes for name in sizes]
        if not names or len({*names}) < len(names):
            raise ValueError(f"groups={dict(groups)}: expected names of attributes, each in one group")
        self.features = nn.ModuleList(nn.Linear(inputs, width) for _ in self.sizes)
        self.scores = nn.ModuleList(nn.Linear(width, sum(sizes.values())) for sizes in self.sizes)

    def forward(self, pooled: Tensor) -> list[dict[str, Tensor]]:
        """pooled (B, inputs) -> for each group {name: scores (B, 1), or (B, n) of n codes}."""
        found = []
        for sizes, feature, scores in zip(self.sizes, self.features, self.scores):
            found.append(dict(zip(sizes, scores(feature(pooled)).split(list(sizes.values()), dim=1))))
        return found


class ARM(Network):
    """Clips of T frames, each by itself -> the probability of each attribute in every frame, and averaged over T.

    groups: {group: names of its attributes}, of 0 and 1; for all of PETA's, see `reidlib.data.peta.grouped`. scale,
    weights: of the frames' network, as in `scaled_resnet`. num_ids is not used.
    """

    def __init__(
        self,
        *,
        num_ids: int = 1,
        groups: Groups,
        scale: str = "paper",
        weights: str | Path | None = None,
    ):
        super().__init__()
        self.backbone = scaled_resnet(scale, weights)
        self.normalize = NormalizeFrames()
        self.attributes = AttributeGroups(self.backbone.channels, groups, WIDTH[scale])

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1].

        embedding: the average of the maps (B, C). attributes: {name: (B, 1)}, the logit of the probability averaged
        over the T frames, so that it is above 0 where that is above 0.5. visuals: {"probabilities": (B, T, N), in the
        order of the attributes, in [0, 1]}.
        """
        pooled = self.backbone(self.normalize(frames.flatten(0, 1))).mean((2, 3), dtype=torch.float32)
        scores = {name: values for group in self.attributes(pooled) for name, values in group.items()}
        probabilities = torch.cat(list(scores.values()), dim=1).float().sigmoid().unflatten(0, frames.shape[:2])
        averaged = probabilities.mean(1).logit(eps=1e-6)
        attributes = dict(zip(scores, averaged.split(1, dim=1)))
        embedding = pooled.unflatten(0, frames.shape[:2]).mean(1)
        return ModelOutput(embedding, attributes=attributes, visuals={"probabilities": probabilities})
