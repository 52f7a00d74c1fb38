"""SS-HSP: features of body parts that were found without labels, of how they move, and of how frames relate.

Wu and Liu, "Self-supervised human semantic parsing for video-based person re-identification" (JUSTC 2022), section 3.3
and Figure 2. Its segmentation module is trained before, as that of `reidlib.models.parsing`.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.backbones import scaled_resnet
from reidlib.models.layers import NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput
from reidlib.models.parsing import SIZE, Segmentation, enlarged, flow_to_next
from reidlib.models.part_motion import Parts, displacement, part_flow, positions, total_flow
from reidlib.models.temporal_relation import TemporalRelation

# Where the maps of K parts come from, and what the motion feature is made of, see `SSHSP`.
PARTS = ("learned", "none", "stripes", "ellipse", "random", "true")
MOTIONS = ("flow", "none", "literal", "zero", "mean", "shuffled")
AGGREGATIONS = ("relation", "mean", "alone")
WIDTHS = {"paper": 256, "mini": 64}  # of each feature
MOTION_CHANNELS = 16  # of the 1×1 convolution; the paper does not give them
# Rendered part labels (`reidlib.data.walkers.scene.PARTS`) as six parts: head, torso with all that is carried, arms,
# upper legs, lower legs, feet; 6 is the background.
TRUE_PARTS = (6, 0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 1)


class SSHSP(Network):
    """Clips of T frames with each frame's successor -> 1 global, K + 1 local and 1 motion feature, joined.

    num_ids: number of training identities. num_parts: K. num_frames: T, which the temporal relation block is made for.
    parts: "learned" by the segmentation module, or "none" (no local features). Controls in its place: "stripes" (K
    horizontal ones over the whole width, no background), "ellipse" (the same inside an upright ellipse), "random"
    (smooth maps, drawn once), "true" (rendered truth, K = 6).
    motion: "flow" (displacements, 1×1 convolution, ReLU, average, linear layer) or "none"; "literal" takes positions
    and has no ReLU. Controls: "zero" (nothing moves), "mean" (the two mean displacements alone), "shuffled" (from each
    frame to another one's successor).
    aggregation: over frames; "relation" is the temporal relation block, one for each feature, "mean" the average
    ("TAP"), "alone" the block's control, see `TemporalRelation`.
    width: of each feature, by default the scale's. scale: "paper" (ResNet-50, 256) or "mini" (64). weights: as in
    `scaled_resnet`. ValueError for other options, or true parts of another number than six.
    """

    def __init__(
        self,
        *,
        num_ids: int,
        num_parts: int = 6,
        num_frames: int = 8,
        parts: str = "learned",
        motion: str = "flow",
        aggregation: str = "relation",
        width: int | None = None,
        scale: str = "paper",
        weights: str | Path | None = None,
    ):
        super().__init__()
        _check(parts, motion, aggregation, num_parts)
        self.num_parts, self.parts, self.motion, self.aggregation = num_parts, parts, motion, aggregation
        self.inputs = (
            "frames",
            *(["next_frames"] if motion != "none" else []),
            *(["parts"] if parts == "true" else []),
        )
        self.training_only = ("classifiers",)
        width = width or WIDTHS[scale]
        self.backbone = scaled_resnet(scale, weights)
        self.normalize = NormalizeFrames()
        self.moves = motion not in ("none", "zero")
        self.segmentation = Segmentation(num_parts, scale=scale) if parts == "learned" or self.moves else None
        if parts in ("stripes", "ellipse", "random"):
            self.register_buffer("maps", FIXED_MAPS[parts](num_parts))
        appearance = ["global"]
        if parts != "none":
            appearance += [*(f"part {k + 1}" for k in range(num_parts)), "foreground"]
        self.reductions = nn.ModuleDict({name: nn.Linear(self.backbone.channels, width) for name in appearance})
        self.motion_features = None if motion == "none" else MotionFeature(width, motion)
        names = [*appearance, *(["motion"] if motion != "none" else [])]
        self.relations = nn.ModuleDict()
        if aggregation != "mean":
            alone = aggregation == "alone"
            self.relations.update({name: TemporalRelation(width, num_frames, alone=alone) for name in names})
        self.classifiers = nn.ModuleDict({name: nn.Linear(width, num_ids) for name in appearance})

    def forward(self, frames: Tensor, next_frames: Tensor | None = None, parts: Tensor | None = None) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]; next_frames: (B, T, 1, 3, H, W), for the motion feature alone; parts:
        rendered labels (B, T, H, W), for true parts alone. Each is needed as `inputs` says.

        features: {"global", "part 1", …, "foreground", "motion": (B, width)}; logits: those of the appearance features,
        (B, num_ids), empty once `for_retrieval` has dropped the classifiers. embedding: all features joined. visuals:
        {"segments": part maps, the background first, (B, T, K + 1, h, w); "flow": displacement in pixels to the next
        frame, (B, T, 2, H, W), in evaluation mode; "attention": each frame's weight in the global feature, (B, T)},
        those that there are.
        """
        shape, flat = frames.shape[:2], frames.flatten(0, 1)
        found = self.segmentation(flat) if self.moves else None
        maps = self._maps(found, parts, flat)
        features = self._appearance(self.backbone(self.normalize(flat)), maps)
        visuals = {} if maps is None else {"segments": maps.roll(1, 1).unflatten(0, shape)}
        if self.motion_features is not None:
            following = self._successors(next_frames) if self.moves else None
            features["motion"] = self.motion_features(found, following, flat)
            if not self.training:
                flow = torch.zeros_like(flat[:, :2]) if following is None else flow_to_next(found, following)
                visuals["flow"] = (enlarged(flow, flat) * (flat.shape[-2] / SIZE[0])).unflatten(0, shape)
        clips = {}
        for name, feature in features.items():
            feature = feature.unflatten(0, shape)
            if name in self.relations:
                clips[name], worth = self.relations[name](feature)
                if name == "global":
                    visuals["attention"] = worth
            else:
                clips[name] = feature.mean(1)
        logits = {name: classifier(clips[name]) for name, classifier in self.classifiers.items()}
        return ModelOutput(torch.cat(list(clips.values()), 1), clips, logits, visuals)

    def _maps(self, found: Parts | None, labels: Tensor | None, frames: Tensor) -> Tensor | None:
        """Part maps (N, K + 1, h, w) of frames, the background last; None where there are no parts. found: what the
        segmentation module has found in them, None where nothing moves."""
        if self.parts == "none":
            return None
        if self.parts == "learned":
            return self.segmentation.maps(frames) if found is None else found.maps
        if self.parts == "true":
            of_label = torch.tensor(TRUE_PARTS, device=frames.device)
            maps = F.one_hot(of_label[labels.flatten(0, 1).long()], self.num_parts + 1).permute(0, 3, 1, 2)
            return F.adaptive_avg_pool2d(maps.float(), SIZE)
        return self.maps.expand(len(frames), -1, -1, -1)

    def _appearance(self, features: Tensor, maps: Tensor | None) -> dict[str, Tensor]:
        """Feature maps X (N, C, h, w) -> a feature (N, width) of the whole frame and, weighted by the maps, averaged to
        X's size, of each part and of their union."""
        pooled = {"global": features.mean((2, 3), dtype=torch.float32)}
        if maps is not None:
            weights = F.adaptive_avg_pool2d(maps[:, :-1], features.shape[2:])
            weights = torch.cat([weights, weights.sum(1, keepdim=True)], 1)
            local = weighted_pooling(features, weights).unbind(1)
            pooled |= dict(zip([*(f"part {k + 1}" for k in range(self.num_parts)), "foreground"], local, strict=True))
        return {name: self.reductions[name](feature) for name, feature in pooled.items()}

    def _successors(self, next_frames: Tensor) -> Parts:
        """The parts of the frames that follow; where they are shuffled, those of the frame before in the clip."""
        following = next_frames[:, :, 0]
        if self.motion == "shuffled":
            following = following.roll(1, 1)
        return self.segmentation(following.flatten(0, 1))


class MotionFeature(nn.Module):
    """Flow -> 1×1 convolution, average over positions, linear layer: a feature (N, width) of each frame.

    kind: as in `SSHSP`. The paper has no non-linearity here, and positions in place of displacements; then all that it
    takes of a flow is its mean, see `tests/models/test_sshsp.py`.
    """

    def __init__(self, width: int, kind: str):
        super().__init__()
        self.kind = kind
        self.convolution = nn.Conv2d(2, MOTION_CHANNELS, 1)
        self.norm = nn.Identity() if kind == "literal" else nn.BatchNorm2d(MOTION_CHANNELS)
        self.linear = nn.Linear(MOTION_CHANNELS, width)

    def forward(self, now: Parts | None, then: Parts | None, frames: Tensor) -> Tensor:
        """Parts of N frames (N, 3, H, W) and of their successors -> features (N, width)."""
        if self.kind == "zero":
            return self.pooled(torch.zeros(len(frames), 2, 1, 1, device=frames.device))
        with torch.autocast(frames.device.type, enabled=False):
            flow = total_flow(then.maps, part_flow(now, then))  # Equation 2
            if self.kind != "literal":
                flow = displacement(flow, SIZE[0])
            if self.kind == "mean":
                flow = flow.mean((2, 3), keepdim=True)
        return self.pooled(flow)

    def pooled(self, flow: Tensor) -> Tensor:
        """What the layers make of a flow (N, 2, h, w): (N, width)."""
        x = self.norm(self.convolution(flow))
        x = x if self.kind == "literal" else x.relu()
        return self.linear(x.mean((2, 3)))


def weighted_pooling(features: Tensor, weights: Tensor) -> Tensor:
    """Feature maps (N, C, h, w) averaged with each of P weight maps (N, P, h, w): (N, P, C), float32. The average is
    zero where a map is."""
    total = weights.float().sum((2, 3))[..., None]
    return torch.einsum("nchw,nphw->npc", features.float(), weights.float()) / total.clamp(min=1e-4)


def stripes(num_parts: int) -> Tensor:
    """K horizontal stripes of one height, and no background: (1, K + 1, h, w)."""
    height, width = SIZE
    row = torch.arange(height) * num_parts // height
    maps = F.one_hot(row, num_parts + 1).float().T[:, :, None]
    return maps.expand(-1, -1, width)[None].clone()


def ellipse(num_parts: int) -> Tensor:
    """The stripes inside an upright ellipse, as high as the frame and 0.44 of it wide; the rest is background."""
    x, y = positions(*SIZE, torch.zeros(()))
    inside = ((x / 0.22) ** 2 + (y / 1.0) ** 2 < 1).float()
    maps = stripes(num_parts) * inside
    maps[:, -1] = 1 - inside
    return maps


def random_maps(num_parts: int) -> Tensor:
    """Smooth maps without meaning, always the same: a softmax over enlarged noise, (1, K + 1, h, w)."""
    noise = torch.randn(1, num_parts + 1, 8, 4, generator=torch.Generator().manual_seed(0))
    return (5 * F.interpolate(noise, SIZE, mode="bicubic")).softmax(1)


FIXED_MAPS = {"stripes": stripes, "ellipse": ellipse, "random": random_maps}


def _check(parts: str, motion: str, aggregation: str, num_parts: int) -> None:
    for name, value, known in (
        ("parts", parts, PARTS),
        ("motion", motion, MOTIONS),
        ("aggregation", aggregation, AGGREGATIONS),
    ):
        if value not in known:
            raise ValueError(f"{name}={value!r}: expected one of {known}")
    if parts == "true" and num_parts != 6:
        raise ValueError(f'num_parts={num_parts} with parts="true": the truth has six')
