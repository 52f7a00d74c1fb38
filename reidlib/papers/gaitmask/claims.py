"""What the GaitMask paper claims of its Table 3, in rows and columns of `reidlib.papers.gaitmask.rows`, and what has to
hold beside if a gain is to belong to the mechanism that it is ascribed to.

Primary is rank-1 in the yard, one claim a sentence; in the laboratory and in twin worlds nothing is primary but what is
asked there alone. All seeds of a network go on from one first training: intervals over seeds do not hold what another
first training would have given. Claims that compare networks say so in their notes; the one between networks that start
from scratch is free of that.
"""

from reidlib.experiments import Claim, above, above_each, best_each
from reidlib.papers.gaitmask.systems import FIRST, THEN

GAITGL, GAITMASK, BOTH = "GaitGL", "GaitMask", "GaitGL+GaitMask"
RERANKED, EXPANDED, COMPLETE = " + Re-ranking", " + QE", " + Re-ranking + QE"
TWICE = "control: GaitGL+GaitGL"
PUBLISHED_STEPS = {step: f"control: {GAITGL}{step}, as published" for step in (RERANKED, COMPLETE)}
STARTED, FROM_SCRATCH = " after a first training", " from scratch"
SCRATCH = {name: f"control: {name}{FROM_SCRATCH}" for name in (GAITGL, GAITMASK)}
UNMASKED, HALVES = "control: GaitMask without masks", "control: GaitMask with fixed halves"
INDEPENDENT = "control: GaitMask with two independent masks"
SUMMED, STACKED = "control: GaitMask, GMCL-A alone", "control: GaitMask, GMCL-B alone"
GLOBAL = "control: GaitMask, global branch alone"
SHUFFLED, STILL = "control: GaitGL, shuffled silhouettes", "control: GaitGL, one silhouette repeated"

LABORATORY, BY_VIEW, TWINS = "laboratory", "laboratory, view by view", "twin yards"
READINGS, DROPPED = "readings of Equation 2", "rows dropped"
WORLDS = {  # settings of the yard, by what is said of them
    "one gait": {"same_gait": True},
    "one body": {"same_body": True},
    "one gait and one body": {"same_gait": True, "same_body": True},
}
CHANGES = ("NM excluding", "BG excluding", "CL excluding")
TOGETHER = "re-ranking and expansion see all queries together"
ONE_START = "each network has one first training, whose luck is not in the interval"
BOTH_NOTES = f"{TOGETHER}; {ONE_START}"
LESS = f"the last layers have half as many strips; {ONE_START}"
LONGER = f"{FIRST + THEN} iterations against {2 * THEN}; {ONE_START}"


def _above(text: str, source: str, row: str, other: str, **options) -> Claim:
    """A claim on rank-1 in the yard, primary and between networks that are trained apart, unless options say else."""
    return above(text, source, "3", row, other, "rank-1", **{"primary": True, "note": ONE_START, **options})


CLAIMS = (
    _above("re-ranking lifts GaitGL", "2, Table 3", f"{GAITGL}{RERANKED}", GAITGL, note=TOGETHER),
    _above(
        "query expansion adds to re-ranking",
        *("2, Table 3", f"{GAITGL}{COMPLETE}", f"{GAITGL}{RERANKED}"),
        note=TOGETHER,
    ),
    _above(
        "GaitMask adds to GaitGL with both",
        *("2, Table 3", f"{BOTH}{COMPLETE}", f"{GAITGL}{COMPLETE}"),
        control=f"{TWICE}{COMPLETE}",
        note=BOTH_NOTES,
    ),
    *best_each(
        ("rank-1",),
        *("the complete pipeline is above the rest", "2, Table 3", "3", f"{BOTH}{COMPLETE}"),
        [f"{GAITGL}{step}" for step in ("", RERANKED, COMPLETE)],
        primary="rank-1",
        note=BOTH_NOTES,
    ),
    _above("GaitMask is above GaitGL", "1.1", GAITMASK, GAITGL, control=HALVES),
    _above(
        "GaitMask is above GaitGL where both start from scratch", "control", SCRATCH[GAITMASK], SCRATCH[GAITGL], note=""
    ),
    _above(
        "GaitMask is above GaitGL with both",
        *("1.1", f"{GAITMASK}{COMPLETE}", f"{GAITGL}{COMPLETE}"),
        primary=False,
        note=BOTH_NOTES,
    ),
    _above("training elsewhere first helps GaitGL", "1.3", GAITGL, SCRATCH[GAITGL], note=LONGER),
    _above("training elsewhere first helps GaitMask", "1.3", GAITMASK, SCRATCH[GAITMASK], note=LONGER, primary=False),
    _above(
        "the mask branch adds to the global one",
        *("1.1, Equations 1 to 3", SUMMED, GLOBAL),
        note=f"the mask branch brings two thirds of the weights; {ONE_START}",
    ),
    _above("GMCL-B in the last place is above GMCL-A", "1.1, Table 2", GAITMASK, SUMMED, note=LESS),
    *above_each(
        CHANGES,
        *("GaitMask is above GaitGL in the laboratory", "1.1", LABORATORY),
        *(f"{GAITMASK}{STARTED}", f"{GAITGL}{STARTED}"),
        primary="NM excluding",
        note=ONE_START,
    ),
    *above_each(
        CHANGES,
        *("training elsewhere first helps GaitGL in the laboratory", "1.3", LABORATORY),
        *(f"{GAITGL}{STARTED}", SCRATCH[GAITGL]),
        note=LONGER,
    ),
    _above(
        "another kind of network matters: above two GaitGLs",
        *("control", f"{BOTH}{COMPLETE}", f"{TWICE}{COMPLETE}"),
        note=BOTH_NOTES,
    ),
    _above(
        "another kind of network matters: above two GaitGLs, features alone",
        *("control", BOTH, TWICE),
        primary=False,
    ),
    _above("query expansion alone helps", "control", f"{GAITGL}{EXPANDED}", GAITGL, note=TOGETHER, primary=False),
    _above("masks matter: above no masks", "control", GAITMASK, UNMASKED),
    _above("bands matter: above fixed halves", "control", GAITMASK, HALVES),
    _above("complementary masks matter: above independent ones", "control", GAITMASK, INDEPENDENT),
    _above("the order of the silhouettes matters", "control", GAITGL, SHUFFLED),
    _above("more than one silhouette matters", "control", GAITGL, STILL, primary=False),
    *(
        Claim(
            f"{what} tells people apart: above where it is alike as well",
            *("control", TWINS),
            ((world, "rank-1"),),
            (("one gait and one body", "rank-1"),),
        )
        for what, world in (("gait", "one body"), ("body", "one gait"))
    ),
)
MAIN = (
    "re-ranking lifts GaitGL",
    "query expansion adds to re-ranking",
    "GaitMask adds to GaitGL with both",
    "GaitMask is above GaitGL",
)
