"""The rendered benchmarks, one file each."""

from reidlib.data.walkers.worlds.campus import campus
from reidlib.data.walkers.worlds.crowd import crowd
from reidlib.data.walkers.worlds.lab import lab
from reidlib.data.walkers.worlds.pair import pair, pair_splits
from reidlib.data.walkers.worlds.stills import stills
from reidlib.data.walkers.worlds.street import street
from reidlib.data.walkers.worlds.yard import yard

__all__ = ["campus", "crowd", "lab", "pair", "pair_splits", "stills", "street", "yard"]
