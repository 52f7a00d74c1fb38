"""reidlib: video person re-identification and gait recognition, five papers reproduced in notebooks.

The rooms are `data`, `models`, `losses`, `evaluation`, `training` and `papers`; each is imported by name, so that
importing one does not load the others.
"""

import os
from pathlib import Path

__version__ = "0.1.0"


def cache_folder() -> Path:
    """Where rendered benchmarks and checkpoints are kept: `$REIDLIB_CACHE`, else `~/.cache/reidlib`."""
    return Path(os.environ.get("REIDLIB_CACHE") or Path.home() / ".cache" / "reidlib").expanduser()


def shared_folder() -> Path | None:
    """The folder of real metadata and footage (`$REIDLIB_SHARED`, else `../shared` beside the repository), or None.

    Only tests and the real-input demo use it; both work without it.
    """
    folder = Path(os.environ.get("REIDLIB_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    return folder if (folder / "data").is_dir() else None
