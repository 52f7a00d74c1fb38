"""Overlap and assignment by hand, scores on tracks whose result can be counted on the fingers."""

import itertools
import math

import numpy as np
import pytest

from reidlib.data.footage import box_scores
from reidlib.data.footage.boxes import around, assign, intersection, overlap


def test_overlap_by_hand():
    a = np.array([[0, 0, 10, 10], [20, 20, 4, 4]], float)
    b = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [20, 20, 2, 2]], float)
    assert intersection(a, b).tolist() == [[100, 50, 0], [0, 0, 4]]
    assert overlap(a, b) == pytest.approx(np.array([[1, 50 / 150, 0], [0, 0, 4 / 16]]))


def test_the_box_around_boxes_by_hand():
    boxes = [np.array([2, 10, 3, 4], float), np.array([4, 8, 10, 1], float), np.array([3, 11, 1, 1], float)]
    assert around(boxes).tolist() == [2, 8, 12, 6]
    assert around(boxes[:1]).tolist() == [2, 10, 3, 4]


def test_assignment_has_the_largest_sum_of_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        overlaps = rng.random((4, 3))
        pairs = assign(overlaps, 0.0)
        best = max(sum(overlaps[i, j] for j, i in enumerate(rows)) for rows in itertools.permutations(range(4), 3))
        assert sum(overlaps[pair] for pair in pairs) == pytest.approx(best)


def test_assignment_leaves_out_what_is_below_the_threshold():
    assert assign(np.array([[0.9, 0.8], [0.85, 0.1]]), 0.5) == [(0, 1), (1, 0)]
    assert assign(np.array([[0.9, 0.8], [0.3, 0.1]]), 0.5) == [(0, 0)]
    assert assign(np.zeros((0, 3)), 0.5) == []


def test_scores_by_hand():
    true = np.array([(f, person, 50 * person, 0, 10, 20) for f in range(4) for person in (1, 2)], float)
    found = true.copy()
    found[:, 1] += 6
    found[4:6, 1] = [8, 7]  # in frame 2 the numbers of the two are exchanged, and stay so: two switches
    found[6:8, 1] = [8, 7]
    found = np.delete(found, 0, axis=0)  # one box is missed,
    found = np.append(found, [[3, 20, 500, 0, 10, 20], [9, 20, 500, 0, 10, 20]], axis=0)  # two are nobody's
    scores = box_scores(found, true)
    assert (scores.matched, scores.true, scores.found, scores.switches) == (7, 8, 9, 1 + 1)
    assert (scores.recall, scores.precision) == (7 / 8, 7 / 9)


def test_a_pair_of_the_frame_before_stays_while_it_overlaps_enough():
    true = np.array([[0, 1, 0, 0, 10, 10], [1, 1, 0, 0, 10, 10]], float)
    found = np.array([[0, 5, 0, 0, 10, 10], [1, 5, 2, 0, 10, 10], [1, 6, 0, 0, 10, 10]], float)
    assert box_scores(found, true).switches == 0


def test_without_true_numbers_there_are_no_switches():
    true = np.array([[0, -1, 0, 0, 9, 9], [1, -1, 0, 0, 9, 9]], float)
    found = np.array([[0, 1, 0, 0, 9, 9], [1, 2, 0, 0, 9, 9]], float)
    assert box_scores(found, true).switches == 0


def test_nothing_found_and_nothing_true():
    empty, one = np.zeros((0, 6)), np.array([[0, 1, 0, 0, 9, 9.0]])
    assert box_scores(empty, one).recall == 0 and math.isnan(box_scores(empty, one).precision)
    assert math.isnan(box_scores(one, empty).recall) and box_scores(one, empty).precision == 0


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(n, 6\); got \(3, 4\)"):
        box_scores(np.zeros((3, 4)), np.zeros((3, 6)))
