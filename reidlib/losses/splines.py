"""Smooth random deformations with their exact derivatives."""

from dataclasses import dataclass

import torch
from torch import Tensor

SPREAD, BEND = 0.05, 0.005  # standard deviations of the affine part and of the weights, as in SS-HSP's [37]
CONTROLS = 5  # a side


@dataclass(frozen=True)
class ThinPlateSpline:
    """N deformations of the plane, T(z) = A z + b + sum_m w_m U(|z - c_m|²) with U(s) = s log s.

    Bookstein, "Principal Warps: Thin-Plate Splines and the Decomposition of Deformations" (TPAMI 1989). matrices: A
    (N, 2, 2). offsets: b (N, 2). controls: c (M, 2). weights: w (N, M, 2).
    """

    matrices: Tensor
    offsets: Tensor
    controls: Tensor
    weights: Tensor

    @classmethod
    def draw(cls, count: int, width: float, device: torch.device | str = "cpu") -> "ThinPlateSpline":
        """`count` deformations near the identity, of the plane where x runs from -width to width and y from -1 to 1,
        drawn from torch's global generator."""
        x, y = torch.meshgrid(width * torch.linspace(-1, 1, CONTROLS), torch.linspace(-1, 1, CONTROLS), indexing="xy")
        values = (
            torch.eye(2) + SPREAD * torch.randn(count, 2, 2),
            SPREAD * torch.randn(count, 2),
            torch.stack([x.flatten(), y.flatten()], 1),
            BEND * torch.randn(count, CONTROLS**2, 2),
        )
        return cls(*(value.to(device) for value in values))

    def points(self, z: Tensor) -> Tensor:
        """T at points z (N, P, 2): (N, P, 2)."""
        offsets = z[:, :, None] - self.controls  # (N, P, M, 2)
        squared = offsets.square().sum(3)
        bent = (squared * squared.clamp(min=1e-12).log()) @ self.weights
        return z @ self.matrices.mT + self.offsets[:, None] + bent

    def jacobian(self, z: Tensor) -> Tensor:
        """The derivative of T at points z (N, P, 2), [i, j] of component i by z_j: (N, P, 2, 2)."""
        offsets = z[:, :, None] - self.controls
        slope = 2 * offsets * (offsets.square().sum(3, keepdim=True).clamp(min=1e-12).log() + 1)  # of U, (N, P, M, 2)
        return self.matrices[:, None] + torch.einsum("nmi,npmj->npij", self.weights, slope)
