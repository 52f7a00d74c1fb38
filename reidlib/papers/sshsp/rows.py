"""SS-HSP: parts that nobody labelled, their motion, and how frames relate. Tables 1 to 4, Figure 4, and controls.

Wu and Liu, "Self-supervised human semantic parsing for video-based person re-identification" (JUSTC 2022). MARS becomes
`street`, iLIDS-VID `pair`. Figures 5 and 6 are drawn with the kept network of Table 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reidlib.experiments import Part, Row, Run
from reidlib.models.parsing import SIZE
from reidlib.papers.recipes import APPEARANCE, as_chosen, half_length, on_validation, search, validation_row
from reidlib.papers.sshsp import claims as names
from reidlib.papers.sshsp import training
from reidlib.papers.sshsp.training import ADDED_TERMS, PAPER_TERMS

STEP = 2  # frames from a frame to its "next" one at mini scale; what is measured is the flow to the very next
MEASURED = ("segments", "flow", "frames")  # of stage 1
SCORES = {score: ("usual", score) for score in ("rank-1", "rank-5", "rank-20", "mAP")}
ON_ILIDS = {score: ("usual", score) for score in ("rank-1", "rank-5", "rank-20")}
MERGED = "segments, sides merged"
OF_PARTS = dict(zip(names.BOTH, ((MERGED, "mean IoU"), ("segments", "mean IoU"), (MERGED, "foreground IoU"))))
WIDTH, FEATURES = 64, 9  # at mini scale, for K = 6
PARTS_RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SEARCHED = replace(APPEARANCE, rates=(3e-4, *APPEARANCE.rates))  # the lowest of the family's was each system's best
COUNTS = (2, 4, 6, 8)  # of parts and of frames, in Figure 4
SQUARED_PIXELS = (SIZE[0] / 2) ** 2  # in the squared half height that Equation 8 is computed in
PIXELS_COUNT = 70.0  # as much as perceptual maps: how many times Equation 6 is larger with these, before training

PARSING = Run(  # stage 1; measured by runs that are made of it, never itself
    "parsing",
    "street",
    "sshsp/parsing",
    evaluation=(),
    iterations=300,
    learning_rate=3e-2,
    ids_per_batch=16,
    clips_per_id=1,
    num_frames=1,
    crop=0.0,
    next_frames=1,
    time_step=STEP,
    windows="fixed",
)
WHOLE = Run("sshsp", "street", "sshsp", next_frames=1, time_step=STEP, **APPEARANCE.fields())

# Systems as Table 3 names them -> options of `reidlib.models.sshsp`.
SYSTEMS = {
    names.BASEL: {"parts": "none", "motion": "none", "aggregation": "mean"},
    names.PART: {"motion": "none", "aggregation": "mean"},
    names.MOTION: {"aggregation": "mean"},
    names.RELATION: {},
}
# At mini scale: rate, P and K of each system, the best of the table "choices"; it is the same for all four.
SETTINGS = dict.fromkeys(SYSTEMS, (1e-3, 8, 4))
RATE_BEFORE = 1e-2  # of stage 1 in the search for stage 2
PAPER_RATE = 1e-3  # of stage 1 by the paper's losses alone, the best of the table "choices, parts"
PAPER_ALONE = {  # stage 1 by the paper's losses, at mini scale
    "learning_rate": PAPER_RATE,
    "model_options": {"visibility": "learned"},
    "training_options": {"terms": PAPER_TERMS},
}
LITERAL_RATE = 3e-4  # on the pairs that the paper has as well, likewise
LITERAL = {**PAPER_ALONE, "learning_rate": LITERAL_RATE, "windows": "tracked", "time_step": 1}


def parsing(base: Run = PARSING, *, perceptual: Mapping | None = None, **changes) -> Run:
    """Stage 1 with these fields changed. perceptual: options of the network that judges reconstructions, by default the
    start of all networks at mini scale; {} to compare pixels."""
    options = {"weights": "walkers"} if perceptual is None else perceptual
    run = replace(base, **changes)
    judge = Run("perceptual", run.data, scale=run.scale, model_options=options, data_options=run.data_options)
    return replace(run, parts=(Part(judge, beside="perceptual"),) if options else ())


def whole(
    name: str = names.RELATION, base: Run = WHOLE, first: Run | None = None, *, tuned: bool = False, **options
) -> Run:
    """A system of Table 3 where `base` is at home. first: its stage 1, by default `parsing` there. tuned: whether stage
    2 trains the segmentation module further. options: of the network. Rate and batch are those of `SETTINGS`."""
    chosen = {"num_frames": base.num_frames} | SYSTEMS[name] | options
    first = first or parsing(data=base.data, data_options=base.data_options)
    if num_parts := chosen.get("num_parts"):
        first = replace(first, model_options={**first.model_options, "num_parts": num_parts})
    motion, learned = chosen.get("motion", "flow"), chosen.get("parts", "learned") == "learned"
    needs_parts = learned or motion not in ("none", "zero")
    part = Part(first, into="segmentation", out_of="segmentation", frozen=not tuned)
    options = {**base.model_options, **chosen}
    run = replace(as_chosen(base, SETTINGS[name]), model_options=options, parts=(part,) if needs_parts else ())
    return run if motion not in ("none", "zero") else replace(run, next_frames=int(motion == "zero"))


def measured(first: Run, evaluation: str | Sequence[str] = MEASURED, **changes) -> Run:
    """What stage 1 has learned, measured on four frames of each query with their very next ones; changes: fields."""
    fields = {"windows": "fixed", "time_step": 1, "num_frames": 4} | changes
    return replace(first.of_parts(first), evaluation=evaluation, training_options={}, **fields)


def rows(scale: str) -> list[Row]:
    """Tables 1 to 4 and Figure 4 with our controls in their tails, then what goes beyond the paper."""
    if scale == "paper":
        return _recorded()
    tables = [*_first_and_second(), *_third(), *_fourth()]
    compared = {
        (claim.table, label) for claim in names.CLAIMS if claim.primary for label, _ in claim.left + claim.right
    }
    shorter = half_length([row for row in tables if row.table in ("3", "4") and (row.table, row.label) in compared])
    beyond = [*_frames(), *_after(), *_twins(), *_length()]
    return [*_takes(), *tables, *_figure_4(), *beyond, *shorter, *_choices()]


def _recorded() -> list[Row]:
    """The paper's own sizes and schedules, stage 1 by its losses alone. An epoch is a pass over the tracklets, 8298 of
    MARS and 300 of iLIDS-VID, in batches of 16 × 4; iLIDS-VID is split ten times."""
    found = []
    judges = {names.WHOLE: {"network": "vgg19", "weights": "vgg19"}}
    judges[f"{names.WHOLE}, without VGG-19"] = {"weights": "imagenet"}
    for data, tracklets, table, seeds in (("mars", 8298, "1", 1), ("ilids_vid", 300, "2", 10)):
        shared = {"data": data, "scale": "paper", "learning_rate": 3e-4, "ids_per_batch": 16, "clips_per_id": 4}
        shared |= {"time_step": 1, "windows": "tracked"}
        stage = {name: epochs * (tracklets // 64) for name, (epochs, _) in training.EPOCHS.items()}
        fields = LITERAL | shared | {"iterations": stage["parsing"]}
        base = replace(WHOLE, **shared, iterations=stage["whole"], num_frames=8, crop=0.0, erasing=0.3)
        base = replace(base, model_options={"weights": "imagenet"})
        for label, judge in judges.items():
            first = parsing(perceptual=judge, **fields)
            columns = ON_ILIDS if table == "2" else SCORES
            found.append(Row(table, label, whole(base=base, first=first, tuned=True), seeds, columns=columns))
            if data == "mars" and label == names.WHOLE:
                found += [
                    Row("3", name, whole(name, base, first, tuned=True), seeds, columns=SCORES) for name in SYSTEMS
                ]
                found += [
                    Row("4", name, run, seeds, columns=SCORES) for name, run in _losses(base, first, tuned=True).items()
                ]
                found += [Row(*name, run, seeds, columns=SCORES) for name, run in _sweeps(base, first, True).items()]
    return found


def _first_and_second() -> list[Row]:
    """Tables 1 and 2: `street`, the ten splits of one `pair`, and five each of two more."""
    on_pair = replace(WHOLE, data="pair")
    others = {
        f"{names.WHOLE}, world {world}": whole(base=replace(on_pair, data_options={"world": world})) for world in (1, 2)
    }
    return [
        Row("1", names.WHOLE, whole(), 10, columns=SCORES, keep_features=True, keep_network=True),
        Row("2", names.WHOLE, whole(base=on_pair), 10, columns=ON_ILIDS),
        *(Row("2", label, run, 5, columns=ON_ILIDS) for label, run in others.items()),
    ]


def _third() -> list[Row]:
    """Table 3. A control stands where what it controls comes in: of parts without motion, of motion without the
    block."""
    literal = parsing(**LITERAL)
    runs = {name: whole(name) for name in SYSTEMS}
    runs |= {
        names.WIDE: whole(names.BASEL, width=WIDTH * (FEATURES - 1)),  # all but the motion feature
        names.STRIPES: whole(names.PART, parts="stripes"),
        names.ELLIPSE: whole(names.PART, parts="ellipse"),
        names.RANDOM: whole(names.PART, parts="random"),
        names.TRUE: whole(names.PART, parts="true"),
        names.LITERAL_PARTS: whole(names.PART, first=literal),
        names.ZERO: whole(names.MOTION, motion="zero"),
        names.MEAN: whole(names.MOTION, motion="mean"),
        names.SHUFFLED: whole(names.MOTION, motion="shuffled"),
        names.LITERAL: whole(names.MOTION, motion="literal"),
        names.FIXED: whole(names.MOTION, replace(WHOLE, windows="fixed")),
        names.ALONE: whole(aggregation="alone"),
        names.TUNED: _tuned(),
    }
    secondary = (names.FIXED,)
    headline = {*SYSTEMS, names.STRIPES, names.ELLIPSE, names.TRUE, names.LITERAL_PARTS, names.ZERO, names.ALONE}
    return [
        Row("3", label, run, 10 if label in headline else 3 if label in secondary else 6, columns=SCORES)
        for label, run in runs.items()
    ]


def _tuned() -> Run:
    """The whole system with a segmentation module that stage 2 trains further, and what becomes of the parts."""
    return replace(whole(tuned=True), evaluation=("retrieval", "segments"))


def _losses(base: Run, first: Run, tuned: bool = False) -> dict[str, Run]:
    """Table 4: without one of the losses of either stage, by the paper's names."""
    terms = tuple(first.training_options.get("terms", (*PAPER_TERMS, *ADDED_TERMS)))

    def without(term: str) -> Run:
        left = tuple(name for name in terms if name != term)
        return replace(first, training_options={**first.training_options, "terms": left})

    system = whole(base=base, first=first, tuned=tuned)
    return {
        names.NO_TRI: replace(system, training_options={"terms": ("identity",)}),
        names.NO_IDE: replace(system, training_options={"terms": ("triplet",)}),
        names.NO_EQU: whole(base=base, first=without("equivariance"), tuned=tuned),
        names.NO_GEO: whole(base=base, first=without("concentration"), tuned=tuned),
        names.WHOLE: system,
    }


def _fourth() -> list[Row]:
    """Table 4, and the triplet loss where there is no motion feature, which nothing else would train."""
    motionless = whole(motion="none")
    runs = _losses(WHOLE, parsing()) | {
        names.MOTIONLESS: motionless,
        names.MOTIONLESS_NO_TRI: replace(motionless, training_options={"terms": ("identity",)}),
    }
    return [Row("4", label, run, columns=SCORES) for label, run in runs.items()]


def _sweeps(base: Run = WHOLE, first: Run | None = None, tuned: bool = False) -> dict[tuple[str, str], Run]:
    """Figure 4: the whole system by its number of parts, and by the length of clips."""
    parts = {k: {"num_parts": k} if k != 6 else {} for k in COUNTS}
    runs = {("Figure 4a", f"K = {k}"): whole(base=base, first=first, tuned=tuned, **parts[k]) for k in COUNTS}
    lengths = {t: replace(base, num_frames=t) for t in COUNTS}
    return runs | {("Figure 4b", f"T = {t}"): whole(base=lengths[t], first=first, tuned=tuned) for t in COUNTS}


def _figure_4() -> list[Row]:
    """Figure 4, and the number of parts with descriptors of about one width."""
    runs = _sweeps()
    widths = {k: 4 * round(WIDTH * FEATURES / (k + 3) / 4) for k in COUNTS}
    runs |= {
        ("Figure 4a, one descriptor width", f"K = {k}"): whole(num_parts=k, width=widths[k]) if k != 6 else whole()
        for k in COUNTS
    }
    return [
        Row(table, label, run, 3 if "width" in table else 6, columns=SCORES) for (table, label), run in runs.items()
    ]


def _takes() -> list[Row]:
    """Stage 1, from the paper's losses to all of them, with controls, measured against the truth."""
    terms = PAPER_TERMS
    in_pixels = {"terms": terms, "weights": {"concentration": SQUARED_PIXELS}}
    ladder = {
        names.TRACKED: parsing(**LITERAL),
        names.TRACKED_APART: parsing(**PAPER_ALONE, windows="tracked"),
        names.PAPER_LOSSES: parsing(**PAPER_ALONE),
        names.GEO_IN_PIXELS: parsing(**PAPER_ALONE | {"training_options": in_pixels}),
        names.DETACHED: parsing(**PAPER_ALONE | {"model_options": {}}),
        names.PRIOR: parsing(training_options={"terms": (*terms, "prior")}),
        names.PHOTOMETRIC: parsing(training_options={"terms": (*terms, "prior", "photometric")}),
        names.ALL: parsing(),
        names.PRIOR_ALONE: parsing(training_options={"terms": ("prior", "balance")}),
        names.STILL: parsing(model_options={"motion": "none"}),
        names.NO_ANCHORS: parsing(training_options={"anchored": False}),
        names.PIXELS: parsing(perceptual={}, training_options={"weights": {"reconstruction": PIXELS_COUNT}}),
    }
    fixed = Run(
        "sshsp", "street", model_options={"num_frames": 4, **SYSTEMS[names.PART]}, evaluation="segments", num_frames=4
    )
    kinds = {names.ONLY_STRIPES: "stripes", names.ONLY_ELLIPSE: "ellipse", names.ONLY_RANDOM: "random"}
    maps = {
        label: replace(fixed, model_options={**fixed.model_options, "parts": kind}) for label, kind in kinds.items()
    }
    found = [
        Row(
            *(names.TAKES, label, measured(run)),
            seeds=10 if label in (names.ALL, names.PRIOR_ALONE) else 6,
            keep_network=label == names.ALL,
        )
        for label, run in ladder.items()
    ]
    found += [Row(names.TAKES, label, run) for label, run in maps.items()]
    found += [
        Row("flow, tracked boxes", label, measured(ladder[label], "flow", windows="tracked"))
        for label in (names.TRACKED, names.ALL)
    ]
    dense = {"evaluation": "segments", "test_sampling": "dense"}
    lasting = {label: measured(ladder[label]) for label in (names.TRACKED, names.PAPER_LOSSES, names.ALL)}
    lasting[names.ONLY_ELLIPSE] = maps[names.ONLY_ELLIPSE]
    found += [Row(names.LASTING, label, replace(run, **dense)) for label, run in lasting.items()]
    worlds = {
        "as it is": {},
        "nothing in the way": {"occlusion": 0.0},
        "true boxes": {"box_error": 0.0},
        "nothing in the way, true boxes": {"occlusion": 0.0, "box_error": 0.0},
    }
    beside = {names.ALL: measured(parsing()), names.ONLY_ELLIPSE: maps[names.ONLY_ELLIPSE]}
    for label, run in beside.items():
        for name, options in worlds.items():
            elsewhere = {"test_data": "street", "test_data_options": options} if options else {}
            row = Row("parts, disturbances", f"{label}, {name}", replace(run, **elsewhere), seeds=3, columns=OF_PARTS)
            found.append(row)
    return found


def _after() -> list[Row]:
    """The parts of the body in the frames that stage 2 sees, as stage 1 leaves them and after it was trained on."""
    runs = {
        names.STAGE_1: measured(parsing(), "segments", windows="tracked", time_step=STEP),
        names.STAGE_2: _tuned(),
    }
    return [Row(names.AFTER, label, run, columns=OF_PARTS) for label, run in runs.items()]


def _frames() -> list[Row]:
    """Next frames as they are foreseen by the prediction module, and by the flow alone."""
    still = parsing(model_options={"motion": "none"})
    runs = {
        names.FORESEEN: measured(parsing(), "frames"),
        names.MOVED: measured(parsing(), "frames", model_options={"foresees": "flow"}),
        names.UNMOVED: measured(still, "frames"),
    }
    return [Row(names.FRAMES, label, run) for label, run in runs.items()]


def _twins() -> list[Row]:
    """What motion adds where everybody walks as they do, and where all walk alike."""
    worlds = {"as it is": {}, "walks alike": {"same_gait": True, "same_body": True}}
    return [
        Row(names.TWINS, f"{name}, {world}", whole(name).in_world(**options), columns=SCORES)
        for name in (names.PART, names.MOTION)
        for world, options in worlds.items()
    ]


def _length() -> list[Row]:
    """Whether a longer stage 2 changes who is ahead: the temporal relation block starts from random weights."""
    runs = {name: whole(name) for name in SYSTEMS} | {names.ALONE: whole(aggregation="alone")}
    return [
        Row(names.LENGTH, f"{label}, {iterations} iterations", replace(run, iterations=iterations), 3, columns=SCORES)
        for label, run in runs.items()
        for iterations in names.LENGTHS
    ]


def _choices() -> list[Row]:
    """What was tried on held-out training identities: rate and batch of stage 2, and rate, step and length of stage 1.

    The rate of stage 1 was chosen last. Stage 2, and step and length of stage 1, were tried with `RATE_BEFORE`.
    """
    before = parsing(learning_rate=RATE_BEFORE)
    systems = {name: whole(name, first=before) for name in SYSTEMS}
    found = [row for name, run in systems.items() for row in search("choices", name, run, SEARCHED, columns=SCORES)]
    base = on_validation(parsing())  # at half the length nothing is found yet
    runs = {f"rate {rate:g}": replace(base, learning_rate=rate) for rate in PARTS_RATES}
    alone, literal = (on_validation(parsing(**fields)) for fields in (PAPER_ALONE, LITERAL))
    runs |= {f"{names.PAPER_LOSSES}, rate {rate:g}": replace(alone, learning_rate=rate) for rate in PARTS_RATES}
    runs |= {f"{names.TRACKED}, rate {rate:g}": replace(literal, learning_rate=rate) for rate in (1e-4, *PARTS_RATES)}
    before = on_validation(before)
    beside = {f"{step} frames apart": replace(before, time_step=step) for step in (1, 3)}
    beside["twice as long"] = replace(before, iterations=2 * before.iterations)
    runs |= {f"rate {RATE_BEFORE:g}, {label}": run for label, run in beside.items()}
    found += [validation_row("choices, parts", label, measured(run, "segments")) for label, run in runs.items()]
    return found
