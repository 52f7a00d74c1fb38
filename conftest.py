"""Settings shared by the tests and by the notebooks under nbval."""

import os

from jupyter_client.manager import KernelManager

os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is imported, here and in the notebooks' kernels


# Two kernels that start at once can draw the same free port, and one of them dies; files have names of their own.
KernelManager.transport.default_value = "ipc"


def pytest_collectstart(collector):
    """Leave rich and machine-dependent output of notebook cells out of the comparison."""
    if collector.path is not None and collector.path.suffix == ".ipynb" and hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html", "stderr", "image/svg+xml")
