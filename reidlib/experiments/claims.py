"""What the papers claim, judged on our own measurements by a rule that was fixed before anything was measured.

Claims are those of `reidlib.experiments.statements`. Seeds pair the rows, because a seed draws data and weights, in
worlds that one version of the renderer drew; the interval is Student's, of level 95 % (90 % for "same", as two
one-sided tests at 5 % need it). "replicates" and "contradicted" take at least six seeds, with fewer it is "leaning";
else "inconclusive". What a verdict means is explained in `reidlib.evaluation.statistics`. All verdicts are on rendered
people.

Two columns stand beside the verdict. "holm": what is left of it if all verdicts on a paper's primary claims are to hold
together (at most 5 % for one false among them). "robust": whether the same is found after half the training, where the
table was measured at both lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from reidlib.evaluation import power, statistics
from reidlib.experiments.evaluations import columns_of
from reidlib.experiments.papers import find_paper, rows_of
from reidlib.experiments.records import FIGURES, records_by_renderer
from reidlib.experiments.statements import Claim
from reidlib.experiments.tables import FRACTION, POINTS, half_table, reported_numbers, seed_scores, unit_of

DECIDED = ("replicates", "contradicted")
FAMILY_WISE = 0.05  # the probability of a false verdict or more among a paper's primary claims, after Holm

COLUMNS = ["paper", "claim", "source", "verdict", "difference", "low", "high", "seeds", "control"]
COLUMNS += ["primary", "p", "holm", "half_difference", "half_verdict", "robust"]
COLUMNS += ["reported", "detectable", "kind", "margin", "unit", "table", "note", "renderer", "collapsed"]


def claims(paper: str, figures: Path = FIGURES) -> pd.DataFrame:
    """The ledger of a paper's claims, judged from the records, one line each.

    Columns: paper, claim, source, verdict, difference, low, high (in `unit`, left minus right; for "best", to the
    closest of the others), seeds, control; primary; p (of the test behind the verdict, NaN with fewer than six seeds),
    holm (the verdict on a primary claim after Holm's procedure over all primary claims, "inconclusive" if it does not
    survive; missing for other claims, and with fewer than six seeds); half_difference, half_verdict (in the table after
    half the training; missing unless it has all the claim's cells), robust (whether both verdicts are the same, and
    "replicates" or "contradicted"; None unless both have six seeds or more, in worlds of one version); reported (the
    same difference in the paper's own numbers), detectable (the true difference that would be found in four of five
    experiments, or for "same" the margin that would be shown; NaN unless the verdict is "inconclusive"), kind, margin
    (of "same" alone), unit, table, note, renderer (the version that drew the worlds, 0 for recorded data), collapsed
    (the rows whose network has collapsed under some of the seeds: what is said of them means little). Without a seed
    that all cells share the verdict is "not yet measured". ValueError for an unknown paper.
    """
    stated = find_paper(paper).claims
    tables = {claim.table for claim in stated}
    scores = measured_cells(paper, tables | {half_table(name) for name in tables}, figures)
    lines = [
        {
            "paper": paper,
            "claim": claim.text,
            "source": claim.source,
            **_judged(paper, claim, scores),
            "control": claim.control or None,
            "primary": claim.primary,
            "reported": _reported(paper, claim),
            "kind": claim.kind,
            "margin": claim.margin,
            "table": claim.table,
            "note": claim.note or None,
        }
        for claim in stated
    ]
    numbers = ("difference", "low", "high", "p", "half_difference", "detectable", "reported", "margin")
    types = dict.fromkeys(numbers, float) | {"primary": bool, "robust": object}
    return _after_holm(pd.DataFrame(lines, columns=COLUMNS).astype(types))


def judge(claim: Claim, left: np.ndarray, right: np.ndarray) -> dict:
    """Verdict, difference, low, high, seeds, p and detectable, as `claims` explains them.

    left: (L, S) scores of the claim's cells under S seeds, in one unit; right: (R, S) under the same seeds.
    """
    nothing = dict.fromkeys(("difference", "low", "high", "p", "detectable"))
    if not left.shape[1]:
        return {"verdict": "not yet measured", "seeds": 0, **nothing}
    ours, theirs = left.sum(axis=0), right.sum(axis=0)
    detectable = power.smallest_detectable_difference
    if claim.kind == "best":
        found = statistics.best_against_runner_up(np.vstack([ours, right]), best=0)
        verdict, interval, p, theirs = found.verdict, found.interval, found.p_value, right[found.runner_up - 1]
    elif claim.kind == "same":
        found, detectable = statistics.equivalence(ours, theirs, claim.margin), power.smallest_detectable_margin
        verdict, interval, p = found.verdict, found.interval, found.p_value
    else:
        interval = statistics.paired_interval(ours, theirs)
        verdict, p = statistics.verdict(interval), statistics.paired_p_value(ours, theirs)
    bounded = len(ours) > 1
    unsure = verdict == "inconclusive" and bounded
    return {
        "verdict": verdict,
        "difference": interval.estimate,
        "low": interval.low if bounded else None,
        "high": interval.high if bounded else None,
        "seeds": len(ours),
        "p": p if len(ours) >= statistics.MIN_SEEDS else None,
        "detectable": detectable(ours, theirs) if unsure else None,
    }


def expected_false_verdicts(ledger: pd.DataFrame) -> float:
    """How many of a ledger's verdicts from six seeds or more would be false if no claim held and none was reversed."""
    return 0.05 * int((ledger["seeds"] >= statistics.MIN_SEEDS).sum())


def _after_holm(ledger: pd.DataFrame) -> pd.DataFrame:
    """The ledger with its column "holm". All primary claims are of the family from the start: those that cannot be
    judged yet count as undecided."""
    primary = ledger[ledger["primary"]]
    survives = pd.Series(statistics.holm(primary["p"].fillna(1.0)) < FAMILY_WISE, primary.index)
    left = primary["verdict"].where(survives, "inconclusive")[primary["p"].notna()]
    return ledger.assign(holm=left)


@dataclass(frozen=True)
class MeasuredCell:
    """What was measured in a cell: {renderer: {seed: score}}, in which unit, and the row whose networks collapsed, or
    ""."""

    scores: dict[int, dict[int, float]]
    unit: str
    collapsed: str


def measured_cells(paper: str, tables: set[str], figures: Path) -> dict[tuple[str, str, str], MeasuredCell]:
    """{(table, row, column): what was measured} for these tables. Rows that share a run read its records once."""
    versions, cells = {}, {}
    for row in rows_of(paper):
        if row.table not in tables:
            continue
        key = (row.paper, row.run.hash, row.all_seeds)
        if key not in versions:
            versions[key] = records_by_renderer(paper, row, figures)
        every = [record for records in versions[key].values() for record in records]
        collapsed = row.label if any(record.collapsed for record in every) else ""
        for column, place in (row.columns or columns_of(row.run)).items():
            scores = {version: seed_scores(records, place) for version, records in versions[key].items()}
            cells[row.table, row.label, column] = MeasuredCell(scores, unit_of(every, place), collapsed)
    return cells


def _judged(paper: str, claim: Claim, cells: dict[tuple[str, str, str], MeasuredCell]) -> dict:
    """The claim's verdict in its table, and after half the training if all its cells are measured there as well."""
    for label, column in (*claim.left, *claim.right):
        if (claim.table, label, column) not in cells:
            raise ValueError(f"{paper}, table {claim.table}: no run of ours measures {column!r} of {label!r}")
    full, half = _judged_in(claim.table, claim, cells), {"seeds": 0, "verdict": None, "difference": None}
    if all((half_table(claim.table), *cell) in cells for cell in (*claim.left, *claim.right)):
        half = _judged_in(half_table(claim.table), claim, cells)
    judged = min(full["seeds"], half["seeds"]) >= statistics.MIN_SEEDS
    robust = full["verdict"] == half["verdict"] and full["verdict"] in DECIDED
    return full | {
        "half_difference": half["difference"],
        "half_verdict": half["verdict"],
        "robust": robust if judged and full["renderer"] == half["renderer"] else None,
    }


def _judged_in(table: str, claim: Claim, cells: dict[tuple[str, str, str], MeasuredCell]) -> dict:
    """The claim's verdict in a table."""
    left, right = ([cells[table, *cell] for cell in side] for side in (claim.left, claim.right))
    version, seeds, scores = under_shared_seeds(left, right)
    unit = left[0].unit
    return judge(claim, *scores) | {
        "unit": POINTS if unit == FRACTION else unit,
        "renderer": version if seeds else 0,
        "collapsed": ", ".join(dict.fromkeys(c.collapsed for c in left + right if c.collapsed)) or None,
    }


def under_shared_seeds(*sides: Sequence[MeasuredCell]) -> tuple[int, list[int], list[np.ndarray]]:
    """The renderer's version whose worlds have most of the seeds that all cells share, the newest among equals, those
    seeds, and each side's scores under them, (cells, S); no seeds where they share none."""
    cells = [cell for side in sides for cell in side]
    versions = set().union(*(cell.scores for cell in cells))
    shared = {v: sorted(set.intersection(*({*c.scores.get(v, ())} for c in cells))) for v in versions}
    version = max(shared, key=lambda v: (len(shared[v]), v), default=0)
    seeds = shared.get(version, [])
    return version, seeds, [np.array([[c.scores[version][seed] for seed in seeds] for c in side]) for side in sides]


def _reported(paper: str, claim: Claim) -> float | None:
    """The claim's difference in the paper's own numbers; None where it gives none for one of the cells."""
    cells = reported_numbers(paper, claim.table).stack().to_dict()
    if not cells.keys() >= {*claim.left, *claim.right}:
        return None
    left, right = ([cells[cell] for cell in side] for side in (claim.left, claim.right))
    return sum(left) - (max(right) if claim.kind == "best" else sum(right))
