"""Layers that several networks share: input normalisation, non-local block, pooling, BNNeck, a foreground branch."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class NormalizeFrames(nn.Module):
    """Standardise RGB frames by ImageNet's channel means and deviations."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1))

    def forward(self, frames: Tensor) -> Tensor:
        """Frames (..., 3, H, W) in [0, 1] -> the same shape, about zero mean and unit deviation."""
        return (frames - self.mean) / self.std


class NonLocalBlock(nn.Module):
    """Every position of a feature map attends to all positions: z = BN(W y) + x.

    Wang et al., "Non-local Neural Networks" (CVPR 2018), Equations 1, 4 and 6, with the dot-product affinity
    f(x_i, x_j) = theta(x_i)ᵀ phi(x_j) and C(x) = N, the form that AGW uses. Half of the channels inside
    (section 3.3; AGW's released code has a single one). The last batch normalisation starts at zero, so that
    a new block is the identity and can be inserted into a pretrained network.
    """

    def __init__(self, channels: int):
        super().__init__()
        inner = channels // 2
        self.theta = nn.Conv2d(channels, inner, 1)
        self.phi = nn.Conv2d(channels, inner, 1)
        self.g = nn.Conv2d(channels, inner, 1)
        self.out = nn.Conv2d(inner, channels, 1)
        self.bn = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.bn.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) -> (N, C, H, W)."""
        theta, phi, g = (layer(x).flatten(2) for layer in (self.theta, self.phi, self.g))
        # y_i = 1/N sum_j (theta_iᵀ phi_j) g_j = 1/N (sum_j g_j phi_jᵀ) theta_i: no N × N matrix is needed
        y = (g @ phi.mT / g.shape[2]) @ theta
        return x + self.bn(self.out(y.unflatten(2, x.shape[2:])))


class GeM(nn.Module):
    """Generalised-mean pooling with a learned exponent p: f = (mean over positions of x^p)^(1/p).

    Radenović et al., "Fine-tuning CNN Image Retrieval with No Human Annotation" (TPAMI 2019), Equation 3: p
    = 1 is the average, p → ∞ the maximum. Computed in float32 through logarithms, which cannot overflow.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6):
        super().__init__()
        self.p = nn.Parameter(torch.tensor(p))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, …), negative values counting as zero -> (N, C), float32."""
        log_x = x.flatten(2).float().clamp(min=self.eps).log()
        log_mean = torch.logsumexp(self.p * log_x, dim=2) - math.log(log_x.shape[2])
        return (log_mean / self.p).exp()


class BNNeck(nn.BatchNorm1d):
    """Batch normalisation without a learned shift, between the feature of the metric losses and the
    classifier.

    Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification" (CVPRW 2019),
    section 3.5. Features (N, C) -> (N, C).
    """

    def __init__(self, channels: int):
        super().__init__(channels)
        self.bias.requires_grad_(False)


class ForegroundBranch(nn.Module):
    """Seq-Masks' foreground branch as other networks can have it: their maps, pooled over the person alone, with a neck
    and a classifier of its own.

    pool: "average" or "gem", as the network pools its maps over all positions.
    """

    def __init__(self, channels: int, num_ids: int, pool: str):
        super().__init__()
        self.p = nn.Parameter(torch.tensor(3.0)) if pool == "gem" else None
        self.neck = BNNeck(channels)
        self.classifier = nn.Linear(channels, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, maps: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """maps (B, T, C, h, w), masks (B, T, 1, H, W) of 0 and 1 -> the feature (B, C) before the neck, the one after
        it, and logits (B, num_ids), None once `Network.for_retrieval` has dropped the classifier."""
        if self.p is None:
            feature = foreground_average(maps, masks)
        else:
            feature = foreground_average(maps.float().clamp(min=1e-6) ** self.p, masks) ** (1 / self.p)
        embedding = self.neck(feature)
        return feature, embedding, None if self.classifier is None else self.classifier(embedding)


def foreground_average(maps: Tensor, masks: Tensor) -> Tensor:
    """The average of a clip's maps over its foreground positions, all frames together.

    maps (B, T, C, h, w), masks (B, T, 1, H, W) of 0 and 1 -> (B, C), float32. A position counts by the share of its
    area that is foreground, so a mask of ones gives the plain average. A frame without foreground counts nothing; a
    clip without any falls back to the plain average.
    """
    weights = F.adaptive_avg_pool2d(masks.float().flatten(0, 1), maps.shape[-2:]).unflatten(0, masks.shape[:2])
    total = weights.sum((1, 2, 3, 4), keepdim=True)
    weights = torch.where(total > 0, weights / total.clamp(min=1e-12), 1 / weights[0].numel())
    return (maps * weights).sum((1, 3, 4))


def activation(maps: Tensor) -> Tensor:
    """Where maps answer: the sum of squares over channels, divided by its largest value in the frame.

    Zagoruyko and Komodakis, "Paying More Attention to Attention" (ICLR 2017), section 3.1, F²_sum. maps (N, C, h, w) ->
    (N, 1, h, w) in [0, 1].
    """
    answers = maps.float().square().sum(1, keepdim=True)
    return answers / answers.amax((2, 3), keepdim=True).clamp(min=1e-12)
