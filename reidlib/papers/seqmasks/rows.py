"""Seq-Masks: appearance, foreground and gait, fused. Tables I to IV, and controls.

Chang et al., "Seq-Masks: Bridging the gap between appearance and gait modeling for video-based person
re-identification" (2021). Mask-MARS becomes `mask_street`, CASIA-B becomes `lab`.
"""

from dataclasses import replace

from reidlib.experiments import Row, Run
from reidlib.papers.baseline.rows import AGW, CONDITIONS
from reidlib.papers.recipes import (
    APPEARANCE,
    THREE_D,
    as_chosen,
    final,
    half_length,
    on_validation,
    search,
    validation_row,
)
from reidlib.papers.recipes import GAIT as GAIT_RECIPE
from reidlib.papers.seqmasks import training  # noqa: F401 (registers the training that the runs name)
from reidlib.papers.seqmasks.claims import (
    ALL_ONES,
    BASELINE,
    CONSTANT,
    EXTRACTED,
    EXTRACTED_MASKS,
    FINETUNED,
    FOREGROUND,
    GAIT,
    IDENTITY,
    NON_LOCAL,
    ONE,
    ORIGINAL,
    PLAIN,
    STRONG,
    TUNED,
    UNGATED,
    WHOLE,
)

# At mini scale: rate, P and K of the systems that are searched one by one. `FINALISTS` are the two best rates at half
# length on the street, each with its better batch; what is used in a world is the better of the two there, at the whole
# length. A control is trained as the system that it is a control of, GaitSet as its modification.
FINALISTS = {
    BASELINE: ((3e-3, 16, 2), (1e-3, 8, 4)),
    FOREGROUND: ((1e-3, 8, 4), (3e-3, 8, 4)),
    GAIT: ((1e-3, 16, 2), (3e-3, 8, 4)),
    WHOLE: ((3e-3, 16, 2), (1e-3, 8, 4)),
}
SETTINGS = {
    "mask_street": {BASELINE: (3e-3, 16, 2), FOREGROUND: (3e-3, 8, 4), GAIT: (1e-3, 16, 2), WHOLE: (3e-3, 16, 2)},
    "lab": {BASELINE: (1e-3, 8, 4), FOREGROUND: (3e-3, 8, 4), GAIT: (3e-3, 8, 4), WHOLE: (3e-3, 16, 2)},
}
HEADLINE, ABLATION, SWEEP = 10, 6, 3  # seeds: of Tables I and II and their controls, of other claims, of sweeps
SILHOUETTES = {"mask_street": 6, "lab": 12}  # the paper's K
LAMBDAS = ((0.1, 1, 1), (1, 1, 0.1))  # of Equation 3, tried beside λ1 = λ2 = λ3 = 1
# Of the gait feature in the control of a tuned concatenation, by the mean of the scores that Table I or II shows.
GAIT_WEIGHTS = {"mask_street": 3.0, "lab": 2.0}


MARS_SCORES = {score: ("usual", score) for score in ("rank-1", "rank-5", "rank-10", "rank-20", "mAP")}
ON_MARS = {f"Mask-MARS {score}": place for score, place in MARS_SCORES.items() if score != "rank-20"}
ON_CASIA_B = {f"CASIA-B {condition.upper()}": (condition, "including") for condition in CONDITIONS}

WILD = Run(
    "seqmasks",
    "mask_street",
    "seqmasks",
    masks=True,
    silhouettes=SILHOUETTES["mask_street"],
    metric="euclidean",
    **APPEARANCE.fields(),
)
LABORATORY = replace(WILD, data="lab", evaluation="cross-view", conditions=CONDITIONS, silhouettes=SILHOUETTES["lab"])
PAPER_SCALE = {  # the paper gives neither length nor rate nor batch; clips have as many frames as at mini scale
    "scale": "paper",
    "iterations": 120 * 624 // 8,  # 120 passes over Mask-MARS's training identities, and as many batches of CASIA-B
    "learning_rate": 3.5e-4,
    "ids_per_batch": 8,
    "clips_per_id": 4,
    "silhouettes": 30,
}

# Systems as the paper names them -> branches and fusion of `reidlib.models.seqmasks`.
SYSTEMS = {
    BASELINE: (("global",), "concat"),
    FOREGROUND: (("global", "foreground"), "concat"),
    GAIT: (("gait",), "concat"),
    WHOLE: (("global", "foreground", "gait"), "attention"),
    "AGConcat": (("global", "foreground", "gait"), "concat"),
    "GGConcat": (("global", "gait"), "concat"),
    "GGFusion": (("global", "gait"), "attention"),
}


PARTS = {WHOLE: (FOREGROUND, GAIT), "AGConcat": (FOREGROUND, GAIT), "GGConcat": (BASELINE, GAIT)}
QUALITIES = ("extracted", "eroded", "dilated", "noisy", "full")  # of masks and silhouettes, beside true ones
HALF_LENGTH_ROWS = (BASELINE, FOREGROUND, GAIT, FINETUNED, WHOLE, ORIGINAL, ALL_ONES, CONSTANT, PLAIN, TUNED)
COMPARED = (FOREGROUND, GAIT, WHOLE)  # where clothes and masks change


def system(base: Run, name: str, fusion: str | None = None, **options) -> Run:
    """The run of one of `SYSTEMS` where `base` is at home, with rate and batch of `SETTINGS` where it has any there;
    fusion: another head; options: of the network."""
    branches, usual = SYSTEMS[name]
    setting = SETTINGS.get(base.data.removesuffix("_validation"), {}).get(name)
    if setting:
        base = as_chosen(base, setting)
    options = {"branches": branches, "fusion": fusion or usual} | options
    if branches == ("gait",):
        return replace(base, model_options=options, num_frames=0, masks=False, crop=1.0)
    base = replace(base, model_options=base.model_options | options)
    return replace(base, masks="foreground" in branches, silhouettes=base.silhouettes if "gait" in branches else 0)


def joined(base: Run, name: str, **options) -> Run:
    """A system whose features are only joined, of parts that were trained alone: where no loss sees the branches
    together, training them at once would be the same. options: of the network."""
    return system(base, name, **options).of_parts(*(system(base, part) for part in PARTS[name]))


def weighted(base: Run) -> Run:
    """The concatenation of three branches with the weight that was chosen for the gait feature."""
    return joined(base, "AGConcat", gait_weight=GAIT_WEIGHTS[base.data])


def one_silhouette(base: Run) -> Run:
    """The end-to-end fusion network where a clip has a single silhouette."""
    return replace(system(base, WHOLE), silhouettes=1)


def non_local(base: Run) -> Run:
    """The comparator of Table IV. Angles are what its bottleneck is trained for, so they rank its gallery."""
    run = replace(system(base, BASELINE), model="nonlocal3d", model_options=base.model_options, metric="cosine")
    return replace(run, **THREE_D.fields()) if base.scale == "mini" else run


def finetuned(base: Run) -> Run:
    """The fusion network that starts from its parts, trained alone before, and goes on at a third of the rate. Two
    thirds of the iterations go to the parts, one to the whole, so that it sees as many as end to end."""
    parts = (system(base, part) for part in PARTS[WHOLE])
    parts = tuple(replace(part, iterations=2 * part.iterations // 3) for part in parts)
    whole = system(base, WHOLE)
    return replace(whole, parts=parts, iterations=base.iterations // 3, learning_rate=whole.learning_rate / 3)


def extracted(run: Run) -> Run:
    """The run with masks and silhouettes as background subtraction finds them, in training and in testing."""
    return run.in_world(masks="extracted", silhouettes="extracted")


def rows(scale: str) -> list[Row]:
    """Tables I to IV with our controls in their tails, then what goes beyond the paper."""
    if scale == "paper":
        weights = {"model_options": {"weights": "imagenet"}}
        wild = replace(WILD, data="mask_mars", **PAPER_SCALE, **weights)
        return _tables(wild, replace(LABORATORY, data="casia_b_colour", **PAPER_SCALE, **weights), seeds=1)
    tables = [*_tables(WILD, LABORATORY, HEADLINE), *_controls()]
    shorter = half_length([row for row in tables if row.table in ("I", "II") and row.label in HALF_LENGTH_ROWS])
    return [*tables, *shorter, *_strong_baselines(), *_twins(), *_sweeps(), *_choices()]


def _tables(wild: Run, laboratory: Run, seeds: int) -> list[Row]:
    gaitset = replace(system(laboratory, GAIT), model="gaitset", model_options={})
    runs = [
        *(("I", name, system(wild, name), MARS_SCORES) for name in list(SYSTEMS)[:3]),
        ("I", FINETUNED, finetuned(wild), MARS_SCORES),
        ("I", WHOLE, system(wild, WHOLE), MARS_SCORES),
        *(("II", name, system(laboratory, name), {}) for name in list(SYSTEMS)[:3]),
        ("II", FINETUNED, finetuned(laboratory), {}),
        ("II", WHOLE, system(laboratory, WHOLE), {}),
        ("II", ORIGINAL, gaitset, {}),
        *(("III", name, joined(wild, name), ON_MARS) for name in ("AGConcat", "GGConcat")),
        *(("III", name, joined(laboratory, name), ON_CASIA_B) for name in ("AGConcat", "GGConcat")),
        ("III", "GGFusion", system(wild, "GGFusion"), ON_MARS),
        ("III", "GGFusion", system(laboratory, "GGFusion"), ON_CASIA_B),
        # The paper's AGFusion is its finetuned network on Mask-MARS and its end-to-end network on CASIA-B.
        ("III", "AGFusion", finetuned(wild), ON_MARS),
        ("III", "AGFusion", system(laboratory, WHOLE), ON_CASIA_B),
        ("III", "AGFusion (end2end)", system(wild, WHOLE), ON_MARS),
        ("III", "AGFusion (finetune)", finetuned(laboratory), ON_CASIA_B),
        ("III", IDENTITY, system(wild, WHOLE, "identity"), ON_MARS),
        ("III", IDENTITY, system(laboratory, WHOLE, "identity"), ON_CASIA_B),
        ("IV", NON_LOCAL, non_local(wild), MARS_SCORES),
        ("IV", "Ours (end2end)", system(wild, WHOLE), MARS_SCORES),
    ]
    features = {("I", WHOLE), ("II", WHOLE), ("II", FOREGROUND)}
    networks = {*(("I", label) for label in (BASELINE, FOREGROUND, GAIT, WHOLE)), ("II", BASELINE), ("II", WHOLE)}
    return [
        Row(
            *(name, label, run, seeds if name in ("I", "II") else min(seeds, ABLATION)),
            keep_features=(name, label) in features,
            columns=columns,
            keep_network=wild.scale == "mini" and (name, label) in networks,
        )
        for name, label, run, columns in runs
    ]


def _controls() -> list[Row]:
    """Rows that keep the parameters of a mechanism and remove what it is said to work by.

    Where all silhouettes of a clip are the same one, one is given: no set pooling can tell it from K of them. `ONE` is
    drawn anew for each clip in training, and is the tracklet's middle one in testing.
    """
    found = []
    for table, base, columns in (("I", WILD, MARS_SCORES), ("II", LABORATORY, {})):
        runs = {
            ALL_ONES: (system(base, FOREGROUND).in_world(masks="full"), HEADLINE),
            CONSTANT: (one_silhouette(base).in_world(silhouettes="constant"), HEADLINE),
            ONE: (one_silhouette(base), ABLATION),
            PLAIN: (joined(base, "AGConcat"), HEADLINE),
            TUNED: (weighted(base), HEADLINE),
            IDENTITY: (system(base, WHOLE, "identity"), ABLATION),
            UNGATED: (system(base, WHOLE, "ungated"), ABLATION),
            EXTRACTED_MASKS: (extracted(system(base, FOREGROUND)), ABLATION),
            EXTRACTED: (extracted(system(base, WHOLE)), ABLATION),
        }
        found += [Row(table, label, run, seeds, columns=columns) for label, (run, seeds) in runs.items()]
    return found


def _strong_baselines() -> list[Row]:
    """Whether the mask helps where the baseline is strong: the foreground branch on AGW and on the non-local network,
    with true masks and with masks of ones."""
    agw = replace(AGW, data=WILD.data)
    found = []
    for name, run in (("AGW", agw), (NON_LOCAL, non_local(WILD))):
        masked = replace(run, model_options=run.model_options | {"foreground": True})
        runs = {
            name: run,
            f"{name} + foreground branch": masked,
            f"control: {name} + foreground branch with an all-ones mask": masked.in_world(masks="full"),
        }
        found += [Row(STRONG, label, run, ABLATION, columns=MARS_SCORES) for label, run in runs.items()]
    return found


def _twins() -> list[Row]:
    """What gait is said to add to, and the whole, where everybody has one gait, and where everybody has one body."""
    worlds = {"as it is": {}, "one gait": {"same_gait": True}, "one body": {"same_body": True}}
    street = {name: system(WILD, name) for name in (FOREGROUND, WHOLE)} | {ONE: one_silhouette(WILD)}
    laboratory = {name: system(LABORATORY, name) for name in (FOREGROUND, WHOLE)}
    return [
        Row(table, f"{name}, {world}", run.in_world(**options), ABLATION, columns=columns)
        for table, runs, columns in (("twin streets", street, MARS_SCORES), ("twin laboratories", laboratory, {}))
        for name, run in runs.items()
        for world, options in worlds.items()
    ]


def _sweeps() -> list[Row]:
    """How far conclusions follow from how much clothes change, and from how good the masks are.

    Each sweep holds the world as it is, so that its points share their seed.
    """
    severities = {0.5: {"clothes_change": 0.5}, 0.75: {}, 1.0: {"clothes_change": 1.0}}
    severity = [
        Row("clothes", f"{name}, severity {severity:g}", system(LABORATORY, name).in_world(**options), SWEEP)
        for name in COMPARED
        for severity, options in severities.items()
    ]
    qualities = {"true": {}} | {q: {"masks": q, "silhouettes": q} for q in QUALITIES}
    quality = [
        Row("masks, street", f"{name}, masks {quality}", system(WILD, name).in_world(**options), 1, False, MARS_SCORES)
        for name in COMPARED
        for quality, options in qualities.items()
    ]
    return severity + quality


def _choices() -> list[Row]:
    """What was tried on held-out training identities. λ and K are tried on the street alone."""
    found = []
    for table, usual, columns in (("choices, street", WILD, MARS_SCORES), ("choices, laboratory", LABORATORY, {})):
        on_street, base = usual is WILD, on_validation(usual)
        for name, settings in FINALISTS.items():
            if on_street:
                recipe = GAIT_RECIPE if name == GAIT else APPEARANCE
                found += search(table, name, system(usual, name), recipe, columns=columns)
            found += final(table, name, system(usual, name), settings, columns=columns)
        runs = {}
        if on_street:
            whole = system(base, WHOLE)
            runs = {"as chosen": whole, "K = 12": replace(whole, silhouettes=12)}
            runs |= {f"λ = {lambdas}": replace(whole, training_options={"lambdas": lambdas}) for lambdas in LAMBDAS}
        runs |= {
            f"concatenation, gait × {weight:g}": joined(base, "AGConcat", gait_weight=weight)
            for weight in (0.3, 1.0, 2.0, 3.0, 10.0, 30.0)
        }
        found += [validation_row(table, label, run, columns=columns) for label, run in runs.items()]
    return found
