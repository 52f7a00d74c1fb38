"""Which segments masks prefer, of networks that are given the truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reidlib.data import walkers
from reidlib.data.walkers.scene import PARTS
from reidlib.experiments import Run
from reidlib.experiments.evaluations import columns_of, measure
from reidlib.experiments.evaluations.mask_segments import near_joints, outline
from reidlib.models import ModelOutput, Network

RUN = Run("oracle", "street", evaluation="mask-segments", num_frames=3)


@pytest.fixture
def street(new_cache):
    new_cache()
    whole = walkers.street(0, num_ids=10, workers=1, progress=False)
    return replace(whole, query=whole.query[:5])


class Legs(Network):
    inputs = ("parts",)

    def forward(self, parts):
        legs = torch.isin(
            parts.long(), torch.tensor([i for i, name in enumerate(PARTS) if "leg" in name or "foot" in name])
        )
        masks = {"mask legs": legs.float(), "mask rest": 1 - legs.float(), "mask level": torch.full(legs.shape, 0.4)}
        visuals = {name: mask[:, :, None] for name, mask in masks.items()}
        return ModelOutput(torch.zeros(len(parts), 1), visuals=visuals)


def test_a_mask_of_the_legs_prefers_them_and_its_opposite_does_not(street):
    found = measure(Legs(), street, RUN, False)
    legs, rest, level = (found.scores[f"mask {name}, segments"] for name in ("legs", "rest", "level"))
    assert legs["legs"] > 0.55 > 0.5 > legs["torso"] and legs["legs"] + rest["legs"] == pytest.approx(1, abs=1e-5)
    assert set(level.values()) == {0.5} and {"joints", "outline", "head"} <= level.keys()
    assert found.scores["masks alike"] == {
        "mask legs and mask rest": pytest.approx(-1)
    }  # a level one has no correlation
    assert found.units["mask legs and mask rest"] == "correlation"
    assert set(columns_of(RUN)) > {"legs", "joints"}


def test_pixels_near_a_visible_joint():
    joints = np.array([[[3.0, 5.0, 1.0], [8.0, 20.0, 0.0]]])  # x, y, visible
    found = near_joints(joints, (50, 10))  # nearer than 2 pixels
    assert found.sum() == 9 and found[0, 4:7, 2:5].all()


def test_the_outline_has_a_neighbour_that_is_not_the_person():
    person = np.zeros((1, 6, 6), bool)
    person[0, 1:5, 1:6] = True  # up to the frame's edge, beyond which it may go on
    expected = person.copy()
    expected[0, 2:4, 2:6] = False
    assert np.array_equal(outline(person), expected)
