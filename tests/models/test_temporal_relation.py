"""The temporal relation block against Equations 4 and 5 written as loops."""

import pytest
import torch

from reidlib.models.temporal_relation import TemporalRelation


def block(frames=4, **options):
    torch.manual_seed(0)
    network = TemporalRelation(16, frames, **options)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):  # not the identity
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.weight, 0.5, 2)
            torch.nn.init.normal_(module.bias, std=0.2)
    return network.eval(), torch.randn(3, frames, 16)


def test_it_is_equations_4_and_5():
    network, features = block()
    found, weights = network(features)
    for b, clip in enumerate(features):
        refined, worth = [], []
        for f_t in clip:
            relations = []
            for f_m in clip:
                pair = torch.cat([network.phi(f_t[None]), network.varphi((f_t - f_m)[None])], 1)
                relations.append(network.h1(pair)[0])
            joined = torch.cat([f_t, *relations])[None]
            refined.append(network.h2(joined)[0])
            worth.append(torch.sigmoid(network.norm(network.attention(joined)))[0, 0])
        worth = torch.stack(worth)
        expected = (worth[:, None] * torch.stack(refined)).sum(0) / worth.sum()
        torch.testing.assert_close(found[b], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(weights[b], worth / worth.sum(), rtol=1e-4, atol=1e-5)
    assert weights.std() > 1e-3


def test_alone_it_sees_no_other_frame_and_is_a_plain_average():
    network, features = block(alone=True)
    found, weights = network(features)
    assert torch.equal(weights, torch.full((3, 4), 0.25))
    singly = [network(features[:, t : t + 1].expand(-1, 4, -1))[0] for t in range(4)]
    torch.testing.assert_close(found, torch.stack(singly).mean(0))
    usual, _ = block()
    assert [p.shape for p in network.parameters()] == [p.shape for p in usual.parameters()]
    assert not torch.allclose(usual(features)[0], found)


def test_weights_are_tied_to_the_number_of_frames():
    network, features = block()
    with pytest.raises(ValueError, match="3 frames: this temporal relation block is for 4"):
        network(features[:, :3])
