"""Tables from records: what a paper reports beside what was measured here, every cell with its interval over seeds."""

from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from reidlib.evaluation.statistics import mean_interval
from reidlib.papers.records import FIGURES, Record
from reidlib.papers.reported import reported_papers, reported_table, reported_tables
from reidlib.papers.rows import Run, rows_of
from reidlib.papers.runs import records_of

SCORES = ("rank-1", "rank-5", "rank-20", "mAP", "mINP")
VIEW_PAIRS = ("including", "excluding")  # the same angle
PARTS = ("reported", "measured")


def columns_of(run: Run) -> dict[str, tuple[str, str]]:
    """Every score of a run as a column, {column: (set-up, score)}: "mAP", "mixing mAP"; "NM including"."""
    if run.evaluation == "cross-view":
        return {f"{s.upper() if s != 'all' else s} {pairs}": (s, pairs) for pairs in VIEW_PAIRS for s in run.setups}
    first = run.setups[0]
    return {name if s == first else f"{s} {name}": (s, name) for s in run.setups for name in SCORES}


def table_names(paper: str, scale: str = "mini") -> list[str]:
    """The tables of a paper, its own first, in its order. ValueError for a name that is no paper's."""
    ours = [row.table for row in rows_of(paper, scale)]
    theirs = reported_tables(paper) if paper in reported_papers() else []
    return list(dict.fromkeys([*theirs, *ours]))


def table(paper: str, name: str, scale: str = "mini", figures: Path = FIGURES) -> pd.DataFrame:
    """A table in tidy form, one line for every cell, from the records; the paper's own rows and columns come first.

    Columns: paper, table, row, column; reported (in the paper's unit, percent unless the column names another; NaN
    where the paper has no number); measured, low, high (mean over seeds and its 95 % t interval in percent, NaN where
    nothing was measured; one seed has no interval); seeds; minutes (a run's mean training and evaluation time, without
    that of its parts); measurable (a run of ours measures it, or will).
    scale: "mini" or "paper". ValueError for an unknown paper or table.
    """
    if name not in (known := table_names(paper, scale)):
        raise ValueError(f"{paper} has no table {name!r}; known: {', '.join(known)}")
    reported, ours = reported_numbers(paper, name), [row for row in rows_of(paper, scale) if row.table == name]
    measured = {}
    for row in ours:
        records = records_of(paper, row, figures)
        minutes = sum(record.minutes for record in records) / len(records) if records else None
        for column, place in (row.columns or columns_of(row.run)).items():
            values = list(seed_scores(records, place).values())
            measured[row.label, column] = (*_mean_low_high(values), len(values), minutes)
    labels = dict.fromkeys([*reported.index, *(label for label, _ in measured)])
    columns = dict.fromkeys([*reported.columns, *(column for _, column in measured)])
    cells = [
        (
            *(paper, name, label, column),
            reported[column].get(label) if column in reported else None,
            *measured.get((label, column), (None, None, None, 0, None)),
            (label, column) in measured,
        )
        for label in labels
        for column in columns
    ]
    numbers = ["reported", "measured", "low", "high"]
    names = ["paper", "table", "row", "column", *numbers, "seeds", "minutes", "measurable"]
    return pd.DataFrame(cells, columns=names).astype(dict.fromkeys([*numbers, "minutes"], float))


def reported_numbers(paper: str, name: str) -> pd.DataFrame:
    """What the paper itself reports in a table, as `reported_table`; empty for tables and papers of our own."""
    if paper in reported_papers() and name in reported_tables(paper):
        return reported_table(paper, name)
    return pd.DataFrame()


def seed_scores(records: list[Record], place: tuple[str, str]) -> dict[int, float]:
    """{seed: score in percent} of records; place: (set-up, score)."""
    setup, score = place
    return {record.seed: 100 * record.scores[setup][score] for record in records}


def _mean_low_high(values: list[float]) -> tuple[float | None, float | None, float | None]:
    if not values:
        return None, None, None
    interval = mean_interval(values)
    if interval.count == 1:
        return interval.estimate, None, None
    return interval.estimate, interval.low, interval.high


def wide_table(cells: pd.DataFrame) -> pd.DataFrame:
    """A table for reading: one line a row, cells as "mean ± half interval" in percent, with seeds and minutes a run.

    If the paper reports numbers, each column has two parts, "reported" (on the paper's data) and "measured" (on the
    rendered data). Empty cells are those that the paper leaves out, or that no run of ours measures.
    """
    measured = _spread(cells, [_measured_text(c) for c in cells.itertuples()])
    if cells["reported"].notna().any():
        reported = _spread(cells, ["" if pd.isna(c.reported) else f"{c.reported:g}" for c in cells.itertuples()])
        parts = {(c, part): frame[c] for c in measured for part, frame in zip(PARTS, (reported, measured))}
        measured = pd.DataFrame(parts)
    runs = cells[cells["seeds"] > 0].groupby("row")[["seeds", "minutes"]].max().reindex(measured.index)
    runs = runs.assign(seeds=runs["seeds"].fillna(0).astype(int), minutes=runs["minutes"].round(1))
    for column, name in zip(("seeds", "minutes"), ("seeds", "minutes a run")):
        measured[(name, "") if measured.columns.nlevels == 2 else name] = runs[column]
    return measured


def styled_table(cells: pd.DataFrame) -> Styler:
    """`wide_table` for a notebook: the best value of each column bold, rows that no run of ours measures grey."""
    wide = wide_table(cells)
    best = {}
    for column, group in cells.groupby("column", sort=False):
        for part in PARTS:
            if group[part].notna().any():
                place = (column, part) if wide.columns.nlevels == 2 else column
                best[place] = set(group.loc[group[part] == group[part].max(), "row"])
    grey = set(cells["row"]) - set(cells.loc[cells["measurable"], "row"])

    def style(column: pd.Series) -> list[str]:
        bold = best.get(column.name, ())
        return ["color: gray" if row in grey else "font-weight: bold" * (row in bold) for row in column.index]

    return wide.style.apply(style).format(na_rep="")


def _spread(cells: pd.DataFrame, texts: list[str]) -> pd.DataFrame:
    wide = cells.assign(text=texts).pivot(index="row", columns="column", values="text")
    return wide.loc[cells["row"].unique(), cells["column"].unique()].rename_axis(index=None, columns=None)


def _measured_text(cell) -> str:
    if pd.isna(cell.measured):
        return "not yet measured" if cell.measurable else ""
    return f"{cell.measured:.1f}" if pd.isna(cell.high) else f"{cell.measured:.1f} ± {cell.high - cell.measured:.1f}"
