"""The systems of GaitMask's tables as runs: which network, trained where first and where then, searched with in which
way.

OU-MVLP, on which both networks are trained first, becomes `crowd`; CASIA-E, on which they go on and are searched,
becomes `yard` (HID's protocol), and CASIA-B `lab`. Table 1 is `BEFORE` and `AFTER`, Table 2
`reidlib.models.gaitmask.WIDTHS`.
"""

from collections.abc import Mapping
from dataclasses import replace

from reidlib.experiments import Part, Run
from reidlib.experiments.sources import PRETRAINING_SEED
from reidlib.papers.baseline.rows import CONDITIONS, SILHOUETTES
from reidlib.papers.gaitmask import training  # noqa: F401 (registers the training that the runs name)
from reidlib.papers.recipes import GAIT, as_chosen

# At mini scale: iterations on `crowd`, where a network is trained once for all seeds, on people of a seed that no table
# shows, and on what follows it, so that a run takes less than five minutes of one core with AVX2.
FIRST, THEN = 1500, 300
CROWD = {"num_ids": 600}  # half of whom are trained on
# What is tried for networks that go on from a first training, with its batch. Networks with random weights have the
# recipe of all gait networks.
FURTHER = replace(GAIT, iterations=THEN, batches=((8, 4),))
# Rate, P and K of each network, the best of the table "choices": on `crowd` those of all networks with random weights,
# which are searched on `yard`; elsewhere those after a first training, whose P and K are kept.
SETTINGS = {
    "crowd": {"gaitgl": (1e-3, 8, 4), "gaitmask": (1e-3, 8, 4)},
    "yard": {"gaitgl": (3e-3, 8, 4), "gaitmask": (3e-3, 8, 4)},
    "lab": {"gaitgl": (1e-3, 8, 4), "gaitmask": (1e-3, 8, 4)},
}
# After the features, the best of the table "choices, search", where both are chosen together: thresholds are shares of
# the mean distance, so that one serves GaitGL, GaitMask and both joined. Re-ranking is as published where the gallery
# is the paper's.
EXPANSION = {"threshold": 0.6, "linkage": "average", "own_share": 0.5, "relative": True}
RERANK = {"k1": 4, "k2": 2, "lambda_value": 0.3}
PUBLISHED = {"k1": 20, "k2": 6, "lambda_value": 0.3}
MEAN_OF_OTHERS = EXPANSION | {"own_share": 0.0}  # at paper scale, as published; the threshold is not

ON_CROWD = Run(
    "gaitgl",
    "crowd",
    "gaitmask",
    evaluation="cross-view",
    conditions=("all",),
    silhouettes=SILHOUETTES,
    metric="euclidean",
    data_options=CROWD,
    **replace(GAIT, iterations=FIRST).fields(),
)
ON_YARD = replace(ON_CROWD, data="yard", data_options={}, evaluation="retrieval", conditions=(), iterations=THEN)
ON_LAB = replace(ON_CROWD, data="lab", data_options={}, conditions=CONDITIONS, iterations=THEN)
PAPER_SCALE = {"scale": "paper", "learning_rate": 1e-4}
BEFORE, AFTER = (  # Table 1: on OU-MVLP, then on CASIA-B or CASIA-E
    {"iterations": 250_000, "ids_per_batch": 32, "clips_per_id": 8, "silhouettes": 30},
    {"iterations": 15_000, "ids_per_batch": 12, "clips_per_id": 8, "silhouettes": 64},
)


def with_setting(run: Run, data: str) -> Run:
    """The run with rate, P and K of its network on `data`, as in `SETTINGS`; at paper scale as it is."""
    return as_chosen(run, SETTINGS[data][run.model]) if run.scale == "mini" else run


def network(first: Run, then: Run, model: str = "gaitgl", draw: int = 0, **options) -> Run:
    """A network that is trained as `first`, at mini scale under one seed for all, and goes on as `then`. options: its
    own. draw: other weights and batches in both trainings, on the same data."""
    first, then = (
        with_setting(replace(run, model=model, model_options=options, draw=draw), run.data) for run in (first, then)
    )
    return replace(then, parts=(Part(first, seed=PRETRAINING_SEED if then.scale == "mini" else None),))


def from_scratch(run: Run) -> Run:
    """The run without what it starts from, twice as long, and with the setting of networks with random weights."""
    return replace(with_setting(run, "crowd"), parts=(), iterations=2 * run.iterations)


def searched(run: Run, **steps: Mapping) -> Run:
    """A network that was trained, searched with in another way."""
    return replace(run.of_parts(run), **steps)


def ensemble(*members: Run, **steps: Mapping) -> Run:
    """Networks that were trained alone, their features joined."""
    options = {"members": [(member.model, member.model_options) for member in members]}
    return replace(members[0].of_parts(*members), model="ensemble", model_options=options, draw=0, **steps)
