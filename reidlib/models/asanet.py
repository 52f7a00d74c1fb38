"""ASA-Net: identity features whose salient regions attributes point out, fused with what the attributes say.

Chai et al., "Video Person Re-identification using Attribute-enhanced Features", Figure 3. Three branches on the maps of
a residual network give five features; C is the number of channels of these maps.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.backbones import like_stage, scaled_resnet, without_last_stage
from reidlib.models.layers import BNNeck, NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

Counts = Sequence[tuple[str, int]]  # names of attributes and how many codes each has

BRANCHES = ("identity", "relevant", "irrelevant")
ATTRIBUTE_BRANCHES = BRANCHES[1:]
FUSIONS = ("a", "b", "none")
SALIENCE = ("attributes", "identity", "uniform")
MARS_RELEVANT: Counts = (
    *(("top color", 9), ("bottom color", 10), ("age", 4), ("top length", 2), ("bottom length", 2), ("shoulder bag", 2)),
    *(("backpack", 2), ("hat", 2), ("hand bag", 2), ("hair", 2), ("gender", 2), ("bottom type", 2)),
)
MARS_IRRELEVANT: Counts = (("motion", 5), ("pose", 6))


class ASANet(Network):
    """Clips of T frames -> one feature a clip, attributes, and two masks a frame.

    num_ids: number of training identities, the classes of the classifier. relevant, irrelevant: the attributes that
    stay with a person and those that do not, pairs of name and number of codes; those of MARS by default (41 and 11
    outputs, for every code has its own).
    branches: which identity features are fused: "identity" (plain), "relevant" and "irrelevant" (enhanced by the
    attributes of that kind). Attributes are learned whatever is fused.
    fusion: which attribute features are fused, see `Fusion`: "a", "b", or "none" of them (Table IV).
    asre: whether regions are enhanced; without, an enhanced feature is another reduction of the identity map.
    salience: what points regions out, "attributes" as published; controls: "identity" (the identity map in place of
    the attributes' map), "uniform" (the mask's mean over positions in place of the mask).
    scale: "paper" (ResNet-50, frames of 256×128, C = 1024, features of C/4 = 256, embedding of C) or "mini" (frames of
    64×32, C = 64, features of C/2, so that the embedding has as many numbers as the baseline's). weights: of the
    residual network, as in `scaled_resnet`.
    """

    training_only = ("classifier",)

    def __init__(
        self,
        *,
        num_ids: int,
        relevant: Counts = MARS_RELEVANT,
        irrelevant: Counts = MARS_IRRELEVANT,
        branches: Sequence[str] = BRANCHES,
        fusion: str = "b",
        asre: bool = True,
        salience: str = "attributes",
        scale: str = "paper",
        weights: str | Path | None = None,
    ):
        super().__init__()
        _check_options(branches, fusion, salience)
        self.branches = tuple(branch for branch in BRANCHES if branch in branches)
        self.normalize = NormalizeFrames()
        self.backbone = scaled_resnet(scale, weights, non_local=True)
        self.residual_identity = without_last_stage(self.backbone)
        c = self.backbone.channels
        width = c // 4 if scale == "paper" else c // 2
        counts = {"relevant": relevant, "irrelevant": irrelevant}
        self.attributes = nn.ModuleDict(
            {name: AttributeBranch(self.residual_identity, c // 2, width, counts[name]) for name in ATTRIBUTE_BRANCHES}
        )
        self.reductions = nn.ModuleDict({name: nn.Conv2d(2 * c, width, 1) for name in self.branches})
        self.enhance = nn.ModuleDict(
            {name: ASRE(width, c // 2, salience) for name in self.branches if asre and name != "identity"}
        )
        self.fusion = Fusion(width, self.branches, fusion)
        self.neck = BNNeck(self.fusion.outputs)
        self.classifier = nn.Linear(self.fusion.outputs, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1].

        embedding: the final feature after the neck (B, D). features: {"final": the one before it (B, D), Equation 7;
        "relevant", "irrelevant": f_attr of either kind (B, d), Equations 3 and 5}. logits: {"final": (B, num_ids)},
        Equation 16; empty once `for_retrieval` has dropped the classifier. attributes: {name: (B, codes)}, before the
        sigmoid. visuals: {"mask relevant", "mask irrelevant": sigmoid(α M), (B, T, 1, h, w) in [0, 1], above 0.5 where
        a position is enhanced}, of those branches that have ASRE.
        """
        shape = frames.shape[:2]
        origin = self.backbone(self.normalize(frames.flatten(0, 1)))  # Equation 1, as the next lines
        identity_map = self.residual_identity(origin)
        maps = {name: branch.residual(origin) for name, branch in self.attributes.items()}
        described, scores = {}, {}
        for name, branch in self.attributes.items():  # Equations 3 and 5
            described[name] = branch.reduce(pooled(maps[name], shape))
            scores |= branch.scores(described[name])
        identity, visuals = {}, {}
        for name, reduction in self.reductions.items():  # Equations 2, 4 and 6, but for the linear layers
            reduced = reduction(identity_map)
            if name in self.enhance:
                reduced, mask = self.enhance[name](reduced, maps[name])
                visuals[f"mask {name}"] = mask.unflatten(0, shape)
            identity[name] = pooled(reduced, shape)
        final = self.fusion(identity, described)
        embedding = self.neck(final)
        logits = {} if self.classifier is None else {"final": self.classifier(embedding)}
        return ModelOutput(embedding, {"final": final, **described}, logits, visuals, scores)


def _check_options(branches: Sequence[str], fusion: str, salience: str) -> None:
    if isinstance(branches, str) or not branches or not set(branches) <= set(BRANCHES):
        raise ValueError(f"branches={branches!r}: expected one or more of {BRANCHES}")
    for what, value, known in (("fusion", fusion, FUSIONS), ("salience", salience, SALIENCE)):
        if value not in known:
            raise ValueError(f"{what}={value!r}: expected one of {known}")


def pooled(maps: Tensor, shape: tuple[int, int]) -> Tensor:
    """F_TP(F_SP(X)): the average over positions and frames. maps (B·T, C, h, w) and shape (B, T) -> (B, C), float32."""
    return maps.mean((2, 3), dtype=torch.float32).unflatten(0, shape).mean(1)


class AttributeBranch(nn.Module):
    """Equations 3 and 5: a residual module, a feature of `outputs` channels, and two linear layers that predict.

    stage: the residual stage whose kind and depth the residual module has, with `channels` outputs. counts: names of
    the attributes and how many codes each has. The reduction from `channels` to `outputs` is missing in the paper, and
    so is the width of the inner layer, which is `outputs` here.
    """

    def __init__(self, stage: nn.Sequential, channels: int, outputs: int, counts: Counts):
        super().__init__()
        self.residual = like_stage(stage, channels)
        self.reduce = nn.Linear(channels, outputs)
        self.names, self.counts = zip(*counts)
        self.predict = nn.Sequential(
            nn.Linear(outputs, outputs, bias=False),  # W_2, W_4; batch normalisation has the bias
            nn.BatchNorm1d(outputs),
            nn.ReLU(inplace=True),
            nn.Linear(outputs, sum(self.counts)),  # W_1, W_3
        )

    def scores(self, feature: Tensor) -> dict[str, Tensor]:
        """p of each attribute before the sigmoid: feature (B, outputs) -> {name: (B, codes)}."""
        return dict(zip(self.names, self.predict(feature).split(self.counts, dim=1)))


class ASRE(nn.Module):
    """Attribute salient region enhance (section III-B): the identity map's positions ask those of the attributes' map.

    channels: of the identity map, d_k and V; attribute_channels: of the attributes' map. salience: as in `ASANet`.
    """

    def __init__(self, channels: int, attribute_channels: int, salience: str = "attributes"):
        super().__init__()
        self.salience = salience
        asked = channels if salience == "identity" else attribute_channels
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(asked, channels, 1)
        self.value = nn.Conv2d(asked, channels, 1)
        self.bn = nn.BatchNorm2d(channels)
        self.mask = nn.Conv2d(channels, 1, 1)
        self.alpha = nn.Parameter(torch.tensor(1.0))

    def forward(self, identity: Tensor, attributes: Tensor) -> tuple[Tensor, Tensor]:
        """X_I (N, channels, h, w), X_A (N, attribute_channels, h, w) -> X_I + α M ⊗ X_I (Equation 10), and
        sigmoid(α M), (N, 1, h, w), to be looked at."""
        asked = identity if self.salience == "identity" else attributes
        query, key = F.relu(self.query(identity)), F.relu(self.key(asked))
        query, key, value = (x.flatten(2).transpose(1, 2) for x in (query, key, self.value(asked)))  # (N, hw, channels)
        attended = F.scaled_dot_product_attention(query, key, value)  # Equation 8, and Att V of Equation 9
        mask = self.mask(self.bn(attended.transpose(1, 2).unflatten(2, identity.shape[2:])))  # M, Equation 9
        if self.salience == "uniform":
            mask = mask.mean((2, 3), keepdim=True).expand_as(mask)
        enhanced = self.alpha * mask
        return identity + enhanced * identity, torch.sigmoid(enhanced.detach().float())


class Fusion(nn.Module):
    """F_fusion of Equation 7, Figure 5: each identity feature through a linear layer, joined with attribute features.

    "a": with f_re_attr. "b": with a linear layer of f_re_attr and f_ir_attr joined. "none": with neither. All features
    have `width` channels; of three branches the result has 4 width of them, 3 width for "none".
    """

    def __init__(self, width: int, branches: Sequence[str], strategy: str):
        super().__init__()
        self.strategy = strategy
        self.identity = nn.ModuleDict({name: nn.Linear(width, width) for name in branches})
        self.attributes = nn.Linear(2 * width, width) if strategy == "b" else None
        self.outputs = width * (len(branches) + (strategy != "none"))

    def forward(self, identity: dict[str, Tensor], described: dict[str, Tensor]) -> Tensor:
        """identity: pooled features of the branches, {name: (B, width)}; described: {"relevant", "irrelevant":
        (B, width)} -> f_final (B, outputs)."""
        joined = [layer(identity[name]) for name, layer in self.identity.items()]
        if self.strategy == "a":
            joined.append(described["relevant"])
        if self.strategy == "b":
            joined.append(self.attributes(torch.cat([described[name] for name in ATTRIBUTE_BRANCHES], dim=1)))
        return torch.cat(joined, dim=1)
