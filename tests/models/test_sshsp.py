"""SS-HSP: its facts, each feature, what the controls remove, and the motion feature taken literally."""

import pytest
import torch

from reidlib.data.walkers.scene import MERGED_PARTS, PARTS, merge_sides
from reidlib.models import create_model
from reidlib.models.part_motion import Parts, positions
from reidlib.models.sshsp import FIXED_MAPS, TRUE_PARTS, MotionFeature, weighted_pooling

SIZE = (64, 32)


def network(**options):
    torch.manual_seed(0)
    return create_model("sshsp", num_ids=5, **{"scale": "mini", "num_frames": 3} | options).eval()


@pytest.fixture
def clips():
    torch.manual_seed(1)
    return {
        "frames": torch.rand(2, 3, 3, 64, 32),
        "next_frames": torch.rand(2, 3, 1, 3, 64, 32),
        "parts": torch.randint(0, len(PARTS), (2, 3, 64, 32), dtype=torch.uint8),
    }


def answer(model, clips):
    return model(**{name: clips[name] for name in model.inputs})


def test_the_descriptor_has_2304_numbers_for_six_parts():
    model = network(scale="paper", num_frames=1, num_parts=6)
    output = model(frames=torch.rand(1, 1, 3, 256, 128), next_frames=torch.rand(1, 1, 1, 3, 256, 128))
    assert output.embedding.shape == (1, 9 * 256) == (1, 2304)
    assert {f.shape for f in output.features.values()} == {(1, 256)} and len(output.features) == 9
    assert output.visuals["flow"].shape == (1, 1, 2, 256, 128) and output.visuals["segments"].shape == (1, 1, 7, *SIZE)
    assert len(output.logits) == 8 and "motion" not in output.logits


def test_sizes_at_paper_scale(count):
    """Added up by hand: of convolutions k × k without bias and normalisations, two numbers a channel."""
    with torch.device("meta"):
        first, second = create_model("parsing"), create_model("sshsp", num_ids=625)

    def layers(*of, kernel=3):
        return sum(kernel**2 * inputs * outputs + 2 * outputs for inputs, outputs in of)

    down = layers((3, 64), (64, 128), (128, 256), (256, 512))
    up = layers((512, 256), (2 * 256, 128), (2 * 128, 64), (2 * 64, 64))  # what is not the deepest has its like beside
    head = (64 + 3 + 1) * (6 * 6 + 1)  # of the last map and the frame, with bias
    assert count(first.segmentation) == down + up + head == 3_546_132
    ends = layers((3, 64), kernel=7) + 7**2 * 64 * 3 + 3
    residual = 5 * 2 * (9 * 256**2 + 2 * 256)
    assert count(first.prediction) == ends + layers((64, 128), (128, 256), (256, 128), (128, 64)) + residual
    backbone, reductions = 23_508_032, 8 * (2048 + 1) * 256  # ResNet-50 without a classifier; global, 6 parts, whole
    assert count(second.backbone) == backbone and count(second.reductions) == reductions
    assert count(second.classifiers) == 8 * (256 + 1) * 625  # the motion feature has none
    motion = (2 + 1) * 16 + 2 * 16 + (16 + 1) * 256
    joined = 256 + 8 * 32  # a frame's feature and its relations to 8 frames
    embeddings = ((256, 64), (256, 64), (2 * 64, 32), (joined, 256))
    relation = layers(*embeddings, kernel=1) + joined + 2
    whole = backbone + reductions + count(first.segmentation) + motion + 9 * relation
    assert count(second.for_retrieval()) == whole == 32_778_486


def test_features_of_each_system_of_table_3(clips):
    bare = {"parts": "none", "motion": "none", "aggregation": "mean"}
    assert list(answer(network(**bare), clips).features) == ["global"]
    local = [*(f"part {k}" for k in range(1, 7)), "foreground"]
    parts = answer(network(motion="none", aggregation="mean"), clips)
    assert list(parts.features) == ["global", *local]
    assert list(answer(network(aggregation="mean"), clips).features) == ["global", *local, "motion"]
    whole = answer(network(), clips)
    assert list(whole.features) == ["global", *local, "motion"]
    torch.testing.assert_close(whole.visuals["attention"].sum(1), torch.ones(2))
    assert network(**bare).inputs == ("frames",) and network(**bare).segmentation is None
    assert network().inputs == ("frames", "next_frames")
    assert network().for_retrieval()(clips["frames"], clips["next_frames"]).logits == {}


def test_temporal_average_pooling_is_the_mean_of_single_frames(clips):
    model = network(motion="none", aggregation="mean")
    whole = answer(model, clips).embedding
    singly = [model(clips["frames"][:, t : t + 1]).embedding for t in range(3)]
    torch.testing.assert_close(whole, torch.stack(singly).mean(0), rtol=1e-4, atol=1e-5)


def test_weighted_pooling_averages_where_the_map_is():
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 0, :2] = 1
    maps[0, 1, 0, 0] = 0.25
    features = torch.arange(16.0).view(1, 1, 4, 4).repeat(1, 3, 1, 1)
    found = weighted_pooling(features, maps)
    torch.testing.assert_close(found, torch.tensor([3.5, 0.0]).view(1, 2, 1).expand(1, 2, 3))
    assert not weighted_pooling(features, 0 * maps).any()


def test_the_last_local_feature_is_of_the_union_of_the_parts(clips):
    model = network(parts="ellipse", motion="none", aggregation="mean")
    maps = model.backbone(model.normalize(clips["frames"].flatten(0, 1)))
    union = torch.nn.functional.adaptive_avg_pool2d(model.maps[:, :-1].sum(1, keepdim=True), maps.shape[2:])
    pooled = (maps * union).sum((2, 3)) / union.sum()
    expected = model.reductions["foreground"](pooled).unflatten(0, (2, 3)).mean(1)
    torch.testing.assert_close(answer(model, clips).features["foreground"], expected, rtol=1e-3, atol=1e-4)


def test_true_parts_are_the_truth_with_sides_merged(clips):
    names = ("head", "torso", "arms", "upper legs", "lower legs", "feet", "background")
    for label, part in enumerate(TRUE_PARTS):
        merged = MERGED_PARTS[merge_sides(torch.tensor([label]).numpy())[0]]
        assert names[part] == ("torso" if merged == "carried" else merged)
    shown = answer(network(parts="true", motion="none"), clips).visuals["segments"]
    assert torch.equal(shown[:, :, 0] == 1, clips["parts"] == 0)
    assert torch.equal(shown[:, :, 1] == 1, clips["parts"] == PARTS.index("head"))


@pytest.mark.parametrize("num_parts", [2, 6, 8])
@pytest.mark.parametrize("kind", FIXED_MAPS)
def test_fixed_maps_sum_to_one_and_do_not_look_at_the_frame(kind, num_parts, clips):
    maps = FIXED_MAPS[kind](num_parts)
    assert maps.shape == (1, num_parts + 1, *SIZE) and maps.min() >= 0
    torch.testing.assert_close(maps.sum(1), torch.ones(1, *SIZE))
    assert (maps[:, :-1].sum((2, 3)) > 0).all()
    assert (maps[:, -1].sum() == 0) == (kind == "stripes")
    model = network(parts=kind, motion="none", num_parts=num_parts)
    assert torch.equal(answer(model, clips).visuals["segments"][0, 0].roll(-1, 0), maps[0])


@pytest.mark.parametrize("kind", ["literal", "flow"])
def test_taken_literally_the_motion_feature_is_an_affine_function_of_the_mean_flow(kind):
    """1×1 convolution, average over positions and linear layer are all affine, and the first commutes with the average:
    W (1/n sum_z (C G(z) + c)) + w = W C (mean of G) + (W c + w). Two numbers a frame are all that is left of a flow. A
    ReLU before the average is what makes it depend on more.
    """
    torch.manual_seed(0)
    feature = MotionFeature(8, kind).eval()
    z = positions(*SIZE, torch.zeros(()))
    flows = z + 0.3 * torch.randn(3, 2, *SIZE)
    flows = (
        flows - flows.mean((2, 3), keepdim=True) + torch.tensor([[0.1, 0.2], [0.1, 0.2], [-0.4, 0.3]])[..., None, None]
    )
    same, twin, other = feature.pooled(flows)
    literal = kind == "literal"
    assert torch.allclose(same, twin, atol=1e-5) == literal  # of one mean, but nothing else in common
    assert not torch.allclose(same, other, atol=1e-3)
    if literal:
        matrix = feature.linear.weight @ feature.convolution.weight[:, :, 0, 0]
        offset = feature.linear.weight @ feature.convolution.bias + feature.linear.bias
        by_hand = flows.mean((2, 3)) @ matrix.T + offset
        torch.testing.assert_close(feature.pooled(flows), by_hand, rtol=1e-4, atol=1e-5)
        assert torch.linalg.matrix_rank(matrix) == 2


def test_controls_of_motion(clips):
    other = clips | {"next_frames": torch.rand_like(clips["next_frames"])}
    for motion, moves in (("flow", True), ("mean", True), ("literal", True), ("zero", False)):
        model = network(motion=motion, parts="stripes", aggregation="mean")
        one, two = answer(model, clips), answer(model, other)
        assert torch.equal(one.features["motion"], two.features["motion"]) != moves
        assert bool(one.visuals["flow"].any()) == moves
    usual, shuffled = (network(motion=m, aggregation="mean") for m in ("flow", "shuffled"))
    rolled = clips | {"next_frames": clips["next_frames"].roll(1, 1)}
    torch.testing.assert_close(answer(shuffled, clips).features["motion"], answer(usual, rolled).features["motion"])


def test_the_mean_displacement_is_all_that_its_control_sees():
    def moving(rows, by):
        """A part that covers so many of the frame's rows and moves by so many half heights to the side."""
        maps = torch.zeros(1, 2, *SIZE)
        maps[:, 0, :rows], maps[:, 1, rows:] = 1.0, 1.0
        here, there = torch.zeros(1, 1, 2), torch.tensor([[[by, 0.0]]])
        now, then = (Parts(maps, place, torch.eye(2).expand(1, 1, 2, 2)) for place in (here, there))
        return now, then, torch.zeros(1, 3, *SIZE)

    half, whole, further = moving(32, 0.2), moving(64, 0.1), moving(64, 0.3)
    for kind, depends_on_more in (("mean", False), ("flow", True)):
        torch.manual_seed(0)
        feature = MotionFeature(8, kind).eval()
        assert torch.allclose(feature(*half), feature(*whole), atol=1e-5) != depends_on_more
        assert not torch.allclose(feature(*whole), feature(*further), atol=1e-3)


def test_a_control_has_as_many_parameters(count):
    usual = count(network())
    assert (
        count(network(aggregation="alone"))
        == count(network(motion="mean"))
        == count(network(motion="shuffled"))
        == usual
    )
    local = count(network(motion="none")) - count(network(motion="none").segmentation)
    assert {count(network(motion="none", parts=kind)) for kind in ("stripes", "ellipse", "random", "true")} == {local}


def test_it_takes_the_segmentation_module_of_stage_1(clips):
    first = create_model("parsing", scale="mini").eval()
    model = network()
    model.segmentation.load_state_dict(first.segmentation.state_dict())
    shown, expected = answer(model, clips), first(clips["frames"], clips["next_frames"])
    for name in ("segments", "flow"):
        torch.testing.assert_close(shown.visuals[name], expected.visuals[name], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parts": "x"}, "parts='x': expected one of"),
        ({"motion": "x"}, "motion='x': expected one of"),
        ({"aggregation": "x"}, "aggregation='x': expected one of"),
        ({"parts": "true", "num_parts": 4}, "num_parts=4 with parts=.true.: the truth has six"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        network(**options)
