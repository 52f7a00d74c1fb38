from dataclasses import replace

import numpy as np

from reidlib.data.walkers import Scene, render
from reidlib.data.walkers.body import FEMALE, Body, sample_body
from reidlib.data.walkers.figure import figure
from reidlib.data.walkers.scene import PARTS, Person
from reidlib.data.walkers.solids import CARRIED
from reidlib.data.walkers.wardrobe import Outfit, sample_outfit


def test_a_person_has_all_parts_and_at_least_26_solids():
    shape = figure(Body(), Outfit())
    assert len(shape.segment) >= 26
    assert set(shape.part.ravel()) == set(range(1, 11))
    assert [PARTS[left] for left, right in shape.part if left != right] == ["left upper leg"]  # the hips


def test_solids_have_square_axes_and_real_radii():
    rng = np.random.default_rng(0)
    for _ in range(30):
        body = sample_body(rng)
        shape = figure(body, sample_outfit(rng, body), riding=True)
        products = shape.axes @ shape.axes.transpose(0, 2, 1)
        np.testing.assert_allclose(products * (1 - np.eye(3)), 0, atol=1e-6)
        q3 = np.linspace(shape.span[:, 0] + 1e-3, shape.span[:, 1] - 1e-3, 9)
        assert (shape.quadric[:, 0] + shape.quadric[:, 1] * q3 + shape.quadric[:, 2] * q3**2 > 0).all()
        assert np.linalg.norm(shape.axes, axis=-1).min() > 0.005


def test_things_add_solids_labelled_carried():
    assert not (figure(Body(), Outfit()).part == CARRIED).any()
    for thing in ("backpack", "shoulder_bag", "hand_bag"):
        assert (figure(Body(), replace(Outfit(), **{thing: True})).part == CARRIED).any()
    assert (figure(Body(), Outfit(), riding=True).hole > 0).sum() == 2  # wheels


def test_boots_hide_the_shin_over_trousers_and_bare_legs():
    for short in (False, True):
        outfit = Outfit(short_bottoms=short, shoe_rgb=(0.9, 0.1, 0.1), bottom_rgb=(0.1, 0.1, 0.9))
        plain, booted = (Person(outfit=replace(outfit, boots=boots)) for boots in (False, True))
        shins = []
        for person in (plain, booted):
            shown = render(Scene(person, view=0, num_frames=1), (128, 64), truth=("parts", "clean"))
            shin = shown.clean[0][
                :, np.isin(shown.parts[0], [PARTS.index(f"{side} lower leg") for side in ("left", "right")])
            ]
            shins.append((shin[0] > 2 * np.maximum(shin[1], shin[2])).mean())  # as red as the boots
        assert shins[0] < 0.1 and 0.5 < shins[1] < 0.95


def test_girth_and_padding_widen_limbs():
    def widths(body, outfit=Outfit()):  # noqa: B008, the default outfit is frozen
        return np.linalg.norm(figure(body, outfit).axes[:, 0], axis=1)

    assert (widths(Body(limb_girth=1.2, trunk_girth=1.2)) >= widths(Body()) - 1e-6).all()
    assert (widths(Body(), Outfit(top_padding=1.2, bottom_padding=1.2)) >= widths(Body()) - 1e-6).all()
    assert len(figure(Body(gender=FEMALE), Outfit()).part) == len(figure(Body(), Outfit()).part) + 1
