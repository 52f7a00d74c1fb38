"""Losses: plain functions of features or logits and labels, in float32 even under mixed precision."""

from reidlib.losses.attributes import attribute_loss
from reidlib.losses.center import CenterLoss, center_loss
from reidlib.losses.identity import identity_loss
from reidlib.losses.pmi import pmi_triplets, pull_loss
from reidlib.losses.triplet import (
    Triplets,
    batch_all_triplet_loss,
    batch_all_triplets,
    batch_hard_triplet_loss,
    batch_hard_triplets,
)
from reidlib.losses.weighted_triplet import weighted_triplet_loss, weighted_triplets

__all__ = [
    "CenterLoss",
    "Triplets",
    "attribute_loss",
    "batch_all_triplet_loss",
    "batch_all_triplets",
    "batch_hard_triplet_loss",
    "batch_hard_triplets",
    "center_loss",
    "identity_loss",
    "pmi_triplets",
    "pull_loss",
    "weighted_triplet_loss",
    "weighted_triplets",
]
