"""The pre-training's objectives and rows."""

from types import SimpleNamespace

import pytest
import torch

from reidlib.experiments import Run, Setting
from reidlib.experiments.trainings import find_training
from reidlib.losses import batch_hard_triplet_loss, identity_loss
from reidlib.models import create_model
from reidlib.models.pretrained import NAMES, VIDEO
from reidlib.papers.pretraining.rows import ATTRIBUTES, IDENTITIES, rows


@pytest.fixture
def batch():
    torch.manual_seed(1)
    return SimpleNamespace(
        frames=torch.rand(6, 1, 3, 64, 32),
        labels=torch.tensor([0, 0, 3, 3, 4, 4]),
        attributes={
            "hat": torch.tensor([1, 1, 0, 0, 0, 0]),
            "age": torch.tensor([0] * 6),
            "bag": torch.tensor([0, 1] * 3),
        },
    )


def plan(run, **options):
    torch.manual_seed(0)
    model = create_model("pretraining", num_ids=5, scale="mini", **options)
    return model, find_training(run.training).function(Setting(model, run, SimpleNamespace(num_ids=5)))


def test_identities_are_told_apart_by_two_losses(batch):
    model, found = plan(IDENTITIES)
    terms, output = found.objective(model, batch)["network"], model(frames=batch.frames)
    expected = {
        "identity": identity_loss(output.logits["global"], batch.labels),
        "triplet": batch_hard_triplet_loss(output.features["global"], batch.labels, 0.3),
    }
    assert terms.keys() == expected.keys()
    for term, value in expected.items():
        torch.testing.assert_close(terms[term], value, rtol=1e-4, atol=1e-5)
    parameters = found.optimisers["network"].param_groups[0]["params"]
    assert all(g.isfinite().all() for g in torch.autograd.grad(sum(terms.values()), parameters))


def test_attributes_are_learned_one_by_one(batch):
    model, found = plan(ATTRIBUTES, attributes=("bag", "hat"))
    loss = found.objective(model, batch)["network"]["attributes"]
    scores = model(frames=batch.frames).attributes
    signs = {name: 2 * batch.attributes[name] - 1 for name in scores}
    by_hand = torch.stack([(1 + (-signs[name] * scores[name][:, 0]).exp()).log() for name in scores])
    torch.testing.assert_close(loss, by_hand.mean(), rtol=1e-4, atol=1e-5)


def test_the_control_differs_in_what_it_learns_alone(differing):
    first, second, video = (row.run for row in rows("mini"))
    assert differing(first, second) == {"training", "model_options", "evaluation"}
    assert differing(first, video) == {"model_options", "num_frames"}
    assert tuple(row.keep_backbone for row in rows("mini")) == (*NAMES, VIDEO)
    assert rows("paper") == []
    assert isinstance(first, Run) and first.num_frames == 1 and first.iterations > 0
