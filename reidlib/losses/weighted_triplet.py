"""The weighted-regularisation triplet loss of AGW."""

import torch
import torch.nn.functional as F
from torch import Tensor

from reidlib.losses.precision import in_float32
from reidlib.losses.triplet import Triplets, distances_and_pairs, mean_distance


def weighted_triplet_loss(features: Tensor, labels: Tensor) -> Tensor:
    """The loss of `weighted_triplets`."""
    return weighted_triplets(features, labels).loss


@in_float32
def weighted_triplets(features: Tensor, labels: Tensor) -> Triplets:
    """Mean over anchors i of log(1 + exp(sum_j w^p_ij d_ij - sum_k w^n_ik d_ik)), without a margin.

    j runs over i's positives with w^p_ij = softmax_j(d_ij), k over its negatives with w^n_ik =
    softmax_k(-d_ik). Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook" (TPAMI
    2022), section 4, "Weighted Regularization Triplet". The pairs that do not count are masked before the
    softmax, so the weights sum to one at any distance; a softmax of distances multiplied by a mask of zeros
    loses that where they are large.

    features (B, D), labels (B,). An anchor counts as active where its weighted positive is not the nearer one. Anchors
    without a positive or without a negative are left out; NaN if no anchor is left.
    """
    distances, positive, negative = distances_and_pairs(features, labels)
    anchors = positive.any(1) & negative.any(1)
    lowest = torch.finfo(distances.dtype).min  # exp(lowest - anything) is zero; unlike -inf, never NaN
    weights_p = distances.masked_fill(~positive, lowest).softmax(1)
    weights_n = (-distances).masked_fill(~negative, lowest).softmax(1)
    difference = ((weights_p - weights_n) * distances).sum(1)
    loss = F.softplus(difference).masked_fill(~anchors, 0).sum() / anchors.sum()
    return Triplets(loss, (difference.detach()[anchors] > 0).float().mean(), mean_distance(distances))
