"""Whole camera pictures with silhouettes, cut to the person."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from PIL import Image

from reidlib.data.tracklets import FrameSource

MARGIN = 0.05  # of the person's height, added above and below


class PersonCrops:
    """Frames and masks of another source, cut to the person and brought to one resolution.

    A frame's box stands around its mask with a margin and has the resolution's aspect; where it reaches over the
    picture's border it is filled with black. A frame without a mask gets the nearest frame's box. ValueError, when
    pixels are read, if no frame has a mask.
    """

    def __init__(self, source: FrameSource, resolution: tuple[int, int]):
        self._source, self._resolution = source, resolution

    def __len__(self) -> int:
        return len(self._source)

    def frames(self, indices: Sequence[int]) -> np.ndarray:
        """RGB frames, uint8 (n, 3, H, W)."""
        frames = self._source.frames(indices).transpose(0, 2, 3, 1)
        return np.stack([self._cut(f, i, Image.Resampling.BILINEAR) for f, i in zip(frames, indices)]).transpose(
            0, 3, 1, 2
        )

    def masks(self, indices: Sequence[int]) -> np.ndarray:
        """Silhouettes, uint8 (n, 1, H, W) of 0 and 1."""
        masks = self._source.masks(indices)[:, 0]
        return np.stack([self._cut(m, i, Image.Resampling.NEAREST) for m, i in zip(masks, indices)])[:, None]

    def truth(self, name: str, indices: Sequence[int]) -> np.ndarray:
        """Recorded data have no ground truth: KeyError."""
        return self._source.truth(name, indices)

    def _cut(self, picture: np.ndarray, index: int, resampling: Image.Resampling) -> np.ndarray:
        image = Image.fromarray(picture).crop(self._boxes[index])
        return np.asarray(image.resize(self._resolution[::-1], resampling))

    @cached_property
    def _boxes(self) -> list[tuple[int, int, int, int]]:
        """For each frame (left, upper, right, lower), in pixels of the picture."""
        masks = [self._source.masks([index])[0, 0] for index in range(len(self))]
        seen = np.array([index for index, mask in enumerate(masks) if mask.any()])
        if not seen.size:
            raise ValueError(f"masks: expected a person in one of {len(self)} frames to cut the frames to")
        nearest = seen[np.abs(np.arange(len(self))[:, None] - seen).argmin(axis=1)]
        return [self._box(masks[index]) for index in nearest]

    def _box(self, mask: np.ndarray) -> tuple[int, int, int, int]:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        aspect = self._resolution[1] / self._resolution[0]
        height = max((rows[-1] + 1 - rows[0]) * (1 + 2 * MARGIN), (columns[-1] + 1 - columns[0]) / aspect)
        centre = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
        left, upper = round(centre[0] - height * aspect / 2), round(centre[1] - height / 2)
        return left, upper, left + max(round(height * aspect), 1), upper + max(round(height), 1)
