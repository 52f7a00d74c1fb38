"""TCLNet: which rows are erased and what is propagated, by brute force, and what a new network is."""

import pytest
import torch
import torch.nn.functional as F

from reidlib.models import create_model
from reidlib.models.backbones import scaled_resnet
from reidlib.models.pretrained import save_weights
from reidlib.models.tclnet import SaliencyBoosting, SaliencyErasing, propagated, salient_rows


@pytest.fixture
def mini():
    torch.manual_seed(0)
    return create_model("tclnet", num_ids=7, scale="mini").eval()


def frames(*shape):
    return torch.rand(*shape, 3, 64, 32, generator=torch.Generator().manual_seed(0))


def erased_by_hand(feature, maps, rows):
    """Row by row: the block whose positions correlate most with the feature (C,), of maps (C, h, w)."""
    height, width = maps.shape[1:]
    sums = []
    for top in range(height - rows + 1):
        positions = [(y, x) for y in range(top, top + rows) for x in range(width)]
        sums.append(sum(float(feature @ maps[:, y, x]) for y, x in positions))
    top = sums.index(max(sums))
    return [top <= y < top + rows for y in range(height)]


def test_paper_scale_has_two_last_blocks_and_the_two_modules(count):
    with torch.device("meta"):
        network = create_model("tclnet", num_ids=625)
        out = network(frames=torch.empty(2, 4, 3, 256, 128))
    block = 2 * 2048 * 512 + 9 * 512 * 512 + 2 * (512 + 512 + 2048)  # three convolutions and their normalisations
    assert count(network.learners["second"]) == block == 4_462_592
    boosting, erasing = 512 * 512 + 3 * 512, 2048 * 1024 + 1024 * 1024 + 3 * 1024
    assert (count(network.boost), count(network.erase)) == (boosting, erasing) == (263_680, 3_148_800)
    shared = count(network.backbone) + count(network.learners)
    assert shared == 23_508_032 + block and len(network.backbone.layer4) == 2
    assert count(network) == shared + boosting + erasing + 2 * (2 * 2048 + 625 * 2048)
    assert out.embedding.shape == (2, 2 * 2048) and out.visuals["mask"].shape == (2, 4, 1, 16, 8)
    for name in ("first", "second"):
        assert out.features[name].shape == (2, 2048) and out.logits[name].shape == (2, 625)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_block_of_rows_that_is_most_like_the_feature_is_found(rows):
    torch.manual_seed(0)
    features, maps = torch.randn(6, 5), torch.randn(6, 5, 8, 3)
    found = salient_rows(torch.einsum("nc,nchw->nhw", features, maps), rows)
    assert found.tolist() == [erased_by_hand(feature, m, rows) for feature, m in zip(features, maps)]
    assert found.sum(1).tolist() == [rows] * 6


def test_what_is_erased_is_zero_and_what_is_left_is_averaged_by_its_correlation():
    torch.manual_seed(0)
    module, maps, before = SaliencyErasing(4, 3, rows=2).eval(), torch.rand(5, 4, 6, 2), torch.randn(5, 3)
    out = module(maps, before)
    found = module.reduce(before).detach()
    for n in range(5):
        erased = torch.tensor(erased_by_hand(found[n], maps[n], 2))
        assert not out[n][:, erased].any()
        torch.testing.assert_close(out[n][:, ~erased], maps[n][:, ~erased])
    torch.nn.init.ones_(module.out[1].weight)
    left = maps[4][:, ~erased].flatten(1)  # of the last, (C, positions)
    weights = (found[4] @ left / 2).softmax(0)
    added = module.out((left @ weights)[None])[0]
    torch.testing.assert_close(module(maps, before)[4], out[4] + added[:, None, None])
    added = module.out(maps.mean((2, 3)))
    torch.testing.assert_close(module(maps), maps + added[:, :, None, None])  # of first frames nothing is erased


def test_what_is_propagated_comes_of_the_other_frames_positions():
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 4, 2, 2)
    memory = torch.zeros_like(maps)
    for y in range(2):
        for x in range(2):
            memory[..., y, x] = maps[..., max(y - 1, 0) : y + 1, max(x - 1, 0) : x + 1].sum((3, 4))
    query = maps[1, 0].mean((1, 2))
    places = [(t, y, x) for t in (1, 2) for y in range(2) for x in range(2)]
    cosines = torch.stack([F.cosine_similarity(query, memory[1, t, :, y, x], dim=0) for t, y, x in places])
    weights = (5 * cosines).softmax(0)
    expected = sum(weight * maps[1, t, :, y, x] for weight, (t, y, x) in zip(weights, places))
    torch.testing.assert_close(propagated(maps)[1, 0], expected)


def test_of_frames_that_are_the_same_everywhere_their_own_features_are_propagated():
    still = torch.rand(2, 1, 4, 1, 1).expand(2, 4, 4, 3, 2)
    torch.testing.assert_close(propagated(still), still[..., 0, 0])
    module = SaliencyBoosting(4).eval()
    torch.testing.assert_close(module(still), still)
    torch.nn.init.ones_(module.out[1].weight)
    torch.testing.assert_close(module(still), still + module.out(still[:, 0, :, 0, 0])[:, None, :, None, None])


@pytest.mark.usefixtures("own_weights")
def test_new_learners_are_the_residual_network_on_whole_first_frames_and_on_second_ones_without_two_rows():
    save_weights(scaled_resnet("mini"), "walkers", {})
    torch.manual_seed(0)
    network = create_model("tclnet", num_ids=7, scale="mini", weights="walkers").eval()
    plain, clips = scaled_resnet("mini", "walkers").eval(), frames(2, 4)
    with torch.no_grad():
        features = network(frames=clips).features
        maps = plain.layer3(plain.layer2(plain.layer1(plain.stem(network.normalize(clips.flatten(0, 1))))))
        first, second = maps.unflatten(0, (4, 2)).unbind(1)
        first = plain.layer4(first).mean((2, 3))
        expected = first.unflatten(0, (2, 2)).mean(1)
        torch.testing.assert_close(features["first"], expected, rtol=1e-4, atol=1e-5)
        for n, feature in enumerate(network.erase.reduce(first)):
            second[n][:, torch.tensor(erased_by_hand(feature, second[n], 2))] = 0
        expected = plain.layer4(second).mean((2, 3)).unflatten(0, (2, 2)).mean(1)
        torch.testing.assert_close(features["second"], expected, rtol=1e-4, atol=1e-5)


def test_pairs_come_in_any_order_and_their_frames_do_not(mini):
    torch.nn.init.ones_(mini.boost.out[1].weight)
    with torch.no_grad():
        whole, pairs, within = (mini(frames=frames(2, 4)[:, order]) for order in (range(4), [2, 3, 0, 1], [1, 0, 3, 2]))
    torch.testing.assert_close(pairs.embedding, whole.embedding, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(within.embedding, whole.embedding, rtol=1e-2)


def test_the_second_learner_teaches_the_choice_of_rows_but_not_the_first_learner(mini):
    torch.nn.init.ones_(mini.erase.out[1].weight)
    mini(frames=frames(2, 2)).features["second"].sum().backward()
    assert not any(p.grad.any() for p in mini.learners["first"].parameters())
    assert mini.erase.reduce.weight.grad.any() and mini.learners["second"].conv1.weight.grad.any()


@pytest.mark.parametrize("time", [2, 4, 6])
def test_output(mini, time):
    out = mini.train()(frames=frames(4, time))
    assert out.embedding.shape == (4, 256) and out.visuals["mask"].shape == (4, time, 1, 8, 4)
    halves = torch.stack([half.norm(dim=1) for half in out.embedding.split(128, dim=1)])
    torch.testing.assert_close(halves, torch.ones(2, 4))  # so that either learner counts as much
    sum(logits.logsumexp(1).sum() for logits in out.logits.values()).backward()
    left = {name for name, p in mini.named_parameters() if p.grad is None}
    assert left == {"necks.first.bias", "necks.second.bias"}
    assert not mini.for_retrieval()(frames=frames(1, time)).logits


def test_frames_have_to_come_in_pairs(mini):
    with pytest.raises(ValueError, match="clips of 3 frames.*in pairs"):
        mini(frames=frames(1, 3))
