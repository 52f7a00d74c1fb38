import pytest
import torch
import torch.nn.functional as F

from reidlib.losses import batch_all_triplet_loss
from reidlib.models import create_model
from reidlib.models.gaitgl import GlobalLocalConv, StripHead, conv3d, convolve_silhouettes, scaled_widths


@pytest.fixture(scope="module")
def mini():
    torch.manual_seed(0)
    return create_model("gaitgl", num_ids=3, scale="mini").eval()


def test_the_standard_network_has_the_published_number_of_parameters(count):
    with torch.device("meta"):
        network = create_model("gaitgl", num_ids=74, layout="casia_b")
    trunk = 27 * 32 + 3 * 32 * 32 + 2 * 27 * (32 * 64 + 64 * 128 + 128 * 128)
    head = 1 + 64 * 128 * 128 + 2 * 128 + 64 * 128 * 74
    assert count(network) == trunk + head == 3_096_673


def test_the_network_for_oumvlp_has_the_widths_of_its_release(count):
    with torch.device("meta"):
        network = create_model("gaitgl", num_ids=5153)
    convolutions = 32 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256
    assert count(network) == 27 * 32 + 3 * 32 * 32 + 2 * 27 * convolutions + 1 + 64 * 256 * 256 == 10_944_353


@pytest.mark.parametrize(("layout", "channels"), [("oumvlp", 256), ("casia_b", 128)])
def test_paper_scale_gives_64_strips_for_64x44(layout, channels):
    with torch.device("meta"):
        network = create_model("gaitgl", num_ids=74, layout=layout)
        silhouettes = torch.empty(2, 30, 64, 44)
        assert network.trunk(silhouettes).shape == (2, channels, 64, 22)
        out = network(silhouettes=silhouettes)
        assert out.features["strips"].shape == (2, 64, channels)
        assert out.embedding.shape == (2, 64 * channels)
        assert {name: logits.shape for name, logits in out.logits.items()} == (
            {"strips": (2, 64, 74)} if layout == "casia_b" else {}
        )
        assert network.for_retrieval()(silhouettes=silhouettes).logits == {}


def written_out(network, silhouettes: torch.Tensor, parts: int) -> torch.Tensor:
    """One walk (K, h, w) through the network, part by part and row by row."""

    def convolve(x, weight, **how):
        return F.leaky_relu(F.conv3d(x, weight, **how), 0.01)

    trunk = network.trunk
    x = convolve(silhouettes[None, None].float(), trunk.first.weight, padding=1)
    x = convolve(x, trunk.aggregation.weight, stride=(3, 1, 1))
    for number, layer in enumerate(trunk.layers):
        height = x.shape[3] // parts
        pieces = [x[:, :, :, i * height : (i + 1) * height] for i in range(parts)]
        local = torch.cat([convolve(piece, layer.part.weight, padding=1) for piece in pieces], dim=3)
        whole = convolve(x, layer.whole.weight, padding=1)
        x = torch.cat([whole, local], dim=3) if number == len(trunk.layers) - 1 else whole + local
        if number == 0:
            x = F.max_pool3d(x, (1, 2, 2))
    rows = x.amax(2)[0].clamp(min=1e-6)  # (C, P, w)
    p = network.head.pooling.p
    strips = rows.pow(p).mean(2).pow(1 / p).T
    return torch.stack([row @ weight for row, weight in zip(strips, network.head.linear.weight)])


@pytest.mark.parametrize(("layout", "parts"), [("oumvlp", 2), ("casia_b", 8)])
def test_against_the_network_written_out(layout, parts, random_silhouettes):
    torch.manual_seed(0)
    network = create_model("gaitgl", num_ids=3, layout=layout, scale="mini").eval()
    silhouettes = random_silhouettes(2, 7, 32, 22)
    with torch.no_grad():
        strips = network.head(network.trunk(silhouettes))
        expected = torch.stack([written_out(network, walk, parts) for walk in silhouettes])
    torch.testing.assert_close(strips, expected, rtol=1e-3, atol=1e-5)


def test_parts_do_not_see_one_another():
    torch.manual_seed(0)
    layer = GlobalLocalConv(2, 3, parts=4, join="stack")
    x = torch.rand(1, 2, 3, 8, 5)
    changed = x.clone()
    changed[:, :, :, 2:4] += 1  # the second of four parts
    before, after = layer(x), layer(changed)
    rows = torch.isclose(before, after).permute(3, 0, 1, 2, 4).flatten(1).all(1)
    assert rows[8:].tolist() == [True] * 2 + [False] * 2 + [True] * 4  # below, the parts' maps
    assert rows[:8].tolist() == [True] + [False] * 4 + [True] * 3  # above, the whole maps': one row further


@pytest.mark.parametrize("count", [1, 3, 8])
def test_silhouettes_are_convolved_as_a_3d_convolution_does(count):
    torch.manual_seed(0)
    convolution, silhouettes = conv3d(1, 5), torch.rand(2, count, 7, 6)
    found, expected = convolve_silhouettes(silhouettes, convolution.weight), convolution(silhouettes[:, None])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert count == 1 or found.is_contiguous(memory_format=torch.channels_last_3d)
    weights = torch.rand_like(expected)
    gradients = [torch.autograd.grad((maps * weights).sum(), convolution.weight)[0] for maps in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


def test_mini_widths_are_a_quarter_and_at_most_32():
    assert scaled_widths((32, 64, 128, 256), "mini") == [8, 16, 32, 32]
    assert scaled_widths((32, 64, 128, 256), "paper") == [32, 64, 128, 256]


def test_the_order_of_the_silhouettes_matters(mini, random_silhouettes):
    silhouettes = random_silhouettes(1, 6, 32, 22)
    with torch.no_grad():
        one, other = (mini(silhouettes=s).embedding for s in (silhouettes, silhouettes[:, [3, 0, 4, 1, 5, 2]]))
    assert not torch.allclose(one, other)


def test_fewer_than_three_silhouettes_are_repeated(mini, random_silhouettes):
    silhouettes = random_silhouettes(1, 2, 32, 22)
    with torch.no_grad():
        for few, three in ((silhouettes[:, :1], [0, 0, 0]), (silhouettes, [0, 1, 0])):
            torch.testing.assert_close(
                mini(silhouettes=few).embedding, mini(silhouettes=silhouettes[:, three]).embedding
            )


def test_strips_are_generalised_means_of_rows():
    head = StripHead(2, 1)
    torch.nn.init.ones_(head.linear.weight)
    maps = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    p = 6.5
    expected = [((1 + 2**p) / 2) ** (1 / p), ((3**p + 4**p) / 2) ** (1 / p)]
    assert head(maps).flatten().tolist() == pytest.approx(expected, rel=1e-5)


def test_all_parameters_learn_from_the_triplet_loss(random_silhouettes):
    torch.manual_seed(0)
    network = create_model("gaitgl", num_ids=2, scale="mini")
    strips = network(silhouettes=random_silhouettes(4, 6, 32, 22)).features["strips"]
    batch_all_triplet_loss(strips, torch.tensor([0, 0, 1, 1]), margin=10.0).backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="layout='casia': expected one of oumvlp, casia_b"):
        create_model("gaitgl", num_ids=1, layout="casia")
    with pytest.raises(
        ValueError, match="64 rows give as many strips, expected 32; give silhouettes of 64×44 at scale paper"
    ):
        create_model("gaitgl", num_ids=1, scale="mini")(silhouettes=torch.zeros(1, 3, 64, 44))
