"""Triplet losses with mining inside the batch.

Hermans, Beyer, Leibe, "In Defense of the Triplet Loss for Person Re-Identification" (2017). Every clip is
an anchor once; a positive is another clip of its identity, a negative a clip of another identity.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from reidlib.losses.precision import in_float32


class Triplets(NamedTuple):
    """A triplet loss and what it works on, scalars. active: the share of the triplets (of the anchors, where each has
    one triplet) that the loss still pushes, in [0, 1]. distance: the mean distance between the batch's clips; where it
    goes to zero, features collapse. Neither has a gradient.
    """

    loss: Tensor
    active: Tensor
    distance: Tensor

    def watched(self, name: str) -> dict[str, Tensor]:
        """What training records beside the loss, see `reidlib.training.fit`."""
        return {f"{name} active": self.active, f"{name} distance": self.distance}


def distances_and_pairs(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Euclidean distances inside a batch, and which pairs are (positive, negative), bool (B, B).

    features (B, D), or (P, B, D) for P strips; labels (B,); the distances are (B, B) or (P, B, B). Their gradient is
    zero where two features coincide.
    """
    distances = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")
    same = labels[:, None] == labels
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return distances, same & ~itself, ~same


def _hinge(difference: Tensor, margin: float | None) -> Tensor:
    """max(0, margin + difference), or the smooth log(1 + exp(difference)) if margin is None (section 3)."""
    return F.softplus(difference) if margin is None else F.relu(difference + margin)


def mean_distance(distances: Tensor) -> Tensor:
    """The mean of distances (…, B, B) between different clips of a batch, without gradient."""
    count = distances.shape[-1]
    return distances.detach().sum((-2, -1)).mean() / max(count * (count - 1), 1)


def batch_hard_triplet_loss(features: Tensor, labels: Tensor, margin: float | None = 0.3) -> Tensor:
    """The loss of `batch_hard_triplets`."""
    return batch_hard_triplets(features, labels, margin).loss


def batch_all_triplet_loss(features: Tensor, labels: Tensor, margin: float = 0.3) -> Tensor:
    """The loss of `batch_all_triplets`."""
    return batch_all_triplets(features, labels, margin).loss


@in_float32
def batch_hard_triplets(features: Tensor, labels: Tensor, margin: float | None = 0.3) -> Triplets:
    """Equation 5, mean over anchors: the farthest positive against the nearest negative.

    features (B, D), labels (B,), margin in units of the distance or None for the soft margin, whose triplets count as
    active where the positive is not the nearer one. Anchors without a positive or without a negative are left out; NaN
    if no anchor is left.
    """
    distances, positive, negative = distances_and_pairs(features, labels)
    farthest = distances.masked_fill(~positive, -torch.inf).amax(1)
    nearest = distances.masked_fill(~negative, torch.inf).amin(1)
    anchors = positive.any(1) & negative.any(1)  # for the others the difference is -inf and the loss zero
    difference = farthest - nearest
    active = (difference.detach()[anchors] > -(margin or 0)).float().mean()
    return Triplets(_hinge(difference, margin).sum() / anchors.sum(), active, mean_distance(distances))


@in_float32
def batch_all_triplets(features: Tensor, labels: Tensor, margin: float = 0.3) -> Triplets:
    """Equation 6: all triplets, averaged over those whose loss is not zero ("BA ≠ 0" in section 4.3).

    features (B, D), or (B, P, D) for P strips, each of which is averaged by itself before their mean is taken (the loss
    of GaitSet); labels (B,), margin in units of the distance; a strip counts zero if no triplet violates the margin.
    """
    strips = features.reshape(len(features), -1, features.shape[-1]).transpose(0, 1)  # (P, B, D)
    distances, positive, negative = distances_and_pairs(strips, labels)
    anchors, positives = positive.nonzero(as_tuple=True)
    losses = F.relu(distances[:, anchors, positives, None] - distances[:, anchors] + margin)  # (P, pairs, B)
    losses = losses * negative[anchors]
    violated = (losses > 0).sum((1, 2))
    active = violated.float().mean() / negative[anchors].sum().clamp(min=1)
    return Triplets((losses.sum((1, 2)) / violated.clamp(min=1)).mean(), active, mean_distance(distances))
