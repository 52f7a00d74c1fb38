"""Centre loss: pulls the features of an identity towards a learned centre."""

import torch
from torch import Tensor, nn

from reidlib.losses.precision import in_float32


@in_float32
def center_loss(features: Tensor, labels: Tensor, centers: Tensor) -> Tensor:
    """Mean over the batch of ‖x_i - c_{y_i}‖².

    Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition" (ECCV 2016), Equation
    2, with
    the mean in place of half the sum: the usual weight of 0.0005 (Luo et al., CVPRW 2019) refers to the mean.
    features (B, D), labels (B,) in [0, n), centers (n, D) -> scalar.
    """
    return (features - centers[labels]).square().sum(1).mean()


class CenterLoss(nn.Module):
    """The centre loss with its centres, parameters that want an optimiser of their own (SGD, learning rate
    0.5).

    That optimiser minimises the unweighted loss over `centers`, while the network's minimises 0.0005 times
    it.
    """

    def __init__(self, num_ids: int, channels: int):
        super().__init__()
        self.centers = nn.Parameter(torch.randn(num_ids, channels))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """features (B, channels), labels (B,) in [0, num_ids) -> scalar."""
        return center_loss(features, labels, self.centers)
