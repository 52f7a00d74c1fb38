"""What the Seq-Masks paper claims of its Tables I to IV, in rows and columns of `reidlib.papers.seqmasks.rows`, and
what has to hold beside if a gain is to belong to the mechanism that it is ascribed to.

Primary is one column of each sentence: rank-1 on the street; in the laboratory the condition that the sentence is
about, else NM, without the probe's own angle where the table has both.
"""

from reidlib.experiments import Claim, above_each, best_each

BASELINE, FOREGROUND, GAIT = "Appearance Baseline", "Appearance Baseline + Foreground Branch", "Modified GaitSet"
FINETUNED, WHOLE = "Fusion Network (finetune)", "Fusion Network (end2end)"
ORIGINAL, NON_LOCAL = "GaitSet (original)", "Non-local+C3D"

ALL_ONES = "control: foreground branch with an all-ones mask"
CONSTANT, ONE = "control: fusion with a constant silhouette", "control: fusion with one silhouette a clip"
IDENTITY, UNGATED = "control: fusion's loss without its module", "control: fusion without its gate"
PLAIN, TUNED = "control: concatenation as it is", "control: concatenation with a tuned weight"
EXTRACTED_MASKS = "control: foreground branch with extracted masks"
EXTRACTED = "control: fusion with extracted masks and silhouettes"

BY_CONSTRUCTION = "by construction: follows from how much clothes change, see the sweep"
PARTS_FIRST = "of the finetuned network's iterations two thirds are its parts'"

STRONG = "strong baselines, street"
CONDITIONS = ("NM", "BG", "CL")
RANK_1_AND_MAP = ("rank-1", "mAP")
INCLUDING, EXCLUDING = (tuple(f"{c} {pairs}" for c in CONDITIONS) for pairs in ("including", "excluding"))
CHANGED = ("CL including", "CL excluding")
UNCHANGED = ("NM including", "BG including", "NM excluding", "BG excluding")
ON_MARS, ON_CASIA_B = ("Mask-MARS rank-1", "Mask-MARS mAP"), tuple(f"CASIA-B {c}" for c in CONDITIONS)


def _view_cost(text: str, other: str) -> list[Claim]:
    """The claim that leaving out the same angle costs the gait network more than another one."""
    return [
        Claim(
            f"{text}, {condition}",
            *("IV-A, Table II", "II"),
            ((GAIT, f"{condition} including"), (other, f"{condition} excluding")),
            ((GAIT, f"{condition} excluding"), (other, f"{condition} including")),
            primary=condition == "NM",
        )
        for condition in CONDITIONS
    ]


def _twin_gain(
    text: str, row: str, other: str, table: str, twin: str, columns: tuple[str, ...], primary: str = ""
) -> list[Claim]:
    """The claim that one row is further above another in the world as it is than in one of its twins."""
    return [
        Claim(
            f"{text} than where all have {twin} ({table}), {column}",
            *("control", table),
            ((f"{row}, as it is", column), (f"{other}, {twin}", column)),
            ((f"{other}, as it is", column), (f"{row}, {twin}", column)),
            primary=column == primary,
        )
        for column in columns
    ]


PAPER = (
    *above_each(
        RANK_1_AND_MAP,
        *("the foreground branch lifts the appearance baseline", "IV-A, Table I", "I", FOREGROUND, BASELINE),
        control=ALL_ONES,
        primary="rank-1",
    ),
    *above_each(
        (*INCLUDING, *EXCLUDING),
        *("the foreground branch lifts the appearance baseline", "IV-A, Table II", "II", FOREGROUND, BASELINE),
        control=ALL_ONES,
        primary="NM excluding",
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("in the wild, gait alone is below appearance", "IV-A, Table I", "I", BASELINE, GAIT),
        primary="rank-1",
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("fusion end to end is above appearance with foreground", "IV-A, Table I", "I", WHOLE, FOREGROUND),
        control=CONSTANT,
        primary="rank-1",
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("finetuned fusion is above appearance with foreground", "IV-A, Table I", "I", FINETUNED, FOREGROUND),
        note=PARTS_FIRST,
        primary="rank-1",
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("fusion end to end is above the appearance baseline", "IV-A, Table I", "I", WHOLE, BASELINE),
        control=CONSTANT,
        primary="rank-1",
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("training end to end is above finetuning", "Table I", "I", WHOLE, FINETUNED),
        note=PARTS_FIRST,
        primary="rank-1",
    ),
    *above_each(
        (*INCLUDING, *EXCLUDING),
        *("training end to end is above finetuning", "Table II", "II", WHOLE, FINETUNED),
        note=PARTS_FIRST,
        primary="NM excluding",
    ),
    *(
        claim
        for columns, primary, note in ((UNCHANGED, "", ""), (CHANGED, "CL excluding", BY_CONSTRUCTION))
        for claim in best_each(
            columns,
            *("fusion is above every single modality", "IV-A, Table II", "II", WHOLE, (BASELINE, FOREGROUND, GAIT)),
            control=CONSTANT,
            primary=primary,
            note=note,
        )
    ),
    *above_each(
        CHANGED,
        *("in other clothes, gait is above appearance", "IV-A, Table II", "II", GAIT, BASELINE),
        note=BY_CONSTRUCTION,
        primary="CL excluding",
    ),
    *above_each(
        CHANGED,
        *("in other clothes, gait is above appearance with foreground", "Table II", "II", GAIT, FOREGROUND),
        note=BY_CONSTRUCTION,
        primary="CL excluding",
    ),
    *above_each(
        UNCHANGED,
        *("in the same clothes, appearance is above gait", "IV-A, Table II", "II", BASELINE, GAIT),
        note="by construction: clothes tell people apart, and the background is plain",
        primary="NM excluding",
    ),
    *_view_cost("leaving out the same angle costs gait more than appearance", BASELINE),
    *_view_cost("leaving out the same angle costs gait more than fusion", WHOLE),
    *(
        Claim(
            f"the modified GaitSet is only slightly below the original (within a point), {condition}",
            *("II-B", "II", ((GAIT, f"{condition} excluding"),), ((ORIGINAL, f"{condition} excluding"),)),
            kind="same",
            margin=1.0,
            primary=condition == "NM",
            note="both with the same rate, batch and length; the original has the triplet loss alone",
        )
        for condition in CONDITIONS
    ),
    *above_each(
        (*ON_MARS, *ON_CASIA_B),
        *("fusion is above concatenation, three branches", "IV-B, Table III", "III", "AGFusion", "AGConcat"),
        control=IDENTITY,
        note=f"the paper's own rows are mixed; on Mask-MARS its AGFusion is finetuned: {PARTS_FIRST}",
        primary="Mask-MARS rank-1",
    ),
    *above_each(
        ON_MARS,
        *("fusion end to end is above concatenation, three branches", "Table III", "III"),
        *("AGFusion (end2end)", "AGConcat"),
        control=IDENTITY,
        primary="Mask-MARS rank-1",
    ),
    *above_each(
        (*ON_MARS, *ON_CASIA_B),
        *("fusion is above concatenation, two branches", "IV-B, Table III", "III", "GGFusion", "GGConcat"),
        note="the paper's own rows are mixed",
        primary="Mask-MARS rank-1",
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("the whole system is above a non-local 3-D network", "IV-C, Table IV", "IV"),
        *("Ours (end2end)", NON_LOCAL),
        primary="rank-1",
    ),
)


def _controls(table: str, columns: tuple[str, ...], primary: str) -> list[Claim]:
    """What has to hold if the gains of Table I or II belong to their mechanisms; primary: the column of those claims
    that are about gait and its fusion as the paper has them, and not about a setting of ours; of the mask's, the first.
    """
    pairs = (
        ("the mask matters: above the all-ones mask", FOREGROUND, ALL_ONES, columns[0]),
        ("extracted masks matter: above the all-ones mask", EXTRACTED_MASKS, ALL_ONES, ""),
        ("with extracted masks and silhouettes, fusion is above appearance", EXTRACTED, EXTRACTED_MASKS, ""),
        ("silhouettes matter: above a constant one", WHOLE, CONSTANT, primary),
        ("several silhouettes matter: above a clip's one", WHOLE, ONE, ""),
        ("the gate matters: above the head without", WHOLE, UNGATED, primary),
        ("the module matters: above its loss alone", WHOLE, IDENTITY, primary),
    )
    concatenations = (PLAIN, TUNED)
    fused = (
        ("end to end", WHOLE, primary, ""),
        ("finetuned", FINETUNED, "", PARTS_FIRST),
    )
    found = [above_each(columns, f"{text} (table {table})", "control", table, *rows) for text, *rows in pairs]
    found += [
        best_each(
            columns,
            f"fusion {how} is above concatenation at either weight (table {table})",
            *("control", table, row, concatenations, first),
            note=note,
        )
        for how, row, first, note in fused
    ]
    return [claim for claims in found for claim in claims]


CONTROLS = (
    *_controls("I", RANK_1_AND_MAP, "rank-1"),
    *_controls("II", EXCLUDING, "CL excluding"),
    *(
        claim
        for table, columns, primary in (
            ("twin streets", RANK_1_AND_MAP, "rank-1"),
            ("twin laboratories", EXCLUDING, "CL excluding"),
        )
        for twin in ("one gait", "one body")
        for claim in (
            *_twin_gain("fusion adds more to appearance", WHOLE, FOREGROUND, table, twin, columns, primary),
            *above_each(
                columns,
                f"where all have {twin}, fusion is above appearance all the same ({table})",
                *("control", table, f"{WHOLE}, {twin}", f"{FOREGROUND}, {twin}"),
            ),
        )
    ),
    *(
        claim
        for twin in ("one gait", "one body")
        for claim in _twin_gain(
            *("several silhouettes add more to one", WHOLE, ONE, "twin streets", twin, RANK_1_AND_MAP),
        )
    ),
    *(
        claim
        for network in ("AGW", NON_LOCAL)
        for text, row, other, primary in (
            ("the foreground branch lifts it", f"{network} + foreground branch", network, "rank-1"),
            (
                "the mask matters: above the all-ones mask",
                f"{network} + foreground branch",
                f"control: {network} + foreground branch with an all-ones mask",
                "",
            ),
        )
        for claim in above_each(RANK_1_AND_MAP, f"on {network}, {text}", "control", STRONG, row, other, primary=primary)
    ),
)

CLAIMS = PAPER + CONTROLS

MAIN = (  # the claims on which the paper's argument rests, and the controls that decide how to read them
    "the foreground branch lifts the appearance baseline, rank-1",
    "the mask matters: above the all-ones mask (table I), rank-1",
    "fusion end to end is above appearance with foreground, rank-1",
    "fusion adds more to appearance than where all have one gait (twin streets), rank-1",
    "the whole system is above a non-local 3-D network, rank-1",
    "fusion is above every single modality, CL excluding",
    "training end to end is above finetuning, rank-1",
    "fusion end to end is above concatenation at either weight (table I), rank-1",
)
