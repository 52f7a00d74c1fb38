"""GaitMask: GaitGL with complementary horizontal masks in place of fixed parts.

Lin, Zhang, Sun, Qin, Wan, "Bag of Tricks and GaitMask Network for Gait Recognition", section 1.1 and Table 2.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.gaitgl import STRIPS, StripHead, WalkTrunk, conv3d, join, scaled_widths
from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

WIDTHS = (32, 64, 128, 128, 128, 128)  # Table 2: the first convolution, GMCL-A1 to A4, GMCL-B1
KERNELS = ("separate", "shared", "linear")
MASKS = ("random", "independent", "halves", "none")
LAST = {"stack": 1, "add": 2, "global": 2}  # what the last layer is, and by what that divides the number of strips
EARLIER = ("add", "global")
TEST_RULES = ("half", "sum", "one")


class GaitMask(Network):
    """Walks of S silhouettes, in order -> P horizontal strips with a feature each.

    options: kernels, masks, drop and test_rule of `MaskFeatures`. last: "stack", as published, for a last layer that is
    a GMCL-B; "add" for a GMCL-A in its place, or "global" for one without a mask branch, both of which leave half as
    many strips. earlier: "add", as published, for GMCL-A in all other layers, or "global" for none with a mask branch.
    scale: as in `reidlib.models.gaitgl.GaitGL`. num_ids is not used: no loss classifies.
    """

    inputs = ("silhouettes",)

    def __init__(
        self,
        *,
        num_ids: int = 0,
        kernels: str = "separate",
        masks: str = "random",
        drop: float = 0.25,
        test_rule: str = "half",
        last: str = "stack",
        earlier: str = "add",
        scale: str = "paper",
    ):
        super().__init__()
        for name, value, known in (("last", last, LAST), ("earlier", earlier, EARLIER)):
            if value not in known:
                raise ValueError(f"{name}={value!r}: expected one of {', '.join(known)}")
        options = {"kernels": kernels, "masks": masks, "drop": drop, "test_rule": test_rule}

        def layer(inputs: int, outputs: int, *, join: str) -> nn.Module:
            if join == "global":
                return GlobalConv(inputs, outputs)
            return GlobalMaskConv(inputs, outputs, join=join, **options)

        widths = scaled_widths(WIDTHS, scale)
        self.trunk = WalkTrunk(widths, layer, last, earlier)
        self.head = StripHead(STRIPS[scale] // LAST[last], widths[-1])

    def forward(self, silhouettes: Tensor) -> ModelOutput:
        """silhouettes: (B, S, h, w) of 0 and 1, of any type, S consecutive frames.

        features: {"strips": (B, P, d)}. embedding: the same joined, (B, P·d). ValueError if the silhouettes are not as
        high as there are strips.
        """
        strips = self.head(self.trunk(silhouettes))
        return ModelOutput(strips.flatten(1), {"strips": strips})


class GlobalConv(nn.Module):
    """Equation 1 alone, with leaky ReLU: what is left of a GMCL without its mask branch."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.whole = conv3d(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, inputs, T, h, w) -> (B, outputs, T, h, w)."""
        return F.leaky_relu(self.whole(x))


class GlobalMaskConv(nn.Module):
    """The global and mask convolutional layer (GMCL): Y_g of Equation 1 and Y_m of Equation 2, both with leaky ReLU,
    joined by Equation 3 (join="add", GMCL-A) or Equation 4 (join="stack", GMCL-B).

    options: those of `MaskFeatures`.
    """

    def __init__(self, inputs: int, outputs: int, *, join: str, **options):
        super().__init__()
        self.join = join
        self.whole = conv3d(inputs, outputs)
        self.masked = MaskFeatures(inputs, outputs, **options)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, inputs, T, h, w) -> (B, outputs, T, h, w), or 2h rows for "stack"."""
        return join(F.leaky_relu(self.whole(x)), self.masked(x), self.join)


class MaskFeatures(nn.Module):
    """Equation 2: in training a random horizontal band of the maps goes through one term and the rest through the
    other; in testing the whole maps go "into the mask feature extraction".

    A batch has one band, drawn anew by each layer in each step: M_d0 and M_d1 are of H × W, without clips. Were there a
    band for every clip, two clips of one person would come to differ as much as those of two.

    The two masks add up to one, so with one kernel and no activation Equation 2 is conv(X), whatever the masks. The
    readings, by `kernels`:
    "separate": a kernel for each term, leaky ReLU inside each: one is trained inside the band, the other outside.
    "shared": one kernel, leaky ReLU inside each term; this differs from leaky(conv(X)) only beside the band's edges.
    "linear": one kernel, leaky ReLU around the sum; this is leaky(conv(X)).
    test_rule: "sum" gives the whole maps to both terms; "half" halves that, which brings back the size that Y_m had in
    training; "one" is the second term alone, which learns from the larger share of the rows.
    masks: "random", and three controls with the same parameters. "independent": the second term lacks a band of its
    own, so that the two masks do not complete one another. "halves" always takes the upper half for the band, "none"
    gives the whole maps to both terms, halved; these are the same in training and testing.
    drop: the paper's d, the band's share of the height: ⌊d H⌋ + 1 rows.
    """

    def __init__(self, inputs: int, outputs: int, *, kernels: str, masks: str, drop: float, test_rule: str):
        super().__init__()
        if kernels not in KERNELS or masks not in MASKS or test_rule not in TEST_RULES or not 0 <= drop < 1:
            raise ValueError(
                f"kernels={kernels!r}, masks={masks!r}, drop={drop}, test_rule={test_rule!r}: expected one of "
                f"{KERNELS}, one of {MASKS}, a share of the height from 0 to less than 1, one of {TEST_RULES}"
            )
        self.kernels, self.masks, self.drop, self.test_rule = kernels, masks, drop, test_rule
        self.rest = conv3d(inputs, outputs)
        self.band = conv3d(inputs, outputs) if kernels == "separate" else None

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, inputs, T, h, w) -> (B, outputs, T, h, w)."""
        if self.kernels == "linear":
            return F.leaky_relu(self.rest(x))
        if self.masks == "none" or (self.masks != "halves" and not self.training):
            return self._whole(x, "half" if self.masks == "none" else self.test_rule)
        inside, outside = (rows[:, None] for rows in self._masks(x))  # for all clips, channels, silhouettes and columns
        band = self.rest if self.band is None else self.band
        return F.leaky_relu(band(x * inside)) + F.leaky_relu(self.rest(x * outside))

    def _masks(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The rows of the two terms, M_d0 and M_d1, bool (h,)."""
        height = x.shape[3]
        if self.masks == "halves":
            inside = torch.arange(height, device=x.device) < height // 2
        else:
            inside = random_bands(1, height, self.drop, x.device)[0]
        if self.masks == "independent":
            return inside, ~random_bands(1, height, self.drop, x.device)[0]
        return inside, ~inside

    def _whole(self, x: Tensor, rule: str) -> Tensor:
        rest = F.leaky_relu(self.rest(x))
        if rule == "one":
            return rest
        both = rest + (rest if self.band is None else F.leaky_relu(self.band(x)))
        return both if rule == "sum" else both / 2


def random_bands(count: int, height: int, drop: float, device: torch.device | None = None) -> Tensor:
    """Bands of ⌊drop·height⌋ + 1 rows, each at a random place: bool (count, height), rows of the paper's M_d0."""
    rows = min(int(drop * height) + 1, height)
    top = torch.randint(height - rows + 1, (count, 1), device=device)
    row = torch.arange(height, device=device)
    return (row >= top) & (row < top + rows)
