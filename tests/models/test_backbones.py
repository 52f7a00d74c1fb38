import pytest
import torch

from reidlib.models.backbones import BasicBlock, ResNet, load_imagenet_weights, resnet18, resnet50, scaled_resnet
from reidlib.models.layers import NonLocalBlock
from reidlib.vision import torchvision

PUBLISHED = {"resnet18": 11_689_512, "resnet50": 25_557_032}  # parameters with the 1000-way classifier


def published_network(name: str) -> torch.nn.Module:
    """torchvision's network in evaluation mode with every parameter and statistic drawn at random."""
    network = getattr(torchvision.models, name)(weights=None).eval()
    generator = torch.Generator().manual_seed(0)
    for key, value in network.state_dict().items():
        if key.endswith(("running_var", "running_mean", "bn1.weight", "bn2.weight", "bn3.weight")):
            value.uniform_(0.5, 1.0, generator=generator)
    return network


@pytest.mark.parametrize(("build", "channels"), [(resnet18, 512), (resnet50, 2048)])
def test_same_weights_same_output_as_torchvision(build, channels, count):
    reference, network = published_network(build.__name__), build().eval()
    state = {key: value for key, value in reference.state_dict().items() if not key.startswith("fc.")}
    network.load_state_dict(state, strict=True)
    reference.fc = torch.nn.Identity()
    images = torch.randn(2, 3, 96, 64)
    with torch.no_grad():
        maps = network(images)
        torch.testing.assert_close(maps.mean((2, 3)), reference(images), rtol=1e-4, atol=1e-4)
    assert maps.shape == (2, channels, 3, 2)
    assert network.channels == channels
    assert count(network) == PUBLISHED[build.__name__] - 1000 * (channels + 1)


def test_a_last_stride_of_one_doubles_the_map_and_keeps_the_parameters(count):
    maps = resnet18(last_stride=1).eval()(torch.rand(1, 3, 64, 32))
    assert maps.shape == (1, 512, 4, 2)
    assert count(resnet18(last_stride=1)) == count(resnet18())


def test_non_local_blocks_follow_the_last_blocks_of_their_stage_and_start_as_identity():
    plain, with_blocks = resnet18().eval(), resnet18(non_local=(0, 1, 2, 0)).eval()
    assert list(with_blocks.non_local) == ["layer2_1", "layer3_0", "layer3_1"]
    with_blocks.load_state_dict(plain.state_dict(), strict=False)
    images = torch.rand(2, 3, 64, 32)
    torch.testing.assert_close(with_blocks(images), plain(images))
    with_blocks.non_local["layer3_1"].bn.weight.data.fill_(1.0)
    assert not torch.allclose(with_blocks(images), plain(images))


def test_inserted_blocks_work_on_the_images_of_a_clip_together():
    torch.manual_seed(0)
    shapes = []

    class Recorded(NonLocalBlock):
        def forward(self, x):
            shapes.append(x.shape)
            return super().forward(x)

    network = resnet18(non_local=(0, 0, 1, 0), inserted=Recorded).eval()
    network.non_local["layer3_1"].bn.weight.data.fill_(1.0)
    images = torch.rand(6, 3, 64, 32)
    changed = images.clone()
    changed[2] = 0
    for time, affected in ((3, [0, 1, 2]), (1, [2]), (2, [2, 3])):
        same = torch.isclose(network(changed, time), network(images, time)).flatten(1).all(1)
        assert (~same).nonzero().flatten().tolist() == affected
        assert shapes[-1] == (6 // time, 256, time, 4 * 2)


def test_scaled_networks(count):
    with torch.device("meta"):
        paper, plain = scaled_resnet("paper", non_local=True), scaled_resnet("paper")
        assert plain(torch.empty(1, 3, 256, 128)).shape == (1, 2048, 16, 8)
    assert list(paper.non_local) == ["layer2_2", "layer2_3", "layer3_3", "layer3_4", "layer3_5"]
    assert count(plain) == PUBLISHED["resnet50"] - 1000 * 2049
    assert list(scaled_resnet("mini", non_local=True).non_local) == ["layer3_0"]
    assert scaled_resnet("mini")(torch.rand(1, 3, 64, 32)).shape == (1, 128, 8, 4)
    with pytest.raises(ValueError, match='scale="paper" only'):
        scaled_resnet("mini", "imagenet")


def test_small_stem_halves_the_total_stride_of_the_imagenet_stem():
    network = ResNet(BasicBlock, (1, 1, 1, 1), (4, 8, 12, 16), stem="small")
    assert network(torch.rand(2, 3, 64, 32)).shape == (2, 16, 4, 2)
    with pytest.raises(ValueError, match="stem='large'"):
        ResNet(BasicBlock, (1, 1, 1, 1), stem="large")


def test_weights_of_a_file_are_loaded_and_non_local_blocks_left_alone(tmp_path):
    reference = published_network("resnet18")
    torch.save(reference.state_dict(), tmp_path / "weights.pth")
    network = resnet18(non_local=(0, 0, 1, 0))
    added = network.non_local["layer3_1"].theta.weight.clone()
    load_imagenet_weights(network, tmp_path / "weights.pth", "resnet18")
    assert torch.equal(network.layer4[1].conv2.weight, reference.layer4[1].conv2.weight)
    assert torch.equal(network.bn1.running_var, reference.bn1.running_var)
    assert torch.equal(network.non_local["layer3_1"].theta.weight, added)


def test_imagenet_is_torchvisions_first_set_of_weights(monkeypatch):
    asked = []

    def download(url, **_):
        asked.append(url)
        return published_network("resnet18").state_dict()

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    load_imagenet_weights(resnet18(), "imagenet", "resnet18")
    assert asked == ["https://download.pytorch.org/models/resnet18-f37072fd.pth"]


def test_weights_that_cannot_be_had_are_refused_with_a_way_out(tmp_path, monkeypatch):
    def offline(url, **_):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(ValueError, match=r"resnet50-0676ba61.pth.*no route.*pass its path"):
        load_imagenet_weights(resnet50(), "imagenet", "resnet50")
    with pytest.raises(ValueError, match=r"absent.pth.*torchvision's resnet18 weights"):
        load_imagenet_weights(resnet18(), tmp_path / "absent.pth", "resnet18")
    (tmp_path / "broken.pth").write_bytes(b"not weights")
    with pytest.raises(ValueError, match=r"broken.pth"):
        load_imagenet_weights(resnet18(), tmp_path / "broken.pth", "resnet18")
    torch.save(published_network("resnet18").state_dict(), tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other.pth.*layer1.0.conv3"):
        load_imagenet_weights(resnet50(), tmp_path / "other.pth", "resnet50")
