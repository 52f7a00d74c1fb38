"""What the SS-HSP paper claims of its Tables 1 to 4 and Figure 4, in rows and columns of `reidlib.papers.sshsp.rows`,
and what has to hold beside if a gain is to belong to the mechanism that it is ascribed to.

Primary is one column of each sentence: mAP on the street, which moves less by chance than rank-1; of segmentation the
mean IoU with sides merged, because parts that are found by their motion cannot know left from right.
"""

from reidlib.experiments import Claim, above, above_at_lengths, above_each, best_each

WHOLE = "SS-HSP"
BASEL, PART = "Basel", "Basel+Part"
MOTION, RELATION = f"{PART}+Motion", f"{PART}+Motion+TRB"

STRIPES, ELLIPSE = "control: stripes for learned parts", "control: stripes in an ellipse for learned parts"
RANDOM, TRUE = "control: random maps for learned parts", "control: true segments for learned parts"
LITERAL_PARTS = "control: parts by the paper's losses, tracked boxes"
WIDE = "control: one global feature, as wide as all"
ZERO, MEAN = "control: motion of no flow", "control: motion of the mean displacement"
SHUFFLED, LITERAL = "control: motion of shuffled frames", "control: motion feature as the paper has it"
FIXED = "control: motion in fixed windows"
ALONE, TUNED = "control: TRB that sees no other frame", "control: segmentation tuned"

NO_TRI, NO_IDE, NO_EQU, NO_GEO = (f"{WHOLE} w/o L_{loss}" for loss in ("tri", "ide", "equ", "geo"))
MOTIONLESS, MOTIONLESS_NO_TRI = "control: without motion", "control: without motion, w/o L_tri"

TAKES = "what it takes"
TRACKED, PAPER_LOSSES = "the paper's losses, tracked boxes", "the paper's losses"
TRACKED_APART, GEO_IN_PIXELS = f"{TRACKED}, two frames apart", f"{PAPER_LOSSES}, L_geo in pixels"
DETACHED, PRIOR, PHOTOMETRIC, ALL = (
    "+ O without gradient",
    "+ prior",
    "+ prior + photometric",
    "+ prior + photometric + balance",
)
PRIOR_ALONE, STILL = "control: the prior alone", "control: no part moves"
NO_ANCHORS, PIXELS = "control: prior without rows", "control: pixels for perceptual maps"
ONLY_STRIPES, ONLY_ELLIPSE, ONLY_RANDOM = "control: stripes", "control: stripes in an ellipse", "control: random maps"
FORESEEN, MOVED, UNMOVED = (
    "prediction module",
    "the frame moved by the flow",
    "control: prediction module, no part moves",
)
FRAMES, TWINS, LENGTH, LASTING = "next frames", "twin streets", "length", "through time"
LENGTHS = (300, 600, 1200)  # iterations of stage 2; Table 3's are the first
AFTER, STAGE_1, STAGE_2 = "parts after stage 2", "stage 1", "stage 2, segmentation tuned"

RANK_1_AND_MAP = ("rank-1", "mAP")
BOTH = ("mean IoU, sides merged", "mean IoU", "foreground IoU")
NOT_OURS = "in boxes that follow people, the paper's static background moves; here pairs have one window"
OURS = "parts are learned in pairs of one window, with a prior, a photometric and a balance loss beside the paper's"
MUTE = f"without L_tri nothing trains the motion feature, which no classifier sees; {OURS}"


def _added(text: str, row: str, other: str, control: str, note: str = OURS) -> list[Claim]:
    """The claim that a step of Table 3 adds."""
    options = {"control": control, "note": note, "primary": "mAP"}
    return above_each(RANK_1_AND_MAP, text, "4.3, Table 3", "3", row, other, **options)


def _lost(text: str, other: str, note: str = OURS) -> list[Claim]:
    """The claim that leaving out a loss of Table 4 costs."""
    return above_each(RANK_1_AND_MAP, text, "4.3, Table 4", "4", WHOLE, other, note=note, primary="mAP")


def _same(text: str, source: str, table: str, row: str, other: str, margin: float) -> Claim:
    """The claim that two rows have one mAP, within a margin in points."""
    return Claim(text, source, table, ((row, "mAP"),), ((other, "mAP"),), kind="same", margin=margin, primary=True)


PAPER = (
    *_added("part features add to global ones", PART, BASEL, STRIPES),
    *_added(
        "part features add to global ones, parts by the paper's losses",
        *(LITERAL_PARTS, BASEL, STRIPES),
        note="as the paper learns them: consecutive frames in boxes that follow people, its three losses alone",
    ),
    *_added("motion features add to appearance", MOTION, PART, ZERO),
    *_added("the temporal relation block adds to the average over time", RELATION, MOTION, ALONE),
    *_lost("the triplet loss helps", NO_TRI, MUTE),
    *_lost("the identification loss helps", NO_IDE),
    *_lost("the equivariance loss helps", NO_EQU),
    *_lost("the geometric concentration loss helps", NO_GEO),
    *above_each(
        RANK_1_AND_MAP,
        *("leaving out the triplet loss costs more than the identification loss", "4.3, Table 4", "4"),
        *(NO_IDE, NO_TRI),
        note=MUTE,
        primary="mAP",
    ),
    *best_each(
        RANK_1_AND_MAP,
        *("six parts are best", "4.3, Figure 4a", "Figure 4a", "K = 6", ("K = 2", "K = 4", "K = 8")),
        primary="mAP",
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("eight parts are worse than six", "4.3, Figure 4a", "Figure 4a", "K = 6", "K = 8"),
    ),
    _same(
        "robust to the number of parts: 4 as good as 6 (within 2 points)",
        "4.3, Figure 4a",
        "Figure 4a",
        "K = 4",
        "K = 6",
        2.0,
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("longer clips are better: 8 frames above 2", "4.3, Figure 4b", "Figure 4b", "T = 8", "T = 2"),
        note="every T sees as many clips, so the longer see more frames",
        primary="mAP",
    ),
    _same(
        "robust to the length of clips: 6 as good as 8 (within 2 points)",
        "4.3, Figure 4b",
        "Figure 4b",
        "T = 6",
        "T = 8",
        2.0,
    ),
    *above_each(
        BOTH,
        *("learned parts are where the true ones are: above the prior alone", "1; 4.3, Figure 5"),
        *(TAKES, ALL, PRIOR_ALONE),
        note=OURS,
        primary=BOTH[0],
    ),
    *above_each(
        BOTH,
        *(
            "learned parts are where the true ones are, by the paper's losses: above the prior alone",
            "3.4",
            TAKES,
            TRACKED,
            PRIOR_ALONE,
        ),
        note=NOT_OURS,
        primary=BOTH[0],
    ),
)

CONTROLS = (
    *above_each(
        RANK_1_AND_MAP,
        *("learned parts matter: above stripes", "control", "3", PART, STRIPES),
        primary="mAP",
    ),
    *above_each(
        RANK_1_AND_MAP,
        *("learned parts matter: above stripes in an ellipse", "control", "3", PART, ELLIPSE),
        primary="mAP",
    ),
    *above_each(RANK_1_AND_MAP, "parts matter: above random maps", "control", "3", PART, RANDOM),
    *above_each(RANK_1_AND_MAP, "parts matter: above one wide feature", "control", "3", PART, WIDE),
    *above_each(
        RANK_1_AND_MAP,
        "better parts are better: the true ones above the learned",
        "control",
        "3",
        TRUE,
        PART,
        primary="mAP",
    ),
    *above_each(
        RANK_1_AND_MAP,
        "better parts are better: above those of the paper's losses alone",
        "control",
        "3",
        PART,
        LITERAL_PARTS,
    ),
    *above_each(
        RANK_1_AND_MAP,
        "the parts of the paper's losses matter: above stripes",
        "control",
        "3",
        LITERAL_PARTS,
        STRIPES,
    ),
    *above_each(RANK_1_AND_MAP, "flow matters: above no flow", "control", "3", MOTION, ZERO, primary="mAP"),
    *above_each(RANK_1_AND_MAP, "flow matters: above the mean displacement", "control", "3", MOTION, MEAN),
    *above_each(RANK_1_AND_MAP, "true successors matter: above shuffled ones", "control", "3", MOTION, SHUFFLED),
    *above_each(
        RANK_1_AND_MAP,
        "our motion feature is better than the paper's: of displacements, batch normalisation, ReLU",
        "control",
        "3",
        MOTION,
        LITERAL,
    ),
    *above_each(
        RANK_1_AND_MAP,
        "relations matter: above a block that sees no other frame",
        "control",
        "3",
        RELATION,
        ALONE,
        primary="mAP",
    ),
    *above_each(RANK_1_AND_MAP, "the parts stay as they were found: above tuned ones", "control", "3", RELATION, TUNED),
    *above_each(
        RANK_1_AND_MAP,
        "the triplet loss helps appearance without motion",
        "control",
        "4",
        MOTIONLESS,
        MOTIONLESS_NO_TRI,
    ),
    *above_each(BOTH, "parts: stage 2 makes them those of the body", "control", AFTER, STAGE_2, STAGE_1),
    *(
        Claim(
            f"gaits matter: motion adds more to appearance than where all walk alike, {column}",
            *("control", TWINS),
            ((f"{MOTION}, as it is", column), (f"{PART}, walks alike", column)),
            ((f"{PART}, as it is", column), (f"{MOTION}, walks alike", column)),
            primary=column == "mAP",
        )
        for column in RANK_1_AND_MAP
    ),
    *(
        claim
        for text, row, other in (
            ("part features add", PART, BASEL),
            ("motion features add", MOTION, PART),
            ("the temporal relation block adds", RELATION, MOTION),
            ("relations matter", RELATION, ALONE),
        )
        for claim in above_at_lengths(LENGTHS, text, "control", LENGTH, row, other, "mAP")
    ),
    *(
        claim
        for text, row, other in (
            ("one window for both frames", PAPER_LOSSES, TRACKED_APART),
            ("L_geo counts, taken in pixels", GEO_IN_PIXELS, PAPER_LOSSES),
            ("O's gradient misleads", DETACHED, PAPER_LOSSES),
            ("the photometric loss adds to the prior", PHOTOMETRIC, PRIOR),
            ("balance adds", ALL, PHOTOMETRIC),
            ("motion matters: above parts that cannot move", ALL, STILL),
            ("rows of the prior matter", ALL, NO_ANCHORS),
            ("perceptual maps matter: above pixels", ALL, PIXELS),
            ("learned parts are above stripes in an ellipse", ALL, ONLY_ELLIPSE),
        )
        for claim in above_each(BOTH, f"parts: {text}", "control", TAKES, row, other)
    ),
    above(
        "parts keep to a point of the body: above an ellipse that ignores the frame, consistency",
        *("control", LASTING, ALL, ONLY_ELLIPSE, "consistency"),
    ),
    Claim(
        "learned flow is nearer to the true one than no motion, fixed windows",
        *("control", TAKES, ((ALL, "of no motion"),), ((ALL, "end-point error"),)),
        primary=True,
    ),
    Claim(
        "learned flow is nearer to the true one than no motion, tracked boxes",
        *("control", "flow, tracked boxes", ((ALL, "of no motion"),), ((ALL, "end-point error"),)),
    ),
    Claim(
        "the flow foresees the next frame better than repeating the last",
        *("control", FRAMES, ((MOVED, "PSNR"),), ((MOVED, "last repeated PSNR"),)),
        primary=True,
    ),
    above("flow matters for what is foreseen: above no motion", "control", FRAMES, FORESEEN, UNMOVED, "PSNR"),
)

CLAIMS = PAPER + CONTROLS

MAIN = (  # the claims on which the paper's argument rests, and the controls that decide how to read them
    "part features add to global ones, mAP",
    "learned parts matter: above stripes, mAP",
    "better parts are better: the true ones above the learned, mAP",
    "motion features add to appearance, mAP",
    "flow matters: above no flow, mAP",
    "the temporal relation block adds to the average over time, mAP",
    "relations matter: above a block that sees no other frame, mAP",
    "learned parts are where the true ones are: above the prior alone, mean IoU, sides merged",
    "leaving out the triplet loss costs more than the identification loss, mAP",
)
