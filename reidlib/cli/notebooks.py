"""The verb that runs the notebooks."""

import argparse
import sys


def add_verbs(verb) -> None:
    """Add the verb with its options."""
    add = verb("notebooks", _notebooks, "Run every notebook, in reading order, into build/notebooks.").add_argument
    add("names", nargs="*", help="Run these alone, such as 00_tour.")
    add("--save", action="store_true", help="Write what is committed instead, into notebooks/.")


def _notebooks(chosen: argparse.Namespace) -> int:
    from reidlib.notebooks import NotebookError, run_notebooks

    try:
        run_notebooks(chosen.names, chosen.save)
    except NotebookError as error:
        print(f"reidlib notebooks: {error}; it lies in build/notebooks as far as it ran", file=sys.stderr)
        return 1
    return 0
