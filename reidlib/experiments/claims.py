"""What the papers claim, judged on our own measurements by a rule that was fixed before anything was measured.

A claim says that a sum of cells of one table is above another ("above"), that the two are the same within a margin
("same"), or that one cell is above each of several others ("best"). Seeds pair the rows, because a seed draws data and
weights, in worlds that one version of the renderer drew; the interval is Student's, of level 95 % (90 % for "same", as
two one-sided tests at 5 % need it). "replicates" and "contradicted" take at least six seeds, with fewer it is
"leaning"; else "inconclusive". What a verdict means is explained in `reidlib.evaluation.statistics`. All verdicts are
on rendered people.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from reidlib.evaluation import statistics
from reidlib.experiments.evaluations import columns_of
from reidlib.experiments.papers import find_paper, rows_of
from reidlib.experiments.records import FIGURES, records_by_renderer
from reidlib.experiments.tables import FRACTION, reported_numbers, seed_scores, unit_of

MARGIN = 1.0  # points, within which two scores are the same unless a claim says otherwise
POINTS = "points"  # the unit of differences of percentages

Cell = tuple[str, str]  # row, column

COLUMNS = ["paper", "claim", "source", "verdict", "difference", "low", "high", "seeds", "control"]
COLUMNS += ["reported", "detectable", "kind", "margin", "unit", "table", "note", "renderer", "collapsed"]


@dataclass(frozen=True)
class Claim:
    """What a paper says of one of its tables: the sum of the cells on the `left` is above that on the `right`.

    source: where it says so. kind: see above; for "best", every cell on the right stands alone. margin: within which
    two scores are the same, in the unit of the cells, points for percentages. control: the row of the same table that
    keeps the parameters and removes the mechanism which the claim is about. note: what limits the verdict, such as "by
    construction" where it follows from a setting of the rendered data.
    """

    text: str
    source: str
    table: str
    left: tuple[Cell, ...]
    right: tuple[Cell, ...]
    kind: Literal["above", "same", "best"] = "above"
    control: str = ""
    note: str = ""
    margin: float = MARGIN


def above(text: str, source: str, table: str, row: str, other: str, column: str, **options) -> Claim:
    """The claim that one row is above another in one column."""
    return Claim(text, source, table, ((row, column),), ((other, column),), **options)


def above_each(
    columns: Iterable[str], text: str, source: str, table: str, row: str, other: str, **options
) -> list[Claim]:
    """The same claim of one row above another for each of several columns, which its text names at the end."""
    return [above(f"{text}, {column}", source, table, row, other, column, **options) for column in columns]


def best_each(
    columns: Iterable[str], text: str, source: str, table: str, row: str, others: Iterable[str], **options
) -> list[Claim]:
    """The claim that a row is above each of several others, for each of several columns."""
    others = tuple(others)
    return [
        Claim(
            f"{text}, {column}",
            *(source, table),
            ((row, column),),
            tuple((other, column) for other in others),
            kind="best",
            **options,
        )
        for column in columns
    ]


def claims(paper: str, figures: Path = FIGURES) -> pd.DataFrame:
    """The ledger of a paper's claims, judged from the records, one line each.

    Columns: paper, claim, source, verdict, difference, low, high (in `unit`, left minus right; for "best", to the
    closest of the others), seeds, control; reported (the same difference in the paper's own numbers), detectable (the
    true difference that would be found in four of five experiments; NaN unless the verdict is "inconclusive"), kind,
    margin (of "same" alone), unit, table, note, renderer (the version that drew the worlds, 0 for recorded data),
    collapsed (the rows whose network has collapsed under some of the seeds: what is said of them means little). Without
    a seed that all cells share the verdict is "not yet measured". ValueError for an unknown paper.
    """
    stated = find_paper(paper).claims
    scores = _measured_cells(paper, {claim.table for claim in stated}, figures)
    lines = [
        {
            "paper": paper,
            "claim": claim.text,
            "source": claim.source,
            **_judged(paper, claim, scores),
            "control": claim.control or None,
            "reported": _reported(paper, claim),
            "kind": claim.kind,
            "margin": claim.margin if claim.kind == "same" else None,
            "table": claim.table,
            "note": claim.note or None,
        }
        for claim in stated
    ]
    numbers = ("difference", "low", "high", "detectable", "reported", "margin")
    return pd.DataFrame(lines, columns=COLUMNS).astype(dict.fromkeys(numbers, float))


def judge(claim: Claim, left: np.ndarray, right: np.ndarray) -> dict:
    """Verdict, difference, low, high, seeds and detectable, as `claims` explains them.

    left: (L, S) scores of the claim's cells under S seeds, in one unit; right: (R, S) under the same seeds.
    """
    nothing = dict.fromkeys(("difference", "low", "high", "detectable"))
    if not left.shape[1]:
        return {"verdict": "not yet measured", "seeds": 0, **nothing}
    ours, theirs = left.sum(axis=0), right.sum(axis=0)
    if claim.kind == "best":
        found = statistics.best_against_runner_up(np.vstack([ours, right]), best=0)
        verdict, interval, theirs = found.verdict, found.interval, right[found.runner_up - 1]
    elif claim.kind == "same":
        found = statistics.equivalence(ours, theirs, claim.margin)
        verdict, interval = found.verdict, found.interval
    else:
        interval = statistics.paired_interval(ours, theirs)
        verdict = statistics.verdict(interval)
    bounded = len(ours) > 1
    unsure = verdict == "inconclusive" and bounded
    return {
        "verdict": verdict,
        "difference": interval.estimate,
        "low": interval.low if bounded else None,
        "high": interval.high if bounded else None,
        "seeds": len(ours),
        "detectable": statistics.smallest_detectable_difference(ours, theirs) if unsure else None,
    }


def expected_false_verdicts(ledger: pd.DataFrame) -> float:
    """How many of a ledger's verdicts from six seeds or more would be false if no claim held and none was reversed."""
    return 0.05 * int((ledger["seeds"] >= statistics.MIN_SEEDS).sum())


@dataclass(frozen=True)
class _Cell:
    """What was measured in a cell: {renderer: {seed: score}}, in which unit, and the row whose networks collapsed, or
    ""."""

    scores: dict[int, dict[int, float]]
    unit: str
    collapsed: str


def _measured_cells(paper: str, tables: set[str], figures: Path) -> dict[tuple[str, str, str], _Cell]:
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
            cells[row.table, row.label, column] = _Cell(scores, unit_of(every, place), collapsed)
    return cells


def _judged(paper: str, claim: Claim, cells: dict[tuple[str, str, str], _Cell]) -> dict:
    """The claim's verdict under the seeds that all its cells have, in the worlds of the renderer's version that has
    most of them, the newest among equals."""
    for label, column in (*claim.left, *claim.right):
        if (claim.table, label, column) not in cells:
            raise ValueError(f"{paper}, table {claim.table}: no run of ours measures {column!r} of {label!r}")
    left, right = ([cells[claim.table, *cell] for cell in side] for side in (claim.left, claim.right))
    versions = set().union(*(cell.scores for cell in left + right))
    shared = {v: sorted(set.intersection(*({*c.scores.get(v, ())} for c in left + right))) for v in versions}
    version = max(shared, key=lambda v: (len(shared[v]), v), default=0)
    seeds = shared.get(version, [])
    scores = (np.array([[c.scores[version][seed] for seed in seeds] for c in side]) for side in (left, right))
    unit = left[0].unit
    return judge(claim, *scores) | {
        "unit": POINTS if unit == FRACTION else unit,
        "renderer": version if seeds else 0,
        "collapsed": ", ".join(dict.fromkeys(c.collapsed for c in left + right if c.collapsed)) or None,
    }


def _reported(paper: str, claim: Claim) -> float | None:
    """The claim's difference in the paper's own numbers; None where it gives none for one of the cells."""
    cells = reported_numbers(paper, claim.table).stack().to_dict()
    if not cells.keys() >= {*claim.left, *claim.right}:
        return None
    left, right = ([cells[cell] for cell in side] for side in (claim.left, claim.right))
    return sum(left) - (max(right) if claim.kind == "best" else sum(right))
