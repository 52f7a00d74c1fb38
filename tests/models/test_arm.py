"""The attribute recognition model: groups, and probabilities averaged over frames."""

import pytest
import torch

from reidlib.data import peta
from reidlib.models import create_model
from reidlib.models.arm import AttributeGroups


def test_at_paper_scale_six_groups_of_256_predict_105_attributes(count):
    with torch.device("meta"):
        network = create_model("arm", groups=peta.grouped())
        output = network(frames=torch.empty(2, 1, 3, 256, 128))
    assert len(network.attributes.features) == 6 and set(output.attributes) == set(peta.ATTRIBUTES)
    assert count(network.attributes) == 6 * (2048 * 256 + 256) + 105 * 256 + 105
    assert output.visuals["probabilities"].shape == (2, 1, 105)


def test_an_attribute_is_there_where_its_average_probability_is_above_a_half():
    torch.manual_seed(0)
    network = create_model("arm", groups={"a": ["x", "y"], "b": ["z"]}, scale="mini").eval()
    frames = torch.rand(3, 4, 3, 64, 32)
    with torch.no_grad():
        output = network(frames=frames)
        one = network(frames=frames[:, 1:2]).visuals["probabilities"]
    probabilities = output.visuals["probabilities"]
    torch.testing.assert_close(one[:, 0], probabilities[:, 1])  # each frame by itself
    for i, name in enumerate("xyz"):
        torch.testing.assert_close(output.attributes[name].sigmoid()[:, 0], probabilities.mean(1)[:, i])


def test_attributes_of_several_codes_have_as_many_scores():
    groups = AttributeGroups(4, {"a": {"colour": 3, "hat": 1}, "b": {"age": 2}}, width=5)
    found = groups(torch.rand(2, 4))
    assert [{n: tuple(v.shape) for n, v in group.items()} for group in found] == [
        {"colour": (2, 3), "hat": (2, 1)},
        {"age": (2, 2)},
    ]
    for wrong in ({}, {"a": ["x"], "b": ["x"]}):
        with pytest.raises(ValueError, match="expected names of attributes, each in one group"):
            AttributeGroups(4, wrong, width=5)
