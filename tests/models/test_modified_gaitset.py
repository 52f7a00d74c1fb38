import pytest
import torch

from reidlib.models import create_model
from reidlib.models.modified_gaitset import AttentiveSetPooling


def random_silhouettes(*shape: int) -> torch.Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(0)) > 0.5).float()


@pytest.fixture(scope="module")
def mini():
    torch.manual_seed(0)
    return create_model("modified_gaitset", num_ids=11, scale="mini").eval()


def test_paper_scale_gives_512_channels_from_two_vectors_of_128(count):
    with torch.device("meta"):
        network, original = create_model("modified_gaitset", num_ids=74), create_model("gaitset")
        out = network(silhouettes=torch.empty(2, 30, 64, 44))
    assert (network.main.in_features, network.mgp.in_features) == (128, 128)
    assert {name: f.shape for name, f in out.features.items()} == {"main": (2, 256), "mgp": (2, 256)}
    assert out.embedding.shape == (2, 512)
    assert {name: values.shape for name, values in out.logits.items()} == {"main": (2, 74), "mgp": (2, 74)}
    convolutions = count(original) - 62 * 128 * 256  # up to global pooling the original's
    pooling = sum(4 * c * c + c for c in (32, 64, 128))  # 1×1 convolutions of 4c joined channels
    assert count(network) == convolutions + pooling + 2 * 128 * 256 + 2 * (257 * 74)


def test_inference_joins_both_vectors(mini):
    silhouettes = random_silhouettes(2, 4, 32, 22)
    with torch.no_grad():
        out = mini(silhouettes=silhouettes)
        main, mgp = mini.trunk(silhouettes)
        pooled = (main.mean((2, 3)) + main.amax((2, 3))) @ mini.main.weight.T
        torch.testing.assert_close(out.features["main"], pooled)
        pooled = (mgp.mean((2, 3)) + mgp.amax((2, 3))) @ mini.mgp.weight.T
        torch.testing.assert_close(out.features["mgp"], pooled)
    assert torch.equal(out.embedding, torch.cat([out.features["main"], out.features["mgp"]], dim=1))
    assert out.embedding.shape == (2, 128)


def test_set_pooling_against_one_convolution_of_the_joined_maps():
    torch.manual_seed(0)
    pooling = AttentiveSetPooling(3)
    x = torch.randn(2, 5, 3, 4, 6)
    joint = torch.nn.Conv2d(12, 3, 1)
    with torch.no_grad():
        joint.weight.copy_(torch.cat([pooling.statistics.weight, pooling.frame.weight], dim=1))
        joint.bias.copy_(pooling.statistics.bias)
        statistics = [x.max(1).values, x.mean(1), x.median(1).values]
        refined = []
        for k in range(5):
            attention = joint(torch.cat([*statistics, x[:, k]], dim=1)).sigmoid()
            refined.append(x[:, k] * attention + x[:, k])
        torch.testing.assert_close(pooling(x), torch.stack(refined).max(0).values)


@pytest.mark.parametrize("frames", [1, 2, 5, 8])
def test_the_silhouettes_have_no_order(mini, frames):
    silhouettes = random_silhouettes(2, frames, 32, 22)
    order = torch.randperm(frames, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        embedding = mini(silhouettes=silhouettes).embedding
        shuffled = mini(silhouettes=silhouettes[:, order]).embedding
    torch.testing.assert_close(shuffled, embedding, rtol=1e-4, atol=1e-6)


def test_gradients_move_with_the_frames(mini):
    def gradient(silhouettes):
        silhouettes = silhouettes.clone().requires_grad_()
        mini(silhouettes=silhouettes).embedding.square().sum().backward()
        mini.zero_grad()
        return silhouettes.grad

    silhouettes, order = random_silhouettes(1, 6, 32, 22), [4, 2, 0, 5, 1, 3]
    torch.testing.assert_close(gradient(silhouettes[:, order]), gradient(silhouettes)[:, order], rtol=1e-3, atol=1e-6)


def test_a_repeated_silhouette_is_one_silhouette_and_the_others_count_how_often_they_come(mini):
    one, several = random_silhouettes(2, 1, 32, 22), random_silhouettes(2, 3, 32, 22)
    with torch.no_grad():
        repeated = mini(silhouettes=one.expand(-1, 7, -1, -1)).embedding
        torch.testing.assert_close(repeated, mini(silhouettes=one).embedding, rtol=1e-4, atol=1e-6)
        weighted = mini(silhouettes=several[:, [0, 0, 0, 1, 2]]).embedding
        assert not torch.allclose(weighted, mini(silhouettes=several).embedding, rtol=1e-3)


def test_both_losses_reach_everything():
    network = create_model("modified_gaitset", num_ids=5, scale="mini")
    out = network(silhouettes=random_silhouettes(4, 3, 32, 22).to(torch.uint8))
    loss = sum(f.square().sum() for f in out.features.values()) + sum(v.logsumexp(1).sum() for v in out.logits.values())
    loss.backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


def test_for_retrieval_drops_the_classifiers_from_a_copy(mini, count):
    silhouettes = random_silhouettes(2, 3, 32, 22)
    network = mini.for_retrieval()
    assert count(mini) - count(network) == 2 * 65 * 11
    with torch.no_grad():
        assert torch.equal(network(silhouettes=silhouettes).embedding, mini(silhouettes=silhouettes).embedding)
        assert network(silhouettes=silhouettes).logits == {}
        assert set(mini(silhouettes=silhouettes).logits) == {"main", "mgp"}


def test_bfloat16_stays_close_to_float32(mini):
    silhouettes = random_silhouettes(2, 4, 32, 22)
    with torch.no_grad():
        exact = mini(silhouettes=silhouettes).embedding
        with torch.autocast("cpu", torch.bfloat16):
            rounded = mini(silhouettes=silhouettes).embedding
    assert torch.cosine_similarity(exact, rounded.float()).min() > 0.999
