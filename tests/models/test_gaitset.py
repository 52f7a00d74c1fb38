import pytest
import torch
import torch.nn.functional as F

from reidlib.evaluation import strip_distances
from reidlib.losses import batch_all_triplet_loss
from reidlib.models import create_model
from reidlib.models.gaitset import pyramid_pooling


@pytest.fixture(scope="module")
def mini():
    torch.manual_seed(0)
    return create_model("gaitset", scale="mini").eval()


def test_paper_scale_has_the_published_number_of_parameters(count):
    with torch.device("meta"):
        network = create_model("gaitset")
    main = 25 * 1 * 32 + 9 * (32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128)
    mgp = 9 * (32 * 64 + 64 * 64 + 64 * 128 + 128 * 128)
    strips = 2 * (16 + 8 + 4 + 2 + 1)
    assert count(network) == main + mgp + strips * 128 * 256 == 2_594_592


def test_paper_scale_gives_62_strips_of_256_for_64x44():
    with torch.device("meta"):
        network = create_model("gaitset")
        silhouettes = torch.empty(2, 5, 64, 44)
        assert [maps.shape for maps in network.trunk(silhouettes)] == [(2, 128, 16, 11)] * 2
        out = network(silhouettes=silhouettes)
    assert out.features["strips"].shape == (2, 62, 256)
    assert out.embedding.shape == (2, 62 * 256)
    assert out.logits == {}


def test_mini_gives_30_strips_of_64_for_32x22(mini, count, random_silhouettes):
    convolutions = 25 * 16 + 9 * (16 * 16 + 2 * (16 * 32 + 32 * 32 + 32 * 64 + 64 * 64))
    assert count(mini) == convolutions + 2 * (8 + 4 + 2 + 1) * 64 * 64
    silhouettes = random_silhouettes(3, 4, 32, 22)
    assert mini.trunk(silhouettes)[0].shape == (3, 64, 8, 5)  # the eleventh column of the second maps is not pooled
    assert mini(silhouettes=silhouettes).features["strips"].shape == (3, 30, 64)


def published(network, silhouettes: torch.Tensor) -> torch.Tensor:
    """One set (K, h, w) through the released network, written out step by step, with one frame at a time."""
    layers = {
        name: [m.weight for m in getattr(network.trunk, name) if isinstance(m, torch.nn.Conv2d)]
        for name in ("frames1", "frames2", "frames3", "global2", "global3")
    }

    def convolve(x, name):
        for weight in layers[name]:
            x = F.leaky_relu(F.conv2d(x, weight, padding=weight.shape[-1] // 2), 0.01)
        return x

    def over_set(frames):
        return torch.stack(frames).max(0).values

    frames1 = [F.max_pool2d(convolve(one[None, None].float(), "frames1"), 2) for one in silhouettes]
    frames2 = [F.max_pool2d(convolve(x, "frames2"), 2) for x in frames1]
    main = over_set([convolve(x, "frames3") for x in frames2])
    mgp = F.max_pool2d(convolve(over_set(frames1), "global2"), 2)
    mgp = convolve(mgp + over_set(frames2), "global3") + main
    pooled = []
    for maps in (main[0], mgp[0]):
        for bins in network.bins:
            for strip in maps.chunk(bins, dim=1):
                pooled.append(strip.mean((1, 2)) + strip.amax((1, 2)))
    return torch.stack([feature @ weight for feature, weight in zip(pooled, network.strips.weight)])


def test_against_the_published_network_frame_by_frame(mini, random_silhouettes):
    silhouettes = random_silhouettes(2, 3, 32, 22)
    with torch.no_grad():
        strips = mini(silhouettes=silhouettes).features["strips"]
        expected = torch.stack([published(mini, one) for one in silhouettes])
    torch.testing.assert_close(strips, expected, rtol=1e-4, atol=1e-5)


def test_pyramid_pooling_by_hand():
    maps = torch.tensor([[1.0, 3.0], [5.0, 7.0], [0.0, 2.0], [2.0, 8.0]])[None, None]  # 4 rows of 2
    assert pyramid_pooling(maps, (2, 1)).squeeze().tolist() == [4 + 7, 3 + 8, 3.5 + 8]


def test_the_silhouettes_are_a_set(mini, random_silhouettes):
    silhouettes = random_silhouettes(2, 5, 32, 22)
    with torch.no_grad():
        embedding = mini(silhouettes=silhouettes).embedding
        torch.testing.assert_close(mini(silhouettes=silhouettes[:, [3, 0, 4, 1, 2]]).embedding, embedding)
        torch.testing.assert_close(mini(silhouettes=silhouettes[:, [0, 1, 1, 2, 3, 4, 4]]).embedding, embedding)
        assert not torch.allclose(mini(silhouettes=silhouettes[:, :4]).embedding, embedding)


def test_a_strip_sees_its_own_height(mini, random_silhouettes):
    silhouettes = random_silhouettes(1, 3, 32, 22)
    changed = silhouettes.clone()
    changed[:, :, 28:] = 1 - changed[:, :, 28:]  # the feet
    with torch.no_grad():
        before, after = (mini(silhouettes=s).features["strips"][0] for s in (silhouettes, changed))
    main, whole = slice(0, 8), 14
    same = torch.isclose(before, after).all(1)
    assert same[main].tolist()[:3] == [True] * 3
    assert not same[main][-1] and not same[whole]


def test_type_of_the_silhouettes_does_not_matter(mini, random_silhouettes):
    silhouettes = random_silhouettes(1, 3, 32, 22)
    with torch.no_grad():
        assert torch.equal(mini(silhouettes=silhouettes).embedding, mini(silhouettes=silhouettes.float()).embedding)


def test_strips_fit_their_loss_and_their_distances(random_silhouettes):
    network = create_model("gaitset", scale="mini")
    strips = network(silhouettes=random_silhouettes(4, 3, 32, 22)).features["strips"]
    batch_all_triplet_loss(strips, torch.tensor([0, 0, 1, 1]), margin=10.0).backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())
    assert strip_distances(strips.detach(), strips.detach()).shape == (4, 4)


def test_silhouettes_whose_maps_the_strips_do_not_divide_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 2, 32, 22\) give maps of 8 rows, which 16 strips.*64×44"):
        create_model("gaitset")(silhouettes=torch.zeros(1, 2, 32, 22))


def test_for_retrieval_is_a_copy_in_evaluation_mode():
    network = create_model("gaitset", scale="mini")
    copy = network.for_retrieval()
    assert network.training and not copy.training
    assert copy.strips.weight is not network.strips.weight
    assert torch.equal(copy.strips.weight, network.strips.weight)
