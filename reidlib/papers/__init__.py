"""What the papers measure and claim, one folder each: training.py (equations and objective), rows.py (tables as runs),
claims.py. `table` and `claims` give the results, as in `reidlib.experiments`."""

import importlib
import importlib.util
from functools import cache

from reidlib.experiments import Paper, claims, styled_table, table, table_names, wide_table
from reidlib.papers.reported import reported, reported_papers

PAPERS = ("baseline", "seqmasks", "gaitmask", "amem", "asanet", "sshsp", "pretraining")

__all__ = ["PAPERS", "claims", "load", "styled_table", "table", "table_names", "wide_table"]


@cache
def load(name: str) -> Paper:
    """A paper of this package: of one that is planned only the numbers that it reports."""
    numbers = reported(name) if name in reported_papers() else None
    if importlib.util.find_spec(f"{__name__}.{name}") is None:
        return Paper(name, reported=numbers)
    rows = importlib.import_module(f"{__name__}.{name}.rows").rows
    has_claims = importlib.util.find_spec(f"{__name__}.{name}.claims")
    if not has_claims:
        return Paper(name, rows, numbers)
    stated = importlib.import_module(f"{__name__}.{name}.claims")
    return Paper(name, rows, numbers, stated.CLAIMS, getattr(stated, "MAIN", ()))
