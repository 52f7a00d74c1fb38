"""What is measured: runs, their records and the tables made of them. For notebooks and the command line only."""

from reidlib.papers.tables import table, table_names, wide_table

__all__ = ["table", "table_names", "wide_table"]
