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

    features (B, D), labels (B,). The distances' gradient is zero where two features coincide.
    """
    distances = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")
    same = labels[:, None] == labels
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return distances, same & ~itself, ~same


def _hinge(difference: Tensor, margin: float | None) -> Tensor:
    """max(0, margin + difference), or the smooth log(1 + exp(difference)) if margin is None (section 3)."""
    return F.softplus(difference) if margin is None else F.relu(difference + margin)


def mean_distance(distances: Tensor) -> Tensor:
    """The mean of distances (B, B) between different clips of a batch, without gradient."""
    count = len(distances)
    return distances.detach().sum() / max(count * (count - 1), 1)


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

    No tensor holds all triplets, of which GaitSet's batch of 512 has two hundred million: an anchor's positives give
    thresholds, distance plus margin, and for each negative it suffices how many of them lie above its distance.
    """
    strips = features.reshape(len(features), -1, features.shape[-1]).transpose(0, 1)  # (P, B, D)
    loss, violated, distance = _BatchAll.apply(strips, labels, margin)
    same = (labels[:, None] == labels).sum(1)
    triplets = ((same - 1) * (len(labels) - same)).sum()
    return Triplets(loss.mean(), violated.float().mean() / triplets.clamp(min=1), distance.mean())


class _BatchAll(torch.autograd.Function):
    """The loss of each strip (P,), how many triplets violate the margin (P,), and the mean distance (P,).

    The gradient is known as soon as the loss is, and is all that is kept for the backward pass.
    """

    @staticmethod
    def forward(ctx, strips: Tensor, labels: Tensor, margin: float) -> tuple[Tensor, Tensor, Tensor]:
        positives, there = _positives(labels)
        negative = labels[:, None] != labels
        found = [_batch_all(strip, positives, there, negative, margin) for strip in strips]
        losses, violated, distances, gradients = (torch.stack(values) for values in zip(*found))
        ctx.save_for_backward(gradients)
        ctx.mark_non_differentiable(violated, distances)
        return losses, violated, distances

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, losses: Tensor, *_) -> tuple[Tensor, None, None]:
        (gradients,) = ctx.saved_tensors
        return losses[:, None, None] * gradients, None, None


def _positives(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Each clip's positives, filled up to the same number: their indices (B, M), and whether one is there (B, M)."""
    same = (labels[:, None] == labels).fill_diagonal_(False)
    most = int(same.sum(1).max())
    there, positives = same.to(torch.uint8).sort(dim=1, descending=True, stable=True)
    return positives[:, :most], there[:, :most].bool()


def _batch_all(
    strip: Tensor, positives: Tensor, there: Tensor, negative: Tensor, margin: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Loss, number of violations, mean distance, and the loss's gradient with respect to the features (B, D)."""
    count, most = positives.shape
    exact = strip - strip.mean(0)
    if strip.device.type != "mps":
        exact = exact.double()  # so that close features keep their distance and its direction
    squares = exact.square().sum(1)
    scale = squares[:, None] + squares
    distances = torch.addmm(scale, exact, exact.T, alpha=-2)
    distances = distances.masked_fill_(distances < 1e-14 * scale, 0).sqrt_().to(strip).fill_diagonal_(0)
    thresholds = (distances.gather(1, positives) + margin).masked_fill(~there, -torch.inf)
    thresholds, order = thresholds.sort(dim=1)
    reached = torch.searchsorted(thresholds, distances, right=True).masked_fill(~negative, most)  # not violated
    above = most - reached  # (B, B): thresholds above each negative's distance
    sums = F.pad(thresholds.masked_fill(thresholds == -torch.inf, 0).flip(1).cumsum(1).flip(1), (0, 1))
    total = sums.gather(1, reached).sum() - (above * distances).sum()
    violated = above.sum()
    # what the loss gains with each distance: a positive's number of violations, minus a negative's
    steps = distances.new_zeros(count, most + 1).scatter_add_(1, reached, negative.to(strip)).cumsum(1)
    gains = -above.to(strip)
    ranked = there.gather(1, order)
    gains.scatter_add_(1, positives.gather(1, order), steps[:, :most] * ranked)
    pulls = (gains + gains.T) / distances.masked_fill(distances == 0, torch.inf)
    pulls = pulls.to(exact)
    gradient = pulls.sum(1, keepdim=True) * exact - pulls @ exact
    share = violated.clamp(min=1)
    return total / share, violated, mean_distance(distances), (gradient / share).to(strip)
