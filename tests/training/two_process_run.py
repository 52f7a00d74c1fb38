"""A run for two processes: `two_process_run.py WEIGHTS [CHECKPOINT]`, used by test_distributed.py.

Batch normalisation, triplets mined over the whole batch, and class centres with an optimiser of their own;
float64, so that agreement means agreement.
"""

import sys

import torch
from torch import nn

from reidlib.losses import CenterLoss, batch_hard_triplet_loss, identity_loss
from reidlib.training import fit, gather, multistep
from reidlib.training.distributed import start_processes

ITERATIONS = 6


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4), nn.BatchNorm1d(4))
        self.classifier = nn.Linear(4, 4, bias=False)

    def forward(self, x):
        feature = self.body(x)
        return feature, self.classifier(feature)


class Objective(nn.Module):
    def __init__(self):
        super().__init__()
        self.center = CenterLoss(4, 4)

    def forward(self, model, batch):
        feature, logits = model(batch["x"])
        return self.losses(feature, logits, batch["labels"])

    def losses(self, feature, logits, labels):
        center = self.center(feature, labels)
        triplet = batch_hard_triplet_loss(gather(feature), gather(labels), margin=1.0)
        terms = {"identity": identity_loss(logits, labels), "triplet": triplet, "center": center}
        return {"network": terms, "centers": {"center": center}}


def batches(start: int = 0):
    """12 items of 4 identities, three of each, the identities in order: each half has two of its own."""
    for i in range(start, ITERATIONS):
        generator = torch.Generator().manual_seed(i)
        labels = torch.arange(4).repeat_interleave(3)
        x = torch.randn(12, 5, generator=generator, dtype=torch.float64) + labels[:, None]
        yield {"x": x, "labels": labels, "conditions": tuple("abcdabcdabcd")}


def build(seed: int = 0):
    """(network, objective, what `fit` needs besides)."""
    torch.manual_seed(seed)
    model, objective = Network().double(), Objective().double()
    options = {
        "optimisers": {
            "network": torch.optim.Adam(model.parameters(), lr=0.05),
            "centers": torch.optim.SGD(objective.parameters(), lr=0.5),
        },
        "schedules": {"network": multistep([4])},
        "weights": {"network": {"center": 0.1}},
    }
    return model, objective, options


def main(weights: str, checkpoint: str | None = None) -> None:
    processes = start_processes()
    assert processes.num_processes == 2
    model, objective, options = build(seed=processes.process_index)  # the first process's weights count
    result = fit(
        model,
        objective,
        batches,
        iterations=ITERATIONS,
        precision="no",
        checkpoint=checkpoint,
        checkpoint_every=2,
        progress=False,
        **options,
    )
    state = {**model.state_dict(), **objective.state_dict()}
    torch.save({"state": state, "history": result.history}, f"{weights}.{processes.process_index}")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
