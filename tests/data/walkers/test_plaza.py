"""The rendered video: people who cross, come back, and are where the labels say."""

import numpy as np
import pytest

from reidlib.data.walkers.plaza import plaza


@pytest.fixture(scope="module")
def scene():
    return plaza(seed=3, num_people=3, passes=2, resolution=(120, 160))


def test_everybody_comes_as_often_as_asked(scene):
    assert sorted(scene.person_ids) == [1, 1, 2, 2, 3, 3]
    assert scene.frames.shape == (len(scene.labels), 3, 120, 160) and scene.frames.dtype == np.uint8
    assert set(np.unique(scene.labels)) == set(range(7))


def test_the_first_is_there_when_it_begins_and_all_leave(scene):
    assert (scene.labels[0] == 1).any()
    assert (scene.labels[-1] > 0).sum() < 300  # the last one is at the border, or gone
    for number in range(2, 7):
        seen = np.flatnonzero((scene.labels == number).any((1, 2)))
        columns = (scene.labels[seen[0]] == number).any(0).nonzero()[0]
        assert columns.min() < 8 or columns.max() > 151  # comes in from a side


def test_walks_are_steady_and_cross_the_picture(scene):
    for number in range(2, 7):
        boxes = scene.boxes(min_pixels=1)
        centre = (lambda b: b[:, 2] + b[:, 4] / 2)(boxes[boxes[:, 1] == number])
        assert np.ptp(centre) > 100
        steps = np.diff(centre)
        assert (np.sign(steps[np.abs(steps) > 1.5]) == np.sign(centre[-1] - centre[0])).mean() > 0.9


def test_people_are_as_tall_as_they_should_be(scene):
    boxes = scene.boxes(min_pixels=250)
    assert 0.28 < np.median(boxes[:, 5]) / 120 < 0.52


def test_outside_people_and_shadows_nothing_moves(scene):
    upper = scene.frames[:, :, :20].astype(int)  # above everybody's head
    assert not scene.labels[:, :20].any()
    assert np.abs(upper - np.median(upper, axis=0)).mean() < 4


def test_boxes_by_hand(scene):
    for frame, number, left, top, width, height in scene.boxes(min_pixels=50)[::40]:
        window = scene.labels[int(frame), int(top) : int(top + height), int(left) : int(left + width)] == number
        assert window.sum() == (scene.labels[int(frame)] == number).sum() >= 50
        assert window[0].any() and window[-1].any() and window[:, 0].any() and window[:, -1].any()


def test_the_same_arguments_give_the_same_bytes_and_another_seed_does_not():
    small = {"num_people": 1, "passes": 1, "resolution": (60, 80)}
    one, again, other = plaza(1, **small), plaza(1, **small), plaza(2, **small)
    assert np.array_equal(one.frames, again.frames) and np.array_equal(one.labels, again.labels)
    assert one.frames.shape != other.frames.shape or not np.array_equal(one.frames, other.frames)


@pytest.mark.parametrize(("people", "passes"), [(0, 2), (3, 0), (64, 4)])
def test_impossible_numbers_are_refused(people, passes):
    with pytest.raises(ValueError, match=f"num_people={people}, passes={passes}: expected 1 to 255"):
        plaza(num_people=people, passes=passes)


def test_who_is_in_a_box(scene):
    boxes = scene.boxes(min_pixels=200)
    for number in range(1, 7):
        own = boxes[boxes[:, 1] == number]
        assert scene.person_in(own[:, 0].astype(int), own[:, 2:]) == scene.person_ids[number - 1]
    assert scene.person_in(np.array([0]), np.array([[0, 0, 160, 10]])) == 0
