"""The gait module of Seq-Masks: GaitSet with another set pooling and one short vector instead of strips.

Chang et al., "Seq-Masks: Bridging the gap between appearance and gait modeling for video-based person
re-identification" (2021), section II.B and Figure 3.
"""

import torch
from torch import Tensor, nn

from reidlib.models.gaitset import HIDDEN, WIDTHS, SetTrunk, pyramid_pooling
from reidlib.models.network import Network
from reidlib.models.order_statistics import set_max, set_median
from reidlib.models.output import ModelOutput


class ModifiedGaitSet(Network):
    """Sets of S silhouettes -> one feature, whatever their order.

    The convolutions are those of `gaitset`; set pooling attends, and the maps of the main pipeline and of the
    multilayer global pipeline (MGP) are pooled whole, average plus maximum, and mapped by a linear layer each.

    num_ids: number of training identities, the classes of the two classifiers. scale: as in `gaitset`; "paper" gives
    256 + 256 channels, "mini" 64 + 64.
    """

    inputs = ("silhouettes",)
    training_only = ("classifiers",)

    def __init__(self, *, num_ids: int, scale: str = "paper"):
        super().__init__()
        channels, hidden = WIDTHS[scale][-1], HIDDEN[scale]
        self.channels = 2 * hidden
        self.trunk = SetTrunk(WIDTHS[scale], AttentiveSetPooling)
        self.main = nn.Linear(channels, hidden, bias=False)
        self.mgp = nn.Linear(channels, hidden, bias=False)
        self.classifiers = nn.ModuleDict({name: nn.Linear(hidden, num_ids) for name in ("main", "mgp")})

    def forward(self, silhouettes: Tensor) -> ModelOutput:
        """silhouettes: (B, S, h, w) of 0 and 1, of any type.

        features: {"main": (B, d), "mgp": (B, d)}, which have their own losses. logits: likewise, (B, num_ids); empty
        once `for_retrieval` has dropped the classifiers. embedding: both features, (B, 2d).
        """
        main, mgp = (pyramid_pooling(maps, (1,)).squeeze(1) for maps in self.trunk(silhouettes))
        features = {"main": self.main(main), "mgp": self.mgp(mgp)}
        logits = {name: classifier(features[name]) for name, classifier in self.classifiers.items()}
        return ModelOutput(torch.cat(list(features.values()), dim=1), features, logits)


class AttentiveSetPooling(nn.Module):
    """The maximum over frames that have been refined by pixel-wise attention: max_k (v_k + a_k v_k).

    a_k = sigmoid(1×1 convolution of [max, mean, median, v_k]), the statistics being those of the set. After Figure 3 of
    GaitSet (AAAI 2019), "set pooling using attention". The convolution of the joined maps is computed as the sum of its
    two parts, so that the statistics' part is computed once a set.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.statistics = nn.Conv2d(3 * channels, channels, 1)
        self.frame = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps of S frames (B, S, C, h, w) -> (B, C, h, w)."""
        of_set = self.statistics(torch.cat([set_max(x), x.mean(1), set_median(x)], dim=1))
        of_frames = self.frame(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        attention = torch.sigmoid(of_frames + of_set[:, None])
        return set_max(torch.addcmul(x, attention, x))
