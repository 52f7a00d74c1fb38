"""Walkers: pedestrians rendered with exact ground truth, and the benchmarks made of them. Nothing is downloaded."""

from reidlib.data.walkers.compose import Rendered, render
from reidlib.data.walkers.packed import RENDERER
from reidlib.data.walkers.scene import Scene
from reidlib.data.walkers.worlds import campus, crowd, lab, pair, pair_splits, stills, street, yard

__all__ = [
    "RENDERER",
    "Rendered",
    "Scene",
    "campus",
    "crowd",
    "lab",
    "pair",
    "pair_splits",
    "render",
    "stills",
    "street",
    "yard",
]
