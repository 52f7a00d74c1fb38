"""Tables from records: every cell with its interval over seeds, in percent."""

from pathlib import Path

import pandas as pd

from reidlib.evaluation.statistics import mean_interval
from reidlib.papers.records import FIGURES
from reidlib.papers.runs import paper_module, records_of

SCORES = ("rank-1", "rank-5", "rank-20", "mAP", "mINP")


def table_names(paper: str) -> list[str]:
    """The tables of a paper, in its order."""
    return list(dict.fromkeys(row.table for row in paper_module(paper).rows("mini")))


def table(paper: str, name: str, figures: Path = FIGURES) -> pd.DataFrame:
    """A table in tidy form, one line for every cell, from the committed records.

    Columns: paper, table, row, column, reported (None where the paper has no number), measured, low, high (mean over
    seeds and its 95 % t interval, percent; None where nothing was measured, an unbounded interval for one seed), seeds,
    minutes (a run's mean training and evaluation time). The column of a score outside the first set-up carries the
    set-up's name ("mixing mAP"). ValueError for an unknown table.
    """
    rows = [row for row in paper_module(paper).rows("mini") if row.table == name]
    if not rows:
        raise ValueError(f"{paper} has no table {name!r}; known: {', '.join(table_names(paper))}")
    cells = []
    for row in rows:
        records = records_of(paper, row, figures)
        for setup in row.run.setups:
            for score in SCORES:
                column = score if setup == row.run.setups[0] else f"{setup} {score}"
                cell = {"paper": paper, "table": name, "row": row.label, "column": column, "reported": None}
                values = [100 * record.scores[setup][score] for record in records]
                interval = mean_interval(values) if values else None
                cell["measured"] = interval and interval.estimate
                cell["low"] = interval and interval.low
                cell["high"] = interval and interval.high
                cell["seeds"] = len(values)
                cell["minutes"] = sum(record.minutes for record in records) / len(records) if records else None
                cells.append(cell)
    return pd.DataFrame(cells)


def wide_table(cells: pd.DataFrame) -> pd.DataFrame:
    """The same for reading: one line a row, cells as "mean ± half interval", with seeds and minutes a run."""
    text = cells.assign(
        cell=[
            "not yet measured" if pd.isna(c.measured) else f"{c.measured:.1f} ± {(c.high - c.low) / 2:.1f}"
            for c in cells.itertuples()
        ]
    )
    wide = text.pivot(index="row", columns="column", values="cell")
    wide = wide.loc[cells["row"].unique(), cells["column"].unique()]
    per_row = cells.groupby("row")[["seeds", "minutes"]].first()
    wide["seeds"] = per_row["seeds"]
    wide["minutes a run"] = per_row["minutes"].round(1)
    return wide.rename_axis(index=None, columns=None)
