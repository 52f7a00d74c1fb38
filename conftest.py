"""Settings shared by the tests and by the notebooks under nbval."""

import functools
import os
import tempfile
from pathlib import Path

import nbval.kernel
from filelock import FileLock

os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is imported, here and in the notebooks' kernels


def _one_after_another(start):
    """Kernels that start at once can draw the same free port, and then one of them dies."""

    @functools.wraps(start)
    def started(*args, **kwargs):
        with FileLock(Path(tempfile.gettempdir()) / f"reidlib-kernels-{os.getuid()}.lock"):
            return start(*args, **kwargs)

    return started


nbval.kernel.start_new_kernel = _one_after_another(nbval.kernel.start_new_kernel)


def pytest_collectstart(collector):
    """Leave rich and machine-dependent output of notebook cells out of the comparison."""
    if collector.path is not None and collector.path.suffix == ".ipynb" and hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html", "stderr", "image/svg+xml")
