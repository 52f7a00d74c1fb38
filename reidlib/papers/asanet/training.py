"""How ASA-Net is trained: Equations 11 to 19.

Chai et al., "Video Person Re-identification using Attribute-enhanced Features", sections III-C, III-E and IV-B.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.data.batches import ClipBatch
from reidlib.experiments import Plan, Setting, register_training
from reidlib.losses import CenterLoss, attribute_loss, identity_loss, pmi_triplets, pull_loss, weighted_triplets
from reidlib.models import Network
from reidlib.training import gather, multistep

# λ_cent and λ_BCE, of means. The text has them the other way round; the baseline weighs its centre loss by 0.0005.
SWAPPED = {"center": 0.0005, "attributes": 1.5}
# As printed: 1.5, and 0.0005 of the sum over 32 clips and 52 outputs that Equation 18 is, which is 0.832 of the mean.
PRINTED = {"center": 1.5, "attributes": 0.0005 * 32 * 52}
READINGS = {"swapped": SWAPPED, "printed": PRINTED}
PMI_WEIGHTS, SWITCH = (0.005, 0.01), 0.15  # λ_PMI, first and then; the loss of attributes below which it changes
PAIRINGS = ("attributes", "random", "truth", "pull")


class ASANetObjective(nn.Module):
    """L = L_xent + L_wrt + λ_cent L_cent + λ_BCE L_BCE + λ_PMI L_PMI (Equation 19).

    attributes: whether there is L_BCE. pmi: how the clips of L_PMI are paired, "" for no such loss: "attributes" by
    f_ir_attr (Equation 11); controls: "random", "truth" (by the annotated motion and the true direction of view), and
    "pull" (as "attributes", but the far pair is only pulled). pmi_factor: of λ_PMI.

    λ_PMI is larger from the first batch on whose L_BCE is below 0.15; that it was reached is part of the state.
    """

    def __init__(self, num_ids: int, channels: int, *, attributes: bool = True, pmi: str = "", pmi_factor: float = 1.0):
        super().__init__()
        if pmi and pmi not in PAIRINGS:
            raise ValueError(f"pmi={pmi!r}: expected one of {PAIRINGS}, or nothing")
        self.center = CenterLoss(num_ids, channels)
        self.attributes, self.pmi, self.pmi_factor = attributes, pmi, pmi_factor
        self.register_buffer("accurate", torch.tensor(False))  # whether L_BCE has been below `SWITCH`

    def forward(self, model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
        """Loss terms of the network, that of PMI times λ_PMI, and the centre loss once more for the centres' own
        optimiser."""
        output = model(frames=batch.frames)
        final, labels = output.features["final"], batch.labels
        everybody, everyone = gather(final), gather(labels)
        center, triplets = self.center(final, labels), weighted_triplets(everybody, everyone)  # Equations 15 and 14
        terms = {
            "identity": identity_loss(output.logits["final"], labels),  # Equations 16 and 17
            "triplet": triplets.loss,
            "center": center,
        }
        watched = triplets.watched("triplet")
        if self.attributes:
            terms["attributes"] = attribute_loss(output.attributes, batch.attributes)  # Equation 18
            self.accurate |= gather(terms["attributes"].detach()[None]).mean() < SWITCH
        if self.pmi:
            described = self._described(output.features["irrelevant"], batch)
            pmi = pmi_triplets(everybody, described, everyone)
            loss = pull_loss(everybody, described, everyone) if self.pmi == "pull" else pmi.loss
            factor = torch.where(self.accurate, PMI_WEIGHTS[1], PMI_WEIGHTS[0]) * self.pmi_factor
            terms["pmi"] = factor * loss
            watched |= pmi.watched("pmi") | {"pmi loss": loss.detach(), "pmi weight": factor}
        return {"network": terms, "centers": {"center": center}, "watched": watched}

    def _described(self, predicted: Tensor, batch: ClipBatch) -> Tensor:
        """What clips are paired by, (B of all processes, d)."""
        if self.pmi == "random":
            described = torch.rand(len(batch), 1, device=predicted.device)
        elif self.pmi == "truth":
            described = true_pose_and_motion(batch)
        else:
            described = predicted
        return gather(described.detach())


def true_pose_and_motion(batch: ClipBatch) -> Tensor:
    """The direction of view as a point on the unit circle, and the motion's code as another of five equally distant
    directions: (B, 7), in which opposite views are as far apart as clips can be for their pose, namely 2, and
    different motions √2. ValueError without annotated motion."""
    if "motion" not in batch.attributes or (batch.attributes["motion"] < 0).any():
        raise ValueError('pmi="truth" needs the annotated motion of every training clip, which these data do not have')
    angles = torch.deg2rad(batch.views.float())
    motions = F.one_hot(batch.attributes["motion"], 5).float()
    return torch.cat([angles.cos()[:, None], angles.sin()[:, None], motions], dim=1)


@register_training("asanet")
def training(setting: Setting) -> Plan:
    """Section IV-B: Adam with weight decay 5e-4, plain SGD of rate 0.5 for the centres; at paper scale a tenth of the
    rate after 100, 250 and 350 of 700 epochs (the factor is not given).

    training_options of the run: {"attributes", "pmi", "pmi_factor": as in `ASANetObjective`; "reading": which of
    `READINGS` λ_cent and λ_BCE are, "swapped" by default}.
    """
    model, run = setting.model, setting.run
    options = dict(run.training_options)
    weights = dict(READINGS[options.pop("reading", "swapped")])
    objective = ASANetObjective(setting.num_ids, model.fusion.outputs, **options)
    if not objective.attributes:
        del weights["attributes"]
    published = multistep([run.iterations * epoch // 700 for epoch in (100, 250, 350)])
    return Plan(
        objective,
        optimisers={
            "network": torch.optim.Adam(
                [p for p in model.parameters() if p.requires_grad], lr=run.learning_rate, weight_decay=5e-4
            ),
            "centers": torch.optim.SGD(objective.parameters(), lr=0.5),
        },
        schedules={"network": setting.schedule(published)},
        weights={"network": weights},
    )
