"""How the baselines are trained: AGW's three losses, and GaitSet's one.

Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook" (TPAMI 2022), section 4; Chao, He, Zhang,
Feng, "GaitSet: Regarding Gait as a Set for Cross-View Gait Recognition" (AAAI 2019); and GaitBase's two, Fan et al.,
"OpenGait: Revisiting Gait Recognition Toward Better Practicality" (CVPR 2023).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reidlib.data.batches import ClipBatch
from reidlib.experiments import Plan, Setting, register_training
from reidlib.losses import CenterLoss, batch_all_triplets, identity_loss, weighted_triplets
from reidlib.models import Network
from reidlib.training import gather, multistep, with_warmup
from reidlib.training.schedules import Schedule

CENTER_WEIGHT = 0.0005
COSINE_SCALE = 16  # by which GaitBase's release multiplies cosines before they are compared


class AGWObjective(nn.Module):
    """L = L_ID (label-smoothed cross-entropy) + L_WRT (weighted-regularisation triplet) + 0.0005 L_C (centre loss), for
    each feature that the network has."""

    def __init__(self, num_ids: int, channels: int, features: Sequence[str] = ("global",)):
        super().__init__()
        self.centers = nn.ModuleDict({name: CenterLoss(num_ids, channels) for name in features})

    def forward(self, model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
        """Loss terms of the network, and the centre losses once more for the centres' own optimiser."""
        output, labels = model(**batch.inputs(model.inputs)), batch.labels
        terms, watched = {}, {}
        centers = {f"{name} center": loss(output.features[name], labels) for name, loss in self.centers.items()}
        for name in self.centers:
            triplets = weighted_triplets(gather(output.features[name]), gather(labels))
            terms |= {f"{name} identity": identity_loss(output.logits[name], labels), f"{name} triplet": triplets.loss}
            watched |= triplets.watched(f"{name} triplet")
        return {"network": terms | centers, "centers": centers, "watched": watched}


@register_training("baseline/agw", recorded_as="agw_training")
def agw_training(setting: Setting) -> Plan:
    """AGW's training: Adam with weight decay 5e-4 and the released schedule; plain SGD for the centres."""
    run, model = setting.run, setting.model
    objective = AGWObjective(setting.num_ids, model.backbone.channels, model.supervised)
    parameters = [p for p in model.parameters() if p.requires_grad]
    return Plan(
        objective,
        optimisers={
            "network": torch.optim.Adam(parameters, lr=run.learning_rate, weight_decay=5e-4),
            "centers": torch.optim.SGD(objective.parameters(), lr=0.5),
        },
        schedules={"network": setting.schedule(agw_schedule(run.iterations))},
        weights={"network": {f"{name} center": CENTER_WEIGHT for name in model.supervised}},
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


def gaitbase_objective(model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
    """GaitSet's loss, and label-smoothed cross-entropy of every strip's cosines, times 16 (Fan et al., section 4)."""
    output = model(silhouettes=batch.silhouettes)
    triplets = batch_all_triplets(gather(output.features["strips"]), gather(batch.labels), margin=0.2)
    logits = COSINE_SCALE * output.logits["strips"]
    identity = identity_loss(logits.flatten(0, 1), batch.labels.repeat_interleave(logits.shape[1]))
    return {"network": {"triplet": triplets.loss, "identity": identity}, "watched": triplets.watched("triplet")}


@register_training("baseline/gaitbase")
def gaitbase_training(setting: Setting) -> Plan:
    """GaitBase's training: at paper scale SGD with the release's schedule, at mini scale Adam, as all gait networks."""
    run, parameters = setting.run, setting.model.parameters()
    if run.scale == "paper":
        optimiser = torch.optim.SGD(parameters, lr=run.learning_rate, momentum=0.9, weight_decay=5e-4)
    else:
        optimiser = torch.optim.Adam(parameters, lr=run.learning_rate)
    steps = tuple(run.iterations * step // 60 for step in (20, 40, 50))
    return Plan(gaitbase_objective, {"network": optimiser}, {"network": setting.schedule(multistep(steps))})
