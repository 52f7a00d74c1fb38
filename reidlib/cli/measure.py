"""The verb that measures: `reproduce`."""

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from reidlib.cli import options

if TYPE_CHECKING:
    from reidlib.experiments import Row
    from reidlib.experiments.records import Record

SHOWN = 6  # scores of a run that are printed when it is done


def add_verbs(verb) -> None:
    """Add the verb with its options."""
    add = verb("reproduce", _reproduce, "Measure the runs of a paper's tables that have no record yet.").add_argument
    add("paper", help="The name of a paper, such as baseline.")
    add("--table", help="Measure this table alone; `tables` shows the names.")
    add("--rows", nargs="+", metavar="LABEL", help="Measure these rows alone.")
    add("--seeds", type=options.positive, metavar="K", help="Measure K seeds of each row at most.")
    add(
        "--scale",
        choices=("mini", "paper"),
        default="mini",
        help="mini takes rendered data, paper the published setting.",
    )
    add("--fresh", action="store_true", help="Measure again, from scratch, what has a record.")
    add(
        "--data",
        action="append",
        default=[],
        type=options.named_folder,
        metavar="NAME=DIR",
        help="Say where recorded data lie. May be given several times.",
    )
    add(
        "--weights",
        type=options.file,
        metavar="FILE",
        help="Take this file (torchvision's .pth) in place of the ImageNet weights that would be downloaded.",
    )
    add(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="Write ranked lists of each measured run into this folder, which lies outside the repository.",
    )
    options.add_figures(add, written=True)
    options.add_files(add)


def _reproduce(chosen: argparse.Namespace) -> None:
    import torch

    from reidlib.experiments import rows_of
    from reidlib.experiments.papers import find_paper
    from reidlib.experiments.sources import RENDERED
    from reidlib.experiments.tables import table_names
    from reidlib.training import CheckpointError

    options.run_files(chosen.files)
    if find_paper(chosen.paper).rows is None:
        reported = ", ".join(table_names(chosen.paper, chosen.scale))
        print(
            f"{chosen.paper} is planned, not written yet: there is nothing to measure. What it reports is shown by "
            f"`python -m reidlib tables {chosen.paper}` ({reported})"
        )
        return
    if chosen.pictures:
        options.outside_the_repository("--pictures", chosen.pictures)
    rows, roots = rows_of(chosen.paper, chosen.scale), dict(chosen.data)
    sources = set().union(*(row.run.sources for row in rows)) - {*RENDERED}
    _check(chosen.paper, "table", [chosen.table] if chosen.table else [], {row.table for row in rows})
    rows = [row for row in rows if chosen.table in (None, row.table)]
    _check(chosen.paper, "row", chosen.rows or [], {row.label for row in rows})
    rows = [row for row in rows if not chosen.rows or row.label in chosen.rows]
    _check(chosen.paper, "data", roots, sources)
    if chosen.weights and not any(_takes_weights(row.run) for row in rows):
        raise ValueError(f"--weights {chosen.weights}: none of these rows starts from ImageNet weights; leave it out")
    if not torch.cuda.is_available():
        torch.set_num_threads(1)  # two processes of one thread are faster than one of two
    ready = _with_data_at_hand(rows, {*RENDERED, *roots})
    try:
        done = _measure(chosen, ready, roots)
    except CheckpointError as error:
        raise ValueError(str(error)) from error
    finally:
        if torch.distributed.is_initialized():  # under `accelerate launch`
            torch.distributed.destroy_process_group()
    rest = "everything asked for" if len(ready) == len(rows) else "everything that is not left out"
    print(f"{done} runs measured; {rest} has a record" if ready else "nothing to measure")


def _check(paper: str, what: str, named: Collection[str], known: Collection[str]) -> None:
    if unknown := {*named} - {*known}:
        raise ValueError(f"{paper} has no {what} {sorted(unknown)}; known: {sorted(known)}")


def _takes_weights(run) -> bool:
    """Whether the run's network, or that of one of its parts, starts from ImageNet weights."""
    return run.model_options.get("weights") == "imagenet" or any(_takes_weights(part.run) for part in run.parts)


def _with_data_at_hand(rows: "list[Row]", at_hand: set[str]) -> "list[Row]":
    """The rows of which all data are at hand, those of their parts too; says what the others need."""
    left_out: dict[tuple[str, ...], int] = {}
    for row in rows:
        if missing := tuple(sorted(row.run.sources - at_hand)):
            left_out[missing] = left_out.get(missing, 0) + 1
    for missing, count in sorted(left_out.items()):
        places = " ".join(f"--data {name}=DIR" for name in missing)
        print(
            f"left out {count} of {len(rows)} rows, whose recorded data are not at hand: say where they lie with "
            f"{places}"
        )
    return [row for row in rows if row.run.sources <= at_hand]


def _measure(chosen: argparse.Namespace, rows: "list[Row]", roots: dict[str, Path]) -> int:
    """Measure what is missing, and print a line for each record; gives how many there are."""
    from tqdm import tqdm

    from reidlib.experiments import reproduce
    from reidlib.experiments.train import Resources

    return reproduce(
        chosen.paper,
        rows,
        chosen.seeds,
        Resources(roots, chosen.weights),
        fresh=chosen.fresh,
        pictures=chosen.pictures,
        figures=chosen.figures,
        report=lambda row, record: tqdm.write(_said(row, record)),
    )


def _said(row: "Row", record: "Record") -> str:
    """A record in one line: the first scores of the table's columns, in their units."""
    from reidlib.experiments.evaluations import columns_of
    from reidlib.experiments.tables import FRACTION, decimals, seed_scores, unit_of

    texts = []
    for column, place in (row.columns or columns_of(row.run)).items():
        unit = unit_of([record], place)
        values = seed_scores([record], place).values()
        digits = decimals(unit, values)
        texts += [f"{column} {value:.{digits}f} {'%' if unit == FRACTION else unit}" for value in values]
    scores = ", ".join(texts[:SHOWN]) or "no scores in the table's columns"
    return f"{row.table} · {row.label} · seed {record.seed}: {scores}; {record.minutes:.1f} min"
