"""Losses: plain functions of features or logits and labels, in float32 even under mixed precision."""

from reidlib.losses.center import CenterLoss, center_loss
from reidlib.losses.identity import identity_loss
from reidlib.losses.triplet import batch_all_triplet_loss, batch_hard_triplet_loss
from reidlib.losses.weighted_triplet import weighted_triplet_loss

__all__ = [
    "CenterLoss",
    "batch_all_triplet_loss",
    "batch_hard_triplet_loss",
    "center_loss",
    "identity_loss",
    "weighted_triplet_loss",
]
