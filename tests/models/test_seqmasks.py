import pytest
import torch

from reidlib.models import create_model
from reidlib.models.seqmasks import FeatureFusion, Reduction, foreground_average

ROWS = {  # the tables' rows, and how many features each has at paper scale
    "Appearance Baseline": ({"branches": ("global",), "fusion": "concat"}, 512),
    "Appearance Baseline + Foreground Branch": ({"branches": ("global", "foreground"), "fusion": "concat"}, 1024),
    "Modified GaitSet": ({"branches": ("gait",), "fusion": "concat"}, 512),
    "GGConcat": ({"branches": ("global", "gait"), "fusion": "concat"}, 1024),
    "GGFusion": ({"branches": ("global", "gait"), "fusion": "attention"}, 1024),
    "AGConcat": ({"fusion": "concat"}, 1536),
    "AGFusion": ({}, 1536),
}


def mini(**options):
    torch.manual_seed(0)
    return create_model("seqmasks", num_ids=11, scale="mini", **options)


def inputs(batch: int = 2, time: int = 3, silhouettes: int = 4) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "frames": torch.rand(batch, time, 3, 64, 32, generator=generator),
        "masks": (torch.rand(batch, time, 1, 64, 32, generator=generator) > 0.6).float(),
        "silhouettes": (torch.rand(batch, silhouettes, 32, 22, generator=generator) > 0.5).float(),
    }


@pytest.mark.parametrize(("options", "channels"), ROWS.values(), ids=ROWS)
def test_paper_scale_has_the_paper_s_numbers_of_features(options, channels):
    with torch.device("meta"):
        network = create_model("seqmasks", num_ids=624, **options)
        out = network(
            frames=torch.empty(2, 3, 3, 256, 128),
            masks=torch.empty(2, 3, 1, 256, 128),
            silhouettes=torch.empty(2, 4, 64, 44),
        )
    assert out.embedding.shape == (2, channels)
    branches = options.get("branches", ("global", "foreground", "gait"))
    expected = {branch: 512 for branch in branches if branch != "gait"}
    if "gait" in branches:
        expected |= {"gait_main": 256, "gait_mgp": 256}
    assert {name: values.shape for name, values in out.logits.items()} == dict.fromkeys(expected, (2, 624))
    if options.get("fusion") != "concat":
        expected["fusion"] = channels
    assert {name: feature.shape for name, feature in out.features.items()} == {n: (2, d) for n, d in expected.items()}


def test_paper_scale_has_the_parameters_of_its_parts(count):
    with torch.device("meta"):
        network, gait = create_model("seqmasks", num_ids=624), create_model("modified_gaitset", num_ids=624)
        assert network.backbone(torch.empty(1, 3, 256, 128)).shape == (1, 2048, 16, 8)
    resnet50 = 25_557_032 - 2049 * 1000
    reduction = 2048 * 256 + 256 * 512 + 2 * (256 + 512)
    fusion = 1536 * 192 + 192 + 192 * 1536 + 1536
    classifiers = 2 * 513 * 624
    assert count(network) == resnet50 + 2 * reduction + classifiers + count(gait) + fusion
    assert reduction < 2048 * 512  # fewer than the single layer that it stands for


def test_reduction_is_two_linear_layers_with_normalisation_and_relu():
    torch.manual_seed(0)
    layer, x = Reduction(6, 3, 4).eval(), torch.randn(5, 6)
    with torch.no_grad():
        inner = (x @ layer[0].weight.T / (1 + 1e-5) ** 0.5).clamp(min=0)
        expected = (inner @ layer[3].weight.T / (1 + 1e-5) ** 0.5).clamp(min=0)
        torch.testing.assert_close(layer(x), expected)


def test_fusion_against_its_formula():
    torch.manual_seed(0)
    gated, x = FeatureFusion(16), torch.randn(3, 16)
    ungated = FeatureFusion(16, gated=False)
    ungated.load_state_dict(gated.state_dict())
    first, _, second = gated.layers
    assert first.out_features == 2  # a ratio of 8
    with torch.no_grad():
        excited = (x @ first.weight.T + first.bias).clamp(min=0) @ second.weight.T + second.bias
        fused, gates = gated(x)
        torch.testing.assert_close(gates, 1 / (1 + (-excited).exp()))
        torch.testing.assert_close(fused, x * gates + x)
        control, none = ungated(x)
        torch.testing.assert_close(control, x + excited)
        assert none is None


def test_foreground_average_by_loops():
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 5, 4, 2, generator=generator)
    masks = (torch.rand(2, 3, 1, 8, 6, generator=generator) > 0.5).float()
    expected = torch.zeros(2, 5)
    for b in range(2):
        total = 0.0
        for t in range(3):
            for y in range(4):
                for x in range(2):
                    share = masks[b, t, 0, 2 * y : 2 * y + 2, 3 * x : 3 * x + 3].mean()
                    expected[b] += share * maps[b, t, :, y, x]
                    total += share
        expected[b] /= total
    torch.testing.assert_close(foreground_average(maps, masks), expected)


def test_a_mask_of_ones_or_none_at_all_gives_the_plain_average_and_an_empty_frame_counts_nothing():
    maps = torch.randn(3, 4, 5, 4, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    masks = torch.zeros(3, 4, 1, 64, 32)
    masks[0] = 1
    masks[2, 1:, :, 20:40, 10:20] = 1
    pooled = foreground_average(maps, masks)
    torch.testing.assert_close(pooled[:2], maps[:2].mean((1, 3, 4)))
    torch.testing.assert_close(pooled[2:], foreground_average(maps[2:, 1:], masks[2:, 1:]))
    pooled.sum().backward()
    assert torch.isfinite(maps.grad).all()
    assert not maps.grad[2, 0].any() and maps.grad[1].all()


def test_one_pixel_of_foreground_is_enough():
    maps, masks = torch.randn(1, 2, 5, 8, 4), torch.zeros(1, 2, 1, 64, 32)
    masks[0, 1, 0, 17, 30] = 1
    torch.testing.assert_close(foreground_average(maps, masks), maps[:, 1, :, 2, 3])


def test_empty_masks_reach_the_embedding_as_the_global_average():
    network, given = mini(branches=("global", "foreground"), fusion="concat").eval(), inputs()
    with torch.no_grad():
        empty = network(**given | {"masks": torch.zeros_like(given["masks"])}).embedding
        ones = network(**given | {"masks": torch.ones_like(given["masks"])}).embedding
        masked = network(**given).embedding
    torch.testing.assert_close(empty, ones)
    assert empty[:, 128:].any(1).all()
    torch.testing.assert_close(masked[:, :128], ones[:, :128])
    assert not torch.allclose(masked[:, 128:], ones[:, 128:])


@pytest.mark.parametrize("options", [options for options, _ in ROWS.values()], ids=ROWS)
def test_gradients_reach_everything(options):
    network = mini(**options)
    out = network(**inputs(batch=4))
    loss = sum(values.logsumexp(1).sum() for values in out.logits.values())
    loss += sum(feature.square().sum() for feature in out.features.values())
    loss.backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_frames_with_their_masks_and_silhouettes_have_no_order():
    network, given = mini().eval(), inputs()
    order = [2, 0, 1]
    shuffled = {
        "frames": given["frames"][:, order],
        "masks": given["masks"][:, order],
        "silhouettes": given["silhouettes"][:, [3, 1, 0, 2]],
    }
    with torch.no_grad():
        torch.testing.assert_close(network(**shuffled).embedding, network(**given).embedding, rtol=1e-4, atol=1e-5)


def test_without_its_module_the_fusion_loss_sees_the_joined_features():
    given = inputs()
    joined, identity = (mini(fusion=fusion).eval() for fusion in ("concat", "identity"))
    identity.load_state_dict(joined.state_dict())
    output = identity(**given)
    torch.testing.assert_close(output.embedding, joined(**given).embedding)
    assert output.features["fusion"] is output.embedding and output.visuals == {}


def test_fusion_works_on_the_joined_features_and_shows_its_gates():
    network, given = mini().eval(), inputs()
    with torch.no_grad():
        out = network(**given)
        features = out.features
        gait = torch.cat([features["gait_main"], features["gait_mgp"]], dim=1)
        joined = torch.cat([features["global"], features["foreground"], gait], dim=1)
        fused, gates = network.fusion(joined)
    torch.testing.assert_close(out.embedding, fused)
    assert out.features["fusion"] is out.embedding
    assert list(out.visuals) == ["attention_global", "attention_foreground", "attention_gait"]
    torch.testing.assert_close(torch.cat(list(out.visuals.values()), dim=1), gates)
    assert gates.min() > 0 and gates.max() < 1
    ungated = mini(fusion="ungated")
    assert ungated.state_dict().keys() == network.state_dict().keys()
    assert ungated(**given).visuals == {}


def test_gait_weight_scales_gait_in_the_embedding_alone():
    given = inputs()
    plain, weighted = mini(fusion="concat").eval(), mini(fusion="concat", gait_weight=0.25).eval()
    with torch.no_grad():
        one, other = plain(**given), weighted(**given)
    torch.testing.assert_close(other.embedding[:, :256], one.embedding[:, :256])
    torch.testing.assert_close(other.embedding[:, 256:], one.embedding[:, 256:] / 4)
    for name, feature in one.features.items():
        torch.testing.assert_close(other.features[name], feature)


def test_parts_that_were_trained_alone_fit_the_fusion_network():
    whole = mini().state_dict().keys()
    appearance = mini(branches=("global", "foreground"), fusion="concat").state_dict().keys()
    gait = create_model("modified_gaitset", num_ids=11, scale="mini").state_dict().keys()
    gait = {f"gait.{name}" for name in gait}
    assert not appearance & gait
    assert whole - appearance - gait == {f"fusion.layers.{i}.{what}" for i in (0, 2) for what in ("weight", "bias")}
    assert appearance | gait <= whole


def test_the_gait_branch_is_modified_gaitset():
    network = mini(branches=("gait",), fusion="concat").eval()
    alone = create_model("modified_gaitset", num_ids=11, scale="mini").eval()
    alone.load_state_dict(network.gait.state_dict())
    silhouettes = inputs()["silhouettes"]
    with torch.no_grad():
        assert torch.equal(network(silhouettes=silhouettes).embedding, alone(silhouettes=silhouettes).embedding)
    assert network.backbone is None


def test_for_retrieval_drops_the_classifiers_from_a_copy(count):
    network, given = mini().eval(), inputs()
    copy = network.for_retrieval()
    assert count(network) - count(copy) == 2 * 129 * 11 + 2 * 65 * 11
    with torch.no_grad():
        out = copy(**given)
        torch.testing.assert_close(out.embedding, network(**given).embedding)
    assert out.logits == {}
    assert set(network(**given).logits) == {"global", "foreground", "gait_main", "gait_mgp"}


def test_bfloat16_stays_close_to_float32():
    network, given = mini().eval(), inputs()
    with torch.no_grad():
        exact = network(**given).embedding
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(**given).embedding
    assert torch.cosine_similarity(exact, rounded.float()).min() > 0.999


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"branches": ()}, r"branches=\(\): expected one or more of .*foreground"),
        ({"branches": ("global", "walk")}, "'walk'.*expected one or more"),
        ({"branches": "global"}, "branches='global'"),
        ({"fusion": "sum"}, "fusion='sum': expected one of .*concat"),
        ({"gait_weight": 0.5}, 'gait_weight=0.5.*fusion="concat"'),
        ({"branches": ("global",), "fusion": "concat", "gait_weight": 0.5}, "gait_weight=0.5"),
        ({"branches": ("gait",), "weights": "imagenet"}, "weights='imagenet'.*leave them out"),
        ({"weights": "imagenet"}, 'scale="paper" only'),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        mini(**options)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (("masks",), '"foreground" needs masks'),
        (("frames", "masks"), '"global" needs frames'),
        (("silhouettes",), '"gait" needs silhouettes'),
    ],
)
def test_missing_inputs_are_named(missing, message):
    with pytest.raises(ValueError, match=message):
        mini()(**inputs() | dict.fromkeys(missing))
