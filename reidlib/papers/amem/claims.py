"""What the AMEM paper claims of its Tables 3 to 5 and Figure 4, in rows and columns of `reidlib.papers.amem.rows`, and
what has to hold beside if a gain is to belong to the mechanism that it is ascribed to. Primary is mAP, the paper's
headline for the motion branch, and rank-1 where a table has nothing else.
"""

from reidlib.experiments import Claim, above, above_at_lengths, above_each, best_each

BASELINE, AEM, AMEM = "Baseline (I3D)", "Baseline + AEM", "Baseline + AEM + MEM (AMEM)"
ENHANCED = "Baseline (After Enhancement)"
OURS = "Ours (AMEM)"
COMPARED = {"3D-NLA": "nonlocal3d", "M3D": "m3d"}  # systems of others in Table 5 that are measured, and their networks


def mem(rounds: int) -> str:
    """The row that foresees so many frames."""
    return f"Baseline + MEM (c={rounds})"


MEM = mem(3)
ONE_ALONE = "control: a branch without its loss"  # which then is neither of appearance nor of motion
BOTH_ALONE = "control: both branches without their losses"
PERMUTED, SHUFFLED = "control: AEM with other people's labels", "control: AEM with labels shuffled"
TRUE = "AEM with true attributes"
CURRENT, DISORDER = "control: MEM repeats the current frame", "control: MEM foresees frames in random order"
NO_TEXTURE, NO_ADVERSARY = "without the texture term", "without the adversarial term"

SCORES = ("rank-1", "rank-5", "rank-20", "mAP")
PICTURES, ALONE, TWINS, FIXED, BRANCHES = "Figure 4", "terms of the loss", "twin streets", "windows", "branches"
OVERFITTING, PROBES, LENGTH = "over-fitting", "probes", "length"
LENGTHS = (300, 600, 1200)  # iterations; Table 3's is the first
FIXED_BASELINE, FIXED_MEM, FIXED_CURRENT = "Baseline", "MEM, fixed windows", "MEM repeats, fixed windows"
LEAK = "f_M is computed from a clip that shows the frames to be foreseen"
OTHER_BACKBONES = "R3D and P3D keep the rate and batch that were chosen for I3D"
SLIGHT = "by construction: the term's weight, 1e-5, is as large as the autoencoder bears, and moves little"
MARGIN = 2.0  # points of mAP within which two rows are the same


def _settings(backbone: str, text: str, left: str, right: str, **options) -> list[Claim]:
    """A claim between two settings of Table 4, which are its columns, for mAP (primary) and rank-1."""
    return [
        Claim(
            f"{text}, {backbone}, {score}",
            *("Scalability, Table 4", "4"),
            ((f"{backbone} {score}", left),),
            ((f"{backbone} {score}", right),),
            primary=score == "mAP",
            **options,
        )
        for score in ("mAP", "rank-1")
    ]


PAPER = (
    *above_each(SCORES, *("AEM lifts the baseline", "Table 3", "3", AEM, BASELINE), control=ONE_ALONE, primary="mAP"),
    *above_each(SCORES, *("MEM lifts the baseline", "Table 3", "3", MEM, BASELINE), control=ONE_ALONE, primary="mAP"),
    *above_each(SCORES, *("MEM adds more than AEM", "Baseline Comparison", "3", MEM, AEM), primary="mAP"),
    *best_each(
        ("rank-1", "mAP"),
        *("both modules are above either", "Baseline Comparison", "3", AMEM, (AEM, MEM)),
        control=BOTH_ALONE,
        primary="mAP",
    ),
    *best_each(
        ("rank-1", "mAP"),
        *("foreseeing three frames is best", "Number of Frames", "3", MEM, (mem(1), mem(2), mem(4))),
        primary="mAP",
    ),
    *above_each(("rank-1", "mAP"), *("four frames are below three", "Number of Frames", "3", MEM, mem(4))),
    *above_each(("rank-1", "mAP"), *("two frames are above one", "Number of Frames", "3", mem(2), mem(1))),
    *above_each(
        SCORES,
        *("the enhanced backbone alone is above the baseline", "Baseline Comparison", "3", ENHANCED, BASELINE),
        primary="mAP",
    ),
    *(
        claim
        for backbone in ("R3D", "P3D", "I3D")
        for claim in (
            *_settings(backbone, "AEM lifts the baseline", "Baseline + AEM", "Baseline"),
            *_settings(backbone, "MEM lifts the baseline", "Baseline + MEM", "Baseline"),
            *_settings(backbone, "AMEM is above the baseline", "AMEM", "Baseline"),
        )
        if backbone != "I3D" or "AMEM" in claim.text  # I3D's others are Table 3's
    ),
    *(
        Claim(
            f"I3D is above {backbone}, {score}",
            *("Scalability, Table 4", "4"),
            ((f"I3D {score}", "Baseline"),),
            ((f"{backbone} {score}", "Baseline"),),
            note=OTHER_BACKBONES,
        )
        for backbone in ("R3D", "P3D")
        for score in ("mAP", "rank-1")
    ),
    *(
        Claim(
            f"{backbone} over-fits more than I3D: a wider gap between training and other people, {score}",
            *("Scalability", OVERFITTING),
            ((backbone, f"training people {score}"), ("I3D", score)),
            ((backbone, score), ("I3D", f"training people {score}")),
            note=OTHER_BACKBONES,
        )
        for backbone in ("R3D", "P3D")
        for score in ("mAP", "rank-1")
    ),
    *(
        claim
        for data in ("MARS", "iLIDS-VID", "PRID-2011")
        for claim in best_each(
            (f"{data} rank-1",),
            *("AMEM is best", "Table 5", "5", OURS, ("Baseline", *(COMPARED if data == "MARS" else ()))),
            primary="MARS rank-1" if data == "MARS" else "",
        )
    ),
    *(
        Claim(
            f"{text} costs nothing in retrieval (within {MARGIN:g} points), mAP",
            *("Different Components", ALONE, ((f"{MEM}, {text}", "mAP"),), ((MEM, "mAP"),)),
            kind="same",
            margin=MARGIN,
            primary=True,
            note=note,
        )
        for text, note in ((NO_TEXTURE, ""), (NO_ADVERSARY, SLIGHT))
    ),
    *above_each(
        ("PSNR", "SSIM"),
        *("the texture term makes better pictures", "Different Components", PICTURES, MEM, f"{MEM}, {NO_TEXTURE}"),
        primary="SSIM",
    ),
    above(
        "the adversarial term makes better pictures, SSIM",
        *("Different Components", PICTURES, MEM, f"{MEM}, {NO_ADVERSARY}", "SSIM"),
        primary=True,
        note=SLIGHT,
    ),
    *(
        Claim(
            f"texture decays from step 1 to 3 without its term, more than with it, {score}",
            *("Different Components", PICTURES),
            ((f"{MEM}, {NO_TEXTURE}", f"{score}, step 1"), (MEM, f"{score}, step 3")),
            ((f"{MEM}, {NO_TEXTURE}", f"{score}, step 3"), (MEM, f"{score}, step 1")),
        )
        for score in ("SSIM", "PSNR")
    ),
)

CONTROLS = (
    *above_each(("rank-1", "mAP"), *("AEM's loss matters", "control", "3", AEM, ONE_ALONE), primary="mAP"),
    *above_each(("rank-1", "mAP"), *("attributes matter: above others'", "control", "3", AEM, PERMUTED), primary="mAP"),
    *above_each(("rank-1", "mAP"), *("attributes matter: above shuffled ones", "control", "3", AEM, SHUFFLED)),
    *above_each(("rank-1", "mAP"), *("MEM's loss matters", "control", "3", MEM, ONE_ALONE), primary="mAP"),
    *above_each(
        ("rank-1", "mAP"), *("the next frame matters: above repeating", "control", "3", MEM, CURRENT), primary="mAP"
    ),
    *above_each(("rank-1", "mAP"), *("the order of frames matters", "control", "3", MEM, DISORDER), primary="mAP"),
    *above_each(("rank-1", "mAP"), *("the losses matter together", "control", "3", AMEM, BOTH_ALONE), primary="mAP"),
    *(
        claim
        for text, left, right in (
            ("AEM is above the baseline", AEM, BASELINE),
            ("AEM's loss matters", AEM, ONE_ALONE),
            ("MEM is above the baseline", MEM, BASELINE),
            ("MEM's loss matters", MEM, ONE_ALONE),
            ("AMEM is above the baseline", AMEM, BASELINE),
        )
        for claim in above_at_lengths(LENGTHS, text, "control", LENGTH, left, right, "mAP")
    ),
    *(
        Claim(
            f"gaits matter: MEM adds more than where all walk alike, {score}",
            *("control", TWINS),
            ((f"{MEM}, as it is", score), (f"{BASELINE}, walks alike", score)),
            ((f"{BASELINE}, as it is", score), (f"{MEM}, walks alike", score)),
            primary=score == "mAP",
            note="says that gaits are used only where MEM is above the baseline",
        )
        for score in ("mAP", "rank-1")
    ),
    *above_each(("PSNR", "SSIM"), *("f_M is of this clip", "control", PICTURES, MEM, f"{MEM}, swapped"), note=LEAK),
    *above_each(
        ("PSNR", "SSIM"),
        *("f_M of the past alone is above a network that repeats", "control", PICTURES, f"{MEM}, past", CURRENT),
    ),
    *above_each(
        ("PSNR", "SSIM"), *("pictures beat a network that repeats", "control", PICTURES, MEM, CURRENT), note=LEAK
    ),
    *(
        Claim(
            f"what is foreseen{at and f' at{at[1:]}'} is better than the last frame repeated, {score}",
            *("control", PICTURES, ((MEM, f"{score}{at}"),), ((MEM, f"last repeated {score}{at}"),)),
            note=LEAK,
        )
        for at in ("", ", step 1", ", step 3")
        for score in ("PSNR", "SSIM")
    ),
    Claim(
        "the person is foreseen better than by the last frame repeated, foreground error",
        *("control", PICTURES, ((MEM, "last repeated foreground error"),), ((MEM, "foreground error"),)),
        note=LEAK,
    ),
    *(
        Claim(
            f"f_M predicts a walker's {what} better than {name} does, R²",
            *("control", PROBES, ((AMEM, f"motion, {what}"),), ((row, f"{feature}, {what}"),)),
        )
        for what in ("cadence", "phase")
        for name, row, feature in (
            ("f_A", AMEM, "appearance"),
            ("the baseline's f_B", BASELINE, "backbone"),
            ("a branch without its loss", BOTH_ALONE, "motion"),
        )
    ),
    Claim(
        "averaging over frames makes labels better, balanced accuracy",
        *("Pseudo Attribute Labels", "pseudo-labels"),
        (("ARM on the street", "averaged, balanced accuracy"),),
        (("ARM on the street", "frame by frame, balanced accuracy"),),
    ),
    *above_each(
        ("rank-1", "mAP"),
        *("in fixed windows MEM lifts the baseline", "control", FIXED, FIXED_MEM, FIXED_BASELINE),
        control=FIXED_CURRENT,
    ),
)

CLAIMS = PAPER + CONTROLS

MAIN = (  # the claims on which the paper's argument rests, and the controls that decide how to read them
    "AEM lifts the baseline, mAP",
    "MEM lifts the baseline, mAP",
    "both modules are above either, mAP",
    "the enhanced backbone alone is above the baseline, mAP",
    "foreseeing three frames is best, mAP",
    "attributes matter: above others', mAP",
    "the next frame matters: above repeating, mAP",
    "gaits matter: MEM adds more than where all walk alike, mAP",
)
