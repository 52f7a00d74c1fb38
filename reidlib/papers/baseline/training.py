"""How the baselines are trained: AGW's three losses, and GaitSet's one.

Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook" (TPAMI 2022), section 4; Chao, He, Zhang,
Feng, "GaitSet: Regarding Gait as a Set for Cross-View Gait Recognition" (AAAI 2019).
"""

import torch
from torch import Tensor, nn

from reidlib.data.batches import ClipBatch
from reidlib.experiments import Plan, Setting, register_training
from reidlib.losses import CenterLoss, batch_all_triplets, identity_loss, weighted_triplets
from reidlib.models import Network
from reidlib.training import gather, multistep, with_warmup
from reidlib.training.schedules import Schedule

CENTER_WEIGHT = 0.0005


class AGWObjective(nn.Module):
    """L = L_ID (label-smoothed cross-entropy) + L_WRT (weighted-regularisation triplet) + 0.0005 L_C (centre loss)."""

    def __init__(self, num_ids: int, channels: int):
        super().__init__()
        self.center = CenterLoss(num_ids, channels)

    def forward(self, model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
        """Loss terms of the network, and the centre loss once more for the centres' own optimiser."""
        output = model(frames=batch.frames)
        feature, labels = output.features["global"], batch.labels
        center = self.center(feature, labels)
        triplets = weighted_triplets(gather(feature), gather(labels))
        terms = {
            "identity": identity_loss(output.logits["global"], labels),
            "triplet": triplets.loss,
            "center": center,
        }
        return {"network": terms, "centers": {"center": center}, "watched": triplets.watched("triplet")}


@register_training("baseline/agw")
def agw_training(setting: Setting) -> Plan:
    """AGW's training: Adam with weight decay 5e-4, at paper scale under the released schedule; plain SGD for the
    centres."""
    run = setting.run
    objective = AGWObjective(setting.num_ids, setting.model.backbone.channels)
    parameters = [p for p in setting.model.parameters() if p.requires_grad]
    return Plan(
        objective,
        optimisers={
            "network": torch.optim.Adam(parameters, lr=run.learning_rate, weight_decay=5e-4),
            "centers": torch.optim.SGD(objective.parameters(), lr=0.5),
        },
        schedules={"network": setting.schedule(agw_schedule(run.iterations))},
        weights={"network": {"center": CENTER_WEIGHT}},
    )


def agw_schedule(iterations: int) -> Schedule:
    """AGW's released schedule at any length: of 120 epochs, the rate warms up over 10 and falls to a tenth at 40 and
    again at 70."""
    return with_warmup(multistep((iterations * 40 // 120, iterations * 70 // 120)), iterations * 10 // 120)


def gaitset_objective(model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
    """The batch-all triplet loss of every strip, margin 0.2 (Chao et al., section 3.6)."""
    strips = model(silhouettes=batch.silhouettes).features["strips"]
    triplets = batch_all_triplets(gather(strips), gather(batch.labels), margin=0.2)
    return {"network": {"triplet": triplets.loss}, "watched": triplets.watched("triplet")}


@register_training("baseline/gaitset")
def gaitset_training(setting: Setting) -> Plan:
    """GaitSet's training: Adam, at paper scale at a constant rate."""
    optimiser = torch.optim.Adam(setting.model.parameters(), lr=setting.run.learning_rate)
    return Plan(gaitset_objective, {"network": optimiser}, {"network": setting.schedule()})
