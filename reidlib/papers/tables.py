"""Tables from records: every cell with its interval over seeds, in percent."""

from pathlib import Path

import pandas as pd

from reidlib.evaluation.statistics import mean_interval
from reidlib.papers.records import FIGURES
from reidlib.papers.runs import paper_module, records_of

SCORES = ("rank-1", "rank-5", "rank-20", "mAP", "mINP")


def table_names(paper: str, scale: str = "mini") -> list[str]:
    """The tables of a paper, in its order. ValueError for a name that is no paper's."""
    return list(dict.fromkeys(row.table for row in paper_module(paper).rows(scale)))


def table(paper: str, name: str, scale: str = "mini", figures: Path = FIGURES) -> pd.DataFrame:
    """A table in tidy form, one line for every cell, from the records.

    Columns: paper, table, row, column; reported (percent, NaN where the paper has no number); measured, low, high (mean
    over seeds and its 95 % t interval in percent, NaN where nothing was measured; one seed has no interval); seeds;
    minutes (a run's mean training and evaluation time). The column of a score outside the first set-up carries the
    set-up's name ("mixing mAP"). scale: "mini" or "paper". ValueError for an unknown paper or table.
    """
    rows = [row for row in paper_module(paper).rows(scale) if row.table == name]
    if not rows:
        raise ValueError(f"{paper} has no table {name!r}; known: {', '.join(table_names(paper, scale))}")
    cells = []
    for row in rows:
        records = records_of(paper, row, figures)
        minutes = sum(record.minutes for record in records) / len(records) if records else None
        for setup in row.run.setups:
            for score in SCORES:
                column = score if setup == row.run.setups[0] else f"{setup} {score}"
                values = [100 * record.scores[setup][score] for record in records]
                numbers = (None, *_mean_low_high(values), len(values), minutes)
                cells.append((paper, name, row.label, column, *numbers))
    columns = ["paper", "table", "row", "column", "reported", "measured", "low", "high", "seeds", "minutes"]
    numbers = dict.fromkeys(["reported", "measured", "low", "high", "minutes"], float)
    return pd.DataFrame(cells, columns=columns).astype(numbers)


def _mean_low_high(values: list[float]) -> tuple[float | None, float | None, float | None]:
    if not values:
        return None, None, None
    interval = mean_interval(values)
    if interval.count == 1:
        return interval.estimate, None, None
    return interval.estimate, interval.low, interval.high


def wide_table(cells: pd.DataFrame) -> pd.DataFrame:
    """A table for reading: one line a row, cells as "mean ± half interval" in percent, with seeds and minutes a run."""
    text = cells.assign(cell=[_cell(c.measured, c.high) for c in cells.itertuples()])
    wide = text.pivot(index="row", columns="column", values="cell")
    wide = wide.loc[cells["row"].unique(), cells["column"].unique()]
    per_row = cells.groupby("row")[["seeds", "minutes"]].first()
    wide["seeds"] = per_row["seeds"]
    wide["minutes a run"] = per_row["minutes"].round(1)
    return wide.rename_axis(index=None, columns=None)


def _cell(measured: float, high: float) -> str:
    if pd.isna(measured):
        return "not yet measured"
    return f"{measured:.1f}" if pd.isna(high) else f"{measured:.1f} ± {high - measured:.1f}"
