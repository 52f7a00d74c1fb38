"""AMEM: Tables 3 to 5, Figure 4, and controls.

Li, Yu, Hu, "Appearance and Motion Enhancement for Video-Based Person Re-Identification" (AAAI 2020). MARS becomes
`street`; iLIDS-VID `pair`; PRID-2011 `pair` with less clutter and occlusion and as many people; PETA and Market-1501,
which the auxiliaries learn from, become `stills`. A clip is T = 8 frames in a row, as in the paper, 80 ms apart:
rendered tracklets have 10 to 20, so that frames further apart would not fill it. Over c = 3 of them a foot moves by
about six pixels in the tracker's box, and the background by seven.
"""

from collections.abc import Mapping
from dataclasses import replace

from reidlib.data.attributes import MARS
from reidlib.experiments import Part, Row, Run
from reidlib.experiments.evaluations import columns_of
from reidlib.papers.amem.claims import (
    AEM,
    ALONE,
    AMEM,
    BASELINE,
    BOTH_ALONE,
    BRANCHES,
    COMPARED,
    CURRENT,
    DISORDER,
    ENHANCED,
    FIXED,
    FIXED_BASELINE,
    FIXED_CURRENT,
    FIXED_MEM,
    LENGTH,
    LENGTHS,
    MEM,
    NO_ADVERSARY,
    NO_TEXTURE,
    ONE_ALONE,
    OURS,
    OVERFITTING,
    PERMUTED,
    PICTURES,
    PROBES,
    SHUFFLED,
    TRUE,
    TWINS,
    mem,
)
from reidlib.papers.amem.systems import (
    ARM,
    AUXILIARY_SEED,
    PAPER_SCALE,
    TAE,
    VIDEO_RECIPE,
    WILD,
    comparator,
    looked_at,
    pictures,
    system,
    trained,
    untaught,
)
from reidlib.papers.amem.training import LAMBDAS
from reidlib.papers.recipes import half_length, search

SCORES = {score: ("usual", score) for score in ("rank-1", "rank-5", "rank-20", "mAP")}
PAIR = {"iLIDS-VID": {}, "PRID-2011": {"num_ids": 178, "clutter": 0.4, "occlusion": 0.1}}  # settings of `pair`
WORLDS = (0, 1, 2)  # of each pair of cameras; the splits of the first are Table 5's
TRUE_GROUPS = {  # of the street's own columns, MARS's
    group: {a.name: a.num_codes if a.num_codes > 2 else 1 for a in MARS.id_relevant if a.name in names}
    for group, names in {
        "Personal": ("age", "gender"),
        "Hair": ("hair",),
        "UpperBody": ("top color", "top length"),
        "LowerBody": ("bottom color", "bottom length", "bottom type"),
        "Accessory": ("shoulder bag", "backpack", "hat", "hand bag"),
    }.items()
}


def rows(scale: str) -> list[Row]:
    """Tables 3 to 5 with our controls in their tails, then what goes beyond the paper."""
    if scale == "paper":
        wild = replace(WILD, data="mars", **PAPER_SCALE)
        pairs = {"iLIDS-VID": replace(wild, data="ilids_vid"), "PRID-2011": replace(wild, data="prid2011")}
        return [*_table_3(wild, 1, 1), *_table_4(wild, 1, 1), *_table_5(wild, pairs, 1)]
    table_3 = _table_3(WILD, 10, 6) + _controls()
    pairs = {name: replace(WILD, data="pair", data_options=options) for name, options in PAIR.items()}
    tables = [*table_3, *_table_5(WILD, pairs, 10), *_table_4(WILD, 10, 3)]
    main = (BASELINE, AEM, MEM, AMEM)
    shorter = half_length([row for row in table_3 if row.label in main])
    more = [*_length(), *_terms(), *_figure_4(), *_twins(), *_windows(), *_branches(), *_worlds()]
    more += [*_overfitting(), *_probes()]
    return [*tables, *shorter, *more, *_auxiliaries(), *_choices()]


def _table_3(base: Run, headline: int, ablation: int) -> list[Row]:
    runs = {
        BASELINE: (system(base), headline),
        AEM: (system(base, aem=True), headline),
        **{mem(c): (system(base, rounds=c), headline if c == 3 else ablation) for c in (1, 2, 3, 4)},
        ENHANCED: (system(base, aem=True, rounds=3, joined=False), ablation),
        AMEM: (system(base, aem=True, rounds=3), headline),
    }
    return [_row("3", label, *found) for label, found in runs.items()]


def _controls() -> list[Row]:
    """Rows that keep the parameters of a module and remove what it is said to work by; the last has labels that no
    recogniser could better."""
    aem, motion = system(WILD, aem=True), system(WILD, rounds=3)
    runs = {
        ONE_ALONE: untaught(aem),
        BOTH_ALONE: untaught(system(WILD, aem=True, rounds=3)),
        PERMUTED: aem.in_world(attributes="permuted"),
        SHUFFLED: aem.in_world(attributes="shuffled"),
        CURRENT: trained(motion, target="current"),
        DISORDER: trained(motion, target="shuffled"),
    }
    true = replace(aem, model_options=aem.model_options | {"groups": TRUE_GROUPS}, parts=())
    headline = (ONE_ALONE, BOTH_ALONE, PERMUTED, CURRENT)
    found = [_row("3", label, run, 10 if label in headline else 6) for label, run in runs.items()]
    return [*found, _row("3", TRUE, true, 3)]


def _length() -> list[Row]:
    """Whether longer training changes who is ahead."""
    runs = {
        BASELINE: system(WILD),
        AEM: system(WILD, aem=True),
        ONE_ALONE: untaught(system(WILD, aem=True)),
        MEM: system(WILD, rounds=3),
        AMEM: system(WILD, aem=True, rounds=3),
    }
    return [
        _row(LENGTH, f"{label}, {iterations} iterations", replace(run, iterations=iterations), 3)
        for label, run in runs.items()
        for iterations in LENGTHS
    ]


def _table_4(base: Run, headline: int, others: int) -> list[Row]:
    """A row of the paper is a backbone and a score, a column a setting."""
    settings = {
        "Baseline": {},
        "Baseline + AEM": {"aem": True},
        "Baseline + MEM": {"rounds": 3},
        "AMEM": {"aem": True, "rounds": 3},
    }
    return [
        Row(
            *("4", f"{name.upper()} {score}", system(base, backbone=name, **setting)),
            seeds=headline if name == "i3d" else others,
            columns={column: ("usual", score)},
        )
        for name in ("r3d", "p3d", "i3d")
        for score in ("rank-1", "mAP")
        for column, setting in settings.items()
    ]


def _table_5(wild: Run, pairs: Mapping[str, Run], seeds: int) -> list[Row]:
    """The ten splits of a pair of cameras are its seeds; at paper scale one of them is a start."""
    runs = [(label, "MARS", run) for label, run in _headline(wild).items()]
    runs += [(label, "MARS", comparator(wild, label)) for label in COMPARED]
    runs += [(label, data, run) for data, base in pairs.items() for label, run in _headline(base).items()]
    return [
        Row(
            *("5", label, run),
            seeds=min(seeds, 6) if label in COMPARED else seeds,
            columns={f"{data} {s}": place for s, place in SCORES.items() if data == "MARS" or s != "mAP"},
        )
        for label, data, run in runs
    ]


def _headline(base: Run) -> dict[str, Run]:
    return {"Baseline": system(base), OURS: system(base, aem=True, rounds=3)}


def _worlds() -> list[Row]:
    """Table 5's pairs of cameras once more, each with other people and cameras."""
    found = []
    for world in WORLDS[1:]:
        for data, options in PAIR.items():
            base = replace(WILD, data="pair", data_options={**options, "world": world})
            found += [
                _row("5, other worlds", f"{label}, {data}, world {world}", run, 3)
                for label, run in _headline(base).items()
            ]
    return found


def _terms() -> list[Row]:
    """MEM without terms of Equation 5, with its adversarial one as it is written, and with less of λ_M."""
    motion = system(WILD, rounds=3)
    runs = {MEM: motion} | {f"{MEM}, {text}": run for text, run in _variants(motion).items()}
    lambdas = {f"{MEM}, λ_M = {weight:g}": (LAMBDAS["appearance"], weight) for weight in (1.0, 0.1)}
    runs |= {label: trained(motion, lambdas=values) for label, values in lambdas.items()}
    return [_row(ALONE, label, run, 6) for label, run in runs.items()]


def _variants(motion: Run) -> dict[str, Run]:
    return {
        NO_TEXTURE: trained(motion, texture=0.0),
        NO_ADVERSARY: trained(motion, adversarial=False),
        "adversarial weight 1": trained(motion, weight=1.0),
    }


def _figure_4() -> list[Row]:
    """Pictures of all systems that foresee frames, each over as many frames as it has learned to foresee."""
    motion = system(WILD, rounds=3)
    runs = {mem(c): pictures(system(WILD, rounds=c), c) for c in (1, 2, 3, 4)}
    runs |= {f"{MEM}, {text}": pictures(run, 3) for text, run in _variants(motion).items()}
    kept = {*runs}
    runs |= {f"{MEM}, {source}": pictures(motion, 3, motion_from=source) for source in ("past", "swapped")}
    runs[CURRENT] = pictures(trained(motion, target="current"), 3)
    runs[DISORDER] = pictures(trained(motion, target="shuffled"), 3)
    runs[f"{MEM}, fixed windows"] = pictures(_in_fixed_windows(motion), 3)
    return [Row(PICTURES, label, run, 6, keep_network=label in kept) for label, run in runs.items()]


def _in_fixed_windows(run: Run) -> Run:
    """A system whose clips' frames all have three successors: what the camera's picture shows next where the person
    was, not what a tracker cuts out. MEM foresees these."""
    return replace(run, next_frames=3, windows="fixed")


def _windows() -> list[Row]:
    baseline, motion = (_in_fixed_windows(system(WILD, rounds=c)) for c in (0, 3))
    runs = {FIXED_BASELINE: baseline, FIXED_MEM: motion, FIXED_CURRENT: trained(motion, target="current")}
    return [_row(FIXED, label, run, 6) for label, run in runs.items()]


def _twins() -> list[Row]:
    """The systems where everybody walks alike."""
    worlds = {"as it is": {}, "walks alike": {"same_gait": True, "same_body": True}}
    runs = {BASELINE: system(WILD), MEM: system(WILD, rounds=3)}
    return [
        _row(TWINS, f"{name}, {world}", run.in_world(**options), 10)
        for name, run in runs.items()
        for world, options in worlds.items()
    ]


def _branches() -> list[Row]:
    """What the paragraph "Model Size" would put in place of the inception block."""
    kinds = {"inception block": {}, "one 3D-Conv layer": {"branch": "conv3d"}}
    kinds["two 2D-Conv layers"] = {"branch": "conv2d"}
    whole = {label: system(WILD, aem=True, rounds=3, **kind) for label, kind in kinds.items()}
    return [_row(BRANCHES, label, run, 3) for label, run in whole.items()]


def _overfitting() -> list[Row]:
    """The three backbones of Table 4 alone, on the people that they were trained on and on others."""
    setups = ("usual", "training people")
    columns = {name if s == "usual" else f"{s} {name}": (s, name) for s in setups for name in ("rank-1", "mAP")}
    runs = {name.upper(): looked_at(system(WILD, backbone=name), setups=setups) for name in ("r3d", "p3d", "i3d")}
    return [Row(OVERFITTING, label, run, 3, columns=columns) for label, run in runs.items()]


def _probes() -> list[Row]:
    """What f_B, f_A and f_M know of how people walk; the last row's branches were taught neither attributes nor frames
    to come."""
    runs = {BASELINE: system(WILD), AMEM: system(WILD, aem=True, rounds=3)}
    runs[BOTH_ALONE] = untaught(runs[AMEM])
    found = []
    for label, run in runs.items():
        run = looked_at(run, evaluation="probes")
        columns = columns_of(run)
        if label == BASELINE:
            columns = {column: place for column, place in columns.items() if place[0] == "backbone"}
        found.append(Row(PROBES, label, run, 3, columns=columns))
    return found


def _auxiliaries() -> list[Row]:
    """How well attributes are recognised where they were learned, and where they become pseudo-labels; and how well
    images are drawn again that the texture autoencoder has not seen, by the weight of Equation 4's adversarial term."""
    textures = {"TAE on stills": TAE}
    textures |= {f"TAE on stills, adversarial weight {w:g}": trained(TAE, weight=w) for w in (0.0, 1e-4, 1e-2, 1.0)}
    options = {name: value for name, value in ARM.model_options.items() if name != "weights"}
    part = Part(ARM, seed=AUXILIARY_SEED)
    elsewhere = replace(ARM.of_parts(part), model_options=options, num_frames=WILD.num_frames, data="street")
    return [
        Row("attributes", "ARM on stills", ARM, 1, first_seed=AUXILIARY_SEED),
        Row("pseudo-labels", "ARM on the street", replace(elsewhere, evaluation="pseudo-labels"), 6),
        *(Row("textures", label, run, 1, first_seed=AUXILIARY_SEED) for label, run in textures.items()),
    ]


def _choices() -> list[Row]:
    """What was tried on held-out training identities."""
    systems = {
        BASELINE: system(WILD),
        AEM: system(WILD, aem=True),
        MEM: system(WILD, rounds=3),
        AMEM: system(WILD, aem=True, rounds=3),
        **{name: comparator(WILD, name) for name in COMPARED},
    }
    return [
        row for label, run in systems.items() for row in search("choices", label, run, VIDEO_RECIPE, columns=SCORES)
    ]


def _row(table: str, label: str, run: Run, seeds: int) -> Row:
    return Row(table, label, run, seeds, columns=SCORES)
