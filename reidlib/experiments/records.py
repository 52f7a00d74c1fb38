"""Records: one JSON file for every measured run, from which every table and interval is computed.

A record lies at `figures/<paper>/records/<configuration hash>-s<seed>.json` and holds the configuration, the seed, the
data's name and content hash, the scores with their counts, the outcome of every single query (so that intervals can be
recomputed without retraining), what the network costs, what its training looked like at the end, the run's duration and
memory, library versions, processor and the commit. Records of worlds that a former version of the renderer drew lie in
the subfolder `renderer-<version>`: other pixels, so other numbers, which are never mixed with those of today's worlds.
"""

import hashlib
import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from reidlib.training.distributed import start_processes
from reidlib.training.precision import processor, used_precision

if TYPE_CHECKING:
    from reidlib.experiments.run import Row

FIGURES = Path(__file__).resolve().parents[2] / "figures"
COLLAPSED = 0.5  # share of tied tracklets
LIBRARIES = ("torch", "torchvision", "accelerate", "numpy")


@dataclass(frozen=True)
class Record:
    """One measured run. `scores` and `queries` (the outcome of every single case) have one entry for each group: a
    set-up, a condition, or what an evaluation calls its own, see `reidlib.experiments.evaluations`."""

    paper: str
    config: Mapping  # a Run as a dictionary
    config_hash: str
    seed: int
    data: Mapping  # {name, fingerprint, renderer: its version, 0 for recorded data}, and `Run.weights` where there are
    scores: Mapping[str, Mapping]  # {group: {"rank-1": fraction, …}}
    queries: Mapping[str, Mapping]  # {group: {"person_id": […], "first_match_rank": […], …}}
    seconds: Mapping[str, float]  # {"data": …, "training": …, "evaluation": …, "parts": …}
    peak_memory_mib: float
    environment: Mapping[str, str]  # library versions, processor, precision, commit
    units: Mapping[str, str] = field(default_factory=dict)  # {score: unit} of those that are no fractions
    costs: Mapping[str, float] = field(default_factory=dict)  # see `reidlib.experiments.costs`
    watched: Mapping[str, float] = field(default_factory=dict)  # {"group/term": mean over the last tenth of training}
    notes: Mapping[str, float] = field(default_factory=dict)  # {"tied": share of tracklets whose features tie, …}

    @property
    def minutes(self) -> float:
        """Minutes of training, that of the parts included, and of evaluation; rendering is shared by runs and left
        out."""
        return (self.seconds["training"] + self.seconds.get("parts", 0) + self.seconds["evaluation"]) / 60

    @property
    def renderer(self) -> int:
        """The version of the renderer that drew the world; 0 for recorded data."""
        return self.data.get("renderer", 0)

    @property
    def collapsed(self) -> bool:
        """Whether most of the features tie: the network tells hardly anybody apart, and its scores mean nothing.

        Where a record does not say how many do, its ranks do: ties count as wrong, so that the first match of most
        queries comes in the last quarter, which no order by chance does. What ranks nobody does not collapse.
        """
        if "tied" in self.notes:
            return self.notes["tied"] > COLLAPSED
        ranks = (outcome.get("first_match_rank") for outcome in self.queries.values())
        return any(_last(found) for found in ranks if found is not None)


def _last(ranks: list) -> bool:
    """Whether the median of first ranks (0: none), a list or a list of lists, lies in the last quarter."""
    found = np.array(ranks).ravel()
    found = found[found > 0]
    return found.size > 0 and found.max() > 20 and bool(np.median(found) > 0.75 * found.max())


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
    """All records of a paper, ordered by file name, those of former worlds last. ValueError as `read_record`."""
    folder = figures / paper / "records"
    return [read_record(path) for path in (*sorted(folder.glob("*.json")), *sorted(folder.glob("renderer-*/*.json")))]


def records_of(paper: str, row: "Row", figures: Path = FIGURES) -> list[Record]:
    """The records that there are for a row, by seed, as `best_records` chooses them."""
    return best_records(records_by_renderer(paper, row, figures))


def best_records(versions: Mapping[int, list[Record]], usual: int | None = None) -> list[Record]:
    """Of a row's records for each version of the renderer, those of the version that has most of them; among equals of
    the `usual` version, then of the newest."""
    return max(versions.items(), key=lambda item: (len(item[1]), item[0] == usual, item[0]), default=(0, []))[1]


def most_frequent_renderer(versions: Iterable[Mapping[int, list[Record]]]) -> int:
    """The version of the renderer behind most records of several rows, the newest among equals; 0 without any."""
    counts = Counter()
    for of_row in versions:
        counts.update({version: len(records) for version, records in of_row.items()})
    return max(counts, key=lambda version: (counts[version], version), default=0)


def records_by_renderer(paper: str, row: "Row", figures: Path = FIGURES) -> dict[int, list[Record]]:
    """The records that there are for a row, by seed, for each version of the renderer."""
    folder = record_path(row.paper or paper, row.run.hash, 0, figures).parent
    found: dict[int, list[Record]] = {}
    for place in (folder, *folder.glob("renderer-*")):
        for seed in row.all_seeds:
            if (path := place / f"{row.run.hash}-s{seed}.json").exists():
                record = read_record(path)
                found.setdefault(record.renderer, []).append(record)
    return found


def environment(precision: str = "no") -> dict[str, str | int]:
    """What decides a number beside the configuration: versions of Python and of the libraries, device, processor,
    threads, the precision that is used where `precision` may be, and the commit of the code."""
    device = start_processes().device
    return {
        "python": platform.python_version(),
        **{name: version(name).split("+")[0] for name in LIBRARIES},
        **processor(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "precision": {"bf16": "bfloat16", "no": "float32"}[used_precision(precision, device)],
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
