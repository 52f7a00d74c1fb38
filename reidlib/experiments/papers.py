"""Papers by name: what each measures and claims, and rows of your own beside them."""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reidlib.experiments.evaluations import columns_of
from reidlib.experiments.run import Row

if TYPE_CHECKING:
    import pandas as pd

    from reidlib.experiments.statements import Claim

ROOM = "reidlib.papers"  # the package whose folders are papers; nothing else is known of it here


@dataclass(frozen=True)
class Paper:
    """A paper: its rows at a scale ("mini" or "paper"), None while it is planned; the numbers that it reports, table by
    table, in its order; what it claims; and the texts of the few claims that matter most, which are plotted for the
    README."""

    name: str
    rows: Callable[[str], Sequence[Row]] | None = None
    reported: Mapping[str, "pd.DataFrame"] | None = None
    claims: Sequence["Claim"] = ()
    main_claims: Sequence[str] = ()


_ADDED: dict[str, Paper] = {}  # papers of your own
_ROWS: dict[str, list[tuple[str, Row]]] = {}  # rows of your own: paper -> (scale, row)


def register_paper(paper: Paper) -> None:
    """Make a paper of your own known. ValueError for a name that is taken."""
    if paper.name in importlib.import_module(ROOM).PAPERS:
        raise ValueError(f"a paper is called {paper.name!r} already; choose another name")
    _ADDED[paper.name] = paper


def add_rows(paper: str, rows: Iterable[Row], scale: str = "mini") -> None:
    """Put rows of your own at the end of a paper's tables. A row that is there already, the same in everything, is left
    as it is. Another row of a label that a table has replaces nothing: ValueError, and no row is added."""
    known = rows_of(paper, scale)
    added = []
    for row in rows:
        if row in known or row in added:
            continue
        if any(_cells(row) & _cells(other) for other in known + added):
            raise ValueError(f"{paper}, table {row.table} has a row {row.label!r} already; choose another label")
        added.append(row)
    _ROWS.setdefault(paper, []).extend((scale, row) for row in added)


def _cells(row: Row) -> set[tuple[str, str, str]]:
    """Table, label and column of all that the row shows."""
    return {(row.table, row.label, column) for column in row.columns or columns_of(row.run)}


def list_papers() -> tuple[str, ...]:
    """The names of all papers, planned ones included."""
    return (*importlib.import_module(ROOM).PAPERS, *_ADDED)


def find_paper(name: str) -> Paper:
    """The paper of this name, with the rows that were added to it. ValueError for no paper's name."""
    if name not in (known := list_papers()):
        raise ValueError(f"no paper is called {name!r}; known: {', '.join(known)}")
    paper = _ADDED.get(name) or importlib.import_module(ROOM).load(name)
    if not (added := _ROWS.get(name)):
        return paper

    def rows(scale: str) -> list[Row]:
        return [*(paper.rows(scale) if paper.rows else ()), *(row for at, row in added if at == scale)]

    return replace(paper, rows=rows)


def rows_of(paper: str, scale: str = "mini") -> list[Row]:
    """The rows of a paper's tables that can be run at a scale, "mini" or "paper". ValueError for no paper's name."""
    rows = find_paper(paper).rows
    return list(rows(scale)) if rows else []
