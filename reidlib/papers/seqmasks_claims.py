"""What the Seq-Masks paper claims of its Tables I to IV, in rows and columns of `reidlib.papers.seqmasks`."""

from reidlib.papers.claims import Claim, above

BASELINE, FOREGROUND, GAIT = "Appearance Baseline", "Appearance Baseline + Foreground Branch", "Modified GaitSet"
FINETUNED, WHOLE = "Fusion Network (finetune)", "Fusion Network (end2end)"

ALL_ONES = "control: foreground branch with an all-ones mask"
ONE, IDENTITY = "control: fusion with one silhouette a clip", "control: fusion's loss without its module"
PLAIN = "control: concatenation as it is"
CONSTANT, STILL = "control: fusion with a constant silhouette", "control: fusion with one silhouette repeated"
UNGATED, TUNED = "control: fusion without its gate", "control: concatenation with a tuned weight"
LIGHT = "control: fusion with a tenth of its loss"
BY_CONSTRUCTION = "by construction: follows from how much clothes change, see the sweep"

LONGER = "twice as long, street"
CONDITIONS = ("NM", "BG", "CL")


def _view_cost(text: str, other: str, condition: str) -> Claim:
    """The claim that leaving out the same angle costs the gait network more than another one."""
    including, excluding = f"{condition} including", f"{condition} excluding"
    left, right = ((GAIT, including), (other, excluding)), ((GAIT, excluding), (other, including))
    return Claim(f"{text}, {condition}", "IV-A, Table II", "II", left, right)


def _best(text: str, source: str, table: str, row: str, others: tuple[str, ...], column: str, **options) -> Claim:
    return Claim(text, source, table, ((row, column),), tuple((o, column) for o in others), kind="best", **options)


def _every(
    columns: tuple[str, ...], text: str, source: str, table: str, row: str, other: str, **options
) -> list[Claim]:
    """The same claim of one row above another for each of several columns."""
    return [above(f"{text}, {column}", source, table, row, other, column, **options) for column in columns]


def _twin_gain(table: str, column: str) -> Claim:
    """The claim that fusion adds more to appearance where people walk differently than where all walk alike."""
    text = f"gaits matter: fusion adds more than where all walk alike ({table}), {column}"
    left = ((f"{WHOLE}, as it is", column), (f"{FOREGROUND}, walks alike", column))
    right = ((f"{FOREGROUND}, as it is", column), (f"{WHOLE}, walks alike", column))
    return Claim(text, "control", table, left, right)


RANK_1_AND_MAP = ("rank-1", "mAP")
PAIRS = tuple(f"{condition} {pairs}" for pairs in ("including", "excluding") for condition in CONDITIONS)
CHANGED = ("CL including", "CL excluding")
ON_BOTH = ("Mask-MARS rank-1", "Mask-MARS mAP", *(f"CASIA-B {condition}" for condition in CONDITIONS))

CLAIMS = (
    *_every(
        RANK_1_AND_MAP,
        *("the foreground branch lifts the appearance baseline", "IV-A, Table I", "I", FOREGROUND, BASELINE),
        control=ALL_ONES,
    ),
    *_every(
        RANK_1_AND_MAP,
        *("in the wild, gait alone is below appearance", "IV-A, Table I", "I", BASELINE, GAIT),
    ),
    *_every(
        RANK_1_AND_MAP,
        *("fusion end to end is above appearance with foreground", "IV-A, Table I", "I", WHOLE, FOREGROUND),
        control=STILL,
    ),
    *_every(
        RANK_1_AND_MAP,
        *("finetuned fusion is above appearance with foreground", "IV-A, Table I", "I", FINETUNED, FOREGROUND),
        control=STILL,
    ),
    *_every(
        RANK_1_AND_MAP,
        *("fusion end to end is above the appearance baseline", "IV-A, Table I", "I", WHOLE, BASELINE),
        control=STILL,
    ),
    *_every(
        RANK_1_AND_MAP,
        *("training end to end is above finetuning", "Table I", "I", WHOLE, FINETUNED),
        note="the finetuned network sees its parts for half as many iterations again",
    ),
    *_every(
        PAIRS,
        *("training end to end is above finetuning", "Table II", "II", WHOLE, FINETUNED),
        note="the finetuned network sees its parts for half as many iterations again",
    ),
    *(
        _best(
            *(f"fusion is above every single modality, {column}", "IV-A, Table II", "II", WHOLE),
            *((BASELINE, FOREGROUND, GAIT), column),
            control=STILL,
            note=BY_CONSTRUCTION if column in CHANGED else "",
        )
        for column in PAIRS
    ),
    *_every(
        CHANGED,
        *("in other clothes, gait is above appearance", "IV-A, Table II", "II", GAIT, BASELINE),
        note=BY_CONSTRUCTION,
    ),
    *_every(
        CHANGED,
        *("in other clothes, gait is above appearance with foreground", "Table II", "II", GAIT, FOREGROUND),
        note=BY_CONSTRUCTION,
    ),
    *_every(
        ("NM including", "BG including", "NM excluding", "BG excluding"),
        *("in the same clothes, appearance is above gait", "IV-A, Table II", "II", BASELINE, GAIT),
        note="by construction: clothes tell people apart, and the background is plain",
    ),
    *(_view_cost("leaving out the same angle costs gait more than appearance", BASELINE, c) for c in CONDITIONS),
    *(_view_cost("leaving out the same angle costs gait more than fusion", WHOLE, c) for c in CONDITIONS),
    *(
        Claim(
            *(f"the modified GaitSet is as good as the original, {condition}", "II-B", "II"),
            *(((GAIT, f"{condition} excluding"),), (("GaitSet (original)", f"{condition} excluding"),)),
            kind="same",
        )
        for condition in CONDITIONS
    ),
    *_every(
        ON_BOTH,
        *("fusion is above concatenation, three branches", "IV-B, Table III", "III", "AGFusion", "AGConcat"),
        control=UNGATED,
        note="the paper's own rows are mixed; on Mask-MARS its AGFusion is the finetuned network",
    ),
    *_every(
        ON_BOTH,
        *("fusion is above concatenation, two branches", "IV-B, Table III", "III", "GGFusion", "GGConcat"),
        control=TUNED,
        note="the paper's own rows are mixed",
    ),
    *_every(
        RANK_1_AND_MAP,
        *(
            "the whole system is above a non-local 3-D network",
            "IV-C, Table IV",
            "IV",
            "Ours (end2end)",
            "Non-local+C3D",
        ),
    ),
    # What the gains are due to: the same claims against their controls.
    *_every(
        RANK_1_AND_MAP,
        *("the mask matters: above the all-ones mask", "control", "I", FOREGROUND, ALL_ONES),
    ),
    *(
        claim
        for table, columns in (("I", RANK_1_AND_MAP), ("II", ("NM excluding", "BG excluding", "CL excluding")))
        for claim in (
            *_every(
                columns, f"silhouettes matter: above a constant one (table {table})", "control", table, WHOLE, CONSTANT
            ),
            *_every(columns, f"motion matters: above one silhouette (table {table})", "control", table, WHOLE, STILL),
            *_every(
                columns, f"the gate matters: above the head without (table {table})", "control", table, WHOLE, UNGATED
            ),
            *_every(
                columns, f"fusion matters: above tuned concatenation (table {table})", "control", table, WHOLE, TUNED
            ),
            *_every(
                columns,
                *(f"fusion matters: finetuned, above tuned concatenation (table {table})", "control", table),
                *(FINETUNED, TUNED),
                note="the finetuned network sees its parts for half as many iterations again",
            ),
            *_every(
                columns,
                *(f"the weight of the fusion's loss matters: a tenth is better (table {table})", "control", table),
                *(LIGHT, WHOLE),
            ),
        )
    ),
    *(_twin_gain("twin streets", column) for column in RANK_1_AND_MAP),
    *(_twin_gain("twin laboratories", f"{condition} excluding") for condition in CONDITIONS),
    *_every(
        RANK_1_AND_MAP,
        *("twice the training: end to end is above finetuning", "control", LONGER, WHOLE, FINETUNED),
    ),
    *_every(
        RANK_1_AND_MAP,
        *("twice the training: fusion is above tuned concatenation", "control", LONGER, WHOLE, TUNED),
    ),
    *_every(
        RANK_1_AND_MAP,
        *("twice the training: the foreground branch lifts the baseline", "control", LONGER, FOREGROUND, BASELINE),
    ),
)
