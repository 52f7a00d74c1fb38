"""The verbs that say what the records say: `tables`, `claims` and `report`."""

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reidlib.cli import options

if TYPE_CHECKING:
    import pandas as pd

TABLES_READ = "Percent where no other unit is named; measured: mean ± half of the 95 % interval over seeds."
CLAIMS_READ = (
    "Differences are means over seeds with their intervals, 95 % (90 % where two are said to be the same). Holm: the "
    "verdict that is left if all verdicts on primary claims are to hold together. Robust: the same verdict after half "
    "the training."
)
LEDGER_WIDTH = 100


def add_verbs(verb) -> None:
    """Add the verbs with their options."""
    add = verb("tables", _tables, "Show a paper's tables from the records.").add_argument
    add("paper", nargs="?", default="baseline", help="The name of a paper; baseline without one.")
    add("--table", help="Show this table alone.")
    add("--scale", choices=("mini", "paper"), default="mini", help="As in `reproduce`.")
    add("--json", action="store_true", help="Print one object for every cell.")
    options.add_figures(add)
    options.add_files(add)

    add = verb("claims", _claims, "Show what a paper claims and what the records say of it.").add_argument
    add("paper", help="The name of a paper.")
    add("--all", action="store_true", help="Show all claims, the primary ones first; without it, these alone.")
    add("--json", action="store_true", help="Print one object for every claim.")
    options.add_figures(add)
    options.add_files(add)

    verb("report", _report, "Write the tables of README.md and figures/*/report.md from the records.")


def _tables(chosen: argparse.Namespace) -> None:
    import pandas as pd

    from reidlib.cli.text import paragraph, text_table
    from reidlib.experiments import table, table_names, wide_table
    from reidlib.experiments.tables import FRACTION, world_note

    options.run_files(chosen.files)
    names = [chosen.table] if chosen.table else table_names(chosen.paper, chosen.scale)
    cells = {name: table(chosen.paper, name, chosen.scale, chosen.figures) for name in names}
    if chosen.json:
        for frame in cells.values():
            _print_objects(frame.drop(columns=["minutes", "measurable"]))
        return
    if not cells:
        print(f"{chosen.paper} has no tables at scale {chosen.scale}")
        return
    print(TABLES_READ)
    for name, frame in cells.items():
        other = frame[~frame["unit"].isin(["", FRACTION])].drop_duplicates("column")
        units = (f"; {', '.join(columns)} in {unit}" for unit, columns in other.groupby("unit", sort=False)["column"])
        title = paragraph(f"{chosen.paper}, {name}{''.join(units)}")
        print(f"\n{title}\n{text_table(wide_table(frame))}")
    if note := world_note(pd.concat(cells.values())):
        print(f"\n{paragraph(note)}")


def _claims(chosen: argparse.Namespace) -> None:
    from reidlib.cli.text import paragraph
    from reidlib.experiments import claims
    from reidlib.experiments.summary import summary
    from reidlib.experiments.tables import world_note

    options.run_files(chosen.files)
    ledger = claims(chosen.paper, chosen.figures)
    if chosen.json:
        _print_objects(ledger)
        return
    if ledger.empty:
        print(f"{chosen.paper}: no claims are written yet")
        return
    collapsed = ledger["collapsed"].notna().sum()
    notes = [f"{chosen.paper}, judged on rendered people: {summary(ledger)}", world_note(ledger, "claim"), CLAIMS_READ]
    if collapsed:
        notes.insert(1, f"{collapsed} claims mean little, because networks of theirs have collapsed.")
    for note in filter(None, notes):
        print(paragraph(note, width=LEDGER_WIDTH))
    primary, rest = ledger[ledger["primary"]], ledger[~ledger["primary"]]
    hidden = len(rest) if len(primary) and not chosen.all else 0
    for what, part in (("primary", primary), ("not primary", rest[hidden:])):
        for name, group in part.groupby("table", sort=False):
            print(f"\ntable {name}, {what}")
            for claim in group.itertuples():
                print("\n".join(_judged(claim)))
    if hidden:
        print(f"\n{hidden} claims that are not primary are shown with --all.")


def _judged(claim) -> Iterator[str]:
    """A line of the ledger as lines of text: verdict, difference with interval and claim, then all else."""
    from reidlib.cli.text import paragraph
    from reidlib.experiments.tables import decimals

    digits = decimals(claim.unit, (claim.difference, claim.low, claim.high))
    difference = "" if claim.difference != claim.difference else f"{claim.difference:+.{digits}f}"
    if claim.low == claim.low:
        difference += f" [{claim.low:+.{digits}f}, {claim.high:+.{digits}f}]"
    start = f"  {claim.verdict:<17}{difference:<22}"
    yield paragraph(f"{start}{claim.claim}", len(start), LEDGER_WIDTH)
    yield paragraph(f"    {'; '.join(_details(claim))}", 4, LEDGER_WIDTH)


def _details(claim) -> Iterator[str]:
    """What is said of a claim beside its verdict, piece by piece."""
    from reidlib.experiments.tables import POINTS, decimals

    digits = decimals(claim.unit, (claim.half_difference, claim.detectable))
    if claim.seeds:
        yield f"{claim.seeds} seed{'s' * (claim.seeds != 1)}" + f", in {claim.unit}" * (claim.unit != POINTS)
    if isinstance(claim.collapsed, str):
        yield f"COLLAPSED: {claim.collapsed}"
    if isinstance(claim.holm, str):
        yield f"Holm: {claim.holm}"
    if isinstance(claim.half_verdict, str):
        difference = f" {claim.half_difference:+.{digits}f}" if claim.half_difference == claim.half_difference else ""
        yield f"half the training: {claim.half_verdict}{difference}"
    if claim.robust is not None:
        yield "robust" if claim.robust else "not robust"
    if claim.kind == "same":
        yield f"the same within {claim.margin:g}"
    if claim.detectable == claim.detectable:
        yield f"detectable {claim.detectable:.{digits}f}"
    if claim.reported == claim.reported:
        yield f"reported {claim.reported:+.1f}"
    yield f"source: {claim.source}"
    yield from (text for text in (claim.control, claim.note) if isinstance(text, str))


def _report(chosen: argparse.Namespace) -> None:
    from reidlib.experiments.reports import write_reports

    for path in write_reports(options.ROOT):
        print(f"wrote {path.relative_to(options.ROOT)}")


def _print_objects(frame: "pd.DataFrame") -> None:
    """One JSON object a line; NaN becomes null."""
    for line in frame.to_dict("records"):
        print(json.dumps({key: None if value != value else value for key, value in line.items()}))
