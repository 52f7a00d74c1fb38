"""What all networks have in common."""

import pytest
import torch
from torch import nn

from reidlib.models import Network, create_model, list_models

OPTIONS = {
    "cosam": {"num_frames": 2},
    "arm": {"groups": {"Personal": ["personalMale"]}},
    "ensemble": {"members": [("agw", {}), ("gaitset", {})]},
    "sshsp": {"num_frames": 2},
}
NEEDED = {"num_ids": 5, "scale": "mini"}


class Small(Network):
    training_only = ("head.classifier", "heads", "gone")

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 3)
        self.head = nn.Module()
        self.head.classifier = nn.Linear(3, 5)
        self.heads = nn.ModuleDict({"a": nn.Linear(3, 5)})
        self.gone = None


def test_a_copy_for_retrieval_drops_what_only_training_needs():
    network = Small().train()
    copy = network.for_retrieval()
    assert copy.state_dict().keys() == {"body.weight", "body.bias"} and copy.head.classifier is None
    assert not copy.training and network.training and len(network.heads) == 1
    copy.body.weight.data.zero_()
    assert network.body.weight.any()  # nothing is shared


@pytest.mark.parametrize("name", list_models())
def test_every_network_takes_what_it_declares_and_nothing_else(name):
    torch.manual_seed(0)
    network = create_model(name, **NEEDED, **OPTIONS.get(name, {})).for_retrieval()
    given = {
        "frames": torch.rand(2, 1 if name == "pretraining" else 2, 3, 64, 32),  # it looks at single images
        "next_frames": torch.rand(2, 2, 1, 3, 64, 32),
        "masks": torch.rand(2, 2, 1, 64, 32).round(),
        "silhouettes": torch.rand(2, 4, 32, 22).round(),
    }
    looked_at = [*network.inputs, *network.optional_inputs]
    assert {*looked_at} <= given.keys() and looked_at
    output = network(**{key: given[key] for key in looked_at})
    assert output.embedding.shape[0] == 2 and output.embedding.isfinite().all()
    for key in given.keys() - {*looked_at}:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{key}'"):
            network(**{k: given[k] for k in (*looked_at, key)})
