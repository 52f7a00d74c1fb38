"""An image of somebody as a tracklet, so that it can be searched for in videos."""

from pathlib import Path

import cv2
import numpy as np

from reidlib.data.footage.follow import UNKNOWN_PERSON, FootageTracklet
from reidlib.data.tracklets import ArrayFrames

IMAGE = 0  # the number, and the camera, of a tracklet that is an image; those of videos are numbered from 1


def image_tracklet(path: str | Path, resolution: tuple[int, int] = (128, 64)) -> FootageTracklet:
    """An image of one person as a tracklet of one frame, of camera and number `IMAGE`, seen in no video.

    It is made as wide as crops are, half of its height, without distortion: its border is repeated, or above and below
    where it is too wide. There is no silhouette, so networks that look inside it see all of the picture.
    FileNotFoundError; ValueError if it cannot be decoded, or is wider than high and thus no crop of a person.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such image; give a crop of a person, or a tracklet's number")
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB) if path.stat().st_size else None
    if picture is None:
        raise ValueError(f"{path} cannot be decoded as an image; expected a crop of a person, such as a .jpg or .png")
    height, width = picture.shape[:2]
    if width > height:
        raise ValueError(f"{path} is {width}×{height}; expected a crop of one person, higher than wide")
    aspect = resolution[1] / resolution[0]
    wide, high = max(round(height * aspect), width), max(round(width / aspect), height)
    left, top = (wide - width) // 2, (high - height) // 2
    picture = cv2.copyMakeBorder(
        picture, top, high - height - top, left, wide - width - left, borderType=cv2.BORDER_REPLICATE
    )
    frame = cv2.resize(picture, resolution[::-1], interpolation=cv2.INTER_AREA).transpose(2, 0, 1)[None]
    return FootageTracklet(
        UNKNOWN_PERSON,
        IMAGE,
        ArrayFrames(frame, np.ones((1, *resolution), np.uint8)),
        IMAGE,
        video=path.name,
        fps=1.0,
        numbers=np.zeros(1, int),
        times=np.zeros(1),
        boxes=np.array([[0, 0, width, height]], float),
        kept=np.zeros(1, int),
        flags=(),
    )
