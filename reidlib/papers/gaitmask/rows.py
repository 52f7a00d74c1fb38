"""Bag of tricks and GaitMask: two gait networks, query expansion, re-ranking. Table 3, and controls.

Lin et al., "Bag of Tricks and GaitMask Network for Gait Recognition". OU-MVLP, on which both networks are trained
first, becomes `crowd`; CASIA-E, on which they go on and are searched, becomes `yard` (HID's protocol), and CASIA-B
`lab`.
"""

from collections.abc import Mapping
from dataclasses import replace

from reidlib.experiments import Row, Run
from reidlib.papers.gaitmask import training  # noqa: F401 (registers the training that the runs name)
from reidlib.papers.gaitmask.claims import BOTH, COMPLETE, GAITGL, GAITMASK, HALVES, SCRATCH, TWICE, UNMASKED

# At mini scale, chosen on held-out training identities (table "choices").
LEARNING_RATE = 1e-3
FIRST, THEN = 600, 300  # iterations on `crowd`, and on what follows it
THRESHOLDS = (0.08, 0.09, 0.1, 0.11, 0.13)
EXPANSION = {"threshold": 0.08}  # between features of unit length; on held-out people expansion only costs
RERANK = {"k1": 20, "k2": 6, "lambda_value": 0.3}  # as published


STEPS = {  # after the features, in the paper's words
    "": {},
    " + Re-ranking": {"rerank": RERANK},
    " + QE": {"expansion": EXPANSION},
    COMPLETE: {"expansion": EXPANSION, "rerank": RERANK},
}

SCORES = {"rank-1": ("usual", "rank-1"), "mAP": ("usual", "mAP")}

ON_CROWD = Run(
    "gaitgl",
    "crowd",
    "gaitmask",
    evaluation="cross-view",
    conditions=("all",),
    iterations=FIRST,
    learning_rate=LEARNING_RATE,
    ids_per_batch=8,
    clips_per_id=4,
    num_frames=0,
    silhouettes=12,
    metric="cosine",
)
ON_YARD = replace(ON_CROWD, data="yard", evaluation="retrieval", conditions=(), iterations=THEN)
PAPER_SCALE = {"scale": "paper", "learning_rate": 1e-4}
BEFORE, AFTER = (  # Table 1: on OU-MVLP, then on CASIA-E
    {"iterations": 250_000, "ids_per_batch": 32, "clips_per_id": 8, "silhouettes": 30},
    {"iterations": 15_000, "ids_per_batch": 12, "clips_per_id": 8, "silhouettes": 64},
)


def network(first: Run, then: Run, model: str = "gaitgl", draw: int = 0, **options) -> Run:
    """A network that is trained as `first` and goes on as `then`; options: its own."""
    first, then = (replace(run, model=model, model_options=options, draw=draw) for run in (first, then))
    return replace(then, parts=(first,))


def searched(run: Run, **steps: Mapping) -> Run:
    """A network that was trained, searched with in another way."""
    return replace(run.of_parts(run), **steps)


def ensemble(*members: Run, **steps: Mapping) -> Run:
    """Networks that were trained alone, their features of unit length joined."""
    options = {"members": [(member.model, member.model_options) for member in members]}
    return replace(members[0].of_parts(*members), model="ensemble", model_options=options, draw=0, **steps)


def rows(scale: str) -> list[Row]:
    """Table 3 with our controls in its tail, then what goes beyond the paper."""
    if scale == "paper":
        first = replace(ON_CROWD, data="oumvlp", **PAPER_SCALE, **BEFORE)
        return _table_3(first, replace(ON_YARD, data="hid", **PAPER_SCALE, **AFTER), seeds=1)
    return [*_table_3(ON_CROWD, ON_YARD, seeds=6), *_before(), *_readings(), *_expansions(), *_choices()]


def _table_3(first: Run, then: Run, seeds: int) -> list[Row]:
    """The paper's four rows, all other steps for each network, and ensembles."""
    gaitgl, again, gaitmask = network(first, then), network(first, then, draw=1), network(first, then, "gaitmask")
    systems = {
        GAITGL: lambda steps: searched(gaitgl, **steps) if steps else gaitgl,
        GAITMASK: lambda steps: searched(gaitmask, **steps) if steps else gaitmask,
        BOTH: lambda steps: ensemble(gaitgl, gaitmask, **steps),
        TWICE: lambda steps: ensemble(gaitgl, again, **steps),
    }
    runs = {f"{name}{step}": system(steps) for name, system in systems.items() for step, steps in STEPS.items()}
    unmasked, halves = (network(first, then, "gaitmask", masks=masks) for masks in ("none", "halves"))
    scratch = replace(gaitgl, parts=(), iterations=first.iterations + then.iterations)
    runs |= {UNMASKED: unmasked, HALVES: halves, SCRATCH: scratch}
    return [Row("3", label, run, seeds, columns=SCORES) for label, run in runs.items()]


def _before() -> list[Row]:
    """The networks as they are before they go on to what they are searched in."""
    runs = {name: replace(ON_CROWD, model=name.lower()) for name in (GAITGL, GAITMASK)}
    return [Row("crowd", name, run, seeds=3) for name, run in runs.items()]


def _readings() -> list[Row]:
    """Equation 2 as it can be read; test rules need no training of their own."""
    gaitmask = network(ON_CROWD, ON_YARD, "gaitmask")
    runs = {"separate kernels, half of the sum": gaitmask}
    runs |= {
        f"separate kernels, {text}": replace(searched(gaitmask), model_options={"test_rule": rule})
        for rule, text in (("sum", "the sum"), ("one", "one kernel"))
    }
    runs |= {
        text: network(ON_CROWD, ON_YARD, "gaitmask", **options)
        for text, options in {
            "one kernel, activation inside": {"kernels": "shared"},
            "one kernel, activation outside": {"kernels": "linear"},
            "half of the rows dropped": {"drop": 0.5},
        }.items()
    }
    return [Row("readings of Equation 2", label, run, 3, columns=SCORES) for label, run in runs.items()]


def _expansions() -> list[Row]:
    """Query expansion by how far features are linked, and with each feature in its own mean."""
    gaitgl = network(ON_CROWD, ON_YARD)
    ways = {f"linked to {t:g}": {"threshold": t} for t in THRESHOLDS}
    ways |= {f"linked to {t:g}, itself included": {"threshold": t, "leave_one_out": False} for t in THRESHOLDS}
    return [
        Row("expansion", f"{label}{step}", searched(gaitgl, expansion=way, **more), 3, columns=SCORES)
        for label, way in ways.items()
        for step, more in (("", {}), (" + Re-ranking", {"rerank": RERANK}))
    ]


def _choices() -> list[Row]:
    """What was tried on held-out training identities."""
    then = replace(ON_YARD, data="yard_validation")
    chosen = network(ON_CROWD, then)
    runs = {"as chosen": chosen}
    runs |= {f"linked to {t:g}": searched(chosen, expansion={"threshold": t}) for t in THRESHOLDS}
    runs |= {
        f"linked to {t:g} + Re-ranking": searched(chosen, expansion={"threshold": t}, rerank=RERANK) for t in THRESHOLDS
    }
    runs |= {f"re-ranking, k1 = {k}": searched(chosen, rerank=RERANK | {"k1": k}) for k in (5, 10, 20, 30)}
    changes = {f"learning rate {rate:g}": ({"learning_rate": rate},) * 2 for rate in (3e-4, 3e-3)}
    changes["twice as long"] = {"iterations": 2 * FIRST}, {"iterations": 2 * THEN}
    changes["P = 16"] = ({"ids_per_batch": 16},) * 2
    runs |= {label: network(replace(ON_CROWD, **a), replace(then, **b)) for label, (a, b) in changes.items()}
    return [Row("choices", label, run, 1, columns=SCORES) for label, run in runs.items()]
