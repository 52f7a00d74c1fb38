"""What several verbs share: options, types of arguments, and files of the user's own."""

import argparse
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "figures"


def add_figures(add: Callable, written: bool = False) -> None:
    """The option --figures; written: the folder may be a new one."""
    add(
        "--figures",
        type=Path if written else folder,
        default=FIGURES,
        metavar="DIR",
        help="The folder that holds the records of all papers; by default the repository's.",
    )


def add_files(add: Callable) -> None:
    """The option --with."""
    add(
        "--with",
        dest="files",
        action="append",
        default=[],
        type=Path,
        metavar="FILE.py",
        help="Run this file first: it registers networks, trainings, evaluations and rows of your own. May be given "
        "several times; reidlib/experiments/YOUR_OWN.md shows one.",
    )


def run_files(paths: Iterable[Path]) -> None:
    """Run files of the user's own as modules. Their folders are searched for what they import, after all others.

    ValueError naming file and line for an error in it, or a file that there is not.
    """
    for path in paths:
        if path.suffix != ".py" or not path.is_file():
            raise ValueError(f"--with {path}: expected a Python file that exists and ends in .py")
        full = path.resolve()
        name = f"{path.stem}_{hashlib.sha256(str(full).encode()).hexdigest()[:8]}"  # the same at every call
        if str(full.parent) not in sys.path:
            sys.path.append(str(full.parent))
        spec = importlib.util.spec_from_file_location(name, full)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever goes wrong in it is the user's to know
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(full)]
            if isinstance(error, SyntaxError) and error.filename == str(full):
                lines.append(error.lineno)
            where = f", line {lines[-1]}" if lines else ""
            raise ValueError(f"{path}{where}: {type(error).__name__}: {error}") from error


def outside_the_repository(option: str, place: Path) -> None:
    """ValueError for a folder of pictures that lies in the repository."""
    if place.resolve().is_relative_to(ROOT):
        raise ValueError(f"{option} {place} lies in the repository, where pictures of people do not belong")


def folder(text: str) -> Path:
    """A folder that exists."""
    path = Path(text).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return path


def file(text: str) -> Path:
    """A file that exists."""
    path = Path(text).expanduser()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def named_folder(text: str) -> tuple[str, Path]:
    """NAME=DIR."""
    name, _, place = text.partition("=")
    if not place:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=DIR, for instance mars=/data/MARS")
    return name, folder(place)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1 on")
    return int(text)


def resolution(text: str) -> tuple[int, int]:
    """HEIGHTxWIDTH."""
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"{text!r}: expected HEIGHTxWIDTH, for instance 128x64")
    return int(height), int(width)
