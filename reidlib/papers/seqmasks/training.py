"""How Seq-Masks is trained: Equations 1 to 3.

Chang et al., "Seq-Masks: Bridging the gap between appearance and gait modeling for video-based person
re-identification" (2021), section III.
"""

from functools import partial

import torch
from torch import Tensor

from reidlib.data.batches import ClipBatch
from reidlib.experiments import Plan, Setting, register_training
from reidlib.losses import batch_all_triplets, batch_hard_triplets, identity_loss
from reidlib.models import Network
from reidlib.papers.baseline.training import agw_schedule
from reidlib.training import gather

APPEARANCE = ("global", "foreground")
MARGIN, GAIT_MARGIN = None, 0.2  # the soft margin, and GaitSet's; the paper gives none


def objective(model: Network, batch: ClipBatch, margin: float | None = MARGIN) -> dict[str, dict[str, Tensor]]:
    """The terms of Equations 1 and 2, of those branches that the network has; margin: of the batch-hard triplets."""
    output = model(**batch.inputs(model.inputs))
    labels, everyone = batch.labels, gather(batch.labels)
    terms, watched = {}, {}
    for name, feature in output.features.items():
        if name in APPEARANCE or name == "fusion":  # Equation 1; Equation 2, right
            triplets = batch_hard_triplets(gather(feature), everyone, margin)
        else:  # Equation 2, left, for either of the gait module's two vectors
            triplets = batch_all_triplets(gather(feature), everyone, GAIT_MARGIN)
        terms[f"{name} triplet"] = triplets.loss
        watched |= triplets.watched(f"{name} triplet")
    for name, logits in output.logits.items():  # there are none of the fusion feature
        terms[f"{name} identity"] = identity_loss(logits, labels)
    return {"network": terms, "watched": watched}


def total_weights(model: Network, fusion: float, appearance: float, gait: float) -> dict[str, float]:
    """Equation 3: L = λ1 L_fusion + λ2 L_appearance + λ3 L_gait, as the weight of each term that the network has."""
    factors = {"fusion triplet": fusion} if model.fusion is not None else {}
    for branch in model.branches:
        names, factor = ((branch,), appearance) if branch in APPEARANCE else (("gait_main", "gait_mgp"), gait)
        factors |= {f"{name} {loss}": factor for name in names for loss in ("triplet", "identity")}
    return factors


@register_training("seqmasks")
def training(setting: Setting) -> Plan:
    """Adam with weight decay 5e-4. The paper gives neither optimiser nor schedule: these are the baseline's.

    training_options of the run: {"lambdas": (λ1, λ2, λ3), 1 by default; "margin": as in `objective`}.
    """
    model, run = setting.model, setting.run
    lambdas = run.training_options.get("lambdas")
    return Plan(
        partial(objective, margin=run.training_options.get("margin", MARGIN)),
        optimisers={"network": torch.optim.Adam(model.parameters(), lr=run.learning_rate, weight_decay=5e-4)},
        schedules={"network": setting.schedule(agw_schedule(run.iterations))},
        weights={"network": total_weights(model, *lambdas)} if lambdas else {},
    )
