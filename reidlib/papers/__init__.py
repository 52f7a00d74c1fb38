"""What is measured: runs, their records, and the tables made of them. Only notebooks and the command line look in here."""

from reidlib.papers.tables import table, table_names, wide_table

__all__ = ["table", "table_names", "wide_table"]
