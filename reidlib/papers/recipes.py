"""How networks are trained at mini scale: one recipe a family, the search behind it, and the same at half length.

Every row of a family gets the same recipe but for rate and batch. A paper's main systems are searched one by one, on
training identities of worlds that no table shows, at half the length; Seq-Masks', whose street was searched first, also
with the two best rates at the whole length. Their variants and controls take what the system that they vary has. Each
paper's notebook says which systems were searched, and in what. The recipes' lengths are chosen by what the comparisons
of five papers can afford.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reidlib.experiments import FIGURES, Row, Run
from reidlib.experiments.records import records_of
from reidlib.experiments.tables import half_table

VALIDATION_SEED, VALIDATION_WORLDS = 1000, 2  # the first of the worlds that choices are made on, and how many
HALF_SEEDS = 6  # of rows at half length, at most
CHOSEN = ("learning_rate", "ids_per_batch", "clips_per_id")  # what the search chooses


@dataclass(frozen=True)
class Recipe:
    """What a family's runs are trained with, see `Run`. weights: what they start from, as in `scaled_resnet`.

    rates, batches: what the search tries, learning rates and pairs of P and K of as many clips each.
    """

    iterations: int
    learning_rate: float
    ids_per_batch: int
    clips_per_id: int
    num_frames: int
    crop: float = 1.0
    weights: str | None = None
    rates: Sequence[float] = ()
    batches: Sequence[tuple[int, int]] = ((16, 2), (8, 4))

    def fields(self) -> dict:
        """The arguments of `Run`, all but model and data."""
        same = ("iterations", *CHOSEN, "num_frames", "crop")
        options = {"model_options": {"weights": self.weights}} if self.weights else {}
        return {name: getattr(self, name) for name in same} | options


PRETRAINING = Recipe(2000, 3e-3, ids_per_batch=32, clips_per_id=4, num_frames=1)
APPEARANCE = Recipe(300, 3e-3, 16, 2, num_frames=4, crop=0.5, weights="walkers", rates=(1e-3, 3e-3, 1e-2))
GAIT = Recipe(600, 1e-3, 8, 4, num_frames=0, rates=(3e-4, 1e-3, 3e-3))
THREE_D = Recipe(300, 3e-3, 16, 2, num_frames=4, crop=0.5, weights="walkers", rates=(1e-3, 3e-3, 1e-2))


def on_validation(run: Run) -> Run:
    """The run, and its parts on the same data, on those data's training identities alone, a third of them to search."""
    parts = (replace(p, run=on_validation(p.run)) if p.run.data == run.data else p for p in run.parts)
    return replace(run, data=f"{run.data}_validation", parts=tuple(parts))


def as_chosen(run: Run, setting: tuple[float, int, int]) -> Run:
    """The run with the rate, P and K that the search has chosen; as it is at paper scale, where none is made."""
    return replace(run, **dict(zip(CHOSEN, setting))) if run.scale == "mini" else run


def half_as_long(run: Run) -> Run:
    """The run with half of its iterations, and its parts with half of theirs."""
    parts = tuple(replace(part, run=half_as_long(part.run)) for part in run.parts)
    return replace(run, iterations=run.iterations // 2, parts=parts)


def half_length(rows: Sequence[Row]) -> list[Row]:
    """The same rows at half length, in tables of their own and with six seeds at most: they say whether a verdict is
    robust. Nothing is kept of them but records."""
    kept = {"keep_features": False, "keep_network": False}
    return [
        replace(row, table=half_table(row.table), run=half_as_long(row.run), seeds=min(row.seeds, HALF_SEEDS), **kept)
        for row in rows
    ]


def search(table: str, label: str, run: Run, recipe: Recipe, **options) -> list[Row]:
    """The rows of the search for one run: each rate with each batch, half as long, in worlds that no table shows.

    A part keeps its own rate and batch. options: of `Row`.
    """
    base = on_validation(half_as_long(run))
    return [
        validation_row(
            table,
            f"{label}, rate {rate:g}, {p} × {k}",
            replace(base, learning_rate=rate, ids_per_batch=p, clips_per_id=k),
            **options,
        )
        for rate in recipe.rates
        for p, k in recipe.batches
    ]


def final(table: str, label: str, run: Run, settings: Sequence[tuple[float, int, int]], **options) -> list[Row]:
    """The rows of the search's second stage: what its first has left, rates with P and K, at the whole length, in the
    same worlds. The shorter a training is, the better a low rate may look.

    settings: the two best rates of the first stage, each with its better batch. options: of `Row`.
    """
    base = on_validation(run)
    return [
        validation_row(
            table,
            f"{label}, rate {rate:g}, {p} × {k}, whole length",
            replace(base, learning_rate=rate, ids_per_batch=p, clips_per_id=k),
            **options,
        )
        for rate, p, k in settings
    ]


def validation_row(table: str, label: str, run: Run, **options) -> Row:
    """A row of a table of choices, in the worlds that choices are made in."""
    return Row(table, label, run, VALIDATION_WORLDS, first_seed=VALIDATION_SEED, **options)


def best(paper: str, rows: Sequence[Row], figures: Path = FIGURES) -> Row | None:
    """The row with the best mean over seeds of mAP, or, across views, of the accuracy over conditions, identical views
    left out; of equals the first. None while a row lacks a seed."""
    scores = [_mean_score(paper, row, figures) for row in rows]
    if None in scores:
        return None
    return rows[scores.index(max(scores))]


def _mean_score(paper: str, row: Row, figures: Path) -> float | None:
    records = records_of(paper, row, figures)
    if len(records) < row.seeds:
        return None
    wanted = "excluding" if row.run.evaluation == "cross-view" else "mAP"
    groups = row.run.conditions if row.run.evaluation == "cross-view" else row.run.setups[:1]
    scores = [record.scores[group][wanted] for record in records for group in groups]
    return sum(scores) / len(scores)
