"""The baselines of everything that follows, beside what needs no learning: how hard each rendered world is.

For appearance AGW on video (`reidlib.models.agw`; Ye et al., "Deep Learning for Person Re-identification: A Survey and
Outlook", TPAMI 2022), for gait GaitSet (`reidlib.models.gaitset`). They are no rows of the five papers' own, so they
have no reported numbers here; ASA-Net starts from the one, SeqMasks and GaitMask from the other.
"""

from dataclasses import replace

from reidlib.data import casia_b
from reidlib.experiments import Row, Run
from reidlib.papers.baseline import training  # noqa: F401 (registers the trainings that the runs name)
from reidlib.papers.recipes import APPEARANCE, GAIT, half_as_long, on_validation, search, validation_row

CONDITIONS = tuple(casia_b.CONDITIONS)
SILHOUETTES = 12  # all of a walk's in the rendered gait worlds


AGW = Run("agw", "street", "baseline/agw", **APPEARANCE.fields())  # the table "choices" searches rate and batch
GAITSET = Run(
    "gaitset",
    "lab",
    "baseline/gaitset",
    evaluation="cross-view",
    conditions=CONDITIONS,
    silhouettes=SILHOUETTES,
    metric="euclidean",
    **GAIT.fields(),  # the table "choices, gait" searches rate and batch
)
GAITBASE = replace(GAITSET, model="gaitbase", training="baseline/gaitbase")


def rows(scale: str) -> list[Row]:
    """The baselines' rows: on all rendered worlds and on edge maps of real tracklets, or, at paper scale, on MARS and
    CASIA-B."""
    return _rendered() if scale == "mini" else _recorded()


def _recorded() -> list[Row]:
    agw = Run(
        model="agw",
        data="mars",
        training="baseline/agw",
        scale="paper",
        model_options={"weights": "imagenet"},
        setups=("usual", "mixing"),
        iterations=120 * 625 // 16,  # 120 passes over the training identities
        learning_rate=3.5e-4,
        ids_per_batch=16,
        clips_per_id=4,
        num_frames=4,
        erasing=0.5,
    )
    gaitset = Run(
        model="gaitset",
        data="casia_b",
        training="baseline/gaitset",
        scale="paper",
        evaluation="cross-view",
        conditions=CONDITIONS,
        iterations=80_000,
        learning_rate=1e-4,
        ids_per_batch=8,
        clips_per_id=16,
        num_frames=0,
        silhouettes=30,
        metric="euclidean",
    )
    gaitbase = replace(gaitset, model="gaitbase", training="baseline/gaitbase", iterations=60_000, learning_rate=0.1)
    return [
        Row("MARS", "AGW baseline", agw, seeds=1),
        Row("CASIA-B", "GaitSet", gaitset, seeds=1),
        Row("CASIA-B", "GaitBase", gaitbase, seeds=1),
    ]


def _rendered() -> list[Row]:
    street = {"data": "street", "setups": ("usual", "mixing")}
    baseline = replace(AGW, **street)
    edges = {"data": "mars_edges"}
    cross_view = {"evaluation": "cross-view", "conditions": CONDITIONS}
    on_lab = replace(AGW, data="lab", **cross_view)
    return [
        *_untrained("street", 6, setups=("usual", "mixing")),
        Row("street", "AGW baseline, half the training", half_as_long(baseline)),
        Row("street", "AGW baseline", baseline, keep_features=True, keep_network=True),
        *_untrained("campus", 3),
        Row("campus", "AGW baseline", replace(AGW, data="campus"), seeds=3),
        *_untrained("pair", 10),
        Row("pair", "AGW baseline", replace(AGW, data="pair"), seeds=10),
        Row("pair, briefly", "AGW baseline, 60 iterations", replace(AGW, data="pair", iterations=60), seeds=3),
        *_untrained("stills", 3, num_frames=1),
        Row("stills", "AGW baseline", replace(AGW, data="stills", num_frames=1, clips_per_id=4), seeds=3),
        *_untrained("lab", 3, **cross_view),
        _energy_image("lab", **cross_view),
        Row("lab", "AGW baseline", on_lab, seeds=3),
        Row("lab", "GaitSet", GAITSET, seeds=3),
        Row("lab", "GaitBase", GAITBASE, seeds=3),
        _energy_image("crowd", evaluation="cross-view", conditions=("all",)),
        Row("crowd", "GaitSet", replace(GAITSET, data="crowd", conditions=("all",)), seeds=3),
        _energy_image("yard"),
        *(
            Row("yard", label, replace(run, data="yard", evaluation="retrieval", conditions=()), seeds=3)
            for label, run in (("GaitSet", GAITSET), ("GaitBase", GAITBASE))
        ),
        Row("twin worlds", "as it is", baseline),
        Row("twin worlds", "everybody walks alike", baseline.in_world(same_gait=True, same_body=True), seeds=3),
        Row("twin worlds", "everybody looks alike", baseline.in_world(same_appearance=True), seeds=3),
        *(
            Row("twin laboratories", f"{name}, {world}", run.in_world(**options), seeds=3)
            for name, run in (("AGW baseline", on_lab), ("GaitSet", GAITSET))
            for world, options in {
                "as it is": {},
                "everybody walks alike": {"same_gait": True, "same_body": True},
                "everybody looks alike": {"same_appearance": True},
            }.items()
        ),
        Row("real edge maps", "chance", Run("chance", **edges)),
        Row("real edge maps", "gradient histogram", Run("gradient_histogram", **edges)),
        Row("real edge maps", "AGW, random weights", Run("agw", **edges)),
        Row("real edge maps", "AGW baseline", half_as_long(replace(AGW, data="mars_edges"))),
        *(
            Row("starts", label, replace(baseline, model_options=options), seeds=3)
            for label, options in {
                "start: identities": {"weights": "walkers"},
                "start: attributes": {"weights": "walkers_attributes"},
                "start: random weights": {},
            }.items()
        ),
        *search("choices", "AGW", AGW, APPEARANCE),
        validation_row("choices", "AGW, as chosen", half_as_long(on_validation(AGW))),
        validation_row("choices", "AGW, random erasing", replace(half_as_long(on_validation(AGW)), erasing=0.5)),
        *search("choices, gait", "GaitSet", GAITSET, GAIT),
    ]


def _untrained(world: str, seeds: int, **how) -> list[Row]:
    """What appearance gives away without training in a world."""
    runs = {
        "chance": Run("chance", world, **how),
        "silhouette alone": Run("mean_silhouette", world, masks=True, **how),
        "gradient histogram": Run("gradient_histogram", world, **how),
        "colour histogram": Run("colour_histogram", world, **how),
        "colour histogram inside the true silhouette": Run("colour_histogram", world, masks=True, **how),
        "the same with colour constancy": Run(
            "colour_histogram", world, model_options={"constancy": True}, masks=True, **how
        ),
        "AGW, random weights": Run("agw", world, **how),
    }
    return [Row(world, label, run, seeds) for label, run in runs.items()]


def _energy_image(world: str, **how) -> Row:
    """What the average of the aligned silhouettes gives away."""
    run = Run("mean_silhouette", world, num_frames=0, silhouettes=SILHOUETTES, metric="euclidean", **how)
    return Row(world, "gait energy image", run, seeds=3)
