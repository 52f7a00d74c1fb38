import math

import pytest

from reidlib.training import constant, cosine, multistep, one_cycle, with_warmup


def test_constant():
    assert {constant(i) for i in (0, 7, 10**6)} == {1.0}


def test_multistep_divides_at_each_milestone():
    schedule = multistep([40, 70])
    assert [schedule(i) for i in (0, 39, 40, 69, 70, 500)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    assert multistep([1, 2], gamma=0.5)(2) == 0.25


def test_cosine_falls_from_one_to_its_final_value_and_stays():
    schedule = cosine(100, final=0.2)
    assert [schedule(i) for i in (0, 50, 100, 130)] == pytest.approx([1, 0.6, 0.2, 0.2])
    assert cosine(60)(20) == pytest.approx((1 + math.cos(math.pi / 3)) / 2)


def test_warmup_rises_linearly_and_multiplies():
    schedule = with_warmup(multistep([5]), 10, start=0.2)
    assert [schedule(i) for i in (0, 4, 5, 10, 99)] == pytest.approx([0.2, 0.52, 0.06, 0.1, 0.1])
    assert with_warmup(constant, 0)(0) == 1.0


def test_one_cycle_rises_over_a_tenth_and_falls_along_half_a_cosine():
    schedule = one_cycle(100)
    rise = [0.01, 0.01 + 0.99 / 2, 1]
    assert [schedule(i) for i in (0, 5, 10)] == pytest.approx(rise)
    fall = [0.01 + 0.99 * (1 + math.cos(math.pi * part)) / 2 for part in (1 / 3, 1 / 2, 2 / 3, 1)]
    assert [schedule(i) for i in (40, 55, 70, 100)] == pytest.approx(fall)
    assert fall == pytest.approx([0.7525, 0.505, 0.2575, 0.01])
    assert one_cycle(100, warmup=0.5, final=0.2)(75) == pytest.approx(0.6)


@pytest.mark.parametrize("iterations", [1, 2, 7])
def test_one_cycle_of_a_few_iterations_never_stands_still(iterations):
    assert all(0.01 <= one_cycle(iterations)(i) <= 1 for i in range(iterations))
