"""Frames in image files, as recorded data sets keep them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from reidlib.data import folders
from reidlib.data.decoding import MaskCode, mask_code, mask_levels, rgb
from reidlib.data.notices import warn
from reidlib.data.tracklets import ArrayFrames, Tracklet

MIN_READABLE = 0.5  # a tracklet with a smaller share of readable files is refused
LOOKED_AT = 16  # masks of a tracklet, evenly spaced, that tell the code of all

_UNREADABLE = (OSError, SyntaxError)  # what Pillow raises; the latter for some damaged PNG files


class ImageFiles:
    """Frames in image files, one file a frame, in whatever mode they are saved (`reidlib.data.decoding.rgb`).

    mask_paths: silhouettes, one image for each frame, see `MaskFiles`. crop: the part of the image that is used, as
    (left, upper, right, lower) in its pixels. resolution: (H, W) that frames (bilinear) and masks (nearest) are brought
    to; None keeps the files' own, which must then be the same for all. The ending of a name may be of other case.

    An image that cannot be read is reported by a warning that names the file, and listed in `broken`; the
    nearest readable one stands in for it. So it is for masks, on their own. OSError if fewer than half of
    the files (`MIN_READABLE`) can be read.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        mask_paths: Sequence[str | Path] | None = None,
        resolution: tuple[int, int] | None = None,
        crop: tuple[int, int, int, int] | None = None,
    ):
        if not paths:
            raise ValueError("paths: expected at least one image file")
        if mask_paths is not None and len(mask_paths) != len(paths):
            raise ValueError(f"mask_paths: expected {len(paths)}, one for each frame, not {len(mask_paths)}")
        self._frames = _Files(paths, rgb, Image.Resampling.BILINEAR, resolution, crop)
        self._masks = None if mask_paths is None else MaskFiles(mask_paths, resolution, crop)

    def __len__(self) -> int:
        return len(self._frames.paths)

    @property
    def broken(self) -> tuple[str, ...]:
        """The files found broken so far, with what is wrong with them."""
        return self._frames.broken + (() if self._masks is None else self._masks.broken)

    def frames(self, indices: Sequence[int]) -> np.ndarray:
        """RGB frames, uint8 (n, 3, H, W)."""
        return self._frames.read(indices).transpose(0, 3, 1, 2)

    def masks(self, indices: Sequence[int]) -> np.ndarray | None:
        """Silhouettes, uint8 (n, 1, H, W) of 0 and 1, or None without mask files."""
        return None if self._masks is None else self._masks.read(indices)[:, None]

    def truth(self, name: str, indices: Sequence[int]) -> np.ndarray:
        """Recorded data have no ground truth: KeyError."""
        raise KeyError(f"no ground truth {name!r}: {self._frames.paths[0]} is recorded, not rendered")


class MaskFiles:
    """The silhouettes of one tracklet in image files, by the rule of `reidlib.data.decoding.mask_code`.

    The rule looks at `LOOKED_AT` of the files. The other arguments, and what becomes of broken files, are as in
    `ImageFiles`.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        resolution: tuple[int, int] | None = None,
        crop: tuple[int, int, int, int] | None = None,
    ):
        self._files = _Files(paths, mask_levels, Image.Resampling.NEAREST, resolution, crop)
        self._code: MaskCode | None = None  # found when it is needed

    def __len__(self) -> int:
        return len(self._files.paths)

    @property
    def broken(self) -> tuple[str, ...]:
        """The files found broken so far, with what is wrong with them."""
        return self._files.broken

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Silhouettes, uint8 (n, H, W) of 0 and 1."""
        if self._code is None:
            looked_at = np.unique(np.linspace(0, len(self) - 1, LOOKED_AT).round().astype(int))
            self._code = mask_code([self._files.read([number])[0] for number in looked_at])
        return self._code.person(self._files.read(indices))


class _Files:
    """The images of one tracklet as `decode` brings them to one mode, and which of them stand in for broken ones."""

    def __init__(
        self,
        paths: Sequence[str | Path],
        decode: Callable[[Image.Image], Image.Image],
        resampling: Image.Resampling,
        resolution: tuple[int, int] | None,
        crop: tuple[int, int, int, int] | None,
    ):
        self.paths = tuple(map(str, paths))
        self.decode, self.resampling, self.resolution, self.crop = decode, resampling, resolution, crop
        self.broken: tuple[str, ...] = ()
        self._shown = np.arange(len(paths))  # for each frame, the file that is read

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Images (n, H, W) or (n, H, W, 3), uint8."""
        indices = np.asarray(indices)
        try:
            images = [self._image(self.paths[i]) for i in self._shown[indices]]
        except _UNREADABLE:
            self._find_broken()
            images = [self._image(self.paths[i]) for i in self._shown[indices]]
        if len({image.shape for image in images}) > 1:
            raise ValueError(f"{self.paths[indices[0]]}, …: the files differ in size, give resolution=(H, W)")
        return np.stack(images)

    def _image(self, path: str) -> np.ndarray:
        with Image.open(folders.spelt(path)) as opened:
            try:
                image = self.decode(opened)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
        if self.crop is not None:
            left, upper, right, lower = self.crop
            if not (0 <= left < right <= image.width and 0 <= upper < lower <= image.height):
                raise ValueError(f"{path}: crop={self.crop} is not within {image.width} × {image.height}")
            image = image.crop(self.crop)
        if self.resolution is not None and image.size != self.resolution[::-1]:
            image = image.resize(self.resolution[::-1], self.resampling)
        return np.asarray(image)

    def _find_broken(self) -> None:
        """Read every file once, report the broken ones, and choose who stands in for them."""
        faults = {}
        for number, path in enumerate(self.paths):
            try:
                self._image(path)
            except _UNREADABLE as error:
                faults[number] = f"{path} ({'missing' if isinstance(error, FileNotFoundError) else error})"
        self.broken = tuple(faults.values())
        advice = "expected a readable image; restore it from the data set's archive"
        readable = np.array([number for number in range(len(self.paths)) if number not in faults])
        if len(readable) < MIN_READABLE * len(self.paths):
            some = "; ".join(self.broken[:3]) + ("; …" if len(faults) > 3 else "")
            count = f"{len(faults)} of the {len(self.paths)} frames of a tracklet"
            raise OSError(f"{count} cannot be read: {some}; {advice}")
        self._shown = readable[np.abs(np.arange(len(self.paths))[:, None] - readable).argmin(axis=1)]
        for fault in self.broken:
            warn(f"{fault}: {advice}. The nearest readable frame stands in for it.")


def preload(tracklets: Sequence[Tracklet], progress: bool = True) -> list[Tracklet]:
    """The same tracklets with all frames and masks decoded into memory, for collections that fit there."""
    loaded = []
    for tracklet in tqdm(tracklets, desc="reading", unit="tracklet", disable=not progress, leave=False):
        masks = tracklet.masks()
        source = ArrayFrames(tracklet.frames(), None if masks is None else masks[:, 0])
        loaded.append(replace(tracklet, source=source))
    return loaded
