"""Tracks of blocks that move as told: straight on, through a gap, past one another, side by side, and out."""

import numpy as np
import pytest

from reidlib.data.footage.foreground import blobs
from reidlib.data.footage.scale import MIN_POINTS
from reidlib.data.footage.tracking import MISSED_SECONDS, Tracker, at_edge

SIZE = (120, 300)
COLOURS = ((30, 30, 200), (30, 200, 30), (200, 30, 30))


def run(places: list[list[tuple[int, int, int, int] | None]], fps: float = 10) -> list[dict[int, np.ndarray]]:
    """Track blocks; places[frame][person] is a box (left, top, width, height) or None. Gives the boxes by number."""
    tracker, result = Tracker(SIZE, fps, 10), []
    for boxes in places:
        frame, mask = np.full((*SIZE, 3), 100, np.uint8), np.zeros(SIZE, np.uint8)
        for box, colour in zip(boxes, COLOURS):
            if box is not None:
                left, top, width, height = box
                window = slice(max(top, 0), max(top + height, 0)), slice(max(left, 0), max(left + width, 0))
                frame[window], mask[window] = colour, 1
        sightings = tracker.step(frame, *blobs(mask, 5))
        result.append({s.number: s.box for s in sightings})
    return result


def walk(first: int, step: int, count: int, top: int = 40) -> list[tuple[int, int, int, int]]:
    return [(first + step * i, top, 20, 60) for i in range(count)]


def test_one_block_is_one_track_with_its_own_boxes():
    way = walk(20, 4, 40)
    tracks = run([[box] for box in way])
    assert [*map(set, tracks)] == [{1}] * 40
    assert all(boxes[1].tolist() == list(box) for boxes, box in zip(tracks, way))


@pytest.mark.parametrize(("gap", "numbers"), [(6, {1}), (25, {1, 2})])
def test_a_gap_within_the_budget_is_bridged(gap, numbers):
    assert (gap / 10 < MISSED_SECONDS) == (numbers == {1})
    way: list = walk(20, 4, 60)
    way[20 : 20 + gap] = [None] * gap
    assert set().union(*run([[box] for box in way])) == numbers


def test_two_who_pass_one_another_keep_their_numbers():
    tracks = run([list(pair) for pair in zip(walk(20, 5, 46), walk(250, -5, 46, top=44))])
    left, right = sorted(tracks[5], key=lambda number: tracks[5][number][0])
    assert tracks[-1].keys() == {left, right}
    assert tracks[-1][left][0] > tracks[-1][right][0] + 100
    assert set().union(*tracks) == {left, right}


def test_while_two_are_one_piece_each_has_a_box_of_its_size():
    tracks = run([list(pair) for pair in zip(walk(20, 5, 46), walk(250, -5, 46, top=44))])
    merged = tracks[22]  # at x = 130 and 140
    for box, true in zip(sorted(merged.values(), key=lambda b: b[0]), ((130, 40), (140, 44))):
        assert np.abs(box[:2] - true).max() < 12 and np.abs(box[2:] - (20, 60)).max() < 6


def test_who_comes_as_one_piece_is_cut_in_two_once_heights_are_known():
    alone = [[box, None, None] for box in walk(20, 4, 55)]
    both = [[None, *pair] for pair in zip(walk(30, 4, 40), walk(51, 4, 40))]  # a hand's breadth apart
    joined = [[None, (a[0], a[1], 22, 60), b] for _, a, b in both]  # and touching
    tracks = run(alone + [[None] * 3] * 15 + joined)
    assert len(tracks[75]) == 1
    last = sorted(tracks[-1].values(), key=lambda box: box[0])
    assert len(last) == 2 and np.abs(last[1][0] - last[0][0] - 21) < 6


def test_specks_are_nobody_once_heights_are_known():
    tracks = run([[box, (250, 60, 12, 20) if i > 45 else None] for i, box in enumerate(walk(20, 3, 60))])
    assert set().union(*tracks) == {1}


def test_a_track_ends_where_the_person_leaves_and_the_next_one_is_new():
    out, back = walk(240, 6, 30), walk(300, -6, 30)
    tracks = run([[box if box[0] < 300 else None] for box in out + back])
    assert set().union(*tracks) == {1, 2}


def test_edges():
    assert at_edge(np.array([1, 50, 10, 20.0]), SIZE) and at_edge(np.array([280, 50, 20, 20.0]), SIZE)
    assert not at_edge(np.array([5, 50, 10, 20.0]), SIZE)


def test_head_and_legs_that_go_in_step_become_one():
    """Somebody whose coat has the colour of the ground: two pieces, too far apart to be united at once."""
    way = walk(20, 4, 60, top=16)
    tracks = run([[(x + 4, y, 12, 16), (x, y + 54, 20, 30)] for x, y, _, _ in way])
    assert len(tracks[2]) == 2 and all(len(boxes) == 1 for boxes in tracks[20:])
    (last,) = tracks[-1].values()
    assert np.abs(last - (20 + 4 * 59, 16, 20, 84)).max() < 6


@pytest.mark.parametrize("other", ["passes", "stands", "faster"])
def test_one_above_another_who_does_not_go_along_stays_two(other):
    lower = walk(20, 4, 60, top=70)
    lower = [(x, y, 20, 45) for x, y, _, _ in lower]
    upper = {
        "passes": [(250 - 4 * i, 20, 14, 40) for i in range(60)],
        "stands": [(140, 20, 14, 40)] * 60,
        "faster": [(60 + 8 * i, 20, 14, 40) if i < 28 else None for i in range(60)],
    }[other]
    tracks = run([[below, above] for below, above in zip(lower, upper)])
    assert len(tracks[25]) == 2
    assert len(set().union(*tracks)) == 2


def test_heights_of_the_way_before_somebody_has_walked_count():
    """A pass of hardly `MIN_POINTS` frames is enough, though it takes a third of it to see that the block walks."""
    tracker = Tracker(SIZE, 10, 10)
    for left, top, width, height in walk(5, 3, MIN_POINTS + 2):
        mask = np.zeros(SIZE, np.uint8)
        mask[top : top + height, left : left + width] = 1
        tracker.step(np.full((*SIZE, 3), 100, np.uint8), *blobs(mask, 5))
    assert tracker._scale.height(100) == pytest.approx(60, abs=1)


def test_a_track_is_believed_for_its_length_and_height():
    tracker = Tracker(SIZE, 10, 24)
    assert tracker.believed(1, [np.array([0, 0, 10, 30.0])] * 4)
    assert not tracker.believed(1, [np.array([0, 0, 10, 30.0])] * 3)
    assert not tracker.believed(1, [np.array([0, 0, 10, 20.0])] * 40)
