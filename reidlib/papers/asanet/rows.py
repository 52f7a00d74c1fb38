"""ASA-Net: attributes beside identities. Tables I to VII, Figures 6 to 8 as numbers, and controls.

Chai et al., "Video Person Re-identification using Attribute-enhanced Features".
"""

from collections.abc import Mapping
from dataclasses import replace

from reidlib.experiments import Row, Run
from reidlib.papers.asanet.claims import (
    ACTIVATION,
    AVERAGED,
    BASELINE,
    CHANGES,
    FACTOR,
    FED_IDENTITY,
    GAUSSIAN,
    IRRELEVANT,
    LENGTHS,
    MASKS,
    NON_LOCAL,
    OURS_A_PMI,
    OURS_B,
    OURS_B_PMI,
    PERMUTED,
    PULL,
    RANDOM,
    RELEVANT,
    SHUFFLED,
    STRONG,
    TRUTH,
    UNIFORM,
    UNTAUGHT,
    WITH,
    WITH_PMI,
    WITHOUT,
    WITHOUT_PMI,
)
from reidlib.papers.asanet.systems import (
    CAMPUS,
    COMPARATORS,
    DUKE,
    EPOCHS,
    PAPER_SCALE,
    RATES,
    RECIPE,
    STREET,
    elsewhere,
    label,
    plain,
    system,
)
from reidlib.papers.recipes import (
    APPEARANCE,
    THREE_D,
    Recipe,
    half_as_long,
    half_length,
    on_validation,
    search,
    validation_row,
)

HEADLINE, SUPERVISION = 10, 20  # seeds of Tables I, II and their controls, and of Table VII, whose effect is small
WAYS = ("MARS->Duke", "Duke->MARS")

SCORES = ("mAP", "rank-1", "rank-5", "rank-20")
USUAL, MIXING = ({score: (setup, score) for score in SCORES} for setup in ("usual", "mixing"))
ON_DUKE = USUAL  # its gallery holds the queries as it is
DISTANCES = {
    score: ("distances", score)
    for score in ("near pose", "far pose", "other motion", "same person", "other people", "same to other people")
}
WRONG = {
    score: ("rank 1", score) for score in ("wrong at rank 1", "distractor at rank 1", "distractors among the wrong")
}
QUALITY = ("average precision", "best IoU", "IoU", "pointing")
PLACES = ("head", "torso", "arms", "legs", "carried", "joints", "outline")
PREDICTED = {
    **{score: ("attributes", score) for score in ("accuracy", "balanced accuracy", "F1")},
    **{
        f"{name} {score}": (f"attribute {name}", score)
        for name in ("motion", "pose")
        for score in ("accuracy", "balanced accuracy", "F1")
    },
}
ROWS_OF_IV = {
    "Identity": ("identity",),
    "ID-re.": ("relevant",),
    "ID-ir.": ("irrelevant",),
    "Identity + ID-re.": ("identity", "relevant"),
    "Identity + ID-ir.": ("identity", "irrelevant"),
    "ID-re. + ID-ir.": ("relevant", "irrelevant"),
    "Identity + ID-re. + ID-ir.": ("identity", "relevant", "irrelevant"),
}


def rows(scale: str) -> list[Row]:
    """Tables I to VII with our controls in their tails, then what goes beyond the paper."""
    if scale == "paper":
        weights = {"weights": "imagenet"}
        street = replace(STREET, data="mars", model_options=weights, iterations=EPOCHS * 625 // 8, **PAPER_SCALE)
        campus = replace(
            CAMPUS, data="duke_video", model_options=weights | DUKE, iterations=EPOCHS * 702 // 8, **PAPER_SCALE
        )
        return [replace(row, seeds=1) for row in _tables(street, campus)]
    tables = [*_tables(STREET, CAMPUS), *_beside(), *_controls()]
    shorter = half_length([row for row in tables if row.table in ("I", "II", "VII")])
    return [
        *tables,
        *shorter,
        *_length(),
        *_figures(),
        *_strong(),
        *_readings(),
        *_attributes(),
        *_twins(),
        *_edges(),
        *_choices(),
    ]


def _tables(street: Run, campus: Run) -> list[Row]:
    """The paper's own rows."""
    b, a_pmi = system(street), system(street, "a", pmi="attributes")
    on_campus, pmi_on_campus = system(campus), system(campus, pmi="attributes")
    found = [
        _row("I", f"{setup} {name}", run, HEADLINE, columns)
        for setup, columns in (("Usual", USUAL), ("Mixing", MIXING))
        for name, run in ((OURS_B, b), (OURS_A_PMI, a_pmi))
    ]
    found += [
        _row("II", name, run, HEADLINE, ON_DUKE) for name, run in ((OURS_B, on_campus), (OURS_B_PMI, pmi_on_campus))
    ]
    found += _across(street, campus, "Ours", b, system(campus, "a", pmi="attributes"), 6)
    found += [
        _row("IV", name, system(street, "none", pmi="attributes", branches=branches), 6, MIXING)
        for name, branches in ROWS_OF_IV.items()
    ]
    found += [
        _row("V", label(strategy, asre, pmi), system(street, strategy, asre, pmi), 6, MIXING)
        for strategy in ("a", "b")
        for asre in (False, True)
        for pmi in ("", "attributes")
    ]
    found += [
        _row("VI", label(strategy, False, pmi), system(campus, strategy, pmi=pmi), 6, ON_DUKE)
        for strategy in ("a", "b")
        for pmi in ("", "attributes")
    ]
    without = system(street, bce=False)
    return found + [_row("VII", name, run, SUPERVISION, MIXING) for name, run in ((WITHOUT, without), (WITH, b))]


def _across(street: Run, campus: Run, name: str, from_street: Run, from_campus: Run, seeds: int) -> list[Row]:
    """A row of Table III. The paper does not say the set-up: it is that of the ablations, "mixing"."""
    there, back = (
        {f"{way} {score}": place for score, place in columns.items() if score != "rank-20"}
        for way, columns in zip(WAYS, (ON_DUKE, MIXING))
    )
    return [
        _row("III", name, elsewhere(from_street, campus.data, ("usual",)), seeds, there),
        _row("III", name, elsewhere(from_campus, street.data, ("usual", "mixing")), seeds, back),
    ]


def _row(table: str, name: str, run: Run, seeds: int, columns: Mapping[str, tuple[str, str]]) -> Row:
    """A row, whose network is kept if it is one that a figure looks at."""
    kept = run in _looked_at()
    return Row(table, name, run, seeds, keep_features=kept, keep_network=kept, columns=columns)


def _looked_at() -> list[Run]:
    """The runs behind Figures 6 to 8."""
    pairs = [system(base, pmi=pmi) for base in (STREET, CAMPUS) for pmi in ("", "attributes")]
    return [*pairs, system(STREET, bce=False)]


def _beside() -> list[Row]:
    """Networks without attributes, beside Tables I to III."""
    runs = {BASELINE: plain(), AVERAGED: plain(pool="average"), NON_LOCAL: _non_local()}
    runs |= {name: plain(key) for key, name in COMPARATORS.items()}
    found = [
        _row("I", f"{setup} {name}", run, HEADLINE if name in (BASELINE, AVERAGED) else 6, columns)
        for setup, columns in (("Usual", USUAL), ("Mixing", MIXING))
        for name, run in runs.items()
    ]
    on_campus = {name: plain(name, "campus", ("usual",)) for name in ("agw", "sta")}
    found += [_row("II", name, run, 6, ON_DUKE) for name, run in zip((BASELINE, "STA"), on_campus.values())]
    return found + _across(STREET, CAMPUS, BASELINE, plain(), on_campus["agw"], 6)


def _non_local() -> Run:
    return Run("nonlocal3d", "street", "baseline/agw", setups=("usual", "mixing"), **THREE_D.fields())


def _controls() -> list[Row]:
    """Rows that keep the parameters of a mechanism and remove what it is said to work by."""
    b = system(STREET)
    runs = {
        UNIFORM: system(STREET, salience="uniform"),
        FED_IDENTITY: system(STREET, salience="identity"),
        RANDOM: system(STREET, "a", pmi="random"),
        PULL: system(STREET, "a", pmi="pull"),
        TRUTH: system(STREET, "a", pmi="truth"),
    }
    found = [_row("V", name, run, 6, MIXING) for name, run in runs.items()]
    worlds = {PERMUTED: "permuted", SHUFFLED: "shuffled"}
    return found + [_row("VII", name, b.in_world(attributes=way), HEADLINE, MIXING) for name, way in worlds.items()]


def _length() -> list[Row]:
    """Whether longer training changes who is ahead, and whether attributes help once they are learned: what they are
    learned by starts from random weights."""
    b = system(STREET)
    runs = {
        BASELINE: plain(),
        "ASANet-b": b,
        WITHOUT: system(STREET, bce=False),
        SHUFFLED: b.in_world(attributes="shuffled"),
    }
    found = []
    for name, run in runs.items():
        learned = "attributes" in run.evaluation
        columns = USUAL | ({"balanced accuracy": PREDICTED["balanced accuracy"]} if learned else {})
        if run.model == "asanet":
            columns |= {f"{kind} mask": (f"mask {kind}", "average precision") for kind in ("relevant", "irrelevant")}
        found += [_row("length", f"{name}, {n} iterations", replace(run, iterations=n), 3, columns) for n in LENGTHS]
    return found


def _figures() -> list[Row]:
    """What Figures 6 to 8 show, as numbers."""
    b, with_pmi, without = system(STREET), system(STREET, pmi="attributes"), system(STREET, bce=False)
    columns = DISTANCES | WRONG
    found = [_row(CHANGES, name, run, 6, columns) for name, run in ((WITHOUT_PMI, b), (WITH_PMI, with_pmi))]
    pair = (("ASANet-b", ""), ("ASANet-b-PMI", "attributes"))
    found += [_row("Figure 6", name, system(CAMPUS, pmi=pmi), 6, ON_DUKE | WRONG) for name, pmi in pair]
    masks = {  # label: run, name of the mask, whether it differs over the body
        RELEVANT: (b, "mask relevant", True),
        IRRELEVANT: (b, "mask irrelevant", True),
        UNTAUGHT: (without, "mask relevant", True),
        "ID-irrelevant mask, w/o BCE loss": (without, "mask irrelevant", True),
        ACTIVATION: (plain(), "mask", True),
        GAUSSIAN: (b, GAUSSIAN, False),
    }
    for name, (run, mask, differs) in masks.items():
        places = {place: (f"{mask}, segments", place) for place in PLACES} if differs else {}
        found.append(_row(MASKS, name, run, 6, {score: (mask, score) for score in QUALITY} | places))
    chance = {score: ("mask relevant", "chance") for score in QUALITY if score != "best IoU"}
    found.append(_row(MASKS, "a mask of ones", b, 6, chance))
    alike = {"correlation": ("masks alike", "mask relevant and mask irrelevant")}
    return [*found, _row("masks alike", "ID-relevant and ID-irrelevant mask", b, 6, alike)]


def _strong() -> list[Row]:
    """What the PMI triplet loss does where it counts, and how its weight decides."""
    pairings = {"PMI": "attributes", "pairs at random": "random", "a plain pull": "pull"}
    pairings["pairs by true pose and motion"] = "truth"
    columns = MIXING | DISTANCES | WRONG
    found = [_row(STRONG, "no PMI", system(STREET, "a"), 6, columns)]
    for name, pmi in pairings.items():
        found.append(_row(STRONG, name, system(STREET, "a", pmi=pmi, pmi_factor=FACTOR), 6, columns))
    factors = {"a + ASRE": system(STREET, "a")}
    factors |= {
        f"a + ASRE + PMI × {factor}": system(
            STREET, "a", pmi="attributes", **({"pmi_factor": factor} if factor > 1 else {})
        )
        for factor in (1, 10, 100, 1000)
    }
    return found + [_row("λ_PMI", name, run, 3, columns) for name, run in factors.items()]


def _readings() -> list[Row]:
    """λ_cent and λ_BCE as printed, and as they are used here."""
    printed = {"training_options": {"reading": "printed"}}
    runs = {
        "b + ASRE, swapped": system(STREET),
        "b + ASRE, as printed": system(replace(STREET, **printed)),
    }
    return [_row("λ_cent and λ_BCE", name, run, 6, MIXING) for name, run in runs.items()]


def _attributes() -> list[Row]:
    """How well attributes are predicted; motion is class 0 in nine of ten tracklets, so accuracy alone says little."""
    runs = {"b + ASRE": system(STREET), SHUFFLED: system(STREET).in_world(attributes="shuffled")}
    found = [_row("attributes, street", name, run, 6, PREDICTED) for name, run in runs.items()]
    return [*found, _row("attributes, campus", "b + ASRE", system(CAMPUS), 6, PREDICTED)]


def _twins() -> list[Row]:
    """What attributes add where everybody walks alike, and where everybody looks alike."""
    worlds = {
        "as it is": {},
        "walks alike": {"same_gait": True, "same_body": True},
        "looks alike": {"same_appearance": True},
    }
    return [
        _row("twin streets", f"{name}, {world}", system(STREET, bce=bce).in_world(**options), 3, MIXING)
        for name, bce in ((WITHOUT, False), (WITH, True))
        for world, options in worlds.items()
    ]


def _edges() -> list[Row]:
    """Table VII and the PMI pair on edge maps of real tracklets with their real attributes, as long as the baseline is
    trained on them."""
    base = half_as_long(replace(STREET, data="mars_edges", data_options={"annotated": True}, setups=("usual",)))
    runs = {
        WITHOUT: system(base, bce=False),
        WITH: system(base),
        "ASANet-b-PMI": system(base, pmi="attributes"),
    }
    return [_row("real edge maps", name, run, 6, USUAL) for name, run in runs.items()]


def _choices() -> list[Row]:
    """What was tried on held-out training identities."""
    found = []
    for base in (STREET, CAMPUS):
        for name, run in searched(base).items():
            found += _search(f"{base.data}, {name}", run, RECIPE)
    for model, name in COMPARATORS.items():
        found += _search(f"street, {name}", plain(model), APPEARANCE)
    found += _search(f"street, {NON_LOCAL}", _non_local(), THREE_D)
    wide = replace(
        half_as_long(on_validation(system(STREET))), ids_per_batch=16, clips_per_id=2, evaluation="retrieval"
    )
    return [*found, validation_row("choices", "street, b + ASRE, 16 × 2", wide, columns=USUAL)]


def _search(name: str, run: Run, recipe: Recipe) -> list[Row]:
    return search("choices", name, replace(run, evaluation="retrieval"), recipe, columns=USUAL)


def searched(base: Run) -> dict[str, Run]:
    """The systems that are searched one by one where `base` is at home, by their names in `RATES`."""
    systems = {
        "b": system(base, asre=False),
        "b + ASRE": system(base),
        "b + ASRE, w/o BCE loss": system(base, bce=False),
        "a + ASRE + PMI": system(base, "a", pmi="attributes"),
        "b + ASRE + PMI": system(base, pmi="attributes"),
    }
    return {name: systems[name] for name in RATES[base.data]}
