"""The engine: runs, their records, and the tables and claims made of them. It knows no paper by name.

A *paper* has *rows*; a row is a *run* and a label in a table; a run is everything but the seed that decides a number,
and gives one *record* a seed. `reproduce` measures what is missing, `table` and `claims` show what the records say.
"""

from reidlib.experiments.claims import claims
from reidlib.experiments.evaluations import Measured, register_evaluation
from reidlib.experiments.execute import reproduce
from reidlib.experiments.networks import load_network, read_network
from reidlib.experiments.papers import Paper, add_rows, register_paper, rows_of
from reidlib.experiments.records import FIGURES
from reidlib.experiments.run import Part, Row, Run
from reidlib.experiments.statements import Claim, above, above_at_lengths, above_each, best_each
from reidlib.experiments.tables import styled_table, table, table_names, wide_table
from reidlib.experiments.trainings import Plan, Setting, register_training

__all__ = [
    "FIGURES",
    "Claim",
    "Measured",
    "Paper",
    "Part",
    "Plan",
    "Row",
    "Run",
    "Setting",
    "above",
    "above_at_lengths",
    "above_each",
    "add_rows",
    "best_each",
    "claims",
    "load_network",
    "read_network",
    "register_evaluation",
    "register_paper",
    "register_training",
    "reproduce",
    "rows_of",
    "styled_table",
    "table",
    "table_names",
    "wide_table",
]
