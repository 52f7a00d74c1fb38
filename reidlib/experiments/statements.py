"""What papers state of their tables, as sums of cells that are compared; `reidlib.experiments.claims` judges it.

A claim says that a sum of cells of one table is above another ("above"), that the two are the same within a margin
("same"), or that one cell is above each of several others ("best"). A sentence about several columns is a claim for
each of them, one of which is primary: the headline score, or the condition that the sentence is about.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Cell = tuple[str, str]  # row, column


@dataclass(frozen=True)
class Claim:
    """What a paper says of one of its tables: the sum of the cells on the `left` is above that on the `right`.

    source: where it says so. kind: see above; for "best", every cell on the right stands alone. margin: within which
    two scores are the same, in the unit of the cells, points for percentages; "same" needs one, which the number of
    seeds can resolve. control: the row of the same table that keeps the parameters and removes the mechanism which the
    claim is about. note: what limits the verdict, such as "by construction" where it follows from a setting of the
    rendered data. primary: whether it is the one of its sentence that the paper is judged by, see
    `reidlib.experiments.claims`. ValueError for a claim of sameness without a margin above 0, or a margin elsewhere.
    """

    text: str
    source: str
    table: str
    left: tuple[Cell, ...]
    right: tuple[Cell, ...]
    kind: Literal["above", "same", "best"] = "above"
    control: str = ""
    note: str = ""
    margin: float | None = None
    primary: bool = False

    def __post_init__(self):
        if self.kind == "same" and not (self.margin and self.margin > 0):
            raise ValueError(f"{self.text!r}: state the margin within which two scores are the same")
        if self.kind != "same" and self.margin is not None:
            raise ValueError(f"{self.text!r}: only claims of the kind 'same' have a margin; this is {self.kind!r}")


def above(text: str, source: str, table: str, row: str, other: str, column: str, **options) -> Claim:
    """The claim that one row is above another in one column."""
    return Claim(text, source, table, ((row, column),), ((other, column),), **options)


def above_each(
    columns: Iterable[str], text: str, source: str, table: str, row: str, other: str, primary: str = "", **options
) -> list[Claim]:
    """The same claim of one row above another for each of several columns, which its text names at the end; primary:
    the column of the claim that is primary, "" for none. ValueError if it is none of the columns."""
    return [
        above(f"{text}, {column}", source, table, row, other, column, primary=first, **options)
        for column, first in _marked(columns, primary)
    ]


def above_at_lengths(
    lengths: Iterable[int], text: str, source: str, table: str, row: str, other: str, column: str, **options
) -> list[Claim]:
    """The same claim for each of several lengths of training: of rows "NAME, 300 iterations", and the text says it."""
    return [
        above(
            f"after {length} iterations {text}, {column}",
            *(source, table, f"{row}, {length} iterations", f"{other}, {length} iterations", column),
            **options,
        )
        for length in lengths
    ]


def best_each(
    columns: Iterable[str],
    text: str,
    source: str,
    table: str,
    row: str,
    others: Iterable[str],
    primary: str = "",
    **options,
) -> list[Claim]:
    """The claim that a row is above each of several others, for each of several columns; primary: as in
    `above_each`."""
    others = tuple(others)
    return [
        Claim(
            f"{text}, {column}",
            *(source, table),
            ((row, column),),
            tuple((other, column) for other in others),
            kind="best",
            primary=first,
            **options,
        )
        for column, first in _marked(columns, primary)
    ]


def _marked(columns: Iterable[str], primary: str) -> list[tuple[str, bool]]:
    """Each column, and whether it is the primary one."""
    columns = list(columns)
    if primary and primary not in columns:
        raise ValueError(f"the primary column {primary!r} is none of {', '.join(columns)}")
    return [(column, column == primary) for column in columns]
