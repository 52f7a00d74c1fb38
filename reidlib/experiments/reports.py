"""Markdown from records: the tables of README.md and of `figures/<paper>/report.md`.

Such a page is written by hand but for what stands between `<!-- KIND PAPER -->` or `<!-- KIND PAPER, TABLE -->` and
`<!-- end -->`. The kinds are "table", "ledger" (of claims) and, within a line, "worlds" (how many rows are of former
worlds), "state" (how much of a paper is measured) and "verdicts" (how many of its claims hold).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from reidlib import plots
from reidlib.experiments.claims import claims
from reidlib.experiments.papers import find_paper, list_papers, rows_of
from reidlib.experiments.records import FIGURES
from reidlib.experiments.summary import summary, wide_ledger
from reidlib.experiments.tables import half_table, table, table_names, wide_table, world_note

PLACE = re.compile(r"<!-- (?P<kind>\w+) (?P<paper>\w+)(?:, (?P<table>.+?))? -->(?:(?!<!--).)*<!-- end -->", re.S)
NUMERIC = r"|[+−]?[\d.]+( [±(].*)?|not yet measured"  # the cells of columns that stand at the right
CONTROL = "control"  # the source of claims that are ours
COUNTED = {  # verdict -> what is said of any number of claims of that verdict
    "replicates": "replicating",
    "contradicted": "contradicted",
    "leaning": "leaning one way",
    "inconclusive": "undecided",
    "not yet measured": "not yet measured",
}


def write_reports(root: Path, figures: Path = FIGURES) -> Iterator[Path]:
    """Bring README.md in the folder `root`, and every paper's report, up to date; gives the files that changed. Where a
    paper has records, a report that is missing is begun, and tables that it leaves out are put at its end, but those of
    half the training right behind the table that they belong to.

    Of papers that name their main claims, a plot of these is drawn as `main-claims.png` beside the report.
    """
    pages = {root / "README.md": (root / "README.md").read_text(encoding="utf-8")}
    for paper in measured_papers(figures):
        path = figures / paper / "report.md"
        pages[path] = _complete(path.read_text(encoding="utf-8") if path.exists() else "", paper)
        if main := find_paper(paper).main_claims:
            ledger = claims(paper, figures).set_index("claim", drop=False)
            figure = plots.claim_intervals(ledger.loc[list(main)])
            plots.save(figure, figures / paper / "main-claims.png")
            plt.close(figure)
    for path in sorted(figures.glob("*/report.md")):  # those of papers without records as well
        pages.setdefault(path, path.read_text(encoding="utf-8"))
    for path, text in pages.items():
        text = filled(text, figures)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            yield path


def measured_papers(figures: Path = FIGURES) -> list[str]:
    """The papers that have records."""
    return [paper for paper in list_papers() if any((figures / paper / "records").rglob("*.json"))]


def filled(text: str, figures: Path = FIGURES) -> str:
    """A page with all marked places as the records have them. ValueError for a kind, paper or table that is unknown,
    and for a place without an end."""
    if (found := len(PLACE.findall(text))) * 2 != text.count("<!--"):
        raise ValueError(f"{found} places with an end in a page with {text.count('<!--')} marks: one is not closed")

    def place(match: re.Match) -> str:
        kind, paper, name = match["kind"], match["paper"], match["table"]
        if kind == "table":
            content = f"\n{markdown(wide_table(table(paper, name, figures=figures)))}\n"
        elif kind in KINDS and not name:
            content = KINDS[kind](paper, figures)
        else:
            raise ValueError(f"{match[0].partition('-->')[0]}-->: expected `table PAPER, TABLE` or one of {[*KINDS]}")
        return f"{match[0].partition('-->')[0]}-->{content}<!-- end -->"

    return PLACE.sub(place, text)


def markdown(frame: pd.DataFrame) -> str:
    """A table of texts as Markdown, its index first; two levels of columns are joined, and empty columns left out."""
    columns = {" ".join(filter(None, c)) if isinstance(c, tuple) else c: frame[c].fillna("").astype(str) for c in frame}
    columns = {name: texts for name, texts in columns.items() if (texts != "").any()}
    numeric = [texts.str.fullmatch(NUMERIC).all() for texts in columns.values()]
    lines = [["", *columns], ["---", *("---:" if right else "---" for right in numeric)]]
    lines += [[str(label), *(texts.iloc[i] for texts in columns.values())] for i, label in enumerate(frame.index)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _ledger(paper: str, figures: Path) -> str:
    """What the ledger says in sum, then all claims with verdicts: differences are left minus right, with their
    intervals."""
    ledger = claims(paper, figures)
    return f"\n{summary(ledger)}\n\n{markdown(wide_ledger(ledger).set_index('claim'))}\n"


def _worlds(paper: str, figures: Path) -> str:
    """`world_note` of all tables of a paper."""
    tables = [table(paper, name, figures=figures) for name in table_names(paper)]
    cells = pd.concat([t.assign(row=t["table"] + ": " + t["row"]) for t in tables])
    note = world_note(cells)
    return f"Of {paper}, {note}" if note else ""


def _state(paper: str, figures: Path) -> str:
    """How many rows of the paper's own tables are measured, and under how many seeds; of all of its tables if it has
    none of its own."""
    if not rows_of(paper):
        return "planned"
    tables = find_paper(paper).reported or table_names(paper)
    cells = pd.concat([table(paper, name, figures=figures) for name in tables])
    rows = cells[cells["measurable"]].groupby(["table", "row"])["seeds"].max()
    measured = rows[rows > 0]
    if measured.empty:
        return "written, not yet measured"
    fewest, most = int(measured.min()), int(measured.max())
    seeds = f"{fewest} to {most} seeds" if fewest < most else "one seed" if most == 1 else f"{most} seeds"
    return f"{len(measured)} of {len(rows)} rows measured, under {seeds}"


def _verdicts(paper: str, figures: Path) -> str:
    """How many claims of the paper have which verdict; our own controls are not counted."""
    ledger = claims(paper, figures)
    counts = ledger.loc[ledger["source"] != CONTROL, "verdict"].value_counts()
    texts = [f"{counts[verdict]} {words}" for verdict, words in COUNTED.items() if verdict in counts]
    return f"of {counts.sum()} claims, {', '.join(texts)}"


KINDS = {"ledger": _ledger, "worlds": _worlds, "state": _state, "verdicts": _verdicts}


def _complete(report: str, paper: str) -> str:
    """A report with a place for every table of the paper, and for its claims if it has any."""
    report = report or f"# What was measured of {paper}\n\n<!-- worlds {paper} --><!-- end -->\n"
    names = table_names(paper)
    halves = {half_table(name): name for name in names if half_table(name) in names}
    places = {name: f"<!-- table {paper}, {name} -->" for name in names}
    for name, place in places.items():
        if place in report:
            continue
        if name in halves:
            end = report.index("<!-- end -->", report.index(places[halves[name]])) + len("<!-- end -->\n")
            report = f"{report[:end]}\n### Table {name}\n\n{place}\n<!-- end -->\n{report[end:]}"
        else:
            report += f"\n## Table {name}\n\n{place}\n<!-- end -->\n"
    ledger = f"<!-- ledger {paper} -->"
    if find_paper(paper).claims and ledger not in report:
        report += f"\n## The ledger of claims\n\n{ledger}\n<!-- end -->\n"
    return report
