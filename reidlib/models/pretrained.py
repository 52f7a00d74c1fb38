"""Weights of the package itself, which residual networks of mini scale start from, as published ones do from ImageNet.

`python -m reidlib reproduce pretraining` trains them, see `reidlib.papers.pretraining`. They are kept in half
precision, with the run that they are the result of, its data and its scores.
"""

import hashlib
import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

NAMES = ("walkers", "walkers_attributes")  # trained to tell people apart, and to say what they look like
VIDEO = "walkers_i3d"  # of I3D, trained as "walkers" is, on clips that stand still
FOLDER = Path(__file__).parent / "weights"
DIGITS = 8  # of a digest


def weights_path(name: str) -> Path:
    """Where the weights of this name lie, or will lie."""
    return FOLDER / f"{name}.safetensors"


def weights_digest(name: str | Path | None) -> str:
    """Eight hexadecimal digits that stand for the numbers in the weights of this name; "" where the package has none of
    it. What is written beside the numbers does not count."""
    if name not in (*NAMES, VIDEO) or not (path := weights_path(name)).exists():
        return ""
    return _digest(path, path.stat().st_mtime_ns)


@cache
def _digest(path: Path, modified: int) -> str:
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")  # the format's: the length of the description, and that
    return hashlib.sha256(content[header:]).hexdigest()[:DIGITS]


def load_weights(network: nn.Module, name: str) -> None:
    """Fill a network of mini scale with the weights of this name; a residual one's non-local blocks stay as they are.

    FileNotFoundError where they have not been trained yet, ValueError for a damaged file or another network's.
    """
    path = weights_path(name)
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: the weights {name!r} are not there; restore them with git, or train them with "
            "`python -m reidlib reproduce pretraining`"
        )
    added = {key: value for key, value in network.state_dict().items() if key.startswith("non_local.")}
    try:
        network.load_state_dict(load_file(path) | added)
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{path} has no weights of this network ({textwrap.shorten(str(error), 300)}); restore it with git, or "
            "delete it and train it again with `python -m reidlib reproduce pretraining`"
        ) from error


def save_weights(network: nn.Module, name: str, metadata: Mapping[str, str]) -> Path:
    """Write a network's weights in half precision, in one atomic step. ValueError for a name that is not in
    `NAMES` nor `VIDEO`, or for numbers that are too large for half precision."""
    if name not in (*NAMES, VIDEO):
        raise ValueError(f"weights={name!r}: expected one of {', '.join((*NAMES, VIDEO))}")
    halves = {
        key: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for key, value in network.state_dict().items()
    }
    if unfit := [key for key, value in halves.items() if not torch.isfinite(value).all()]:
        raise ValueError(f"{name}: {unfit[0]} has numbers that half precision cannot hold")
    path = weights_path(name)
    path.parent.mkdir(exist_ok=True)
    scratch = path.with_suffix(".part")
    save_file(halves, scratch, metadata=dict(metadata))
    scratch.replace(path)
    return path
