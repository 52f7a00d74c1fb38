"""Who lives in a world, and what its settings make of them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from reidlib.data.walkers.body import FEMALE, Body
from reidlib.data.walkers.gait import Gait, vary_gait
from reidlib.data.walkers.loads import gait_under_load
from reidlib.data.walkers.wardrobe import CLOTHES, Outfit
from reidlib.data.walkers.worlds.world import WEARERS, World

WORLD = World(3, "test")


def everybody(world, count=60):
    return [world.identity(index) for index in range(1, count + 1)]


def test_one_gait_in_bodies_of_their_own():
    usual, twins = everybody(WORLD), everybody(replace(WORLD, same_gait=True))
    assert {p.gait for p in twins} == {Gait()}
    assert [(p.body, p.outfit) for p in twins] == [(p.body, p.outfit) for p in usual]
    assert len({p.body for p in twins}) == 60


def test_one_body_with_gaits_of_their_own():
    usual, twins = everybody(WORLD), everybody(replace(WORLD, same_body=True))
    assert {replace(p.body, gender=0, age=0) for p in twins} == {replace(Body(), gender=0, age=0)}
    assert [(p.body.gender, p.body.age) for p in twins] == [(p.body.gender, p.body.age) for p in usual]
    assert [(p.gait, p.outfit) for p in twins] == [(p.gait, p.outfit) for p in usual]
    assert len({p.gait for p in twins}) == 60


def clothes(outfit):
    return tuple(getattr(outfit, name) for name in CLOTHES if name != "skirt")


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_the_share_asked_for_wears_one_of_a_few_outfits(share):
    count = 800
    usual, alike = everybody(WORLD, count), everybody(replace(WORLD, alike=share), count)
    changed = [clothes(a.outfit) != clothes(u.outfit) for a, u in zip(alike, usual)]
    low, high = binom.interval(1 - 1e-6, count, share)
    assert low <= sum(changed) <= high
    wearers = Counter(clothes(a.outfit) for a, other in zip(alike, changed) if other)
    assert sum(changed) / len(wearers) == pytest.approx(WEARERS, rel=0.15)
    for a, u, other in zip(alike, usual, changed):
        assert (a.body, a.gait) == (u.body, u.gait)
        if not other:
            assert a.outfit == u.outfit
        kept = {name: value for name, value in vars(a.outfit).items() if name not in CLOTHES}
        assert kept == {name: getattr(u.outfit, name) for name in kept}
        assert not a.outfit.skirt or a.body.gender == FEMALE


def test_where_all_are_alike_eight_neighbours_wear_the_same():
    worn = [clothes(p.outfit) for p in everybody(replace(WORLD, alike=1.0), 24)]
    assert [len(set(worn[i : i + 8])) for i in (0, 8, 16)] == [1, 1, 1] and len(set(worn)) == 3
    uniform = replace(WORLD, alike=1.0, same_appearance=True)
    assert {p.outfit for p in everybody(uniform)} == {Outfit()}


def test_a_person_dressed_walks_as_the_load_lets_them_and_differently_on_each_walk():
    person, loaded = WORLD.identity(1), Outfit(backpack=True, hand_bag=True)
    assert WORLD.dressed(person, Outfit()) == replace(person, outfit=Outfit())
    assert WORLD.dressed(person, loaded).gait == gait_under_load(person.gait, loaded)
    walks = [WORLD.dressed(person, loaded, np.random.default_rng(seed)).gait for seed in range(5)]
    assert len(set(walks)) == 5
    assert walks[0] == gait_under_load(vary_gait(person.gait, np.random.default_rng(0)), loaded)
    still = replace(WORLD, gait_variation=0.0)
    assert still.dressed(person, loaded, np.random.default_rng(0)) == WORLD.dressed(person, loaded)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"light": -0.1}, "^light=-0.1: expected severities from 0 on"),
        ({"gait_variation": -1.0, "clutter": -2.0}, "gait_variation=-1.0, clutter=-2.0: expected severities"),
        ({"alike": 1.2}, "alike=1.2: expected a share of the people, 0 to 1"),
        ({"alike": -0.2}, "alike=-0.2: expected a share"),
    ],
)
def test_bad_settings(options, message):
    with pytest.raises(ValueError, match=message):
        World(0, "test", **options)
