"""Who moves before a still background: the foreground of each picture, and the connected pieces of it.

The background is a mixture of Gaussians for every pixel, with shadows told apart (Zivkovic, "Improved adaptive Gaussian
mixture model for background subtraction", ICPR 2004; Prati et al., "Detecting moving shadows", PAMI 2003; OpenCV's
`BackgroundSubtractorMOG2`). Two things are added: it begins as the median of sampled pictures, so people in the first
frames are found, and whoever walks is kept out of what it learns, so people who stop do not fade into it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

MEMORY_SECONDS = 4.0  # after which something new that stands still is background
MIN_VARIANCE = 15.0  # of a pixel, in squared grey levels, where the samples show less: light and leaves change
NOISE = 4 * 1.4826  # a pixel is foreground beyond four standard deviations; one is so many median deviations
MOVING = 15.0  # grey levels that the samples of a camera that moves deviate from their median
CROWDED = 0.5  # share of foreground above which the picture as a whole has changed
SHADOW = 0.6  # a pixel of the background's hue and so much of its brightness, or more, is shadow
THIN = 0.08  # of a piece's height: at its sides, columns with less than this are a cast shadow
_CLOSE = 0.012  # of the picture's height: gaps up to this are closed, twice as much upright
_PERSON = 255  # MOG2's label; shadows have another one


@dataclass(frozen=True)
class Blob:
    """A piece of foreground: its numbers in the label map, its box (left, top, width, height), how many pixels."""

    labels: tuple[int, ...]
    box: np.ndarray
    area: int


class Background:
    """The background of one camera; `picture` is what it shows at the moment, uint8 (H, W, 3), smoothed.

    It starts as the median of sampled pictures: whoever covers a place in fewer than half of them is not in it. Their
    median `deviation` from it, in grey levels, says how large the noise is, or that the camera moves; the same for each
    pixel says where the background trembles, as leaves do, and every edge when the camera sways a little.
    """

    def __init__(self, samples: list[np.ndarray], fps: float):
        smooth = [_smooth(sample) for sample in samples]
        self.picture = _median(smooth).astype(np.uint8)
        differences = [cv2.absdiff(self.level(sample), self.picture) for sample in samples]
        self.deviation = deviation = float(np.median([np.median(difference) for difference in differences]))
        self._trembling = cv2.dilate(NOISE * _median(differences), np.ones((3, 3), np.uint8))
        self._second, self._age = max(round(fps), 1), 0
        self._model = cv2.createBackgroundSubtractorMOG2(varThreshold=16, detectShadows=True)
        self._model.setVarInit(max((1.4826 * deviation) ** 2, MIN_VARIANCE))
        self._model.setVarMax(5 * self._model.getVarInit())
        self._model.setShadowThreshold(SHADOW)
        self._model.apply(self.picture, learningRate=1.0)
        # After n frames a new colour weighs 1 - (1 - rate)^n; it is background once the others are below the ratio.
        self._rate = -np.log(self._model.getBackgroundRatio()) / (MEMORY_SECONDS * fps)

    def level(self, frame: np.ndarray) -> np.ndarray:
        """A picture smoothed, and as bright as the background: most pixels show it, so the median ratio is the
        exposure's."""
        frame = _smooth(frame)
        ratio = np.median((frame[::4, ::4] + 1.0) / (self.picture[::4, ::4] + 1.0))
        return cv2.convertScaleAbs(frame, alpha=1 / ratio)

    def subtract(self, frame: np.ndarray) -> np.ndarray:
        """The foreground of a levelled picture, without shadows, gaps closed and specks removed: uint8 (H, W) of 0 and
        1. Nothing is learnt."""
        found = (self._model.apply(frame, learningRate=0.0) == _PERSON).astype(np.uint8)
        found &= (cv2.absdiff(frame, self.picture) >= self._trembling).any(-1)
        found = cv2.medianBlur(found, 3)
        wide = 2 * round(_CLOSE * len(frame) / 2) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, 2 * wide - 1))
        return cv2.morphologyEx(found, cv2.MORPH_CLOSE, kernel)

    def learn(self, frame: np.ndarray, walkers: list[np.ndarray], changed: bool = False) -> None:
        """Take a levelled frame in, but for the boxes of `walkers`; at once if the picture as a whole has `changed`."""
        frame = frame.copy()
        for left, top, right, lower in (np.maximum([*box[:2], *(box[:2] + box[2:])], 0).astype(int) for box in walkers):
            frame[top:lower, left:right] = self.picture[top:lower, left:right]
        self._model.apply(frame, learningRate=0.1 if changed else self._rate)
        self._age += 1
        if self._age % self._second == 0 or changed:
            self.picture = self._model.getBackgroundImage()


def cut_out(picture: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Who stands in a picture whose place is known empty: the largest piece of foreground.

    Both uint8 (H, W, 3) -> uint8 (H, W) of 0 and 1; all 0 where nothing differs.
    """
    background = Background([empty], fps=1.0)
    labels, pieces = blobs(background.subtract(background.level(picture)), min_area=1)
    largest = max(pieces, key=lambda piece: piece.area, default=None)
    return np.isin(labels, largest.labels if largest else ()).astype(np.uint8)


def _smooth(frame: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(frame, (5, 5), 1.0)


def _median(pictures: list[np.ndarray]) -> np.ndarray:
    """The median of pictures, value by value; some rows at a time, because NumPy makes floating-point copies."""
    blocks = max(sum(picture.nbytes for picture in pictures) // 2**22, 1)
    rows = np.array_split(np.stack(pictures, axis=1), blocks)  # each (rows, pictures, W, 3)
    return np.concatenate([np.median(block, axis=1) for block in rows])


def blobs(foreground: np.ndarray, min_area: int) -> tuple[np.ndarray, list[Blob]]:
    """The label map (H, W) of a foreground, and its connected pieces of `min_area` pixels or more.

    Columns at either side of a piece that hold less than `THIN` of its height are a cast shadow, and cut off.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(foreground, connectivity=8)
    found = []
    for label in np.flatnonzero(stats[:, 4] >= min_area)[1:]:
        left, top, width, height = stats[label, :4]
        piece = labels[top : top + height, left : left + width]
        mask = piece == label
        thick = np.flatnonzero(mask.sum(axis=0) >= THIN * height)
        if not thick.size:
            continue
        mask[:, thick[0] : thick[-1] + 1] = False
        piece[mask] = 0
        rows = np.flatnonzero((piece == label).any(axis=1))
        box = np.array([left + thick[0], top + rows[0], np.ptp(thick) + 1, np.ptp(rows) + 1], float)
        found.append(Blob((int(label),), box, int((piece == label).sum())))
    return labels, found
