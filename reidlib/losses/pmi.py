"""The pose- and motion-invariant (PMI) triplet loss: among clips of one person, near and far in pose and motion.

Chai et al., "Video Person Re-identification using Attribute-enhanced Features", section III-C.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from reidlib.losses.precision import in_float32
from reidlib.losses.triplet import Triplets, distances_and_pairs, mean_distance


def nearest_and_farthest(described: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Equation 11: for each clip, the other clip of its person that is nearest to it, and the farthest.

    described (B, d): what pose and motion are told by; labels (B,). Gives positions (B,) of nearest and farthest, the
    first of equals, and which clips are anchors, bool (B,): those whose person has another clip; for others the
    positions mean nothing. Of a person with two clips both are the same one.
    """
    distances, positive, _ = distances_and_pairs(described.detach().float(), labels)
    nearest = distances.masked_fill(~positive, torch.inf).argmin(1)
    farthest = distances.masked_fill(~positive, -torch.inf).argmax(1)
    return nearest, farthest, positive.any(1)


@in_float32
def pmi_triplets(features: Tensor, described: Tensor, labels: Tensor) -> Triplets:
    """Equations 12 and 13: mean over anchors of max(d⁻ - d⁺, 0), d⁺ and d⁻ being one minus the cosine between the
    features of the anchor and its nearest and farthest clip.

    features (B, D), described (B, d) and labels (B,), as in `nearest_and_farthest`, which has no gradient. There is no
    margin, so the loss also falls where the nearest pair is pushed apart, and with two clips a person it is zero. NaN
    without an anchor. distance: the mean distance, so measured, between different clips.
    """
    nearest, farthest, anchors = nearest_and_farthest(described, labels)
    distances = _cosine_distances(features)
    difference = (_chosen(distances, farthest) - _chosen(distances, nearest))[anchors]
    return Triplets(F.relu(difference).mean(), (difference.detach() > 0).float().mean(), mean_distance(distances))


@in_float32
def pull_loss(features: Tensor, described: Tensor, labels: Tensor) -> Tensor:
    """A control: the mean of d⁻ alone, so that the farthest clip is pulled and nothing is pushed. Arguments as in
    `pmi_triplets`."""
    _, farthest, anchors = nearest_and_farthest(described, labels)
    return _chosen(_cosine_distances(features), farthest)[anchors].mean()


def _cosine_distances(features: Tensor) -> Tensor:
    unit = F.normalize(features, dim=1)
    return 1 - unit @ unit.T


def _chosen(distances: Tensor, positions: Tensor) -> Tensor:
    return distances.gather(1, positions[:, None])[:, 0]
