"""Bag of tricks and GaitMask: two gait networks, query expansion, re-ranking. Equations 1 to 4, Table 3, and controls.

Lin et al., "Bag of Tricks and GaitMask Network for Gait Recognition". OU-MVLP, on which both networks are trained
first, becomes `crowd`; CASIA-E, on which they go on and are searched, becomes `yard` (HID's protocol), and CASIA-B
`lab`.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from reidlib.data.batches import ClipBatch
from reidlib.losses import batch_all_triplet_loss
from reidlib.papers.rows import Row, Run
from reidlib.training import gather, multistep

__all__ = ["CLAIMS", "rows"]  # what tables and ledgers look for

CLAIMS = ()
MARGIN = 0.2  # of GaitGL's release

# At mini scale, chosen on held-out training identities (table "choices").
LEARNING_RATE = 1e-3
BEFORE, AFTER = 600, 300  # iterations on `crowd`, then on `yard` or `lab`
EXPANSION = {"threshold": 0.6}  # between features of unit length
RERANK = {"k1": 20, "k2": 6, "lambda_value": 0.3}  # as published


def objective(model: nn.Module, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
    """The separate triplet loss: batch-all of every strip, their mean (section 1.1)."""
    strips = model(silhouettes=batch.silhouettes).features["strips"]
    return {"network": {"triplet": batch_all_triplet_loss(gather(strips), gather(batch.labels), MARGIN)}}


def training(model: nn.Module, run: Run, num_ids: int) -> dict:
    """Adam; the rate falls to a tenth after 150K of 250K iterations, or 10K of 15K where a network goes on from what it
    learned elsewhere (section 1.3), and likewise at other lengths."""
    milestone = run.iterations * 2 // 3 if run.parts else run.iterations * 3 // 5
    return {
        "objective": objective,
        "optimisers": {"network": torch.optim.Adam(model.parameters(), lr=run.learning_rate)},
        "schedules": {"network": multistep((milestone,))},
    }


ON_CROWD = Run(
    "gaitgl",
    "crowd",
    "training",
    evaluation="cross-view",
    setups=("all",),
    iterations=BEFORE,
    learning_rate=LEARNING_RATE,
    ids_per_batch=8,
    clips_per_id=4,
    num_frames=0,
    silhouettes=12,
    metric="cosine",
)
ON_YARD = replace(ON_CROWD, data="yard", evaluation="retrieval", setups=("usual",), iterations=AFTER)


def network(base: Run, before: Run, model: str = "gaitgl", draw: int = 0, **options) -> Run:
    """A network that is trained as `before` and goes on as `base`; options: of the network."""
    before = replace(before, model=model, model_options=options, draw=draw)
    return replace(base, model=model, model_options=options, draw=draw, parts=(before,))


GAITGL, GAITMASK, BOTH = "GaitGL", "GaitMask", "GaitGL+GaitMask"
RERANKED, EXPANDED, COMPLETE = " + Re-ranking", " + QE", " + Re-ranking + QE"
STEPS = {  # what follows the features, as the paper names it
    "": {},
    RERANKED: {"rerank": RERANK},
    EXPANDED: {"expansion": EXPANSION},
    COMPLETE: {"expansion": EXPANSION, "rerank": RERANK},
}


def searched(run: Run, **steps: Mapping) -> Run:
    """A network that was trained, searched with in another way; its parts stay what they are."""
    return replace(run, training="", iterations=0, learning_rate=0.0, parts=(run,), **steps)


def ensemble(*members: Run, **steps: Mapping) -> Run:
    """Networks that were trained alone, their features of unit length joined."""
    options = {"members": [(member.model, member.model_options) for member in members]}
    return replace(searched(members[0], **steps), model="ensemble", model_options=options, draw=0, parts=members)
