"""Walkers: pedestrians rendered with exact ground truth, and the benchmarks made of them. Nothing is downloaded."""

from reidlib.data.walkers.compose import Rendered, render
from reidlib.data.walkers.scene import Scene
from reidlib.data.walkers.worlds import street

__all__ = ["Rendered", "Scene", "render", "street"]
