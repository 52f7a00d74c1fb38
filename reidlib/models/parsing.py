"""The semantic segmentation network of SS-HSP: it learns parts of the body by foreseeing the next frame.

Wu and Liu, "Self-supervised human semantic parsing for video-based person re-identification" (JUSTC 2022), section 3.2
and Figure 3: a segmentation module, which `reidlib.models.sshsp` takes over, and a prediction module.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.network import Network
from reidlib.models.output import ModelOutput
from reidlib.models.part_motion import (
    Parts,
    back_warp,
    displacement,
    part_flow,
    positions,
    soft_argmax,
    total_flow,
    visibility,
)
from reidlib.models.perceptual import downscaled

SIZE = (64, 32)  # H' × W' of part maps and flow, and of the frames that segmentation sees
TEMPERATURE = 0.1  # heat maps are divided by it; as in the first order motion model, the paper's [37]
WIDTHS = {"paper": (64, 128, 256, 512), "mini": (12, 24, 32, 48)}  # of the segmentation module's four layers
PREDICTION = {"paper": (64, 128, 256), "mini": (16, 24)}  # channels before and after each down-sampling layer
RESIDUAL_BLOCKS = 5


class Segmentation(nn.Module):
    """The segmentation module, a U-Net with 6K + 1 output channels: single frames -> their `Parts`.

    K + 1 channels become the part maps by a softmax over channels, K the shifts by soft-argmax, and 4K the affine
    parameters by an average that the softmax of the K weighs, as what they differ from the identity by. At first all
    affines are the identity, and a pixel is as likely to be background as to belong to any of the parts.
    """

    def __init__(self, num_parts: int = 6, *, scale: str = "paper"):
        super().__init__()
        self.num_parts = num_parts
        widths = WIDTHS[scale]
        self.down = nn.ModuleList(_Convolution(i, o) for i, o in zip((3, *widths), widths))
        inputs = (widths[3], 2 * widths[2], 2 * widths[1], 2 * widths[0])
        self.up = nn.ModuleList(
            _EnlargingConvolution(i, o) for i, o in zip(inputs, (widths[2], widths[1], widths[0], widths[0]))
        )
        self.head = nn.Conv2d(widths[0] + 3, 6 * num_parts + 1, 1)
        with torch.no_grad():
            self.head.weight[2 * num_parts + 1 :] = 0
            self.head.bias.zero_()
            self.head.bias[num_parts] = math.log(num_parts)
        self.to(memory_format=torch.channels_last)

    def forward(self, frames: Tensor) -> Parts:
        """frames: (N, 3, H, W) in [0, 1], brought to `SIZE` by averaging. Estimates are in float32."""
        x = self._before_the_head(frames)
        with torch.autocast(x.device.type, enabled=False):
            return self._parts(x.float())

    def maps(self, frames: Tensor) -> Tensor:
        """The part maps (N, K + 1, h, w) of `forward` alone, without what they are moved by."""
        x, count = self._before_the_head(frames), self.num_parts + 1
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x.float(), self.head.weight[:count], self.head.bias[:count]).contiguous().softmax(1)

    def _before_the_head(self, frames: Tensor) -> Tensor:
        """What the last layer sees, (N, C, h, w)."""
        x = downscaled(frames, SIZE).contiguous(memory_format=torch.channels_last)
        skipped = []
        for layer in self.down:
            skipped.append(x)
            x = F.avg_pool2d(layer(x), 2)
        for layer, beside in zip(self.up, reversed(skipped)):
            x = torch.cat([layer(x), beside], 1)
        return x

    def _parts(self, x: Tensor) -> Parts:
        """The last layer: of its 4K channels only averages are wanted, and since it is linear they are computed from
        the averages of what it takes."""
        k = self.num_parts
        maps_and_heat, affine = self.head.weight.split([2 * k + 1, 4 * k])
        bias, affine_bias = self.head.bias.split([2 * k + 1, 4 * k])
        maps, heat = F.conv2d(x, maps_and_heat, bias).contiguous().split([k + 1, k], 1)
        weights, shifts = soft_argmax(heat / TEMPERATURE)
        averages = torch.einsum("nkp,ncp->nkc", weights.flatten(2), x.flatten(2))
        averages = torch.einsum("nkc,kdc->nkd", averages, affine.flatten(1).unflatten(0, (k, 4)))
        differences = (averages + affine_bias.unflatten(0, (k, 4))).unflatten(2, (2, 2))
        return Parts(maps.softmax(1), shifts, torch.eye(2, device=x.device) + differences)


class Prediction(nn.Module):
    """The prediction module: features of a frame are moved along the flow, and the next frame is drawn of them.

    The features have the flow's size: two down-sampling layers for frames of 256×128, one at mini scale, whose flow is
    averaged to theirs.
    """

    def __init__(self, *, scale: str = "paper"):
        super().__init__()
        widths = PREDICTION[scale]
        self.first = _Convolution(3, widths[0], 7 if scale == "paper" else 3)
        self.down = nn.ModuleList(_Convolution(i, o) for i, o in pairwise(widths))
        self.residual = nn.ModuleList(_Residual(widths[-1]) for _ in range(RESIDUAL_BLOCKS))
        self.up = nn.ModuleList(_EnlargingConvolution(i, o) for i, o in pairwise(widths[::-1]))
        self.last = nn.Conv2d(widths[0], 3, 7 if scale == "paper" else 3, padding="same")
        self.to(memory_format=torch.channels_last)

    def forward(self, frames: Tensor, flow: Tensor, visible: Tensor) -> Tensor:
        """frames I_t (N, 3, H, W) in [0, 1], flow (N, 2, h, w) from I_{t+1} into I_t, visible: O of Equation 3
        (N, 1, h, w) -> I'_{t+1} (N, 3, H, W) in [0, 1]."""
        x = self.first(frames.contiguous(memory_format=torch.channels_last))
        for layer in self.down:
            x = F.avg_pool2d(layer(x), 2)
        x = downscaled(visible, x.shape[2:]) * back_warp(x, downscaled(flow, x.shape[2:]))  # Equation 3, left
        for block in self.residual:
            x = block(x)
        for layer in self.up:
            x = layer(x)
        return self.last(x).sigmoid()


class Pair(NamedTuple):
    """What the network makes of N frames and their next frames: the `Parts` of both, the parts' flows (N, K, 2, h, w)
    from the next frames into the frames, their blend (N, 2, h, w), and the next frames as foreseen (N, 3, H, W)."""

    now: Parts
    then: Parts
    flows: Tensor
    flow: Tensor
    predicted: Tensor


class Parsing(Network):
    """Clips with each frame's successor -> part maps, flow, and the successor foreseen. It is no network for retrieval.

    num_parts: K. visibility: whether O's gradient reaches the part maps, "learned" as the paper has it, or "detached",
    the default. motion: "parts", or "none", the control whose flow moves nothing. foresees: what is shown as the next
    frame, the prediction module's ("network") or the frame itself moved by the flow ("flow"), which nothing but the
    flow can make right. num_ids: means nothing here.
    """

    inputs = ("frames", "next_frames")

    def __init__(
        self,
        *,
        num_parts: int = 6,
        visibility: str = "detached",
        motion: str = "parts",
        foresees: str = "network",
        scale: str = "paper",
        num_ids: int = 0,
    ):
        super().__init__()
        for name, value, known in (
            ("visibility", visibility, ("detached", "learned")),
            ("motion", motion, ("parts", "none")),
            ("foresees", foresees, ("network", "flow")),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r}: expected one of {known}")
        self.visibility, self.motion, self.foresees = visibility, motion, foresees
        self.segmentation = Segmentation(num_parts, scale=scale)
        self.prediction = Prediction(scale=scale)

    def pair(self, frames: Tensor, next_frames: Tensor) -> Pair:
        """frames, next_frames: (N, 3, H, W) in [0, 1]."""
        now, then = (
            Parts(*values) for values in zip(*(v.chunk(2) for v in self.segmentation(torch.cat([frames, next_frames]))))
        )
        with torch.autocast(frames.device.type, enabled=False):
            if self.motion == "none":
                flow = positions(*SIZE, now.shifts).expand(len(frames), -1, -1, -1)
                flows = flow[:, None].expand(-1, now.shifts.shape[1], -1, -1, -1)
            else:
                flows = part_flow(now, then)
                flow = total_flow(then.maps, flows)
            visible = visibility(now.maps, then.maps)
        if self.visibility == "detached":
            visible = visible.detach()
        return Pair(now, then, flows, flow, self.prediction(frames, flow, visible))

    def forward(self, frames: Tensor, next_frames: Tensor) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]; next_frames: (B, T, 1, 3, H, W), each one's successor.

        embedding: each map's share of the frame, (B, K + 1). visuals: {"segments": part maps, the background first,
        (B, T, K + 1, h, w); "flow": displacement in pixels to the next frame, (B, T, 2, H, W); "next_frames":
        (B, T, 1, 3, H, W)}.
        """
        shape = frames.shape[:2]
        flat, following = frames.flatten(0, 1), next_frames[:, :, 0].flatten(0, 1)
        found = self.pair(flat, following)
        predicted = found.predicted if self.foresees == "network" else back_warp(flat, enlarged(found.flow, flat))
        forward_flow = flow_to_next(found.now, found.then)
        if self.motion == "none":
            forward_flow = torch.zeros_like(forward_flow)
        visuals = {
            "segments": found.now.maps.roll(1, 1),
            "flow": enlarged(forward_flow, flat) * (flat.shape[-2] / SIZE[0]),
            "next_frames": predicted[:, None],
        }
        visuals = {name: values.unflatten(0, shape) for name, values in visuals.items()}
        return ModelOutput(visuals["segments"].mean((1, 3, 4)), visuals=visuals)


def flow_to_next(now: Parts, then: Parts) -> Tensor:
    """Equations 1 and 2 the other way round: the displacement (N, 2, h, w), in pixels of the maps, from each position
    of a frame to where it is in the next one."""
    flow = total_flow(now.maps, part_flow(then, now))
    return displacement(flow, flow.shape[2])


def enlarged(values: Tensor, frames: Tensor) -> Tensor:
    """Values (N, C, h, w) at the size of frames (N, 3, H, W), bilinearly; as they are if it is theirs."""
    size = frames.shape[-2:]
    return values if values.shape[-2:] == size else F.interpolate(values, size, mode="bilinear")


class _Convolution(nn.Sequential):
    """Convolution, batch normalisation and ReLU. Where nothing is learnt, the normalisation becomes part of the kernel:
    the same but for rounding, and quicker."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3):
        convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h, w)."""
        if self.learns:
            return super().forward(x)
        return F.conv2d(x, *self.folded(), padding=self[0].padding).relu_()

    @property
    def learns(self) -> bool:
        """Whether batches or gradients change it."""
        return self.training or (torch.is_grad_enabled() and any(p.requires_grad for p in self.parameters()))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Kernel and bias of the convolution with its normalisation."""
        convolution, norm, _ = self
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        return convolution.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


class _EnlargingConvolution(_Convolution):
    """The same with a 3×3 kernel, of maps that are up-sampled to twice their size before, to the nearest value."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, 2 h, 2 w)."""
        if self.learns:
            return super().forward(F.interpolate(x, scale_factor=2))
        weight, bias = self.folded()
        return F.conv_transpose2d(x, enlarging_kernel(weight), bias, stride=2, padding=1).relu_()


def enlarging_kernel(weight: Tensor) -> Tensor:
    """3×3 kernels (O, I, 3, 3) -> those (I, O, 4, 4) of a transposed convolution of stride 2 and padding 1 that does
    what up-sampling by two, to the nearest value, and the convolution do together, with 4 products in place of 9.

    In one direction, where every value stands twice: an output reads one value with two weights, which are added, and
    the value on its other side with the third.
    """
    for side in (2, 3):
        a, b, c = weight.unbind(side)
        weight = torch.stack([c, b + c, a + b, a], side)
    return weight.transpose(0, 1).contiguous(memory_format=torch.channels_last)


class _Residual(nn.Module):
    """Two 3×3 convolutions beside the input (He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016)."""

    def __init__(self, channels: int):
        super().__init__()
        layers = [
            layer
            for _ in range(2)
            for layer in (
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            )
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)
