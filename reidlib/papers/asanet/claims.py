"""What the ASA-Net paper claims of its tables and figures, in rows and columns of `reidlib.papers.asanet.rows`, and
what has to hold beside if a gain is to belong to the mechanism that it is ascribed to.

Primary is mAP, the first column of the paper's tables and the least noisy, unless a sentence names another.
"""

from collections.abc import Mapping

from reidlib.experiments import Claim, above, above_at_lengths, above_each, best_each

MAP_AND_RANK_1 = ("mAP", "rank-1")
OURS_B, OURS_A_PMI, OURS_B_PMI = "ASANet-b (Ours)", "ASANet-a-PMI (Ours)", "ASANet-b-PMI (Ours)"
BASELINE, NON_LOCAL = "AGW baseline", "non-local network"
AVERAGED = "AGW baseline with average pooling"
LENGTHS = (150, 300, 600, 1200)  # iterations of ASA-Net and its baseline, in the table that asks what training decides
WITHOUT, WITH = "ASANet-b w/o BCE loss", "ASANet-b with BCE loss"

UNIFORM = "control: b + ASRE with a uniform mask"
FED_IDENTITY = "control: b + ASRE fed the identity map"
PERMUTED, SHUFFLED = "control: attributes permuted across identities", "control: attributes shuffled"
RANDOM, PULL = "control: a + ASRE + pairs at random", "control: a + ASRE + a plain pull"
TRUTH = "control: a + ASRE + pairs by true pose and motion"

FACTOR = 100  # of λ_PMI, in the table that asks whether the loss works where it counts
STRONG = f"λ_PMI × {FACTOR}"
CHANGES, MASKS = "Figure 7", "Figure 8"
WITHOUT_PMI, WITH_PMI = "without PMI triplet loss", "with PMI triplet loss"
RELEVANT, IRRELEVANT = "ID-relevant mask", "ID-irrelevant mask"
GAUSSIAN, ACTIVATION, UNTAUGHT = "centred Gaussian", "AGW baseline's activation", "ID-relevant mask, w/o BCE loss"

SMALL = "λ_PMI is 0.005 or 0.01, so the loss moves little; see the table with a hundred times that"
NOT_AFRESH = "stated when the records of seed 0 were there"
PRIOR = "people are in the middle of their boxes, so that the prior alone scores high"


def _fusion_claims(text: str, step: str, controls: Mapping[str, str] | None = None, **options) -> list[Claim]:
    """The claim that a step lifts either fusion strategy in Table V. controls: of a strategy."""
    return [
        claim
        for strategy in ("a", "b")
        for claim in above_each(
            MAP_AND_RANK_1,
            f"{text}, strategy {strategy}",
            *("IV-E2, Table V", "V", f"{strategy} + {step}", strategy),
            primary="mAP",
            control=(controls or {}).get(strategy, ""),
            **options,
        )
    ]


PAPER = (
    *(
        claim
        for name in (OURS_B, OURS_A_PMI)
        for claim in (
            Claim(
                f"putting the queries into the gallery raises rank-1, {name}",
                *("IV-C, Table I", "I", ((f"Mixing {name}", "rank-1"),), ((f"Usual {name}", "rank-1"),)),
                primary=name == OURS_B,
            ),
            Claim(
                f"putting the queries into the gallery lowers mAP, {name}",
                *("IV-C, Table I", "I", ((f"Usual {name}", "mAP"),), ((f"Mixing {name}", "mAP"),)),
                primary=name == OURS_B,
            ),
        )
    ),
    *above_each(
        ("rank-5", "rank-20"),
        *("a with PMI has the higher later ranks", "IV-C, Table I", "I", f"Usual {OURS_A_PMI}", f"Usual {OURS_B}"),
        primary="rank-5",
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("ASA-Net is above its baseline", "IV-B, IV-C", "I", f"Usual {OURS_B}", f"Usual {BASELINE}"),
        primary="mAP",
        note="the paper does not measure its baseline",
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("ASA-Net is above a non-local network", "control", "I", f"Usual {OURS_B}", f"Usual {NON_LOCAL}"),
    ),
    *(
        claim
        for other in ("STA", "COSAM", "AP3D", "TCLNet")
        for claim in above_each(
            MAP_AND_RANK_1,
            *(f"ASA-Net is above {other}", "IV-C, Table I", "I", f"Usual {OURS_B}", f"Usual {other}"),
            primary="mAP",
        )
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("PMI lifts b on the second data set", "IV-E2, Table II", "II", OURS_B_PMI, OURS_B),
        primary="rank-1",
        note=SMALL,
    ),
    *(
        above(
            f"across data sets, {way}, ASA-Net is above its baseline, mAP",
            *("IV-D, Table III", "III", "Ours", BASELINE, f"{way} mAP"),
            primary=True,
        )
        for way in ("MARS->Duke", "Duke->MARS")
    ),
    *best_each(
        MAP_AND_RANK_1,
        *("all three branches are above any two", "IV-E1, Table IV", "IV", "Identity + ID-re. + ID-ir."),
        ("Identity + ID-re.", "Identity + ID-ir.", "ID-re. + ID-ir."),
        primary="mAP",
        note="in the paper's own numbers two branches have the same mAP as three",
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("Identity plays a more important role than ID-ir., alone", "IV-E1, Table IV", "IV", "Identity", "ID-ir."),
        primary="mAP",
        note="the paper's own numbers say the opposite",
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("ID-re. plays a more important role than ID-ir., alone", "IV-E1, Table IV", "IV", "ID-re.", "ID-ir."),
        primary="mAP",
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("leaving out Identity costs more than leaving out ID-ir.", "IV-E1, Table IV", "IV"),
        *("Identity + ID-re.", "ID-re. + ID-ir."),
        note="the paper's own numbers say the opposite of mAP",
    ),
    *_fusion_claims("ASRE helps", "ASRE", {"b": UNIFORM}),
    *_fusion_claims("PMI helps", "PMI", note=SMALL),
    *best_each(
        MAP_AND_RANK_1,
        *(
            "with a, ASRE and PMI together help further",
            "IV-E2, Table V",
            "V",
            "a + ASRE + PMI",
            ("a + ASRE", "a + PMI"),
        ),
        primary="mAP",
        control=PULL,
        note=SMALL,
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("with b, PMI beside ASRE costs", "IV-E2, Table V", "V", "b + ASRE", "b + ASRE + PMI"),
        primary="mAP",
        note=SMALL,
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("ID-irrelevant features help: b above a, with ASRE", "III-D, Table V", "V", "b + ASRE", "a + ASRE"),
        primary="mAP",
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("ID-irrelevant features help: b above a, plain", "III-D, Table V", "V", "b", "a"),
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("ID-irrelevant features help: b above a, on the second data set", "III-D, Table VI", "VI", "b", "a"),
        note=NOT_AFRESH,
    ),
    *(
        claim
        for strategy, first in (("a", "mAP"), ("b", "rank-1"))
        for claim in above_each(
            MAP_AND_RANK_1,
            *(f"PMI helps where no gallery entry is without a person, strategy {strategy}", "IV-E2, Table VI", "VI"),
            *(f"{strategy} + PMI", strategy),
            primary=first,
            note=SMALL,
        )
    ),
    *best_each(
        MAP_AND_RANK_1,
        *("a with PMI is best on the second data set", "IV-D, Table VI", "VI", "a + PMI", ("a", "b", "b + PMI")),
        note=f"{SMALL}; {NOT_AFRESH}",
    ),
    *(
        Claim(
            f"on the second data set PMI adds more to rank-1 than to mAP, strategy {strategy}",
            *("IV-F, Table VI", "VI"),
            ((f"{strategy} + PMI", "rank-1"), (strategy, "mAP")),
            ((strategy, "rank-1"), (f"{strategy} + PMI", "mAP")),
            note=f"{SMALL}; {NOT_AFRESH}",
        )
        for strategy in ("a", "b")
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("supervision by attributes helps", "IV-E3, Table VII", "VII", WITH, WITHOUT),
        primary="mAP",
        control=SHUFFLED,
    ),
    above(
        "with b, PMI finds more distractors at rank 1",
        *("IV-E2", CHANGES, WITH_PMI, WITHOUT_PMI, "distractor at rank 1"),
        primary=True,
        note=SMALL,
    ),
    above(
        "PMI narrows the distance within a person",
        *("IV-F, Figure 7", CHANGES, WITHOUT_PMI, WITH_PMI, "same person"),
        primary=True,
        note=SMALL,
    ),
    above(
        "ASRE's mask finds the body: above a centred Gaussian",
        *("IV-F, Figure 8", MASKS, RELEVANT, GAUSSIAN, "average precision"),
        primary=True,
        note=PRIOR,
    ),
    above(
        "the ID-irrelevant mask finds the body: above a centred Gaussian",
        *("IV-F, Figure 8", MASKS, IRRELEVANT, GAUSSIAN, "average precision"),
        primary=True,
        note=PRIOR,
    ),
    Claim(
        "both masks find the body alike (within 3 points)",
        *("IV-F, Figure 8", MASKS, ((RELEVANT, "average precision"),), ((IRRELEVANT, "average precision"),)),
        kind="same",
        margin=3.0,
        primary=True,
    ),
    *(
        above(
            f"the ID-irrelevant mask prefers {place} more than the ID-relevant one does",
            *("IV-F, Figure 8", MASKS, IRRELEVANT, RELEVANT, place),
            primary=True,
        )
        for place in ("legs", "joints", "outline")
    ),
)

CONTROLS = (
    *above_each(
        MAP_AND_RANK_1,
        *("ASA-Net is above its baseline, both pooled by the average", "control", "I"),
        *(f"Usual {OURS_B}", f"Usual {AVERAGED}"),
    ),
    *(
        claim
        for other, text in (
            (BASELINE, "ASA-Net is above its baseline"),
            (WITHOUT, "supervision by attributes helps"),
            (SHUFFLED, "what attributes say matters"),
        )
        for claim in above_at_lengths(LENGTHS, text, "control", "length", "ASANet-b", other, "mAP", note=NOT_AFRESH)
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("where the mask is matters: above a uniform one", "control", "V", "b + ASRE", UNIFORM),
        primary="mAP",
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("attributes matter to ASRE: above the identity map", "control", "V", "b + ASRE", FED_IDENTITY),
        primary="mAP",
    ),
    *(
        claim
        for other, text in ((RANDOM, "mining matters: above random pairs"), (PULL, "push matters: above a plain pull"))
        for claim in above_each(MAP_AND_RANK_1, f"PMI's {text}", "control", "V", "a + ASRE + PMI", other, note=SMALL)
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("pairs by true pose and motion are better than predicted ones", "control", "V", TRUTH, "a + ASRE + PMI"),
        note=SMALL,
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("what attributes say matters: above shuffled ones", "control", "VII", WITH, SHUFFLED),
        primary="mAP",
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("whose attributes they are matters: above permuted ones", "control", "VII", WITH, PERMUTED),
        primary="mAP",
        note="permuted attributes are the same for all of a person's tracklets, so that they still teach identity",
    ),
    *(
        claim
        for row, other, text in (
            ("PMI", "no PMI", "PMI helps"),
            ("PMI", "pairs at random", "PMI's mining matters: above random pairs"),
            ("PMI", "a plain pull", "PMI's push matters: above a plain pull"),
            ("pairs by true pose and motion", "PMI", "true pose and motion are better than predicted ones"),
        )
        for claim in above_each(
            MAP_AND_RANK_1,
            f"{text} ({STRONG})",
            "control",
            STRONG,
            row,
            other,
            primary="mAP" if other == "no PMI" else "",
        )
    ),
    *(
        above(f"PMI narrows {what} ({STRONG})", "control", STRONG, "no PMI", "PMI", column)
        for what, column in (
            ("the distance within a person", "same person"),
            ("the distance of far poses", "far pose"),
            ("the distance within people against that between them", "same to other people"),
        )
    ),
    Claim(
        f"PMI narrows the distance of far poses more than that of near ones ({STRONG})",
        *("control", STRONG),
        (("no PMI", "far pose"), ("PMI", "near pose")),
        (("PMI", "far pose"), ("no PMI", "near pose")),
    ),
    above(
        "attributes teach the mask where the body is",
        *("control", MASKS, RELEVANT, UNTAUGHT, "average precision"),
        primary=True,
    ),
    above(
        "ASRE's mask finds the body better than the baseline's own activation",
        *("control", MASKS, RELEVANT, ACTIVATION, "average precision"),
        primary=True,
    ),
    *above_each(
        MAP_AND_RANK_1,
        *("the weights as printed are better than swapped ones", "control", "λ_cent and λ_BCE"),
        *("b + ASRE, as printed", "b + ASRE, swapped"),
    ),
)

CLAIMS = PAPER + CONTROLS

MAIN = (  # the claims on which the paper's argument rests, and the controls that decide how to read them
    "ASA-Net is above its baseline, mAP",
    "supervision by attributes helps, mAP",
    "what attributes say matters: above shuffled ones, mAP",
    "ASRE helps, strategy b, mAP",
    "where the mask is matters: above a uniform one, mAP",
    "ASRE's mask finds the body: above a centred Gaussian",
    "PMI helps, strategy a, mAP",
    f"PMI helps ({STRONG}), mAP",
    "ID-irrelevant features help: b above a, with ASRE, mAP",
)
