"""Tables from records: what a paper reports beside what was measured here, every cell with its interval over seeds."""

from collections.abc import Iterable
from math import floor, log10
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from reidlib.data.walkers import RENDERER
from reidlib.evaluation.statistics import mean_interval
from reidlib.experiments.evaluations import columns_of
from reidlib.experiments.papers import find_paper, rows_of
from reidlib.experiments.records import FIGURES, Record, best_records, most_frequent_renderer, records_by_renderer

PARTS = ("reported", "measured")
FEWEST = 3  # seeds whose interval is shown
FRACTION = "percent"  # the unit in which fractions are shown
POINTS = "points"  # the unit of differences of percentages
HALF = ", half the training"


def half_table(name: str) -> str:
    """What the table is called whose rows have the same labels and are trained half as long."""
    return name + HALF


def table_names(paper: str, scale: str = "mini") -> list[str]:
    """The tables of a paper, its own first, in its order, each with its `half_table` right after it. ValueError for a
    name that is no paper's."""
    theirs = find_paper(paper).reported or {}
    names = dict.fromkeys([*theirs, *(row.table for row in rows_of(paper, scale))])
    pairs = [(name, half_table(name)) for name in names]
    halves = {half for _, half in pairs} & names.keys()
    return [name for pair in pairs if pair[0] not in halves for name in pair if name in names]


def table(paper: str, name: str, scale: str = "mini", figures: Path = FIGURES) -> pd.DataFrame:
    """A table in tidy form, one line for every cell, from the records; the paper's own rows and columns come first.

    Columns: paper, table, row, column; reported (in the paper's unit, percent unless the column names another; NaN
    where the paper has no number); measured, low, high (mean over seeds and its 95 % t interval, NaN where nothing was
    measured; one seed has no interval); unit (of the measured ones: "percent", "dB", …); seeds; collapsed (under how
    many of them the network tells hardly anybody apart); minutes (a run's mean training and evaluation time, its parts
    included); renderer (the version that drew the worlds, 0 for recorded data or none); measurable (a run of ours
    measures it, or will).
    scale: "mini" or "paper". ValueError for an unknown paper or table.
    """
    if name not in (known := table_names(paper, scale)):
        raise ValueError(f"{paper} has no table {name!r}; known: {', '.join(known) or 'none'}")
    reported, ours = reported_numbers(paper, name), [row for row in rows_of(paper, scale) if row.table == name]
    nothing = dict.fromkeys(("measured", "low", "high", "minutes")) | {
        "unit": "",
        "seeds": 0,
        "collapsed": 0,
        "renderer": 0,
    }
    measured = {}
    versions = [records_by_renderer(paper, row, figures) for row in ours]
    usual = most_frequent_renderer(versions)
    for row, by_renderer in zip(ours, versions):
        records = best_records(by_renderer, usual)
        of_run = {"minutes": sum(r.minutes for r in records) / len(records) if records else None}
        of_run |= {
            "collapsed": sum(r.collapsed for r in records),
            "renderer": max([r.renderer for r in records], default=0),
        }
        for column, place in (row.columns or columns_of(row.run)).items():
            values, unit = seed_scores(records, place), unit_of(records, place)
            found = {**_mean_low_high(list(values.values())), "unit": unit, "seeds": len(values)}
            measured[row.label, column] = nothing | of_run | found
    labels = dict.fromkeys([*reported.index, *(label for label, _ in measured)])
    columns = dict.fromkeys([*reported.columns, *(column for _, column in measured)])
    cells = [
        {
            **{"paper": paper, "table": name, "row": label, "column": column},
            "reported": reported[column].get(label) if column in reported else None,
            **measured.get((label, column), nothing),
            "measurable": (label, column) in measured,
        }
        for label in labels
        for column in columns
    ]
    numbers = ["reported", "measured", "low", "high"]
    names = [
        "paper",
        "table",
        "row",
        "column",
        *numbers,
        "unit",
        "seeds",
        "collapsed",
        "minutes",
        "renderer",
        "measurable",
    ]
    return pd.DataFrame(cells, columns=names).astype(dict.fromkeys([*numbers, "minutes"], float))


def reported_numbers(paper: str, name: str) -> pd.DataFrame:
    """What the paper itself reports in a table; empty for tables and papers of our own."""
    return (find_paper(paper).reported or {}).get(name, pd.DataFrame())


def seed_scores(records: list[Record], place: tuple[str, str]) -> dict[int, float]:
    """{seed: score} of the records that have it, fractions in percent; place: (group, score)."""
    group, score = place
    factor = 100 if unit_of(records, place) == FRACTION else 1
    return {r.seed: factor * r.scores[group][score] for r in records if score in r.scores.get(group, ())}


def unit_of(records: list[Record], place: tuple[str, str]) -> str:
    """In which unit the scores of a place are shown."""
    return next((unit for record in records if (unit := record.units.get(place[1]))), FRACTION)


def world_note(cells: pd.DataFrame, what: str = "row") -> str:
    """One sentence where rows were measured in worlds that the renderer draws differently today, else "".

    cells: of one table or several; or a ledger of claims, of which `what` is "claim".
    """
    done = cells[cells["seeds"] > 0]
    former = done[(done["renderer"] > 0) & (done["renderer"] != RENDERER)]
    if former.empty:
        return ""
    count, every = (len(lines.drop_duplicates(["table", what])) for lines in (former, done))
    versions = ", ".join(map(str, sorted(former["renderer"].unique())))
    return (
        f"{count} of {every} measured {what}s are of worlds as version {versions} of the renderer drew them; version "
        f"{RENDERER} draws the same people with other pixels, so these {what}s cannot be measured again exactly, and "
        "they are compared with each other only."
    )


def decimals(unit: str, values: Iterable[float]) -> int:
    """How many decimals numbers are shown with: one for percentages and their differences, and for those in other units
    so many that the largest has three digits, one to three of them. NaN does not count."""
    largest = max((abs(value) for value in values if not pd.isna(value)), default=0)
    if unit in ("", FRACTION, POINTS) or not largest:
        return 1
    return min(max(2 - floor(log10(largest)), 1), 3)


def _mean_low_high(values: list[float]) -> dict[str, float | None]:
    if not values:
        return {}
    interval = mean_interval(values)
    bounds = {"low": interval.low, "high": interval.high} if interval.count > 1 else {}
    return {"measured": interval.estimate, **bounds}


def wide_table(cells: pd.DataFrame) -> pd.DataFrame:
    """A table for reading: one line a row, cells as "mean ± half interval" (of `FEWEST` seeds or more: two give one of
    thirteen standard errors either way), with seeds and minutes a run.

    If the paper reports numbers, each column has two parts, "reported" (on the paper's data) and "measured" (on the
    rendered data). Empty cells are those that the paper leaves out, or that no run of ours measures. A row whose
    network has collapsed under some seed says so; the renderer's version is shown where rows of several stand together.
    """
    shown = {name: decimals(group["unit"].max(), group["measured"]) for name, group in cells.groupby("column")}
    measured = _spread(cells, [_measured_text(c, shown[c.column]) for c in cells.itertuples()])
    if cells["reported"].notna().any():
        reported = _spread(cells, ["" if pd.isna(c.reported) else f"{c.reported:g}" for c in cells.itertuples()])
        parts = {(c, part): frame[c] for c in measured for part, frame in zip(PARTS, (reported, measured))}
        measured = pd.DataFrame(parts)
    done = cells[cells["seeds"] > 0]
    runs = done.groupby("row")[["seeds", "minutes", "renderer", "collapsed"]].max().reindex(measured.index)
    texts = {
        "seeds": [f"{n:.0f}" if n > 0 else "" for n in runs["seeds"]],
        "minutes a run": [f"{m:.1f}" if m >= 0 else "" for m in runs["minutes"]],
    }
    if done.loc[done["renderer"] > 0, "renderer"].nunique() > 1:
        texts["renderer"] = [f"{n:.0f}" if n > 0 else "" for n in runs["renderer"]]
    if (runs["collapsed"] > 0).any():
        texts["collapsed"] = [f"{n:.0f} of {s:.0f}" if n > 0 else "" for n, s in zip(runs["collapsed"], runs["seeds"])]
    for name, values in texts.items():
        measured[(name, "") if measured.columns.nlevels == 2 else name] = values
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


def _measured_text(cell, digits: int) -> str:
    if pd.isna(cell.measured):
        return "not yet measured" if cell.measurable else ""
    spread = f" ± {cell.high - cell.measured:.{digits}f}" if cell.seeds >= FEWEST else ""
    return f"{cell.measured:.{digits}f}{spread}"
