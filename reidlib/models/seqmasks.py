"""Seq-Masks: appearance, its foreground by masks, and gait from the same masks, fused by channel attention.

Chang et al., "Seq-Masks: Bridging the gap between appearance and gait modeling for video-based person
re-identification" (2021), Figure 2. The rows of its tables are choices of branches and fusion.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import NormalizeFrames, foreground_average
from reidlib.models.modified_gaitset import ModifiedGaitSet
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

BRANCHES = ("global", "foreground", "gait")
NEEDED = {"global": ("frames",), "foreground": ("frames", "masks"), "gait": ("silhouettes",)}  # by each branch
FUSIONS = ("concat", "attention", "ungated", "identity")


class SeqMasks(Network):
    """Clips of T frames with their masks, and S aligned silhouettes -> one feature of d channels a branch.

    num_ids: number of training identities, the classes of each branch's classifier.
    branches: any of "global" (average over positions and frames), "foreground" (average over the foreground) and
    "gait" (`ModifiedGaitSet`). A system's branches are called alike whatever other branches it has, so a state dict of
    one that was trained alone fits the fusion network.
    fusion: "attention" is the paper's feature fusion module, "concat" does without. Two controls: "ungated" keeps the
    module's parameters, and adds its output instead of gating with it; "identity" joins the features as "concat" does,
    but under the fusion's loss.
    gait_weight: factor of the gait feature where features are only joined (`fusion="concat"`); no loss sees it.
    scale: "paper" (d = 512, frames of 256×128, silhouettes of 64×44) or "mini" (d = 128, 64×32 and 32×22).
    weights: of the frames' network, as in `scaled_resnet`.
    """

    def __init__(
        self,
        *,
        num_ids: int,
        branches: Sequence[str] = BRANCHES,
        fusion: str = "attention",
        gait_weight: float = 1.0,
        scale: str = "paper",
        weights: str | Path | None = None,
    ):
        super().__init__()
        _check_options(branches, fusion, gait_weight, weights)
        self.branches = tuple(branch for branch in BRANCHES if branch in branches)
        self.inputs = tuple(dict.fromkeys(name for branch in self.branches for name in NEEDED[branch]))
        self.training_only = ("classifiers", *(["gait.classifiers"] if "gait" in self.branches else []))
        self.gait_weight = gait_weight
        width = 512 if scale == "paper" else 128
        appearance = [branch for branch in self.branches if branch != "gait"]
        self.backbone = scaled_resnet(scale, weights) if appearance else None
        self.normalize = NormalizeFrames()
        self.reductions = nn.ModuleDict(
            {branch: Reduction(self.backbone.channels, width // 2, width) for branch in appearance}
        )
        self.classifiers = nn.ModuleDict({branch: nn.Linear(width, num_ids) for branch in appearance})
        self.gait = ModifiedGaitSet(num_ids=num_ids, scale=scale) if "gait" in self.branches else None
        self.fusion = None
        if fusion == "identity":
            self.fusion = NoFusion()
        elif fusion != "concat":
            self.fusion = FeatureFusion(width * len(self.branches), gated=fusion == "attention")

    def forward(
        self, frames: Tensor | None = None, masks: Tensor | None = None, silhouettes: Tensor | None = None
    ) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]; masks: (B, T, 1, H, W) of 0 and 1; silhouettes: (B, S, h, w) of 0 and 1.
        Each is needed by its branch only.

        features: {"global", "foreground": (B, d), "gait_main", "gait_mgp": (B, d/2), "fusion": the embedding}, those
        that there are. logits: the same names but "fusion", (B, num_ids); empty once `for_retrieval` has dropped the
        classifiers. embedding: the branches' features joined in the order of `BRANCHES` and fused, (B, branches·d).
        visuals: {"attention_global", …: the gates of each branch's channels, (B, d) in [0, 1]}. ValueError if a
        branch's input is missing.
        """
        self._check_inputs(frames, masks, silhouettes)
        pooled = {} if self.backbone is None else self._pool(frames, masks)
        features = {branch: self.reductions[branch](feature) for branch, feature in pooled.items()}
        joined = list(features.values())
        logits = {branch: classifier(features[branch]) for branch, classifier in self.classifiers.items()}
        if self.gait is not None:
            gait = self.gait(silhouettes)
            features |= {f"gait_{name}": feature for name, feature in gait.features.items()}
            logits |= {f"gait_{name}": values for name, values in gait.logits.items()}
            joined.append(gait.embedding * self.gait_weight)
        embedding, visuals = torch.cat(joined, dim=1), {}
        if self.fusion is not None:
            embedding, gates = self.fusion(embedding)
            features["fusion"] = embedding
            if gates is not None:
                parts = gates.chunk(len(self.branches), dim=1)
                visuals = {f"attention_{branch}": part for branch, part in zip(self.branches, parts)}
        return ModelOutput(embedding, features, logits, visuals)

    def _pool(self, frames: Tensor, masks: Tensor | None) -> dict[str, Tensor]:
        """The feature (B, channels) of each appearance branch before its reduction; both share the frames' maps."""
        shape = frames.shape[:2]
        maps = self.backbone(self.normalize(frames.flatten(0, 1))).unflatten(0, shape)
        pooled = {}
        if "global" in self.branches:
            pooled["global"] = maps.mean((1, 3, 4), dtype=torch.float32)
        if "foreground" in self.branches:
            pooled["foreground"] = foreground_average(maps, masks)
        return pooled

    def _check_inputs(self, frames: Tensor | None, masks: Tensor | None, silhouettes: Tensor | None) -> None:
        given = {"frames": frames, "masks": masks, "silhouettes": silhouettes}
        for branch in self.branches:
            if missing := [name for name in NEEDED[branch] if given[name] is None]:
                raise ValueError(f'the branch "{branch}" needs {" and ".join(missing)}; ask the batches for them')


def _check_options(branches: Sequence[str], fusion: str, gait_weight: float, weights: str | Path | None) -> None:
    if isinstance(branches, str) or not branches or not set(branches) <= set(BRANCHES):
        raise ValueError(f"branches={branches!r}: expected one or more of {BRANCHES}")
    if fusion not in FUSIONS:
        raise ValueError(f"fusion={fusion!r}: expected one of {FUSIONS}")
    if gait_weight != 1 and (fusion != "concat" or "gait" not in branches):
        raise ValueError(f'gait_weight={gait_weight}: only for the branch "gait" with fusion="concat"; leave it out')
    if weights is not None and set(branches) == {"gait"}:
        raise ValueError(f'weights={str(weights)!r}: the branch "gait" has none; leave them out')


class Reduction(nn.Sequential):
    """The bottleneck structure of Figure 2 (3): two linear layers, each followed by batch normalisation and ReLU.

    (B, inputs) -> (B, outputs), not negative. The paper does not give the inner width.
    """

    def __init__(self, inputs: int, inner: int, outputs: int):
        super().__init__(
            nn.Linear(inputs, inner, bias=False),
            nn.BatchNorm1d(inner),
            nn.ReLU(inplace=True),
            nn.Linear(inner, outputs, bias=False),
            nn.BatchNorm1d(outputs),
            nn.ReLU(inplace=True),
        )


class FeatureFusion(nn.Module):
    """The feature fusion module (section II.C): squeeze-excitation of a vector, with a residual: x + g(x) x.

    g(x) = sigmoid(W_2 ReLU(W_1 x)), as in Hu et al., "Squeeze-and-Excitation Networks" (CVPR 2018), Equation 3, with
    ratio 8 between the widths. gated=False is the control x + W_2 ReLU(W_1 x).
    """

    def __init__(self, channels: int, *, ratio: int = 8, gated: bool = True):
        super().__init__()
        self.gated = gated
        self.layers = nn.Sequential(
            nn.Linear(channels, channels // ratio), nn.ReLU(inplace=True), nn.Linear(channels // ratio, channels)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """x (B, C) -> the fused feature (B, C), and the gates (B, C) in [0, 1], None without them."""
        if not self.gated:
            return x + self.layers(x), None
        gates = torch.sigmoid(self.layers(x))
        return x + gates * x, gates


class NoFusion(nn.Module):
    """In place of the fusion module: x (B, C) -> x and no gates."""

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return x, None
