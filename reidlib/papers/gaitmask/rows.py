"""Bag of tricks and GaitMask: two gait networks, query expansion, re-ranking. Table 3 on the pipeline of Figure 1,
and controls.

Lin et al., "Bag of Tricks and GaitMask Network for Gait Recognition". Tables 1 and 2 are settings of
`reidlib.papers.gaitmask.systems`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from reidlib.data import casia_b
from reidlib.experiments import Row, Run
from reidlib.experiments.sources import PRETRAINING_SEED
from reidlib.papers.baseline.rows import CONDITIONS, GAITBASE, GAITSET
from reidlib.papers.gaitmask.claims import (
    BOTH,
    BY_VIEW,
    COMPLETE,
    DROPPED,
    EXPANDED,
    FROM_SCRATCH,
    GAITGL,
    GAITMASK,
    GLOBAL,
    HALVES,
    INDEPENDENT,
    LABORATORY,
    PUBLISHED_STEPS,
    READINGS,
    RERANKED,
    SCRATCH,
    SHUFFLED,
    STACKED,
    STARTED,
    STILL,
    SUMMED,
    TWICE,
    TWINS,
    UNMASKED,
    WORLDS,
)
from reidlib.papers.gaitmask.systems import (
    AFTER,
    BEFORE,
    EXPANSION,
    FIRST,
    FURTHER,
    MEAN_OF_OTHERS,
    ON_CROWD,
    ON_LAB,
    ON_YARD,
    PAPER_SCALE,
    PUBLISHED,
    RERANK,
    ensemble,
    from_scratch,
    network,
    searched,
    with_setting,
)
from reidlib.papers.recipes import GAIT, half_length, on_validation, search, validation_row
from reidlib.papers.seqmasks import rows as seqmasks

# What is tried after the features: thresholds are shares of the mean distance, and with each of them features keep
# nothing of themselves, as published, or half. Single linkage, which chains, is measured, but no choice.
LINKAGES = ("single", "average", "complete")
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
OWN_SHARES = (0.0, 0.5)
NEIGHBOURS = ((4, 2), (6, 3), (10, 3))  # k1 and k2
DROPS = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5)

SCORES = {"rank-1": ("usual", "rank-1"), "mAP": ("usual", "mAP")}
WITH_TRAINING = SCORES | {"training people rank-1": ("training people", "rank-1")}
CLUSTERS = {f"clusters' {name}": ("clusters", name) for name in ("purity", "mates", "size")}
ACROSS_VIEWS = {f"{c.upper()} excluding": (c, "excluding") for c in CONDITIONS}


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
        *_by_view(laboratory),
        *_before(),
        *_twins(),
        *_readings(),
        *_searches(),
        *_choices(),
    ]


def _table_3(first: Run, then: Run, seeds: int) -> list[Row]:
    """The paper's four rows, all other steps for each network, and ensembles."""
    gaitgl, again, gaitmask = network(first, then), network(first, then, draw=1), network(first, then, "gaitmask")
    systems = {
        GAITGL: lambda steps: searched(gaitgl, **steps) if steps else gaitgl,
        GAITMASK: lambda steps: searched(gaitmask, **steps) if steps else gaitmask,
        BOTH: lambda steps: ensemble(gaitgl, gaitmask, **steps),
        TWICE: lambda steps: ensemble(gaitgl, again, **steps),
    }
    kept = then.scale == "mini"
    expansion, rerank = (EXPANSION, RERANK) if kept else (MEAN_OF_OTHERS, PUBLISHED)
    ways = {  # in the paper's words
        "": {},
        RERANKED: {"rerank": rerank},
        EXPANDED: {"expansion": expansion},
        COMPLETE: {"expansion": expansion, "rerank": rerank},
    }
    return [
        Row(
            *("3", f"{name}{step}", system(steps), seeds),
            columns=SCORES,
            keep_network=kept and not step and name in (GAITGL, GAITMASK),
        )
        for name, system in systems.items()
        for step, steps in ways.items()
    ]


def _controls() -> list[Row]:
    """Steps as they were published; networks with the parameters of GaitMask and other masks, or none; without what the
    walk's order tells; and networks that were not trained elsewhere before.

    Where GaitGL is as wide as Table 2 says, as it is at mini scale, it is itself Table 2's network with two fixed parts
    in place of the mask branch. What the walk's order tells is absent from the first training, too.
    """

    def gaitmask(**options) -> Run:
        return network(ON_CROWD, ON_YARD, "gaitmask", **options)

    def without_order(quality: str) -> Run:
        return network(*(run.in_world(silhouettes=quality) for run in (ON_CROWD, ON_YARD)))

    gaitgl = network(ON_CROWD, ON_YARD)
    runs = {
        PUBLISHED_STEPS[RERANKED]: searched(gaitgl, rerank=PUBLISHED),
        PUBLISHED_STEPS[COMPLETE]: searched(gaitgl, expansion=MEAN_OF_OTHERS, rerank=PUBLISHED),
        UNMASKED: gaitmask(masks="none"),
        HALVES: gaitmask(masks="halves"),
        INDEPENDENT: gaitmask(masks="independent"),
        SUMMED: gaitmask(last="add"),
        GLOBAL: gaitmask(last="global", earlier="global"),
        SHUFFLED: without_order("shuffled"),
        STILL: without_order("still"),
        SCRATCH[GAITGL]: from_scratch(gaitgl),
        SCRATCH[GAITMASK]: from_scratch(gaitmask()),
    }
    found = [Row("3", label, run, seeds=10, columns=SCORES) for label, run in runs.items()]
    return [*found, Row("3", STACKED, gaitmask(earlier="global"), seeds=3, columns=SCORES)]


def _laboratory(first: Run, then: Run, seeds: int) -> list[Row]:
    """Both networks in the laboratory, trained elsewhere before and not, and both together."""
    gaitgl, gaitmask = network(first, then), network(first, then, "gaitmask")
    runs = {
        f"{GAITGL}{STARTED}": gaitgl,
        f"{GAITMASK}{STARTED}": gaitmask,
        f"{BOTH}{STARTED}": ensemble(gaitgl, gaitmask),
        SCRATCH[GAITGL]: from_scratch(gaitgl),
        SCRATCH[GAITMASK]: from_scratch(gaitmask),
    }
    return [Row(LABORATORY, label, run, seeds, columns=ACROSS_VIEWS) for label, run in runs.items()]


def _others_on_lab() -> list[Row]:
    """What this field compares with, measured as baselines and for Seq-Masks; nothing of it had a first training."""
    modified = seqmasks.system(seqmasks.LABORATORY, seqmasks.GAIT)
    others = {
        "GaitSet": (GAITSET, "baseline"),
        "GaitSet, modified for Seq-Masks,": (modified, "seqmasks"),
        "GaitBase": (GAITBASE, "baseline"),
    }
    return [
        Row(LABORATORY, f"{name}{FROM_SCRATCH}", run, seeds=3, columns=ACROSS_VIEWS, paper=paper)
        for name, (run, paper) in others.items()
    ]


def _by_view(rows: list[Row]) -> list[Row]:
    """The table that this field reads first: rank-1 of each condition's probes, view by view, over the other views.
    GaitGL and GaitMask are there from scratch as well, as what they are compared with is."""
    return [
        replace(
            row,
            table=BY_VIEW,
            label=f"{condition.upper()}, {row.label.removeprefix('control: ')}",
            columns={f"{view}°": (condition, f"probe {view}") for view in casia_b.VIEWS}
            | {"mean": (condition, "excluding")},
        )
        for condition in CONDITIONS
        for row in rows
    ]


def _before() -> list[Row]:
    """The networks as they are before they go on to what they are searched in, and what a first training four times as
    long makes of GaitGL, there and on held-out people of the yard."""
    runs = {name: with_setting(replace(ON_CROWD, model=name.lower()), "crowd") for name in (GAITGL, GAITMASK)}
    runs[f"{GAITGL}, {4 * FIRST} iterations"] = replace(runs[GAITGL], iterations=4 * FIRST)
    found = [Row("crowd", name, run, seeds=1, first_seed=PRETRAINING_SEED) for name, run in runs.items()]
    for iterations in (FIRST, 4 * FIRST):
        run = on_validation(network(replace(ON_CROWD, iterations=iterations), ON_YARD))
        found.append(validation_row("choices, first training", f"{iterations} iterations", run, columns=SCORES))
    return found


def _twins() -> list[Row]:
    """GaitGL where everybody has one gait, where everybody has one body, and where all have both."""
    gaitgl = network(ON_CROWD, ON_YARD)
    return [Row(TWINS, world, gaitgl.in_world(**options), columns=SCORES) for world, options in WORLDS.items()]


def _readings() -> list[Row]:
    """Equation 2 as it can be read, and how many rows are dropped, one seed; test rules need no training."""
    gaitmask = network(ON_CROWD, ON_YARD, "gaitmask")
    runs = {"separate kernels, half of the sum": gaitmask}
    runs |= {
        f"separate kernels, {text}": replace(searched(gaitmask), model_options={"test_rule": rule})
        for rule, text in (("sum", "the sum"), ("one", "one kernel"))
    }
    runs |= {
        text: network(ON_CROWD, ON_YARD, "gaitmask", kernels=kernels)
        for text, kernels in (("one kernel, activation inside", "shared"), ("one kernel, activation outside", "linear"))
    }
    dropped = {f"d = {d:g}": network(ON_CROWD, ON_YARD, "gaitmask", drop=d) for d in DROPS}
    tables = {READINGS: runs, DROPPED: dropped | {"d = 0.25": gaitmask}}
    return [Row(name, label, run, 1, columns=SCORES) for name, runs in tables.items() for label, run in runs.items()]


def _searches() -> list[Row]:
    """Expansion by linkage, threshold, and what a feature keeps of itself; re-ranking by its number of neighbours."""
    gaitgl = network(ON_CROWD, ON_YARD)
    ways = [EXPANSION | {"linkage": linkage, "threshold": t} for linkage, t in product(LINKAGES, THRESHOLDS)]
    ways += [EXPANSION | {"own_share": share} for share in (0.0, 0.25, 0.5, 0.75)]
    named = {_name(way): way for way in ways}
    plain = EXPANSION | {"own_share": 0.0, "leave_one_out": False}  # all members of a cluster coincide
    named[f"{_name(plain)}, itself included"] = plain
    found = {}
    for name, way in named.items():
        found |= {name: {"expansion": way}, f"{name}{RERANKED}": {"expansion": way, "rerank": RERANK}}
    found |= {f"re-ranking, k1 = {k1}": {"rerank": RERANK | {"k1": k1}} for k1 in (2, 4, 6, 10, 20)}
    runs = {label: searched(gaitgl, **steps) for label, steps in found.items()}
    return [Row("search", label, _with_clusters(run), 3, columns=_columns(run)) for label, run in runs.items()]


def _with_clusters(run: Run) -> Run:
    """The run with what its expansion's clusters are like, if it has one."""
    return replace(run, evaluation=("retrieval", "clusters")) if run.expansion else run


def _columns(run: Run) -> dict:
    """Scores, and what the clusters of an expansion are like."""
    return SCORES | CLUSTERS if run.expansion else SCORES


def _name(way: Mapping) -> str:
    """What an expansion is called."""
    return "{linkage} linkage, {threshold:g} of the mean distance, {own_share:g} its own".format(**way)


def _choices() -> list[Row]:
    """What was tried on held-out training identities: each network's rate and batch, then what follows the features."""
    setups = {"setups": ("usual", "training people")}
    found = []
    for model in (GAITGL, GAITMASK):
        on_yard, on_lab = (network(ON_CROWD, then, model.lower()) for then in (ON_YARD, ON_LAB))
        scratch = replace(from_scratch(on_yard), **setups)
        found += search("choices", f"yard, {model}", replace(on_yard, **setups), FURTHER, columns=WITH_TRAINING)
        found += search("choices", f"yard, {model}{FROM_SCRATCH}", scratch, GAIT, columns=WITH_TRAINING)
        found += search("choices", f"lab, {model}", on_lab, FURTHER, columns=ACROSS_VIEWS)
    chosen = on_validation(network(ON_CROWD, ON_YARD))
    tried = {label: searched(chosen, **steps) for label, steps in _tried().items()}
    return [
        *found,
        validation_row("choices, search", "as they are", chosen, columns=SCORES),
        *(
            validation_row("choices, search", label, _with_clusters(run), columns=_columns(run))
            for label, run in tried.items()
        ),
    ]


def _tried() -> dict[str, dict]:
    """Re-ranking alone, and each expansion followed by each re-ranking, by their names."""

    def reranked(numbers: Sequence[tuple[int, int]]) -> dict[str, dict]:
        return {f"re-ranking, k1 = {k1}, k2 = {k2}": RERANK | {"k1": k1, "k2": k2} for k1, k2 in numbers}

    alone = {name: {"rerank": rerank} for name, rerank in reranked(((2, 1), *NEIGHBOURS, (20, 6))).items()}
    ways = [
        EXPANSION | {"linkage": linkage, "threshold": threshold, "own_share": share}
        for linkage, threshold, share in product(LINKAGES[1:], THRESHOLDS, OWN_SHARES)
    ]
    return alone | {
        f"{_name(way)}, {name}": {"expansion": way, "rerank": rerank}
        for way in ways
        for name, rerank in reranked(NEIGHBOURS).items()
    }
