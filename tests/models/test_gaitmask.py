import pytest
import torch
import torch.nn.functional as F

from reidlib.losses import batch_all_triplet_loss
from reidlib.models import create_model
from reidlib.models.gaitmask import GlobalMaskConv, MaskFeatures, random_bands
from reidlib.papers.reported import reported_table


def features(inputs: int = 2, outputs: int = 3, **options) -> MaskFeatures:
    torch.manual_seed(0)
    usual = {"kernels": "separate", "masks": "random", "drop": 0.25, "test_rule": "half"}
    return MaskFeatures(inputs, outputs, **usual | options)


def rows_that_differ(one: torch.Tensor, other: torch.Tensor) -> list[int]:
    """Rows in which two maps (B, C, T, h, w) differ."""
    return (~torch.isclose(one, other, atol=1e-6)).permute(3, 0, 1, 2, 4).flatten(1).any(1).nonzero().flatten().tolist()


@pytest.fixture
def band(monkeypatch):
    """Rows 3 to 5 of 8 are every band."""
    rows = torch.zeros(1, 8, dtype=torch.bool)
    rows[:, 3:6] = True
    monkeypatch.setattr("reidlib.models.gaitmask.random_bands", lambda count, *_: rows.expand(count, -1))
    return rows


def test_the_channels_are_those_of_table_2():
    network = create_model("gaitmask")
    numbers = reported_table("gaitmask", "2")
    layers = {"First Conv": network.trunk.first, "LTA": network.trunk.aggregation}
    names = ["GMCL-A1", "GMCL-A2", "GMCL-A3", "GMCL-A4", "GMCL-B1"]
    layers |= {name: layer.whole for name, layer in zip(names, network.trunk.layers, strict=True)}
    for name, layer in layers.items():
        row = numbers.loc[name]
        assert (layer.in_channels, layer.out_channels) == (row["In_C"], row["Out_C"])
        assert layer.kernel_size == (row["Kernel time"], row["Kernel height"], row["Kernel width"])
    assert [layer.join for layer in network.trunk.layers] == ["add"] * 4 + ["stack"]


@pytest.mark.parametrize(("kernels", "branches"), [("separate", 3), ("shared", 2), ("linear", 2)])
def test_parameters_at_paper_scale(kernels, branches, count):
    with torch.device("meta"):
        network = create_model("gaitmask", kernels=kernels)
        silhouettes = torch.empty(2, 30, 64, 44)
        assert network(silhouettes=silhouettes).features["strips"].shape == (2, 64, 128)
    convolutions = 32 * 64 + 64 * 128 + 3 * 128 * 128
    assert count(network) == 27 * 32 + 3 * 32 * 32 + branches * 27 * convolutions + 1 + 64 * 128 * 128


@pytest.mark.parametrize("earlier", ["add", "global"])
@pytest.mark.parametrize("last", ["stack", "add", "global"])
def test_layers_without_a_mask_branch_and_without_stacking(last, earlier, count):
    strips = 64 if last == "stack" else 32
    with torch.device("meta"):
        network = create_model("gaitmask", last=last, earlier=earlier)
        assert network(silhouettes=torch.empty(2, 30, 64, 44)).features["strips"].shape == (2, strips, 128)
    convolutions = {"earlier": 32 * 64 + 64 * 128 + 2 * 128 * 128, "last": 128 * 128}
    branches = {"earlier": 1 if earlier == "global" else 3, "last": 1 if last == "global" else 3}
    layers = sum(27 * branches[place] * convolutions[place] for place in convolutions)
    assert count(network) == 27 * 32 + 3 * 32 * 32 + layers + 1 + strips * 128 * 128


def test_gaitmask_is_as_wide_as_gaitgl_at_mini_scale():
    gaitgl, gaitmask = (create_model(name, num_ids=2, scale="mini").trunk for name in ("gaitgl", "gaitmask"))
    for one, other in zip(gaitgl.layers, gaitmask.layers, strict=True):
        assert one.whole.weight.shape == other.whole.weight.shape


def test_with_one_kernel_and_no_activation_the_masks_do_nothing():
    layer = features(kernels="linear")
    x = torch.randn(2, 2, 3, 8, 5)
    inside = random_bands(2, 8, 0.25)[:, None, None, :, None]
    equation_2 = layer.rest(x * inside) + layer.rest(x * ~inside)
    torch.testing.assert_close(equation_2, layer.rest(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(layer.train()(x), F.leaky_relu(equation_2), rtol=1e-4, atol=1e-5)


def test_with_one_kernel_and_the_activation_inside_only_rows_at_the_edges_change(band):
    layer = features(kernels="shared").train()
    x = torch.randn(2, 2, 3, 8, 5)
    assert rows_that_differ(layer(x), F.leaky_relu(layer.rest(x))) == [2, 3, 5, 6]


def test_separate_kernels_each_see_their_rows(band):
    layer = features().train()
    x = torch.randn(2, 2, 3, 8, 5)
    trained = layer(x)
    assert rows_that_differ(trained, F.leaky_relu(layer.band(x))) == [0, 1, 2, 3, 5, 6, 7]
    assert rows_that_differ(trained, F.leaky_relu(layer.rest(x))) == [2, 3, 4, 5, 6]


def test_the_test_rules():
    x = torch.randn(2, 2, 3, 8, 5)
    found = {rule: features(test_rule=rule).eval()(x) for rule in ("sum", "half", "one")}
    layer = features()
    band, rest = F.leaky_relu(layer.band(x)), F.leaky_relu(layer.rest(x))
    torch.testing.assert_close(found["sum"], band + rest)
    torch.testing.assert_close(found["half"], (band + rest) / 2)
    torch.testing.assert_close(found["one"], rest)


def test_with_one_kernel_half_and_one_are_the_same():
    x = torch.randn(2, 2, 3, 8, 5)
    half, one = (features(kernels="shared", test_rule=rule).eval()(x) for rule in ("half", "one"))
    torch.testing.assert_close(half, one)


def test_the_controls_are_the_same_in_training_and_testing():
    x = torch.randn(2, 2, 3, 8, 5)
    halves, nothing = features(masks="halves"), features(masks="none")
    for layer in (halves, nothing):
        torch.testing.assert_close(layer.train()(x), layer.eval()(x))
    assert rows_that_differ(halves(x), F.leaky_relu(halves.band(x))) == [3, 4, 5, 6, 7]
    torch.testing.assert_close(nothing(x), (F.leaky_relu(nothing.band(x)) + F.leaky_relu(nothing.rest(x))) / 2)


def test_independent_masks_are_two_draws(monkeypatch):
    drawn = torch.zeros(2, 1, 8, dtype=torch.bool)
    drawn[0, :, 3:6] = drawn[1, :, 0:3] = True
    draws = iter(drawn)
    monkeypatch.setattr("reidlib.models.gaitmask.random_bands", lambda count, *_: next(draws).expand(count, -1))
    layer, x = features(masks="independent").train(), torch.randn(2, 2, 3, 8, 5)
    band, rest = (x * rows[:, None, None, :, None] for rows in (drawn[0], ~drawn[1]))
    torch.testing.assert_close(layer(x), F.leaky_relu(layer.band(band)) + F.leaky_relu(layer.rest(rest)))
    usual = features().eval()
    torch.testing.assert_close(layer.eval()(x), usual(x))


def test_bands_are_anywhere_and_one_row_more_than_the_share():
    torch.manual_seed(0)
    inside = random_bands(4000, 8, 0.25)
    assert inside.shape == (4000, 8) and (inside.sum(1) == 2 + 1).all()
    tops = inside.int().argmax(1).bincount(minlength=8)
    assert (tops[:6] > 500).all() and not tops[6:].any()  # six places, about 667 each
    assert all(row.nonzero().flatten().diff().eq(1).all() for row in inside[:50])  # in one piece
    assert random_bands(3, 8, 0.99).all()


def test_equations_3_and_4():
    torch.manual_seed(0)
    x = torch.randn(2, 2, 3, 8, 5)
    options = {"kernels": "separate", "masks": "none", "drop": 0.25, "test_rule": "half"}
    for join, expected_rows in (("add", 8), ("stack", 16)):
        layer = GlobalMaskConv(2, 3, join=join, **options)
        whole, masked = F.leaky_relu(layer.whole(x)), layer.masked(x)
        out = layer(x)
        assert out.shape == (2, 3, 3, expected_rows, 5)
        torch.testing.assert_close(out, whole + masked if join == "add" else torch.cat([whole, masked], dim=3))


def test_all_clips_of_a_batch_have_one_band():
    layer, clip = features().train(), torch.randn(1, 2, 3, 8, 5)
    several = [layer(clip.expand(4, -1, -1, -1, -1)) for _ in range(9)]
    for clips in several:
        torch.testing.assert_close(clips, clips[:1].expand(4, -1, -1, -1, -1))
    assert len({tuple(rows_that_differ(clips, several[0])) for clips in several}) > 2  # another one each time


def test_training_draws_bands_and_testing_does_not():
    torch.manual_seed(0)
    network = create_model("gaitmask", scale="mini")
    silhouettes = (torch.rand(2, 6, 32, 22) > 0.5).float()
    with torch.no_grad():
        assert not torch.allclose(*(network(silhouettes=silhouettes).embedding for _ in range(2)))
        tested = network.for_retrieval()
        torch.testing.assert_close(*(tested(silhouettes=silhouettes).embedding for _ in range(2)))


@pytest.mark.parametrize("kernels", ["separate", "shared", "linear"])
def test_all_parameters_learn_from_the_triplet_loss(kernels):
    torch.manual_seed(0)
    network = create_model("gaitmask", kernels=kernels, scale="mini")
    strips = network(silhouettes=(torch.rand(4, 6, 32, 22) > 0.5).float()).features["strips"]
    batch_all_triplet_loss(strips, torch.tensor([0, 0, 1, 1]), margin=10.0).backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


@pytest.mark.parametrize(
    "option",
    [{"kernels": "two"}, {"masks": "all"}, {"test_rule": "mean"}, {"drop": 1.0}, {"last": "sum"}, {"earlier": "stack"}],
)
def test_unknown_options_are_refused(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        create_model("gaitmask", scale="mini", **option)
