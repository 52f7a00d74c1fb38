"""An image becomes a tracklet of one undistorted frame, or is refused by name."""

import numpy as np
import pytest
from PIL import Image

from reidlib.data.footage.image import IMAGE, image_tracklet


def saved(path, height: int, width: int):
    """Grey, with a red square of a quarter of the height in the middle."""
    picture = np.full((height, width, 3), 100, np.uint8)
    half = height // 8
    picture[height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half] = (200, 30, 30)
    Image.fromarray(picture).save(path)
    return path


@pytest.mark.parametrize(("height", "width", "shrunk"), [(256, 128, 1), (256, 80, 1), (256, 192, 2 / 3), (64, 32, 1)])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_the_square_stays_one(tmp_path, height, width, shrunk, suffix):
    one = image_tracklet(saved(tmp_path / f"crop{suffix}", height, width))
    assert (one.camera_id, one.tracklet_id, one.video, len(one)) == (IMAGE, IMAGE, f"crop{suffix}", 1)
    (frame,) = one.frames()
    assert frame.shape == (3, 128, 64) and one.masks().all()
    red = (frame[0] > 150) & (frame[1] < 65)
    rows, columns = red.any(1).sum(), red.any(0).sum()
    assert abs(rows - 32 * shrunk) <= 2 and abs(columns - 32 * shrunk) <= 2
    assert np.abs(frame[:, [0, -1]].astype(int) - 100).max() < 5  # the border goes on


def test_what_is_no_crop_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.png: there is no such image"):
        image_tracklet(tmp_path / "absent.png")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("words")
    for name in ("empty.png", "text.png"):
        with pytest.raises(ValueError, match=f"{name} cannot be decoded as an image"):
            image_tracklet(tmp_path / name)
    with pytest.raises(ValueError, match="64×48; expected a crop of one person, higher than wide"):
        image_tracklet(saved(tmp_path / "wide.png", 48, 64))
