"""ASA-Net: shapes and parameters at paper scale, Equations 8 to 10 written out, and what each fusion looks at."""

import math

import pytest
import torch

from reidlib.data import attributes
from reidlib.models import create_model
from reidlib.models.asanet import ASRE, MARS_IRRELEVANT, MARS_RELEVANT

FRAMES = torch.rand(4, 2, 3, 64, 32, generator=torch.Generator().manual_seed(0))


def mini(**options):
    torch.manual_seed(0)
    return create_model("asanet", num_ids=5, scale="mini", **options)


def test_the_default_attributes_are_those_of_mars():
    for counts, known in (
        (MARS_RELEVANT, attributes.MARS.id_relevant),
        (MARS_IRRELEVANT, attributes.MARS.id_irrelevant),
    ):
        assert counts == tuple((attribute.name, attribute.num_codes) for attribute in known)
    assert (sum(n for _, n in MARS_RELEVANT), sum(n for _, n in MARS_IRRELEVANT)) == (41, 11)


def test_shapes_at_paper_scale():
    with torch.device("meta"):
        network = create_model("asanet", num_ids=625, fusion="b", asre=True)
        origin = network.backbone(torch.empty(6, 3, 256, 128))
        identity = network.residual_identity(origin)
        maps = {name: branch.residual(origin) for name, branch in network.attributes.items()}
        out = network(frames=torch.empty(2, 6, 3, 256, 128))
    assert origin.shape == (6, 1024, 16, 8)  # C
    assert identity.shape == (6, 2048, 16, 8)  # 2C
    assert {name: found.shape for name, found in maps.items()} == dict.fromkeys(maps, (6, 512, 16, 8))  # C/2
    assert network.reductions["relevant"](identity).shape == (6, 256, 16, 8)  # C/4
    assert {name: f.shape[1] for name, f in out.features.items()} == {"final": 1024, "relevant": 256, "irrelevant": 256}
    assert out.logits["final"].shape == (2, 625)
    assert {name: mask.shape for name, mask in out.visuals.items()} == {
        "mask relevant": (2, 6, 1, 16, 8),
        "mask irrelevant": (2, 6, 1, 16, 8),
    }
    assert out.attributes["top color"].shape == (2, 9) and out.attributes["pose"].shape == (2, 6)
    for fusion, channels in (("a", 1024), ("none", 768)):
        with torch.device("meta"):
            other = create_model("asanet", num_ids=625, fusion=fusion)
        assert other.fusion.outputs == channels


def residual_module(outputs):
    """Parameters of three bottlenecks from 1024 channels."""
    width = outputs // 4
    first = 1024 * width + 9 * width**2 + width * outputs + 4 * width + 2 * outputs + 1024 * outputs + 2 * outputs
    return first + 2 * (outputs * width + 9 * width**2 + width * outputs + 4 * width + 2 * outputs)


def test_parameters_at_paper_scale(count):
    with torch.device("meta"):
        network = create_model("asanet", num_ids=625)
        agw = create_model("agw", num_ids=625)
    linear = lambda inputs, outputs: inputs * outputs + outputs  # noqa: E731
    assert count(network.residual_identity) == residual_module(2048)
    assert count(network.attributes["relevant"].residual) == residual_module(512)
    heads = sum(linear(512, 256) + 256 * 256 + 2 * 256 + linear(256, n) for n in (41, 11))
    asre = linear(256, 256) + 2 * linear(512, 256) + 2 * 256 + linear(256, 1) + 1
    fusion = 3 * linear(256, 256) + linear(512, 256)
    assert count(network) == (
        count(agw.backbone)  # with its fifth stage, the residual module of the identity
        + 2 * residual_module(512)
        + heads
        + 3 * linear(2048, 256)
        + 2 * asre
        + fusion
        + 2 * 1024
        + 625 * 1024
    )


def test_fused_attention_is_equations_8_to_10_written_out():
    torch.manual_seed(0)
    asre = ASRE(6, 10).eval()
    asre.bn.running_mean.normal_(), asre.bn.running_var.uniform_(0.5, 2)
    identity, described = torch.randn(3, 6, 4, 2), torch.randn(3, 10, 4, 2)
    asre.alpha.data.fill_(-0.7)
    found, shown = asre(identity, described)
    for n in range(3):
        query = asre.query(identity[n : n + 1]).relu().reshape(6, 8)
        key = asre.key(described[n : n + 1]).relu().reshape(6, 8)
        value = asre.value(described[n : n + 1]).reshape(6, 8)
        attention = torch.softmax(query.T @ key / math.sqrt(6), dim=1)  # (HW, HW), a row for each identity position
        attended = (attention @ value.T).T.reshape(1, 6, 4, 2)
        mask = asre.mask(asre.bn(attended))[0]
        torch.testing.assert_close(found[n], identity[n] - 0.7 * mask * identity[n])
        torch.testing.assert_close(shown[n], torch.sigmoid(-0.7 * mask))
    assert ASRE(6, 10).alpha.item() == 1


def test_controls_of_the_mask():
    torch.manual_seed(0)
    identity, described, other = torch.randn(2, 6, 4, 2), torch.randn(2, 10, 4, 2), torch.randn(2, 10, 4, 2)
    uniform, own, plain = (ASRE(6, 10, salience).eval() for salience in ("uniform", "identity", "attributes"))
    for asre in (uniform, own, plain):
        asre.bn.running_var.fill_(0.01)  # so that masks differ visibly
    assert uniform(identity, described)[1].flatten(1).std(1).max() < 1e-6
    assert plain(identity, described)[1].flatten(1).std(1).min() > 1e-3
    assert torch.equal(own(identity, described)[0], own(identity, other)[0])
    assert not torch.equal(plain(identity, described)[0], plain(identity, other)[0])
    assert not torch.equal(uniform(identity, described)[1], uniform(identity, other)[1])


@pytest.mark.parametrize(("fusion", "kinds"), [("a", {"relevant"}), ("b", {"relevant", "irrelevant"}), ("none", set())])
def test_which_attribute_features_a_fusion_looks_at(fusion, kinds):
    network = mini(fusion=fusion, asre=False).eval()
    seen = set()
    for kind, branch in network.attributes.items():
        before = network(frames=FRAMES).embedding
        branch.reduce.bias.data += 1
        if not torch.equal(network(frames=FRAMES).embedding, before):
            seen.add(kind)
    assert seen == kinds


def test_the_clip_s_feature_does_not_depend_on_the_order_of_frames_or_on_other_clips():
    network = mini().eval()
    with torch.no_grad():
        whole = network(frames=FRAMES).embedding
        torch.testing.assert_close(network(frames=FRAMES[1:2].flip(1)).embedding, whole[1:2], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "branches", [("identity",), ("irrelevant", "relevant"), ("identity", "relevant", "irrelevant")]
)
def test_branches_of_table_iv(branches):
    network = mini(branches=branches, fusion="none")
    out = network(frames=FRAMES)
    assert out.embedding.shape == (4, 32 * len(branches))
    assert set(out.visuals) == {f"mask {name}" for name in branches if name != "identity"}
    assert len(out.attributes) == 14  # learned whatever is fused


def test_masks_lie_between_0_and_1_and_are_only_looked_at():
    masks = mini()(frames=FRAMES).visuals
    assert all(mask.shape == (4, 2, 1, 8, 4) and not mask.requires_grad for mask in masks.values())
    assert all(0 <= mask.min() < mask.max() <= 1 for mask in masks.values())
    assert not mini(asre=False)(frames=FRAMES).visuals


def test_all_parameters_learn_and_the_classifier_is_training_only():
    network = mini()
    out = network(frames=FRAMES)
    scores = torch.cat(list(out.attributes.values()), dim=1)
    (out.logits["final"].logsumexp(1).sum() + out.features["final"].square().sum() + scores.square().sum()).backward()
    assert {name for name, p in network.named_parameters() if p.grad is None} == {"neck.bias"}
    retrieval = network.for_retrieval()
    assert retrieval.classifier is None and not retrieval(frames=FRAMES).logits
    assert retrieval(frames=FRAMES).attributes.keys() == out.attributes.keys()


def test_heads_of_other_data():
    network = mini(relevant=[("shoes", 2), ("top color", 3)], irrelevant=[("pose", 6)])
    assert {name: v.shape[1] for name, v in network(frames=FRAMES).attributes.items()} == {
        "shoes": 2,
        "top color": 3,
        "pose": 6,
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"branches": ()}, "expected one or more of"),
        ({"branches": "identity"}, "expected one or more of"),
        ({"branches": ("gait",)}, "expected one or more of"),
        ({"fusion": "c"}, r"fusion='c': expected one of \('a', 'b', 'none'\)"),
        ({"salience": "ones"}, "salience='ones': expected one of"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        mini(**options)
