import csv
from dataclasses import replace

import numpy as np
import pytest

import reidlib
from reidlib.data.walkers.body import FEMALE, MALE, Body, sample_body
from reidlib.data.walkers.wardrobe import (
    BOTTOM_COLOURS,
    STREET,
    TOP_COLOURS,
    Dye,
    Outfit,
    attributes,
    change_clothes,
    dress_alike,
    sample_outfit,
)


def test_attributes_are_the_columns_of_mars_within_its_codes():
    shared = reidlib.shared_folder()
    if shared is None:
        pytest.skip("no folder of real annotations")
    with open(shared / "data" / "attributes" / "mars_attributes.csv") as file:
        rows = list(csv.DictReader(file))
    rng = np.random.default_rng(0)
    for _ in range(200):
        body = sample_body(rng)
        for column, code in attributes(sample_outfit(rng, body), body).items():
            assert str(code) in {row[column] for row in rows}, column


def test_palettes_are_small_and_skewed():
    for palette, names in ((STREET.tops, TOP_COLOURS), (STREET.bottoms, BOTTOM_COLOURS)):
        assert {dye.code for dye in palette} == set(range(len(names)))
        assert len(palette) <= 14
        weight = np.array([dye.weight for dye in palette])
        assert weight.max() > 10 * weight.min()


def test_skirts_and_long_hair_follow_gender():
    rng = np.random.default_rng(1)
    men = [sample_outfit(rng, Body(gender=MALE)) for _ in range(200)]
    women = [sample_outfit(rng, Body(gender=FEMALE)) for _ in range(200)]
    assert not any(outfit.skirt for outfit in men)
    assert 40 < sum(outfit.skirt for outfit in women) < 105
    assert sum(outfit.long_hair for outfit in women) > 5 * sum(outfit.long_hair for outfit in men)


def test_boots_and_overcoats_are_the_wardrobes_and_change_nothing_else():
    green = replace(STREET, boots=1.0, coats=1.0, overcoats=(Dye(2, (0.2, 0.5, 0.2), 1.0),))
    for seed in range(20):
        usual, other = (
            sample_outfit(np.random.default_rng(seed), Body(), w) for w in (replace(STREET, coats=1.0), green)
        )
        assert not usual.boots and other.boots
        assert other.coat_color == 2 and other.coat_rgb[1] > other.coat_rgb[0]
    usual, booted = (sample_outfit(np.random.default_rng(1), Body(), replace(STREET, boots=b)) for b in (0.0, 1.0))
    assert replace(booted, boots=False) == usual


def test_attributes_say_what_is_worn():
    outfit = Outfit(
        top_color=7, bottom_color=2, backpack=True, hat=True, skirt=True, long_hair=True, short_sleeves=False
    )
    got = attributes(outfit, Body(gender=FEMALE, age=3))
    assert got == {
        "top color": 7, "bottom color": 2, "age": 3, "top length": 0, "bottom length": 0, "shoulder bag": 0,
        "backpack": 1, "hat": 1, "hand bag": 0, "hair": 1, "gender": 1, "bottom type": 0,
    }  # fmt: skip


def test_the_coat_is_the_top_that_is_seen():
    assert attributes(Outfit(top_color=7, coat=0.5, coat_color=4), Body())["top color"] == 4


def test_a_change_of_clothes_keeps_the_person():
    rng = np.random.default_rng(2)
    outfit = sample_outfit(rng, Body())
    assert change_clothes(outfit, rng, 0.0) == outfit
    changed = [change_clothes(outfit, np.random.default_rng(i), 1.0) for i in range(300)]
    for other in changed:
        assert (other.skin_rgb, other.hair_rgb, other.long_hair) == (
            outfit.skin_rgb,
            outfit.hair_rgb,
            outfit.long_hair,
        )
        assert other.top_rgb != outfit.top_rgb
        assert 1.0 <= other.top_padding <= 1.25
    assert np.mean([other.coat > 0 for other in changed]) == pytest.approx(0.6, abs=0.09)
    mild = [change_clothes(replace(outfit, coat=0.0), np.random.default_rng(i), 0.3) for i in range(300)]
    assert np.mean([other.coat > 0 for other in mild]) == pytest.approx(0.18, abs=0.07)


def test_who_dresses_alike_keeps_what_is_no_cloth():
    rng = np.random.default_rng(4)
    for _ in range(50):
        man, woman = Body(gender=MALE), Body(gender=FEMALE)
        other = sample_outfit(rng, woman, replace(STREET, coats=0.5, skirts=1.0))
        for body in (man, woman):
            own = sample_outfit(rng, body)
            worn = dress_alike(own, other, body)
            assert worn.skirt == (body is woman)
            changed = {name for name, value in vars(worn).items() if value != getattr(own, name)}
            assert all(name.startswith(("top_", "coat", "bottom_", "short_", "skirt")) for name in changed)
            assert all(
                getattr(worn, n) == getattr(other, n) for n in ("top_rgb", "coat", "bottom_rgb", "short_sleeves")
            )
