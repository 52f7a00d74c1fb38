"""What tests of several networks ask for."""

import pytest
import torch


@pytest.fixture(scope="session")
def count():
    """`count(network)`: its number of parameters."""
    return lambda network: sum(p.numel() for p in network.parameters())


@pytest.fixture(scope="session")
def random_silhouettes():
    """`random_silhouettes(*shape, seed=0)`: random 0 and 1, uint8."""

    def make(*shape: int, seed: int = 0) -> torch.Tensor:
        return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) > 0.5).to(torch.uint8)

    return make
