"""The examples in the docstrings run, and importing the room stays light."""

import doctest
import importlib
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "attributes",
        "distances",
        "expansion",
        "flow",
        "frames",
        "masks",
        "probes",
        "protocols",
        "reranking",
        "segments",
        "statistics",
    ],
)
def test_docstring_examples(module):
    result = doctest.testmod(importlib.import_module(f"reidlib.evaluation.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_importing_evaluation_loads_neither_torchvision_nor_another_room():
    code = "import sys, reidlib.evaluation; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "torchvision" not in loaded
    assert all(f"reidlib.{room}" not in loaded for room in ("data", "models", "losses", "training", "papers"))
