"""Binary cross-entropy of attributes, by hand and with unknown codes."""

import math

import pytest
import torch

from reidlib.losses import attribute_loss
from reidlib.losses.attributes import binary_targets


def logit(p):
    return math.log(p / (1 - p))


def test_every_code_is_an_output_of_its_own():
    assert binary_targets(torch.tensor([2, 0, -1]), 3).tolist() == [[0, 0, 1], [1, 0, 0], [-1, -1, -1]]


def test_both_terms_count_and_the_mean_is_taken_over_clips_and_outputs():
    scores = {"colour": torch.tensor([[logit(0.9), logit(0.2), logit(0.3)]]), "hat": torch.tensor([[0.0, 0.0]])}
    codes = {"colour": torch.tensor([0]), "hat": torch.tensor([1]), "unused": torch.tensor([5])}
    expected = -(math.log(0.9) + math.log(0.8) + math.log(0.7) + 2 * math.log(0.5)) / 5
    assert attribute_loss(scores, codes).item() == pytest.approx(expected, abs=1e-6)


def test_what_is_not_known_does_not_count():
    scores = {"hat": torch.tensor([[3.0, -1.0], [0.5, 0.2]]).requires_grad_()}
    found = attribute_loss(scores, {"hat": torch.tensor([-1, 1])})
    assert found.item() == pytest.approx(attribute_loss({"hat": scores["hat"][1:]}, {"hat": torch.tensor([1])}).item())
    found.backward()
    assert not scores["hat"].grad[0].any() and scores["hat"].grad[1].all()
    assert attribute_loss(scores, {"hat": torch.tensor([-1, -1])}).item() == 0


def test_labels_of_other_data_are_refused():
    with pytest.raises(ValueError, match="the code 9 has no output, there are 8: which data"):
        attribute_loss({"bottom color": torch.zeros(1, 8)}, {"bottom color": torch.tensor([9])})
    with pytest.raises(KeyError, match="age"):
        attribute_loss({"age": torch.zeros(1, 4)}, {"hat": torch.tensor([1])})
