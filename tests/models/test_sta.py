"""STA: scores of blocks by hand, and what the two fused maps are made of."""

import pytest
import torch

from reidlib.models import create_model
from reidlib.models.sta import block_scores, fused_blocks


def test_scores_are_shares_of_the_normalised_answers():
    maps = torch.zeros(1, 2, 1, 4, 1)
    maps[0, 0, 0, :, 0] = torch.tensor([1.0, 0.0, 2.0, 0.0])  # answers 1, 0, 4, 0, of length √17
    maps[0, 1, 0, :, 0] = torch.tensor([3.0, 3.0, 0.0, 0.0])  # 9, 9, 0, 0, of length 9√2
    scores = block_scores(maps)
    first, second = 1 / 17**0.5, 1 / 2**0.5
    assert scores[0, :, 0].tolist() == pytest.approx([first / (first + second), second / (first + second)])
    assert scores[0, :, 1].tolist() == [0, 1] and scores[0, :, 2].tolist() == [1, 0]


def test_the_strongest_block_is_taken_whole_and_the_others_are_weighted():
    torch.manual_seed(0)
    maps = torch.rand(3, 4, 5, 8, 2)
    strongest, weighted = fused_blocks(maps)
    scores = block_scores(maps)
    for b in range(3):
        blocks = maps[b].unflatten(2, (4, 2)).mean((3, 4))  # (T, C, blocks)
        best = torch.stack([blocks[scores[b, :, k].argmax(), :, k] for k in range(4)]).mean(0)
        torch.testing.assert_close(strongest[b], best)
        sums = torch.stack([(scores[b, :, k, None] * blocks[:, :, k]).sum(0) for k in range(4)]).mean(0)
        torch.testing.assert_close(weighted[b], sums)


def test_output():
    torch.manual_seed(0)
    network = create_model("sta", num_ids=7, scale="mini")
    out = network(frames=torch.rand(4, 3, 3, 64, 32))
    assert out.embedding.shape == out.features["global"].shape == (4, 128) and out.logits["global"].shape == (4, 7)
    assert out.visuals["mask"].shape == (4, 3, 1, 8, 4) and out.visuals["mask"].max() == 1
    out.logits["global"].logsumexp(1).sum().backward()
    assert {name for name, p in network.named_parameters() if p.grad is None} == {"neck.bias"}
    assert not network.for_retrieval()(frames=torch.rand(1, 2, 3, 64, 32)).logits
