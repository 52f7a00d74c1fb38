"""Warnings that point at the caller's line, however deep in the package they arise."""

import sys
import warnings


def warn(message: str) -> None:
    """A UserWarning that points at the nearest caller outside of the package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("reidlib."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
