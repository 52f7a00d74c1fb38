"""Attributes by binary cross-entropy: every code of an attribute is an output of its own, there or not."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from reidlib.losses.precision import in_float32


def attribute_loss(scores: Mapping[str, Tensor], codes: Mapping[str, Tensor]) -> Tensor:
    """The mean of -y log p - (1 - y) log(1 - p) over clips and outputs, y being 1 for the output of the true code.

    Chai et al., "Video Person Re-identification using Attribute-enhanced Features", Equation 18, which is written as a
    sum and without the second term. scores: {name: (B, n)} before the sigmoid; codes: {name: (B,) in [0, n), below 0
    where it is not known}, whose outputs do not count. Scalar; 0 where nothing is known. KeyError for an attribute
    without codes, ValueError for a code that has no output.
    """
    targets = [binary_targets(codes[name], found.shape[1]) for name, found in scores.items()]
    return _mean_cross_entropy(torch.cat(list(scores.values()), dim=1), torch.cat(targets, dim=1))


def binary_targets(codes: Tensor, count: int) -> Tensor:
    """codes (B,) -> float (B, count): 1 at the code, 0 elsewhere; -1 in all of a row whose code is below 0. ValueError
    for a code of `count` or more."""
    if (codes >= count).any():
        raise ValueError(
            f"the code {int(codes.max())} has no output, there are {count}: which data are these labels of?"
        )
    return torch.where(codes[:, None] < 0, -1.0, F.one_hot(codes.clamp(min=0), count).float())


@in_float32
def _mean_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    known = targets >= 0
    losses = F.binary_cross_entropy_with_logits(logits, targets.clamp(min=0), reduction="none")
    return losses.masked_fill(~known, 0).sum() / known.sum().clamp(min=1)
