"""Losses of part segmentation without labels: Equations 6 to 8 of SS-HSP, and what it takes beside.

Wu and Liu, "Self-supervised human semantic parsing for video-based person re-identification" (JUSTC 2022), section 3.4.
Part maps are (N, K + 1, h, w), the background last, and sum to 1 over the maps.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from reidlib.losses.precision import in_float32

RESOLUTIONS = 3  # of Equation 6, each half of the one before
SMALLEST = 1e-6  # of a probability whose logarithm is taken


def reconstruction_loss(predicted: Tensor, true: Tensor, maps: Callable[[Tensor], Sequence[Tensor]]) -> Tensor:
    """Equation 6: squared differences of the maps of two images, at three resolutions.

    predicted, true: (N, 3, H, W) in [0, 1]. maps: what an image is compared by, a network's feature maps, or the image
    itself. Each map counts with its mean square, where the paper has a sum, so that its size does not weigh.
    """
    total = predicted.new_zeros((), dtype=torch.float32)
    for _ in range(RESOLUTIONS):
        for ours, theirs in zip(maps(predicted), maps(true), strict=True):
            total = total + (ours.float() - theirs.float()).square().mean()
        predicted, true = F.avg_pool2d(predicted, 2), F.avg_pool2d(true, 2)
    return total / RESOLUTIONS


@in_float32
def map_divergence(found: Tensor, expected: Tensor, valid: Tensor) -> Tensor:
    """Equation 7, first term: the Kullback-Leibler divergence D(found ‖ expected) of part maps, mean over the positions
    that are `valid` (N, 1, h, w) of 0 and 1."""
    ratio = found.clamp(min=SMALLEST).log() - expected.clamp(min=SMALLEST).log()
    return ((found * ratio).sum(1, keepdim=True) * valid).sum() / valid.sum().clamp(min=1)


@in_float32
def squared_difference(found: Tensor, expected: Tensor) -> Tensor:
    """Equation 7, second and third term: ‖found - expected‖² of vectors (N, K, 2) or matrices (N, K, 2, 2), mean over
    frames and parts."""
    return (found - expected).square().flatten(2).sum(2).mean()


@in_float32
def concentration_loss(maps: Tensor, z: Tensor) -> Tensor:
    """Equation 8: the sum over parts of the variance of a part's positions z (2, h, w), its map being their
    distribution; mean over frames. The background is left out: nothing says that it is in one place."""
    weights = maps[:, :-1].flatten(2)
    weights = weights / weights.sum(2, keepdim=True).clamp(min=SMALLEST)
    places = z.flatten(1).mT  # (h·w, 2)
    centers = weights @ places  # (N, K, 2)
    return (weights @ places.square().sum(1) - centers.square().sum(2)).sum(1).mean()


@in_float32
def photometric_loss(maps: Tensor, errors: Tensor) -> Tensor:
    """Not in the paper: every part's own flow has to explain the pixels that its map claims, the background's no flow
    those of the background; the blend of Equation 2 leaves it open which part does. maps: of the target frame; errors:
    (N, K + 1, h, w), how far each flow's pixel is from the target's."""
    return (maps * errors).sum(1).mean()


@in_float32
def prior_loss(maps: Tensor, prior: Tensor) -> Tensor:
    """Not in the paper: D(prior ‖ maps), mean over frames and positions. prior: (K + 1, h, w), sums to 1 over the maps.

    In this direction its gradient does not vanish where a map is nearly 0, so that no part is lost for good.
    """
    return (prior * (prior.clamp(min=SMALLEST).log() - maps.clamp(min=SMALLEST).log())).sum(1).mean()


@in_float32
def balance_loss(maps: Tensor) -> Tensor:
    """Not in the paper: log K minus the entropy of the parts' shares of a batch's foreground, 0 where all have as
    much."""
    shares = maps[:, :-1].sum((0, 2, 3))
    shares = shares / shares.sum().clamp(min=SMALLEST)
    entropy = -(shares * shares.clamp(min=SMALLEST).log()).sum()
    return torch.log(torch.tensor(float(len(shares)), device=maps.device)) - entropy
