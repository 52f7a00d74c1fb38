"""The line of heights is found in spite of wrong boxes, and pieces are united as one person's only."""

import numpy as np
import pytest

from reidlib.data.footage.foreground import Blob
from reidlib.data.footage.scale import MIN_POINTS, TALLEST, TOLERANCE, Scale, tallest, unite


def taught(slope: float, offset: float, wrong: float = 0.0) -> Scale:
    """A scale that has seen people with feet in rows 100 to 400, a share of them with boxes half as high."""
    scale, rng = Scale(480), np.random.default_rng(0)
    for row in rng.uniform(100, 400, 200):
        height = (offset + slope * row) * (0.5 if rng.random() < wrong else 1)
        scale.add(np.array([50, row - height, 20, height]))
    return scale


def piece(label: int, *box: float) -> Blob:
    return Blob((label,), np.array(box, float), int(box[2] * box[3]))


def test_knows_nothing_before_it_has_seen_enough():
    scale = Scale(480)
    for _ in range(MIN_POINTS - 1):
        scale.add(np.array([0, 100, 20, 50]))
        assert scale.height(150) is None
    scale.add(np.array([0, 100, 20, 50]))
    assert scale.height(150) == 50


def test_finds_the_line():
    scale = taught(slope=0.2, offset=20)
    for row in (100, 250, 400):
        assert abs(scale.height(row) / (20 + 0.2 * row) - 1) < 0.05


def test_a_fifth_of_wrong_boxes_moves_it_little():
    scale = taught(slope=0.2, offset=20, wrong=0.2)
    assert abs(scale.height(250) / 70 - 1) < 0.1


def test_heights_stay_positive_far_outside():
    assert taught(slope=0.3, offset=-20).height(0) > 0


def test_two_pieces_of_one_person_are_joined():
    scale = taught(slope=0, offset=80)
    head, legs = piece(1, 100, 120, 20, 40), piece(2, 105, 170, 12, 30)
    (joined,) = unite([legs, head], scale)
    assert sorted(joined.labels) == [1, 2]
    assert joined.box.tolist() == [100, 120, 20, 80] and joined.area == 20 * 40 + 12 * 30


def test_two_people_above_one_another_are_not():
    scale = taught(slope=0, offset=80)
    assert len(unite([piece(1, 100, 120, 20, 80), piece(2, 100, 205, 20, 80)], scale)) == 2


def test_side_by_side_is_not_above():
    scale = taught(slope=0, offset=80)
    assert len(unite([piece(1, 100, 120, 20, 40), piece(2, 121, 165, 20, 35)], scale)) == 2


def test_how_tall_a_person_can_be():
    box = np.array([100, 100, 20, 90.0])
    assert tallest(box, Scale(480)) == TALLEST * 20
    assert tallest(box, taught(slope=0.2, offset=20)) == pytest.approx(TOLERANCE * (20 + 0.2 * 190), rel=0.05)
