"""What the GaitMask paper claims of its Table 3, in rows and columns of `reidlib.papers.gaitmask.rows`, and what has to
hold beside if a gain is to belong to the mechanism that it is ascribed to."""

from reidlib.experiments import Claim, above, best_each

GAITGL, GAITMASK, BOTH = "GaitGL", "GaitMask", "GaitGL+GaitMask"
COMPLETE = " + Re-ranking + QE"
TWICE, SCRATCH = "control: GaitGL+GaitGL", "control: GaitGL from scratch"
UNMASKED, HALVES = "control: GaitMask without masks", "control: GaitMask with fixed halves"


def _above(text: str, source: str, row: str, other: str, **options) -> Claim:
    return above(text, source, "3", row, other, "rank-1", **{"primary": True, **options})


TOGETHER = "re-ranking and expansion see all queries together"
CLAIMS = (
    _above("re-ranking lifts GaitGL", "2, Table 3", f"{GAITGL} + Re-ranking", GAITGL, note=TOGETHER),
    _above(
        "query expansion adds to re-ranking",
        *("2, Table 3", f"{GAITGL}{COMPLETE}", f"{GAITGL} + Re-ranking"),
        note=TOGETHER,
    ),
    _above(
        "GaitMask adds to GaitGL with both",
        *("2, Table 3", f"{BOTH}{COMPLETE}", f"{GAITGL}{COMPLETE}"),
        control=f"{TWICE}{COMPLETE}",
    ),
    *best_each(
        ("rank-1",),
        *("the complete pipeline is above the rest", "2, Table 3", "3", f"{BOTH}{COMPLETE}"),
        [f"{GAITGL}{step}" for step in ("", " + Re-ranking", COMPLETE)],
        primary="rank-1",
    ),
    _above("GaitMask is above GaitGL", "1.1", GAITMASK, GAITGL, control=HALVES),
    _above("GaitMask is above GaitGL with both", "1.1", f"{GAITMASK}{COMPLETE}", f"{GAITGL}{COMPLETE}"),
    _above("training elsewhere first helps", "1.3", GAITGL, SCRATCH),
    _above("another kind of network matters: above two GaitGLs", "control", f"{BOTH}{COMPLETE}", f"{TWICE}{COMPLETE}"),
    _above(
        "another kind of network matters: above two GaitGLs, features alone",
        *("control", BOTH, TWICE),
        primary=False,
    ),
    _above("masks matter: above no masks", "control", GAITMASK, UNMASKED),
    _above("bands matter: above fixed halves", "control", GAITMASK, HALVES),
)
