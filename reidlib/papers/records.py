"""Records: one JSON file for every measured run, from which every table and interval is computed.

A record lies at `figures/<paper>/records/<configuration hash>-s<seed>.json` and holds the configuration, the seed, the
data's name and content hash, the scores with their counts, the outcome of every single query (so that intervals can be
recomputed without retraining), the run's duration and memory, library versions and the commit.
"""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

FIGURES = Path(__file__).resolve().parents[2] / "figures"
LIBRARIES = ("torch", "torchvision", "accelerate", "numpy")


@dataclass(frozen=True)
class Record:
    """One measured run. `scores` and `queries`, see `reidlib.papers.scoring`, have one entry a set-up."""

    paper: str
    config: Mapping  # a Run as a dictionary
    config_hash: str
    seed: int
    data: Mapping  # {name, fingerprint}
    scores: Mapping[str, Mapping]  # {set-up: {"rank-1": fraction, …}}
    queries: Mapping[str, Mapping]  # {set-up: {"person_id": […], "first_match_rank": […], …}}
    seconds: Mapping[str, float]  # {"data": …, "training": …, "evaluation": …}
    peak_memory_mib: float
    environment: Mapping[str, str]  # library versions, processor, commit

    @property
    def minutes(self) -> float:
        """Minutes of training and evaluation; rendering is shared by runs and left out."""
        return (self.seconds["training"] + self.seconds["evaluation"]) / 60


def config_hash(config: Mapping) -> str:
    """Twelve hexadecimal digits that stand for a configuration: SHA-256 of its JSON with sorted keys."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:12]


def record_path(paper: str, digest: str, seed: int, figures: Path = FIGURES) -> Path:
    """Where the record of a configuration (by its hash) and a seed lies, or will lie."""
    return figures / paper / "records" / f"{digest}-s{seed}.json"


def write_record(record: Record, figures: Path = FIGURES) -> Path:
    """Write a record in one atomic step and give its path. ValueError if a number in it is not finite."""
    path = record_path(record.paper, record.config_hash, record.seed, figures)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.part")
    scratch.write_text(json.dumps(asdict(record), separators=(",", ":"), allow_nan=False) + "\n")
    os.replace(scratch, path)
    return path


def read_record(path: Path) -> Record:
    """Read one record. A file that is no record raises ValueError naming it and the way out."""
    try:
        return Record(**json.loads(Path(path).read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is not a record ({error}): restore it with git, or delete it and run "
            "`python -m reidlib reproduce` to measure it again"
        ) from error


def read_records(paper: str, figures: Path = FIGURES) -> list[Record]:
    """All records of a paper, ordered by file name. ValueError as `read_record`."""
    return [read_record(path) for path in sorted((figures / paper / "records").glob("*.json"))]


def environment() -> dict[str, str]:
    """Versions of Python and of the libraries that decide a number, the processor, and the commit of the code."""
    return {
        "python": platform.python_version(),
        **{name: version(name).split("+")[0] for name in LIBRARIES},
        "processor": platform.machine(),
        "commit": current_commit(),
    }


def current_commit() -> str:
    """The checked-out commit, with "+changes" if files of the package differ from it; "unknown" outside git."""
    root = Path(__file__).resolve().parents[2]

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", root, *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "reidlib")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
