"""Descriptors without training: the floor that a learned network has to beat, and what a benchmark gives away for free.

They answer like networks, so that the same command measures them; `scale` and `num_ids` mean nothing to them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from reidlib.models.network import Network
from reidlib.models.output import ModelOutput


class _Descriptor(Network):
    def __init__(self, *, scale: str = "paper", num_ids: int = 0):
        super().__init__()

    def forward(self, **inputs: Tensor) -> ModelOutput:
        """inputs: frames (B, T, 3, H, W) in [0, 1]; masks (B, T, 1, H, W) and silhouettes (B, S, h, w) of 0 and 1;
        those that the descriptor declares."""
        return ModelOutput(self.describe(**inputs))


class ColourHistogram(_Descriptor):
    """Square roots of red, green and blue histograms (16 bins each) of six horizontal stripes, over all frames.

    Given masks, only the person's pixels count. constancy: every clip's channels are first brought to one mean and
    deviation, so that a camera's light and colour cast matter less. The histograms sum to 1, and the square roots
    make the inner product their Bhattacharyya coefficient. Embedding (B, 6·3·16), in [0, 1].
    """

    optional_inputs = ("masks",)

    def __init__(self, *, scale: str = "paper", num_ids: int = 0, constancy: bool = False):
        super().__init__()
        self.constancy = constancy

    def describe(self, frames: Tensor, masks: Tensor | None = None) -> Tensor:
        frames = frames.float()
        batch, _, _, height, _ = frames.shape
        if self.constancy:
            deviation, mean = torch.std_mean(frames, (1, 3, 4), keepdim=True)
            frames = 0.5 + 0.2 * (frames - mean) / deviation.clamp(min=1e-3)
        stripe = torch.arange(height, device=frames.device) * 6 // height
        levels = (frames * 16).long().clamp(0, 15)  # (B, T, 3, H, W)
        channel = torch.arange(3, device=frames.device)[:, None, None]
        cells = (stripe[:, None] * 3 + channel) * 16 + levels
        weights = torch.ones_like(frames) if masks is None else masks.float().expand_as(frames)
        counts = torch.zeros(batch, 6 * 3 * 16, device=frames.device)
        counts.scatter_add_(1, cells.flatten(1), weights.flatten(1))
        return F.normalize(counts, p=1, dim=1).sqrt()


class MeanSilhouette(_Descriptor):
    """The average silhouette over the frames: the gait energy image. Embedding (B, h·w) or (B, H·W).

    Of the aligned silhouettes where they are given, else of the masks, without alignment. ValueError without either.
    Han and Bhanu, "Individual Recognition Using Gait Energy Image" (TPAMI 2006), Equation 1.
    """

    inputs = ()
    optional_inputs = ("masks", "silhouettes")

    def describe(self, masks: Tensor | None = None, silhouettes: Tensor | None = None) -> Tensor:
        if silhouettes is not None:
            return silhouettes.float().mean(1).flatten(1)
        if masks is None:
            raise ValueError("mean_silhouette needs masks or silhouettes; use data that has them")
        return masks.float().mean(1).flatten(1)


class GradientHistogram(_Descriptor):
    """Histograms of gradient orientation (9 bins over half a turn, cells of 8×8 pixels), averaged over frames.

    Embedding (B, 9·H/8·W/8).
    Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection" (CVPR 2005), with each cell normalised by
    itself, to unit length.
    """

    def describe(self, frames: Tensor) -> Tensor:
        grey = frames.float().mean(2)  # (B, T, H, W)
        dx = F.pad(grey[..., 2:] - grey[..., :-2], (1, 1))
        dy = F.pad(grey[..., 2:, :] - grey[..., :-2, :], (0, 0, 1, 1))
        orientation = (torch.atan2(dy, dx) % torch.pi) * (9 / torch.pi)
        bins = F.one_hot(orientation.long().clamp(max=8), 9) * torch.hypot(dx, dy)[..., None]  # (B, T, H, W, 9)
        cells = F.avg_pool2d(bins.flatten(0, 1).permute(0, 3, 1, 2), 8)  # (B·T, 9, H/8, W/8)
        return F.normalize(cells, dim=1).unflatten(0, frames.shape[:2]).mean(1).flatten(1)


class Chance(_Descriptor):
    """Random embeddings (B, 64) from torch's global generator: what a ranking without any knowledge scores."""

    def describe(self, frames: Tensor) -> Tensor:
        return torch.randn(len(frames), 64, device=frames.device)
