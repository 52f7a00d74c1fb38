"""Boxes of another tracker: read line by line, refused by the line, and followed with the foreground in them."""

import numpy as np
import pytest

from reidlib.data.footage import box_scores, follow, read_tracks
from reidlib.data.footage.foreground import blobs
from reidlib.data.footage.tracks import GivenTracks


def lines(boxes: np.ndarray) -> str:
    """Rows of frame from 0, number and box as a file in the MOT format."""
    rows = (f"{frame + 1:.0f},{number:.0f}," + ",".join(f"{v:g}" for v in box) for frame, number, *box in boxes)
    return "\n".join(f"{row},1,-1,-1,-1" for row in rows) + "\n"


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text("1,7,10,20,30.5,40,1,-1,-1,-1\n\n 2, 7, -3, 20, 30, 40\r\n1,2,5,6,7,8,0.3\n")
    assert read_tracks(path).tolist() == [[0, 7, 10, 20, 30.5, 40], [1, 7, -3, 20, 30, 40], [0, 2, 5, 6, 7, 8]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("frame,id,left,top,width,height", "expected six numbers or more"),
        ("3,1,10,20,30", "expected six numbers or more"),
        ("3 1 10 20 30 40", "expected six numbers or more, .* with commas"),
        ("3,1,10,20,nan,40", "expected six numbers or more"),
        ("0,1,10,20,30,40", "frame 0; expected a whole number from 1 on"),
        ("2.5,1,10,20,30,40", "frame 2.5; expected a whole number"),
        ("3,-1,10,20,30,40", "id -1; .* detections: let a tracker join them"),
        ("3,1,10,20,0,40", "0 × 40 pixels; expected a width and a height above 0"),
        ("1,1,11,20,30,40", "track 1 has a box in frame 1 already, in line 1"),
    ],
)
def test_bad_lines_are_named(tmp_path, line, reason):
    path = tmp_path / "tracks.txt"
    path.write_text(f"1,1,10,20,30,40\n2,1,10,20,30,40\n{line}\n")
    with pytest.raises(ValueError, match=f"tracks.txt, line 3: .*{reason}"):
        read_tracks(path)


def test_no_file_and_no_lines_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.txt: there is no such file.*MOT"):
        read_tracks(tmp_path / "absent.txt")
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(ValueError, match="empty.txt holds no tracks"):
        read_tracks(tmp_path / "empty.txt")


def test_foreground_goes_to_the_nearer_of_two_boxes():
    foreground = np.zeros((60, 80), np.uint8)
    foreground[10:50, 10:44] = 1  # one piece of two people
    tracks = np.array([[0, 4, 10, 10, 24, 40], [0, 9, 20, 10, 24, 40], [1, 4, 10, 10, 24, 40]], float)
    given = GivenTracks(tracks, (60, 80), "x")
    labels, found = blobs(foreground, 1)
    left, right = given.step(np.zeros((60, 80, 3), np.uint8), labels, found)
    assert (left.number, right.number) == (4, 9) and given.alive == {4}
    assert left.mask.sum() + right.mask.sum() == 34 * 40
    assert abs(int(left.mask.sum()) - 17 * 40) <= 40
    assert left.shared and right.shared
    assert not given.step(np.zeros((60, 80, 3), np.uint8), labels, [])[0].mask.any() and given.alive == set()


def test_true_boxes_as_tracks_give_true_tracklets(rendered, tmp_path):
    scene, video, _ = rendered
    true = scene.boxes(min_pixels=150)
    path = tmp_path / "true.txt"
    path.write_text(lines(true))
    tracklets = list(follow(video, camera_id=2, tracks=path, progress=False))
    assert sorted(t.tracklet_id for t in tracklets) == [*range(1, len(scene.person_ids) + 1)]
    found = np.concatenate(
        [np.column_stack([t.numbers, np.full(len(t.boxes), t.tracklet_id), t.boxes]) for t in tracklets]
    )
    scores = box_scores(found, true, 0.99)
    assert (scores.recall, scores.precision, scores.switches) == (1, 1, 0)
    for t in tracklets:
        assert t.camera_id == 2
        assert scene.person_in(t.numbers, t.boxes) == scene.person_ids[t.tracklet_id - 1]
        assert t.masks().mean() > 0.1


def test_a_box_beyond_the_border_is_cut_off_there(block, tmp_path):
    path = tmp_path / "wide.txt"
    path.write_text(lines(np.array([[n, 1, -10, 60, 40, 80] for n in range(12, 40)], float)))
    (one,) = follow(block[0], tracks=path, progress=False)
    assert one.boxes.tolist() == [[0, 60, 30, 36]] * 28 and "cut off" in one.flags


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            [80, 1, 20, 30, 16, 48],
            "boxes in frame 81, but .*block.avi ends with frame 80; give the tracks of this video",
        ),
        ([10, 1, 20, 100, 16, 48], "track 1 in frame 11 lies outside the picture of 200 × 96"),
        ([10, 1, -20, 30, 16, 48], "lies outside .* another video"),
        ([10, 1, 300, 30, 16, 48], "lies outside .* another video"),
    ],
)
def test_tracks_of_another_video_are_refused(block, tmp_path, row, reason):
    path = tmp_path / "other.txt"
    path.write_text(lines(np.array([[9, 1, 20, 30, 16, 48], row], float)))
    with pytest.raises(ValueError, match=f"other.txt.*{reason}"):
        list(follow(block[0], tracks=path, progress=False))
