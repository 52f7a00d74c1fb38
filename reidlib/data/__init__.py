"""Where tracklets come from, and how clips and batches are drawn from them."""

from reidlib.data.images import ImageFiles
from reidlib.data.tracklets import ArrayFrames, Benchmark, FrameSource, Tracklet, half_split, validation_split

__all__ = [
    "ArrayFrames",
    "Benchmark",
    "FrameSource",
    "ImageFiles",
    "Tracklet",
    "half_split",
    "validation_split",
]
