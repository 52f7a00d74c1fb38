"""The systems of ASA-Net's tables as runs: which network, trained how, measured by what, on rendered and recorded data.

MARS becomes `street`, DukeMTMC-VideoReID `campus`, whose gallery holds the queries, as Duke's does.
"""

from collections.abc import Sequence
from dataclasses import replace

from reidlib.data import attributes as annotated
from reidlib.experiments import Run
from reidlib.papers.asanet import training  # noqa: F401 (registers the training that the runs name)
from reidlib.papers.baseline.rows import AGW
from reidlib.papers.recipes import APPEARANCE, as_chosen

# PMI needs three clips of a person or more, so that P and K are the paper's for all rows, and rates alone are searched.
RECIPE = replace(APPEARANCE, ids_per_batch=8, clips_per_id=4, batches=((8, 4),))
# At mini scale: the rate of the systems that are searched one by one, the best of their rows in the table "choices";
# others have the recipe's.
RATES = {
    "street": dict.fromkeys(("b", "b + ASRE", "b + ASRE, w/o BCE loss", "a + ASRE + PMI"), 3e-3),
    "campus": dict.fromkeys(("b + ASRE", "b + ASRE + PMI"), 3e-3),
}
COMPARATORS = {"sta": "STA", "cosam": "COSAM", "ap3d": "AP3D", "tclnet": "TCLNet"}  # networks without attributes
# Likewise their rate, P and K, see `as_chosen`.
PLAIN = dict.fromkeys(COMPARATORS, (3e-3, 16, 2)) | {"sta": (3e-3, 8, 4)}
RETRIEVAL = ("retrieval", "pose-distances")
SHOWN = ("masks", "mask-segments")


def _counts(attributes: Sequence[annotated.Attribute]) -> tuple[tuple[str, int], ...]:
    return tuple((attribute.name, attribute.num_codes) for attribute in attributes)


DUKE = {"relevant": _counts(annotated.DUKE.id_relevant), "irrelevant": _counts(annotated.DUKE.id_irrelevant)}
STREET = Run("asanet", "street", "asanet", setups=("usual", "mixing"), **RECIPE.fields())
CAMPUS = replace(STREET, data="campus", setups=("usual",), model_options=STREET.model_options | DUKE)
PAPER_SCALE = {  # section IV-B; an epoch is a pass over the training identities
    "scale": "paper",
    "learning_rate": 3e-4,
    "ids_per_batch": 8,
    "clips_per_id": 4,
    "num_frames": 6,
    "erasing": 0.5,
    "crop": 1.0,
}
EPOCHS = 700


def system(base: Run, strategy: str = "b", asre: bool = True, pmi: str = "", bce: bool = True, **options) -> Run:
    """A system where `base` is at home. strategy: of fusion, "a", "b" or "none". pmi: how pairs are mined, "" for no
    PMI triplet loss. bce: whether attributes are learned. options: of the network, and pmi_factor of the objective.

    Masks are measured where they are true ones, and not in Table IV, whose networks have one of them or none."""
    trained = {"pmi": pmi} if pmi else {}
    if "pmi_factor" in options:
        trained["pmi_factor"] = options.pop("pmi_factor")
    if not bce:
        trained["attributes"] = False
    model = base.model_options | {"fusion": strategy, "asre": asre} | options
    rendered = base.data in RATES
    measured = (RETRIEVAL if rendered else RETRIEVAL[:1]) + (("attributes",) if bce else ())
    if rendered and asre and strategy != "none":
        measured += SHOWN
    rate = RATES.get(base.data, {}).get(label(strategy, asre, pmi, bce), base.learning_rate)
    return replace(
        base,
        model_options=model,
        training_options=base.training_options | trained,
        evaluation=measured if len(measured) > 1 else measured[0],
        learning_rate=rate,
    )


def label(strategy: str, asre: bool, pmi: str, bce: bool = True) -> str:
    """What Table V calls a system: "b + ASRE + PMI"."""
    parts = (strategy, *(["ASRE"] if asre else []), *(["PMI"] if pmi else []))
    return " + ".join(parts) + ("" if bce else ", w/o BCE loss")


def plain(
    model: str = "agw", data: str = "street", setups: tuple[str, ...] = ("usual", "mixing"), **options: str
) -> Run:
    """A network without attributes, trained as the baseline is, with all that is measured of ASA-Net but attributes.
    options: its own."""
    base = as_chosen(AGW, PLAIN[model]) if model in PLAIN else AGW
    options = AGW.model_options | options
    return replace(base, model=model, data=data, setups=setups, evaluation=(*RETRIEVAL, *SHOWN), model_options=options)


def elsewhere(run: Run, data: str, setups: tuple[str, ...]) -> Run:
    """A trained network, searched with in other data."""
    return replace(run.of_parts(run), test_data=data, setups=setups, evaluation="retrieval", training_options={})
