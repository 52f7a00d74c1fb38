"""What the five papers report: the numbers of their tables as data, one CSV file a table.

A file lies at `<paper>/<table>.csv` and keeps the paper's rows, columns and numbering. Typos in names are mended,
citations left out, switches spelt out ("a + ASRE + PMI"), two-level rows and columns joined ("Usual STA", "MARS
rank-1"); a top level that all columns share is the table's data set and not repeated. Numbers are as printed, in
percent unless the column names another unit. `tables.json` says in which order the tables come and what each shows.
AMEM's Table 1 names attributes and holds no numbers.

The papers:
seqmasks: Chang et al., "Seq-Masks: Bridging the gap between appearance and gait modeling for video-based person
    re-identification".
gaitmask: Lin et al., "Bag of Tricks and GaitMask Network for Gait Recognition".
amem: Li et al., "Appearance and Motion Enhancement for Video-Based Person Re-Identification", AAAI 2020.
asanet: Chai et al., "Video Person Re-identification using Attribute-enhanced Features".
sshsp: Wu and Liu, "Self-supervised human semantic parsing for video-based person re-identification", JUSTC 2022.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class TableNote:
    """What a table of a paper shows. `kind`: "scores", or "set-up" where nothing in it is measured by retrieval."""

    caption: str
    kind: str
    data: tuple[str, ...]
    protocol: str
    scores: str


@cache
def _notes() -> dict[str, dict[str, TableNote]]:
    papers = json.loads((FOLDER / "tables.json").read_text(encoding="utf-8"))
    return {
        paper: {name: TableNote(**note | {"data": tuple(note["data"])}) for name, note in tables.items()}
        for paper, tables in papers.items()
    }


def reported_papers() -> list[str]:
    """The papers' short names, in the order in which the project takes them."""
    return list(_notes())


def reported_tables(paper: str) -> list[str]:
    """The names of a paper's tables ("I", "3"), in its order. ValueError for an unknown paper."""
    return list(_tables(paper))


def table_note(paper: str, table: str) -> TableNote:
    """What a table shows, on which data and under which protocol. ValueError for an unknown paper or table."""
    tables = _tables(paper)
    if table not in tables:
        raise ValueError(f"no numbers are reported in a table {table!r} of {paper}; known: {', '.join(tables)}")
    return tables[table]


def reported_table(paper: str, table: str) -> pd.DataFrame:
    """A table as the paper prints it: a line for each row, indexed by its name, and a float column for each column.

    Percent unless the column names another unit; NaN where the paper leaves a cell empty. ValueError for an unknown
    paper or table.
    """
    table_note(paper, table)
    return pd.read_csv(FOLDER / paper / f"{table}.csv", index_col="row", encoding="utf-8").astype(float)


def reported(paper: str) -> dict[str, pd.DataFrame]:
    """All tables of a paper by name, in its order, as `reported_table` gives them."""
    return {table: reported_table(paper, table) for table in reported_tables(paper)}


def _tables(paper: str) -> dict[str, TableNote]:
    if paper not in _notes():
        raise ValueError(f"no reported numbers of a paper {paper!r}; known: {', '.join(reported_papers())}")
    return _notes()[paper]
