"""What is measured: runs, their records, and the tables and claims made of them. For notebooks and the command line."""

from reidlib.papers.claims import claims
from reidlib.papers.tables import styled_table, table, table_names, wide_table

__all__ = ["claims", "styled_table", "table", "table_names", "wide_table"]
