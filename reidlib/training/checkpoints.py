"""Checkpoints: one file that holds everything a run needs to go on as if it had never stopped."""

import os
import pickle
import random
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

_FORMAT = "reidlib checkpoint 1"


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be used; the message names the file and the way out."""


def save_checkpoint(path: Path, contents: dict[str, Any]) -> None:
    """Write tensors, numbers, strings and containers of them to `path` in one step.

    Whenever the process or the machine stops, `path` holds either the former checkpoint or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".part")
    with open(scratch, "wb") as file:
        torch.save({"format": _FORMAT, **contents}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # the renaming itself
    os.close(folder)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What `save_checkpoint` wrote, on the CPU; CheckpointError if the file is damaged or foreign.

    No code in the file is run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # compares every checksum
        contents = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise CheckpointError(unusable(path, f"is truncated or no checkpoint ({error})")) from error
    if damaged:
        raise CheckpointError(unusable(path, f"is damaged at {damaged}"))
    if not isinstance(contents, dict) or contents.get("format") != _FORMAT:
        raise CheckpointError(unusable(path, f"was not written by this package (expected {_FORMAT!r})"))
    return contents


def unusable(path: Path, reason: str) -> str:
    """The message of a `CheckpointError`."""
    way_out = "delete it to start the run again, or give another checkpoint path"
    return f"{path} {textwrap.shorten(reason, 300)}: {way_out}"


def random_states() -> dict[str, Any]:
    """The states of Python's, NumPy's and torch's global random generators."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "python": random.getstate(),
        "numpy": (name, keys.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Set the generators to what `random_states` gave."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    torch.cuda.set_rng_state_all(states["cuda"])
