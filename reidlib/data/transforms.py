"""Random changes of a training clip, drawn once for the whole sequence.

A transform takes a `Clip` and a generator and returns a new clip; frames, successors, masks and part
maps get the same crop, the same flip and the same erased rectangle, so they stay aligned. Other ground
truth (joints, flow) would need more than moving pixels and is refused; silhouettes that are aligned for gait networks
stay as they are. Pixels stay uint8 here: batches scale them to [0, 1], networks normalise them, and the sources bring
them to the wanted size.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from reidlib.data.clips import Clip
from reidlib.data.walkers.scene import mirror_sides

Transform = Callable[[Clip, np.random.Generator], Clip]

MEAN_COLOUR = np.array([124, 116, 104], np.uint8)[:, None, None]  # mean RGB of ImageNet

Change = Callable[[np.ndarray], np.ndarray]  # of (..., H, W)


def _change(clip: Clip, colours: Change, labels: Change | None = None) -> Clip:
    """Apply `colours` to the frames of the clip and `labels` (by default the same) to masks and part maps."""
    labels = labels or colours
    if set(clip.truth) - {"parts"}:
        raise ValueError(f"truth={sorted(clip.truth)} with a transform: only 'parts' moves with the pixels")
    return replace(
        clip,
        frames=colours(clip.frames),
        masks=None if clip.masks is None else labels(clip.masks),
        next_frames=None if clip.next_frames is None else colours(clip.next_frames),
        truth={name: labels(values) for name, values in clip.truth.items()},
    )


@dataclass(frozen=True)
class RandomFlip:
    """Mirror the clip left to right with this probability; in part maps, left and right limbs change their labels."""

    probability: float = 0.5

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        if rng.random() >= self.probability:
            return clip
        mirrored = _change(clip, lambda pixels: pixels[..., ::-1])
        return replace(mirrored, truth={name: mirror_sides(parts) for name, parts in mirrored.truth.items()})


@dataclass(frozen=True)
class RandomCrop:
    """With this probability, pad all sides by this share of the height with zeros (black, background), and cut a random
    window of the old size; 10 of 256 pixels in Luo et al., "Bag of tricks and a strong baseline for deep person
    re-identification", CVPR workshops 2019.
    """

    padding: float = 10 / 256
    probability: float = 1.0

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        if self.probability < 1 and rng.random() >= self.probability:
            return clip
        height, width = clip.frames.shape[-2:]
        most = round(self.padding * height)
        down, right = rng.integers(-most, most + 1, size=2).tolist()
        new = (slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0)))
        old = (slice(max(-down, 0), height + min(-down, 0)), slice(max(-right, 0), width + min(-right, 0)))

        def moved(pixels: np.ndarray) -> np.ndarray:
            result = np.zeros(pixels.shape, pixels.dtype)
            result[..., *new] = pixels[..., *old]
            return result

        return _change(clip, moved)


@dataclass(frozen=True)
class RandomErasing:
    """With this probability, cover one rectangle with the mean colour in all frames, as an occluder would:
    there, silhouettes and part maps become background.

    area: the smallest and largest share of the image. aspect: the smallest ratio of height to width (the
    largest is its inverse). Zhong et al., "Random erasing data augmentation", AAAI 2020, Algorithm 1.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.4)
    aspect: float = 0.3

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        if rng.random() >= self.probability:
            return clip
        height, width = clip.frames.shape[-2:]
        for _ in range(100):
            area = rng.uniform(*self.area) * height * width
            ratio = rng.uniform(self.aspect, 1 / self.aspect)
            h, w = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
            if 0 < h < height and 0 < w < width:
                break
        else:
            return clip
        top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))

        def filled(pixels: np.ndarray, value: np.ndarray | int) -> np.ndarray:
            result = pixels.copy()
            result[..., top : top + h, left : left + w] = value
            return result

        return _change(clip, lambda pixels: filled(pixels, MEAN_COLOUR), lambda labels: filled(labels, 0))


@dataclass(frozen=True)
class Chain:
    """Transforms one after another; the default is the usual augmentation: crop, flip, erase."""

    transforms: tuple[Transform, ...] = (RandomCrop(), RandomFlip(), RandomErasing())

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        for transform in self.transforms:
            clip = transform(clip, rng)
        return clip
