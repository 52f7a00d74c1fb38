"""Bag of tricks and GaitMask: two gait networks, query expansion, re-ranking. Table 3 on the pipeline of Figure 1,
and controls.

Lin et al., "Bag of Tricks and GaitMask Network for Gait Recognition". OU-MVLP, on which both networks are trained
first, becomes `crowd`; CASIA-E, on which they go on and are searched, becomes `yard` (HID's protocol), and CASIA-B
`lab`. Tables 1 and 2 are settings: `BEFORE` and `AFTER`, and `reidlib.models.gaitmask.WIDTHS`.
"""

from collections.abc import Mapping
from dataclasses import replace

from reidlib.data import casia_b
from reidlib.experiments import Part, Row, Run
from reidlib.experiments.sources import PRETRAINING_SEED
from reidlib.papers.baseline.rows import CONDITIONS, GAITBASE, GAITSET, SILHOUETTES
from reidlib.papers.gaitmask import training  # noqa: F401 (registers the training that the runs name)
from reidlib.papers.gaitmask.claims import (
    BOTH,
    BY_VIEW,
    COMPLETE,
    DROPPED,
    EXPANDED,
    GAITGL,
    GAITMASK,
    GLOBAL,
    HALVES,
    INDEPENDENT,
    LABORATORY,
    READINGS,
    RERANKED,
    SCRATCH,
    SHUFFLED,
    STILL,
    SUMMED,
    TWICE,
    TWINS,
    UNMASKED,
    WORLDS,
)
from reidlib.papers.recipes import CHOSEN, GAIT, half_length, on_validation, search, validation_row
from reidlib.papers.seqmasks import rows as seqmasks

# At mini scale: iterations on `crowd`, where a network is trained once for all seeds, on people of a seed that no table
# shows, and on what follows it, so that a run takes less than five minutes of one core with AVX2; rate, P and K of each
# network on each, the best of the table "choices".
FIRST, THEN = 1500, 300
CROWD = {"num_ids": 600}  # half of whom are trained on
RECIPE = replace(GAIT, iterations=THEN)
SETTINGS = {
    "yard": {GAITGL: (1e-3, 8, 4), GAITMASK: (1e-3, 8, 4)},
    "lab": {GAITGL: (1e-3, 8, 4), GAITMASK: (1e-3, 8, 4)},
}
# After the features, which have unit length, the best of the table "choices, search"; re-ranking as published where the
# gallery is the paper's. A person has one walk in the yard's gallery, so that k1 = 20 reaches far beyond one person.
EXPANSION = {"threshold": 0.1, "linkage": "complete"}
RERANK = {"k1": 6, "k2": 3, "lambda_value": 0.3}
PUBLISHED = {"k1": 20, "k2": 6, "lambda_value": 0.3}
THRESHOLDS = (0.05, 0.075, 0.1, 0.15, 0.2)
LINKAGES = ("single", "average", "complete")

SCORES = {"rank-1": ("usual", "rank-1"), "mAP": ("usual", "mAP")}
WITH_TRAINING = SCORES | {"training people rank-1": ("training people", "rank-1")}
CLUSTERS = {f"clusters' {name}": ("clusters", name) for name in ("purity", "mates", "size")}
ACROSS_VIEWS = {f"{c.upper()} excluding": (c, "excluding") for c in CONDITIONS}

ON_CROWD = Run(
    "gaitgl",
    "crowd",
    "gaitmask",
    evaluation="cross-view",
    conditions=("all",),
    silhouettes=SILHOUETTES,
    data_options=CROWD,
    **{**RECIPE.fields(), "iterations": FIRST},
)
ON_YARD = replace(ON_CROWD, data="yard", data_options={}, evaluation="retrieval", conditions=(), iterations=THEN)
ON_LAB = replace(ON_CROWD, data="lab", data_options={}, conditions=CONDITIONS, iterations=THEN)
PAPER_SCALE = {"scale": "paper", "learning_rate": 1e-4}
BEFORE, AFTER = (  # Table 1: on OU-MVLP, then on CASIA-B or CASIA-E
    {"iterations": 250_000, "ids_per_batch": 32, "clips_per_id": 8, "silhouettes": 30},
    {"iterations": 15_000, "ids_per_batch": 12, "clips_per_id": 8, "silhouettes": 64},
)


def network(first: Run, then: Run, name: str = GAITGL, draw: int = 0, **options) -> Run:
    """A network that is trained as `first`, at mini scale under one seed for all, and goes on as `then`, with rate and
    batch of `SETTINGS` where it has any there. options: its own. draw: other weights and batches in both trainings."""
    if then.scale == "mini" and (setting := SETTINGS.get(then.data, {}).get(name)):
        then = replace(then, **dict(zip(CHOSEN, setting)))
    first, then = (replace(run, model=name.lower(), model_options=options) for run in (first, then))
    seed = PRETRAINING_SEED + draw if then.scale == "mini" else None
    return replace(then, draw=draw, parts=(Part(first, seed=seed),))


def from_scratch(run: Run) -> Run:
    """The run without what it starts from, twice as long."""
    return replace(run, parts=(), iterations=2 * run.iterations)


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
        first = replace(ON_CROWD, data="oumvlp", data_options={}, **PAPER_SCALE, **BEFORE)
        then = replace(ON_YARD, data="hid", **PAPER_SCALE, **AFTER)
        laboratory = replace(ON_LAB, data="casia_b", **PAPER_SCALE, **AFTER)
        return [*_table_3(first, then, seeds=1), *_laboratory(first, laboratory, seeds=1)]
    table_3 = _table_3(ON_CROWD, ON_YARD, seeds=10)
    laboratory = [*_laboratory(ON_CROWD, ON_LAB, seeds=6), *_others_on_lab()]
    return [
        *table_3,
        *_controls(),
        *half_length(table_3),
        *laboratory,
        *_by_view([row for row in laboratory if "control" not in row.label]),
        *_before(),
        *_twins(),
        *_readings(),
        *_searches(),
        *_choices(),
    ]


def _table_3(first: Run, then: Run, seeds: int) -> list[Row]:
    """The paper's four rows, all other steps for each network, and ensembles."""
    gaitgl, again, gaitmask = network(first, then), network(first, then, draw=1), network(first, then, GAITMASK)
    systems = {
        GAITGL: lambda steps: searched(gaitgl, **steps) if steps else gaitgl,
        GAITMASK: lambda steps: searched(gaitmask, **steps) if steps else gaitmask,
        BOTH: lambda steps: ensemble(gaitgl, gaitmask, **steps),
        TWICE: lambda steps: ensemble(gaitgl, again, **steps),
    }
    kept = then.scale == "mini"
    rerank = RERANK if kept else PUBLISHED
    ways = {  # in the paper's words
        "": {},
        RERANKED: {"rerank": rerank},
        EXPANDED: {"expansion": EXPANSION},
        COMPLETE: {"expansion": EXPANSION, "rerank": rerank},
    }
    return [
        Row(
            *("3", f"{name}{step}", system(steps), seeds),
            keep_features=kept and not step and name in (GAITGL, GAITMASK, BOTH),
            columns=SCORES,
            keep_network=kept and not step and name in (GAITGL, GAITMASK),
        )
        for name, system in systems.items()
        for step, steps in ways.items()
    ]


def _controls() -> list[Row]:
    """Networks with the parameters of GaitMask and other masks, or none; without what the walk's order tells; and
    networks that were not trained elsewhere before.

    Where GaitGL is as wide as Table 2 says, as it is at mini scale, it is itself Table 2's network with two fixed parts
    in place of the mask branch.
    """
    gaitgl = network(ON_CROWD, ON_YARD)
    runs = {
        UNMASKED: network(ON_CROWD, ON_YARD, GAITMASK, masks="none"),
        HALVES: network(ON_CROWD, ON_YARD, GAITMASK, masks="halves"),
        INDEPENDENT: network(ON_CROWD, ON_YARD, GAITMASK, masks="independent"),
        SUMMED: network(ON_CROWD, ON_YARD, GAITMASK, last="add"),
        GLOBAL: network(ON_CROWD, ON_YARD, GAITMASK, last="global"),
        SHUFFLED: gaitgl.in_world(silhouettes="shuffled"),
        STILL: gaitgl.in_world(silhouettes="still"),
        SCRATCH[GAITGL]: from_scratch(gaitgl),
        SCRATCH[GAITMASK]: from_scratch(network(ON_CROWD, ON_YARD, GAITMASK)),
    }
    return [Row("3", label, run, columns=SCORES) for label, run in runs.items()]


def _laboratory(first: Run, then: Run, seeds: int) -> list[Row]:
    """Both networks in the laboratory, trained elsewhere before and not, and both together."""
    gaitgl, gaitmask = (network(first, then, name) for name in (GAITGL, GAITMASK))
    runs = {
        GAITGL: gaitgl,
        GAITMASK: gaitmask,
        BOTH: ensemble(gaitgl, gaitmask),
        SCRATCH[GAITGL]: from_scratch(gaitgl),
        SCRATCH[GAITMASK]: from_scratch(gaitmask),
    }
    return [Row(LABORATORY, label, run, seeds, columns=ACROSS_VIEWS) for label, run in runs.items()]


def _others_on_lab() -> list[Row]:
    """What this field compares with, measured as baselines and for Seq-Masks."""
    gait = seqmasks.system(seqmasks.LABORATORY, seqmasks.GAIT)
    return [
        Row(LABORATORY, "GaitSet", GAITSET, seeds=3, columns=ACROSS_VIEWS, paper="baseline"),
        Row(LABORATORY, "GaitSet, modified for Seq-Masks", gait, seeds=3, columns=ACROSS_VIEWS, paper="seqmasks"),
        Row(LABORATORY, "GaitBase", GAITBASE, seeds=3, columns=ACROSS_VIEWS, paper="baseline"),
    ]


def _by_view(rows: list[Row]) -> list[Row]:
    """The table that this field reads first: rank-1 of each condition's probes, view by view, over the other views."""
    return [
        replace(
            row,
            table=BY_VIEW,
            label=f"{condition.upper()}, {row.label}",
            columns={f"{view}°": (condition, f"probe {view}") for view in casia_b.VIEWS}
            | {"mean": (condition, "excluding")},
        )
        for condition in CONDITIONS
        for row in rows
    ]


def _before() -> list[Row]:
    """The networks as they are before they go on to what they are searched in."""
    runs = {name: replace(ON_CROWD, model=name.lower()) for name in (GAITGL, GAITMASK)}
    return [Row("crowd", name, run, seeds=1, first_seed=PRETRAINING_SEED) for name, run in runs.items()]


def _twins() -> list[Row]:
    """GaitGL where everybody has one gait, where everybody has one body, and where all have both."""
    gaitgl = network(ON_CROWD, ON_YARD)
    return [Row(TWINS, world, gaitgl.in_world(**options), columns=SCORES) for world, options in WORLDS.items()]


def _readings() -> list[Row]:
    """Equation 2 as it can be read, and how many rows are dropped; test rules need no training of their own."""
    gaitmask = network(ON_CROWD, ON_YARD, GAITMASK)
    runs = {"separate kernels, half of the sum": gaitmask}
    runs |= {
        f"separate kernels, {text}": replace(searched(gaitmask), model_options={"test_rule": rule})
        for rule, text in (("sum", "the sum"), ("one", "one kernel"))
    }
    runs |= {
        text: network(ON_CROWD, ON_YARD, GAITMASK, kernels=kernels)
        for text, kernels in (("one kernel, activation inside", "shared"), ("one kernel, activation outside", "linear"))
    }
    dropped = {f"d = {d:g}": network(ON_CROWD, ON_YARD, GAITMASK, drop=d) for d in (0.1, 0.5)}
    dropped["d = 0.25"] = gaitmask
    tables = {READINGS: runs, DROPPED: dict(sorted(dropped.items()))}
    return [Row(name, label, run, 3, columns=SCORES) for name, runs in tables.items() for label, run in runs.items()]


def _searches() -> list[Row]:
    """Expansion by linkage, threshold, and what a feature keeps of itself; re-ranking by its number of neighbours."""
    gaitgl = network(ON_CROWD, ON_YARD)
    found = {f"{label}{step}": steps for label, way in _ways().items() for step, steps in _with_and_without(way)}
    found |= {f"re-ranking, k1 = {k1}": {"rerank": RERANK | {"k1": k1}} for k1 in (2, 4, 6, 10, 20)}
    return [
        Row("search", label, _with_clusters(searched(gaitgl, **steps)), 3, columns=SCORES | CLUSTERS)
        for label, steps in found.items()
    ]


def _with_clusters(run: Run) -> Run:
    """The run with what its expansion's clusters are like, if it has one."""
    return replace(run, evaluation=("retrieval", "clusters")) if run.expansion else run


def _ways() -> dict[str, dict]:
    """Expansions by their names."""
    ways = {
        f"{linkage} linkage, {t:g}": {"threshold": t, "linkage": linkage} for linkage in LINKAGES for t in THRESHOLDS
    }
    usual = "{linkage} linkage, {threshold:g}".format(**EXPANSION)
    ways |= {f"{usual}, {share:g} its own": EXPANSION | {"own_share": share} for share in (0.25, 0.5, 0.75)}
    return ways | {f"{usual}, itself included": EXPANSION | {"leave_one_out": False}}


def _with_and_without(way: Mapping) -> list[tuple[str, dict]]:
    return [("", {"expansion": way}), (RERANKED, {"expansion": way, "rerank": RERANK})]


def _choices() -> list[Row]:
    """What was tried on held-out training identities."""
    found = []
    for base, columns in ((ON_YARD, WITH_TRAINING), (ON_LAB, ACROSS_VIEWS)):
        setups = {"setups": ("usual", "training people")} if base.data == "yard" else {}
        for name in SETTINGS[base.data]:
            run = replace(network(ON_CROWD, base, name), **setups)
            found += search("choices", f"{base.data}, {name}", run, RECIPE, columns=columns)
    chosen = on_validation(network(ON_CROWD, ON_YARD))
    steps = {f"{label}{step}": steps for label, way in _ways().items() for step, steps in _with_and_without(way)}
    steps |= {
        f"re-ranking, k1 = {k1}, k2 = {k2}": {"rerank": RERANK | {"k1": k1, "k2": k2}}
        for k1, k2 in ((2, 1), (4, 2), (6, 3), (10, 3), (20, 6))
    }
    runs = {"as chosen": chosen} | {label: searched(chosen, **how) for label, how in steps.items()}
    return [
        *found,
        *(
            validation_row("choices, search", label, _with_clusters(run), columns=SCORES | CLUSTERS)
            for label, run in runs.items()
        ),
    ]
