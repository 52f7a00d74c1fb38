import pytest
import torch

from reidlib.models import ModelOutput, create_model


@pytest.fixture(scope="module")
def mini():
    torch.manual_seed(0)
    return create_model("agw", num_ids=11, scale="mini")


def non_local_parameters(channels: int) -> int:
    inner = channels // 2
    into = 3 * (channels * inner + inner)  # theta, phi, g
    return into + (inner * channels + channels) + 2 * channels  # W, batch normalisation


def test_paper_scale_has_the_parameters_of_its_published_parts(count):
    with torch.device("meta"):
        network = create_model("agw", num_ids=625)
    resnet50 = 25_557_032 - (2048 * 1000 + 1000)
    non_local = 2 * non_local_parameters(512) + 3 * non_local_parameters(1024)
    gem, neck, classifier = 1, 2 * 2048, 625 * 2048
    assert count(network) == resnet50 + non_local + gem + neck + classifier
    assert list(network.backbone.non_local) == ["layer2_2", "layer2_3", "layer3_3", "layer3_4", "layer3_5"]


def test_paper_scale_gives_maps_of_2048x16x8_for_256x128():
    with torch.device("meta"):
        network = create_model("agw", num_ids=625)
        maps = network.backbone(torch.empty(2, 3, 256, 128))
        out = network(frames=torch.empty(2, 4, 3, 256, 128))
    assert maps.shape == (2, 2048, 16, 8)
    assert out.embedding.shape == (2, 2048)
    assert out.logits["global"].shape == (2, 625)


def test_mini_is_the_small_network_of_its_description(mini, count):
    blocks = sum(9 * (i * o + o * o) + 4 * o for i, o in ((16, 16), (16, 32), (32, 64), (64, 128)))
    shortcuts = sum(i * o + 2 * o for i, o in ((16, 32), (32, 64), (64, 128)))
    stem = 9 * 3 * 16 + 2 * 16
    rest = non_local_parameters(64) + 1 + 2 * 128 + 11 * 128
    assert count(mini) == stem + blocks + shortcuts + rest
    assert mini.backbone(torch.rand(2, 3, 64, 32)).shape == (2, 128, 8, 4)


def test_output_and_gradients(mini):
    mini.train()
    out = mini(frames=torch.rand(4, 3, 3, 64, 32))
    assert isinstance(out, ModelOutput)
    assert out.embedding.shape == out.features["global"].shape == (4, 128)
    assert out.logits["global"].shape == (4, 11)
    assert out.visuals == {}
    (out.logits["global"].logsumexp(1).sum() + out.features["global"].square().sum()).backward()
    untouched = {name for name, p in mini.named_parameters() if p.grad is None}
    assert untouched == {"neck.bias"}  # which is not learned


def test_embedding_is_the_feature_after_the_neck(mini):
    mini.eval()
    with torch.no_grad():
        out = mini(frames=torch.rand(3, 2, 3, 64, 32))
        torch.testing.assert_close(out.embedding, mini.neck(out.features["global"]))
        torch.testing.assert_close(out.logits["global"], out.embedding @ mini.classifier.weight.T)


def test_average_pooling_is_the_mean_over_positions_and_frames(count, mini):
    torch.manual_seed(0)
    network = create_model("agw", num_ids=11, scale="mini", pool="average").eval()
    frames = torch.rand(2, 3, 3, 64, 32)
    with torch.no_grad():
        maps = network.backbone(network.normalize(frames.flatten(0, 1))).unflatten(0, (2, 3))
        torch.testing.assert_close(network(frames=frames).features["global"], maps.mean((1, 3, 4)))
    assert count(network) == count(mini) - 1  # the exponent
    with pytest.raises(ValueError, match="expected one of gem, average"):
        create_model("agw", num_ids=11, scale="mini", pool="maximum")


def test_in_evaluation_it_shows_where_its_maps_answer(mini):
    mini.eval()
    frames = torch.rand(2, 3, 3, 64, 32)
    with torch.no_grad():
        mask = mini(frames=frames).visuals["mask"]
        maps = mini.backbone(mini.normalize(frames[1, 2:]))[0]
    expected = maps.square().sum(0)
    assert mask.shape == (2, 3, 1, 8, 4)
    torch.testing.assert_close(mask[1, 2, 0], expected / expected.max(), rtol=1e-4, atol=1e-5)


def test_a_clip_is_the_average_of_its_frames_in_any_order(mini):
    mini.eval()
    frames = torch.rand(2, 4, 3, 64, 32)
    with torch.no_grad():
        whole = mini(frames=frames).features["global"]
        single = torch.stack([mini(frames=frames[:, t : t + 1]).features["global"] for t in range(4)]).mean(0)
        torch.testing.assert_close(whole, single, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(whole, mini(frames=frames[:, [2, 0, 3, 1]]).features["global"], rtol=1e-4, atol=1e-5)


def test_for_retrieval_drops_the_classifier_from_a_copy(mini, count):
    mini.train()
    network = mini.for_retrieval()
    frames = torch.rand(2, 2, 3, 64, 32)
    assert count(mini) - count(network) == 11 * 128
    assert mini.training
    assert mini.classifier is not None
    assert not network.training
    with torch.no_grad():
        out = network(frames=frames)
        torch.testing.assert_close(out.embedding, mini.eval()(frames=frames).embedding)
    assert out.logits == {}


def test_bfloat16_stays_close_to_float32(mini):
    mini.eval()
    frames = torch.rand(2, 2, 3, 64, 32)
    with torch.no_grad():
        exact = mini(frames=frames).embedding
        with torch.autocast("cpu", torch.bfloat16):
            rounded = mini(frames=frames).embedding
    assert torch.cosine_similarity(exact, rounded.float()).min() > 0.999


def test_weights_are_refused_at_mini_scale():
    with pytest.raises(ValueError, match='scale="paper" only'):
        create_model("agw", num_ids=2, scale="mini", weights="imagenet")


def test_paper_scale_starts_from_a_file_of_weights(tmp_path):
    from reidlib.vision import torchvision

    reference = torchvision.models.resnet50(weights=None)
    torch.save(reference.state_dict(), tmp_path / "resnet50.pth")
    network = create_model("agw", num_ids=2, weights=tmp_path / "resnet50.pth")
    assert torch.equal(network.backbone.layer3[2].conv2.weight, reference.layer3[2].conv2.weight)
