"""The temporal relation block of SS-HSP: frames are refined by how they differ, and added up by what they are worth.

Wu and Liu, "Self-supervised human semantic parsing for video-based person re-identification" (JUSTC 2022), section 3.3,
Equations 4 and 5.
"""

import torch
from torch import Tensor, nn


class TemporalRelation(nn.Module):
    """Features of a clip's T frames -> one feature of the clip. Relations are joined in the order of the frames, so T
    is fixed.

    channels: of a feature. The paper does not give the inner widths: φ and ϕ have a quarter of the channels, a relation
    r an eighth. alone: the control with as many parameters that sees no other frame: f_t takes the place of f_m, and
    all frames count the same.
    """

    def __init__(self, channels: int, num_frames: int, *, alone: bool = False):
        super().__init__()
        self.num_frames, self.alone = num_frames, alone
        inner, related = channels // 4, channels // 8
        self.phi = Embedding(channels, inner)
        self.varphi = Embedding(channels, inner)
        self.h1 = Embedding(2 * inner, related)
        self.h2 = Embedding(channels + num_frames * related, channels)
        self.attention = nn.Linear(channels + num_frames * related, 1, bias=False)
        self.norm = nn.BatchNorm1d(1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """features: f (B, T, channels) -> the clip's feature (B, channels), and each frame's weight in it (B, T), which
        sum to 1. ValueError for another number of frames."""
        if features.shape[1] != self.num_frames:
            raise ValueError(f"{features.shape[1]} frames: this temporal relation block is for {self.num_frames}")
        others = features[:, :, None] if self.alone else features[:, None]
        differences = (features[:, :, None] - others).expand(-1, -1, self.num_frames, -1)  # f_t - f_m, (B, T, T, C)
        own = self.phi(features)[:, :, None].expand(-1, -1, self.num_frames, -1)
        relations = self.h1(torch.cat([own, self.varphi(differences)], 3)).flatten(2)  # Equation 4
        joined = torch.cat([features, relations], 2)
        refined = self.h2(joined)
        if self.alone:
            worth = torch.ones_like(joined[..., 0])
        else:
            scores = self.attention(joined)
            worth = self.norm(scores.flatten(0, 1)).view(scores.shape[:2]).sigmoid()  # Equation 5
        worth = worth / worth.sum(1, keepdim=True)
        return (worth[..., None] * refined).sum(1), worth


class Embedding(nn.Module):
    """A fully connected layer, batch normalisation over all other dimensions, and ReLU: (…, inputs) -> (…, outputs)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = self.linear(x)
        return self.norm(y.flatten(0, -2)).relu().view(y.shape)
