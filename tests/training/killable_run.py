"""A small run with everything random in it: `killable_run.py CHECKPOINT WEIGHTS`, used by test_fit.py."""

import random
import sys

import numpy as np
import torch
from torch import nn

from reidlib.losses import CenterLoss, batch_hard_triplet_loss
from reidlib.training import cosine, fit, with_warmup

ITERATIONS = 700


class Objective(nn.Module):
    """Triplet and centre loss with every global random generator in use."""

    def __init__(self):
        super().__init__()
        self.center = CenterLoss(4, 6)

    def forward(self, model, batch):
        images, labels = batch
        noise = random.random() * torch.from_numpy(np.random.randn(*images.shape)).float()  # noqa: NPY002
        features = model(images + 0.1 * noise).float()
        center = self.center(features, labels)
        triplet = batch_hard_triplet_loss(features, labels)
        return {"network": {"triplet": triplet, "center": center}, "centers": {"center": center}}


def batches(start: int):
    for i in range(start, ITERATIONS):
        generator = torch.Generator().manual_seed(i)
        labels = torch.arange(4).repeat_interleave(2)
        images = torch.randn(8, 3, 8, 8, generator=generator) + labels.view(-1, 1, 1, 1)
        yield images.contiguous(memory_format=torch.channels_last), labels


def main(checkpoint: str, weights: str) -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(288, 6)
    ).to(memory_format=torch.channels_last)
    objective = Objective()
    fit(
        model,
        objective,
        batches,
        iterations=ITERATIONS,
        optimisers={
            "network": torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4),
            "centers": torch.optim.SGD(objective.parameters(), lr=0.5, momentum=0.5),
        },
        schedules={"network": with_warmup(cosine(ITERATIONS), 50)},
        weights={"network": {"center": 0.01}},
        checkpoint=checkpoint,
        checkpoint_every=7,
        progress=False,
    )
    state = {**model.state_dict(), **objective.state_dict(), "next random": torch.rand(3)}
    torch.save(state, weights)


if __name__ == "__main__":
    main(*sys.argv[1:])
