"""The rendered benchmarks, one file each."""

from reidlib.data.walkers.worlds.street import street

__all__ = ["street"]
