"""Motion of body parts between two frames, each part's affine: Equations 1 to 3 of SS-HSP.

Wu and Liu, "Self-supervised human semantic parsing for video-based person re-identification" (JUSTC 2022), section 3.2.
Positions are (x, y) from the frame's centre in half heights of the frame, so that both directions have one unit: y runs
from -1 at the upper edge to 1 at the lower one, x from -W/H to W/H. A flow G is a map of positions, not of
displacements: what stands still has G(z) = z.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST_DETERMINANT = 0.1  # of an affine matrix that is inverted


class Parts(NamedTuple):
    """What is estimated of N frames alone: maps (N, K + 1, h, w) of K parts and, last, the background, which sum to 1;
    shifts (N, K, 2), where the parts are; affines (N, K, 2, 2), how they are turned, stretched and sheared."""

    maps: Tensor
    shifts: Tensor
    affines: Tensor


def positions(height: int, width: int, like: Tensor) -> Tensor:
    """The positions z of a frame's pixel centres: (2, height, width), of the type and on the device of `like`."""
    y = (2 * torch.arange(height, device=like.device, dtype=like.dtype) + 1) / height - 1
    x = (2 * torch.arange(width, device=like.device, dtype=like.dtype) + 1 - width) / height
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])


def soft_argmax(heat: Tensor) -> tuple[Tensor, Tensor]:
    """Heat maps (N, K, h, w) -> their softmax over positions (N, K, h, w), and its mean position (N, K, 2)."""
    weights = heat.flatten(2).softmax(2).unflatten(2, heat.shape[2:])
    return weights, torch.einsum("nkhw,chw->nkc", weights, positions(*heat.shape[2:], heat))


def inverse(matrices: Tensor) -> Tensor:
    """The inverses of matrices (..., 2, 2): the adjugate over the determinant, which is taken as ±0.1 where it is
    nearer to zero, so that a singular matrix gives something finite; of a zero matrix, zero."""
    (a, b), (c, d) = (row.unbind(-1) for row in matrices.unbind(-2))
    determinant = a * d - b * c
    sign = torch.where(determinant < 0, -1.0, 1.0)
    adjugate = torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2)
    return adjugate / (sign * determinant.abs().clamp(min=SMALLEST_DETERMINANT))[..., None, None]


def part_flow(source: Parts, target: Parts) -> Tensor:
    """Equation 1: where each part's point at z in the target frame is in the source frame,
    G^k(z) = e_s^k + A_s^k (A_t^k)⁻¹ (z - e_t^k); (N, K, 2, h, w)."""
    z = positions(*target.maps.shape[2:], target.shifts)
    offsets = z - target.shifts[..., None, None]
    matrices = source.affines @ inverse(target.affines)
    return source.shifts[..., None, None] + torch.einsum("nkij,nkjhw->nkihw", matrices, offsets)


def total_flow(target_maps: Tensor, flows: Tensor) -> Tensor:
    """Equation 2: the parts' flows (N, K, 2, h, w) and that of the background, G(z) = z, blended by the part maps
    (N, K + 1, h, w) of the target frame; (N, 2, h, w)."""
    z = positions(*flows.shape[3:], flows)
    moved = (target_maps[:, :-1, None] * flows).sum(1)
    return moved + target_maps[:, -1:] * z


def visibility(source_maps: Tensor, target_maps: Tensor) -> Tensor:
    """Equation 3, right: O, near 0 where the target frame shows background that a part covers in the source frame,
    else near 1; (N, 1, h, w)."""
    return 1 - target_maps[:, -1:] * source_maps[:, :-1].sum(1, keepdim=True)


def back_warp(values: Tensor, flow: Tensor) -> Tensor:
    """The function f_w of Equation 3: values (N, C, H, W) of the source frame, read bilinearly at the positions
    (N, 2, h, w) of a flow, which may have another size; (N, C, h, w). What lies outside is the nearest edge's."""
    height, width = values.shape[2:]
    x, y = flow.unbind(1)
    grid = torch.stack([x * (height / width), y], -1)
    return F.grid_sample(values.to(grid.dtype), grid, mode="bilinear", padding_mode="border", align_corners=False)


def displacement(flow: Tensor, height: int) -> Tensor:
    """A flow (N, 2, h, w) of positions as displacements in pixels of frames that are so many pixels high."""
    return (flow - positions(*flow.shape[2:], flow)) * (height / 2)
