"""AMEM's systems at both scales: what each is trained from, and how."""

from dataclasses import replace

from reidlib.data import peta
from reidlib.data.walkers.worlds.annotations import PETA_RENDERED
from reidlib.experiments import Part, Run
from reidlib.models.pretrained import NAMES, VIDEO
from reidlib.papers.amem import training  # noqa: F401 (registers the trainings that the runs name)
from reidlib.papers.amem.claims import AEM, AMEM, BASELINE, COMPARED, MEM
from reidlib.papers.recipes import Recipe, as_chosen

VIDEO_RECIPE = Recipe(  # with one batch for all: half as many clips leave the baseline ten points lower
    300, 3e-3, ids_per_batch=16, clips_per_id=2, num_frames=8, crop=0.5, rates=(1e-3, 3e-3, 1e-2), batches=((16, 2),)
)
AUXILIARY_SEED = 7101  # no table shows its people; the auxiliaries are trained once for all seeds, as the paper's are
AUXILIARY = {"iterations": 2400, "learning_rate": 3e-3, "ids_per_batch": 32, "clips_per_id": 2, "num_frames": 1}
# The weight of the adversarial terms beside the squared errors, where the paper writes 1: of those tried in the table
# "textures" the largest that draws within 1 dB of none.
ADVERSARIAL = 1e-5
WEIGHTS = {"i3d": VIDEO, "p3d": NAMES[0], "r3d": NAMES[0]}
PIECES = (  # of AMEM that pictures are made with
    "backbone",
    "normalize",
    "branches",
    "descriptor.reduction",
    "descriptor.neck",
    "foresight",
)

# At mini scale: rate, P and K of the systems that are searched one by one, the best of their rows in "choices". R3D and
# P3D are trained as I3D is.
SETTINGS = dict.fromkeys((BASELINE, AEM, MEM, AMEM, *COMPARED), (3e-3, 16, 2))

ARM = Run(
    "arm",
    "stills",
    "amem/attributes",
    model_options={"groups": peta.grouped(PETA_RENDERED), "weights": NAMES[0]},
    evaluation="attributes",
    **AUXILIARY,
)
TAE = Run(
    "tae",
    "stills",
    "amem/textures",
    evaluation="reconstructions",
    training_options={"weight": ADVERSARIAL},
    **AUXILIARY,
)
WILD = Run(
    "amem",
    "street",
    "amem",
    model_options={"weights": VIDEO},
    sampling="consecutive",
    test_sampling="dense",
    **VIDEO_RECIPE.fields(),
)
PAPER_SCALE = {  # the paper gives neither batch nor number of epochs: 180 of its steps of 60, batches as others have
    "scale": "paper",
    "iterations": 180 * 625 // 8,
    "learning_rate": 1e-3,
    "ids_per_batch": 8,
    "clips_per_id": 4,
}
RECORDED_AUXILIARY = {"scale": "paper", "iterations": 20_000, "learning_rate": 1e-3, "ids_per_batch": 16}


def system(base: Run, *, aem: bool = False, rounds: int = 0, backbone: str = "i3d", **options) -> Run:
    """The run of a system where `base` is at home: with AEM, with MEM of so many rounds, with both, or with neither,
    which is the backbone alone. options: of the network."""
    options = {**base.model_options, **_start(base, backbone), **options}
    name = {(False, False): BASELINE, (True, False): AEM, (False, True): MEM, (True, True): AMEM}[aem, rounds > 0]
    base = as_chosen(base, SETTINGS[name])
    if not aem and not rounds:
        return replace(base, model=backbone, model_options=options)
    options |= {"appearance": aem, "motion": rounds > 0}
    options |= {} if backbone == "i3d" else {"backbone": backbone}
    parts, more = [], {}
    if aem:
        options.setdefault("groups", _arm(base).model_options["groups"])
        parts.append(Part(_arm(base), labels=True, seed=_auxiliary_seed(base)))
    if rounds:
        parts.append(Part(_tae(base), into="foresight.texture", seed=_auxiliary_seed(base)))
        more = {"rounds": rounds, "weight": ADVERSARIAL}
    return replace(base, model_options=options, parts=tuple(parts), training_options=more)


def untaught(run: Run) -> Run:
    """A system whose branches nothing but the retrieval losses teaches."""
    options = {name: value for name, value in run.model_options.items() if name != "groups"} | {"foresee": False}
    return replace(run, model_options=options, parts=(), training_options={})


def comparator(base: Run, name: str) -> Run:
    """The run of another system of Table 5 where `base` is at home, by the baseline's losses."""
    weights = NAMES[0] if base.scale == "mini" else "imagenet"
    return replace(as_chosen(base, SETTINGS[name]), model=COMPARED[name], model_options={"weights": weights})


def looked_at(run: Run, *parts: Part, **changes) -> Run:
    """A system measured in another way, its network as it was trained. parts: by default all that retrieval keeps.
    changes: fields of the run."""
    kept = {name: value for name, value in run.model_options.items() if name not in ("groups", "weights")}
    made_of = run.of_parts(*(parts or [Part(run)]))
    return replace(made_of, **{"model_options": kept, "training_options": {}} | changes)


def pictures(run: Run, rounds: int, **options) -> Run:
    """A system that foresees frames, looked at: so many from each that it has learned to start from."""
    found = looked_at(run, *(Part(run, into=name, out_of=name, whole=True) for name in PIECES))
    options = {**found.model_options, "pictures": rounds, **options}
    return replace(found, model_options=options, evaluation="frames", next_frames=rounds)


def trained(run: Run, **options) -> Run:
    """The run with other `training_options` beside its own."""
    return replace(run, training_options={**run.training_options, **options})


def _start(base: Run, backbone: str) -> dict:
    if base.scale == "mini":
        return {"weights": WEIGHTS[backbone]}
    return {"weights": "kinetics" if backbone == "i3d" else "imagenet"}


def _arm(base: Run) -> Run:
    if base.scale == "mini":
        return ARM
    options = {"groups": peta.grouped(), "weights": "imagenet"}
    return replace(ARM, data="peta", model_options=options, clips_per_id=1, **RECORDED_AUXILIARY)


def _tae(base: Run) -> Run:
    return TAE if base.scale == "mini" else replace(TAE, data="market1501", **RECORDED_AUXILIARY)


def _auxiliary_seed(base: Run) -> int | None:
    return AUXILIARY_SEED if base.scale == "mini" else None
