"""Identity classification: cross-entropy with label smoothing."""

import torch.nn.functional as F
from torch import Tensor

from reidlib.losses.precision import in_float32


@in_float32
def identity_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.1) -> Tensor:
    """Mean over the batch of -sum_k q_k log softmax(logits)_k with q = (1 - smoothing) onehot + smoothing /
    n.

    Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (CVPR 2016), section 7.
    logits (B, n), labels (B,) in [0, n) -> scalar.
    """
    return F.cross_entropy(logits, labels, label_smoothing=smoothing)
