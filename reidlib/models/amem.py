"""AMEM: a 3-D network whose appearance and motion branches are taught by attributes and by frames to come.

Li, Yu, Hu, "Appearance and Motion Enhancement for Video-Based Person Re-Identification" (AAAI 2020), Figure 1.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from reidlib.models.arm import WIDTH, AttributeGroups, Groups
from reidlib.models.inception3d import InceptionBlock, Unit3D
from reidlib.models.layers import NormalizeFrames
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput
from reidlib.models.texture import TextureAutoEncoder
from reidlib.models.video import DESCRIPTOR, Descriptor, video_backbone

BRANCH = (384, 192, 384, 48, 128, 128)  # Table 2, for 1024 channels
BRANCHES = ("inception", "conv3d", "conv2d")  # the second and third: the alternatives of "Model Size"
MOTIONS = ("own", "past", "swapped")


class AMEM(Network):
    """Clips of T frames -> one feature a clip, of the backbone's maps joined with those of two branches.

    num_ids: number of training identities, the classes of the classifier. backbone, weights, scale: as in
    `video_backbone`. appearance, motion: which branches there are. groups: attributes of the appearance branch, as in
    `AttributeGroups`; without any it has no loss. foresee: whether the motion branch learns by foreseeing frames; if
    not, it has no loss either. joined: whether the branches are part of the feature; if not, they go after training and
    the backbone is left ("After Enhancement"). branch: one of `BRANCHES`.
    pictures: keep what foresees frames in `for_retrieval`, and answer with that many foreseen frames, from each frame
    that training starts from (Equation 5), so that all of them lie in the clip. motion_from: what those are foreseen
    from, "own" for the clip's motion feature, "past" for one of the frames up to the current one (which then stands for
    those that follow), "swapped" for that of the clip half a batch further on.
    ValueError for options that do not fit, and for clips too short to start from.
    """

    def __init__(
        self,
        *,
        num_ids: int,
        backbone: str = "i3d",
        appearance: bool = True,
        motion: bool = True,
        groups: Groups | Mapping[str, Mapping[str, int]] | None = None,
        foresee: bool = True,
        joined: bool = True,
        branch: str = "inception",
        pictures: int = 0,
        motion_from: str = "own",
        scale: str = "paper",
        weights: str | Path | None = None,
    ):
        super().__init__()
        if branch not in BRANCHES or motion_from not in MOTIONS or not (appearance or motion):
            raise ValueError(
                f"branch={branch!r}, motion_from={motion_from!r}, appearance={appearance}, motion={motion}: expected "
                f"one of {BRANCHES}, one of {MOTIONS}, and a branch at least"
            )
        if (groups and not appearance) or (pictures and not (motion and foresee)):
            raise ValueError("groups need the branch of appearance, and pictures a branch of motion that foresees")
        self.backbone = video_backbone(backbone, scale, weights)
        self.normalize = NormalizeFrames()
        channels = self.backbone.channels
        names = [name for name, there in (("appearance", appearance), ("motion", motion)) if there]
        self.branches = nn.ModuleDict({name: Branch(channels, branch) for name in names})
        self.attributes = AttributeGroups(channels, groups, WIDTH[scale]) if groups else None
        self.foresight = Foresight(channels, scale) if motion and foresee else None
        self.joined, self.pictures, self.motion_from = joined, pictures, motion_from
        self.descriptor = Descriptor(channels * (1 + len(names) * joined), DESCRIPTOR[scale], num_ids)
        self.training_only = ("descriptor.classifier", "attributes")
        if not pictures:
            self.training_only += ("foresight",) if joined else ("foresight", "branches")

    def forward(self, frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1].

        embedding: f_s after the neck (B, D), compared by cosine. features: {"global": f_s before it; "backbone",
        "appearance", "motion": f_B, f_A and f_M, pooled, (B, C), those that there are}. logits: {"global": (B,
        num_ids)}; attributes: {name: scores}; both only in training. visuals: {"next_frames": (B, T - pictures - 1,
        pictures, 3, H, W) in [0, 1], the frames foreseen from each of the first ones}, if pictures are kept.
        """
        maps = self.maps(frames)
        output = self.describe(maps)
        if self.pictures:
            output.visuals["next_frames"] = self._pictures(frames, maps["motion"])
        return output

    def maps(self, frames: Tensor) -> dict[str, Tensor]:
        """{"backbone", "appearance", "motion": f_B, f_A and f_M, (B, C, H', W')}, those that there are."""
        spacetime = self.backbone(self.normalize(frames).transpose(1, 2))
        branches = {name: branch(spacetime) for name, branch in self.branches.items()}
        return {"backbone": spacetime.mean(2), **branches}

    def describe(self, maps: Mapping[str, Tensor]) -> ModelOutput:
        """From `maps` to all of the output but pictures."""
        pooled = {name: values.mean((2, 3), dtype=torch.float32) for name, values in maps.items()}
        used = list(pooled.values()) if self.joined else [pooled["backbone"]]
        output = self.descriptor(torch.cat(used, dim=1))
        output.features.update(pooled)
        if self.attributes is not None:
            for group in self.attributes(pooled["appearance"]):
                output.attributes.update(group)
        return output

    def _pictures(self, frames: Tensor, motion: Tensor) -> Tensor:
        """The N frames foreseen from each frame t, 0 < t < T - N counted from 1: (B, T - N - 1, N, 3, H, W)."""
        time, found = frames.shape[1], []
        if time < self.pictures + 2:
            raise ValueError(f"clips of {time} frames: foreseeing {self.pictures} needs {self.pictures + 2}")
        if self.motion_from == "swapped":
            motion = motion.roll(max(len(motion) // 2, 1), 0)
        for t in range(time - self.pictures - 1):
            if self.motion_from == "past":
                past = torch.arange(time, device=frames.device).clamp(max=t)
                motion = self.maps(frames[:, past])["motion"]
            found.append(self.foresight(frames[:, t], motion, self.pictures)[0])
        return torch.stack(found, dim=1)


class Branch(nn.Module):
    """A branch on the backbone's maps: (B, C, T', H, W) -> (B, C, H, W), the average over time of Table 2's block.

    kind: "inception", "conv3d" (one 3×3×3 convolution in its place) or "conv2d" (two 3×3 convolutions of the average,
    half as wide between them).
    """

    def __init__(self, channels: int, kind: str = "inception"):
        super().__init__()
        self.kind = kind
        if kind == "inception":
            self.layers = InceptionBlock(channels, tuple(number * channels // 1024 for number in BRANCH))
        elif kind == "conv3d":
            self.layers = Unit3D(channels, channels, 3)
        else:
            self.layers = nn.Sequential(*_conv2d(channels, channels // 2, 3), *_conv2d(channels // 2, channels, 3))

    def forward(self, maps: Tensor) -> Tensor:
        return self.layers(maps.mean(2)) if self.kind == "conv2d" else self.layers(maps).mean(2)


class Foresight(nn.Module):
    """MEM's generator: the frames after a frame, from its texture and the clip's motion feature.

    The texture autoencoder's encoder is frozen, its normalisation included; its decoder is tuned. Its weights are those
    of a `TextureAutoEncoder` that was trained before.
    """

    def __init__(self, channels: int, scale: str):
        super().__init__()
        self.texture = TextureAutoEncoder(scale=scale)
        self.texture.encoder.requires_grad_(False)
        textures = self.texture.channels
        self.embedding = nn.Sequential(
            *_conv2d(textures + channels, textures, 3),
            nn.Conv2d(textures, textures, 1, bias=False),
            nn.BatchNorm2d(textures),
        )

    def forward(self, frame: Tensor, motion: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
        """frame (B, 3, H, W) in [0, 1], motion f_M (B, C, h, w) -> the next `rounds` frames (B, rounds, 3, H, W) and
        their texture maps (B, rounds, K, h, w). Each frame is made of the one before, all with the same f_M."""
        frames, textures = [], []
        for _ in range(rounds):
            current = torch.cat([self.texture.encoder(frame), motion], dim=1)
            textures.append(self.embedding(current))
            frame = self.texture.decoder(textures[-1])
            frames.append(frame)
        return torch.stack(frames, dim=1), torch.stack(textures, dim=1)

    @torch.no_grad()
    def textures(self, frames: Tensor) -> Tensor:
        """The texture maps (B, c, K, h, w) of true frames (B, c, 3, H, W), without gradient."""
        return self.texture.encoder(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])


def _conv2d(inputs: int, outputs: int, kernel: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
