"""The verb that runs the notebooks."""

import argparse
import subprocess
import sys

from reidlib.cli.options import ROOT

FOLDER = ROOT / "notebooks"


def add_verbs(verb) -> None:
    """Add the verb with its options."""
    add = verb("notebooks", _notebooks, "Run every notebook, in reading order and in place.").add_argument
    add("names", nargs="*", help="Run these alone, such as 00_tour.")


def _notebooks(chosen: argparse.Namespace) -> int:
    notebooks = sorted(FOLDER.glob("*.ipynb"))
    if unknown := set(chosen.names) - {path.stem for path in notebooks}:
        known = ", ".join(path.stem for path in notebooks) or "none"
        raise ValueError(f"no notebook is called {', '.join(sorted(unknown))}; known: {known}")
    notebooks = [path for path in notebooks if not chosen.names or path.stem in chosen.names]
    for number, path in enumerate(notebooks, start=1):
        print(f"[{number}/{len(notebooks)}] {path.name}", flush=True)
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
        command += ["--ExecutePreprocessor.store_widget_state=False", str(path)]
        if status := subprocess.run(command).returncode:
            return status
    return 0
