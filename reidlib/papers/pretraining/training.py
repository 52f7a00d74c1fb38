"""How the package's own weights are trained: to tell people apart, or to say what they look like.

Identities by the losses of Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification" (CVPRW
2019), without the centre loss; attributes by the mean binary cross-entropy.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from reidlib.data.batches import ClipBatch
from reidlib.experiments import Plan, Setting, register_training
from reidlib.losses import batch_hard_triplets, identity_loss
from reidlib.models import Network
from reidlib.training import gather
from reidlib.training.fit import Objective

MARGIN = 0.3


def identity_objective(model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
    """Label-smoothed cross-entropy and the batch-hard triplet loss."""
    output = model(frames=batch.frames)
    triplets = batch_hard_triplets(gather(output.features["global"]), gather(batch.labels), MARGIN)
    terms = {"identity": identity_loss(output.logits["global"], batch.labels), "triplet": triplets.loss}
    return {"network": terms, "watched": triplets.watched("triplet")}


def attribute_objective(model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
    """Binary cross-entropy, its mean over images and attributes."""
    scores = model(frames=batch.frames).attributes
    predicted = torch.cat(list(scores.values()), dim=1).float()
    codes = torch.stack([batch.attributes[name] for name in scores], dim=1)
    return {"network": {"attributes": F.binary_cross_entropy_with_logits(predicted, codes.float())}}


@register_training("pretraining/identities")
def identities(setting: Setting) -> Plan:
    """Adam with weight decay 5e-4, under the schedule of all trainings here."""
    return _plan(setting, identity_objective)


@register_training("pretraining/attributes")
def attributes(setting: Setting) -> Plan:
    """The same with the other objective."""
    return _plan(setting, attribute_objective)


def _plan(setting: Setting, objective: Objective) -> Plan:
    parameters = [p for p in setting.model.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, lr=setting.run.learning_rate, weight_decay=5e-4)
    return Plan(objective, {"network": optimiser}, {"network": setting.schedule()})
