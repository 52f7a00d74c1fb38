"""I3D: the published size, the shapes that AMEM states, and the weights of the public port."""

import pytest
import torch

from reidlib.models.inception3d import Inception3D, InceptionBlock, load_kinetics
from reidlib.models.video import VIDEO, video_backbone


def test_paper_scale_has_the_published_parameters_and_the_paper_s_maps(count):
    with torch.device("meta"):
        network = Inception3D()
        assert count(network) == 12_287_264
        assert network(torch.empty(2, 3, 8, 256, 128)).shape == (2, 1024, 3, 16, 8)


def test_mini_scale_has_the_same_layers():
    with torch.device("meta"):
        small, large = Inception3D(1 / 8, "small"), Inception3D()
        assert small(torch.empty(2, 3, 8, 64, 32)).shape == (2, 128, 3, 8, 4)
        assert small.state_dict().keys() == large.state_dict().keys()


def test_a_block_is_its_four_branches_side_by_side():
    torch.manual_seed(0)
    block = InceptionBlock(5, (2, 3, 4, 1, 2, 3)).eval()
    x = torch.rand(1, 5, 3, 4, 4)
    y = block(x)
    assert y.shape == (1, 11, 3, 4, 4) and block.channels == 11
    torch.testing.assert_close(y[:, :2], block.b0(x))
    corner = x[:, :, :2, :2, :2].amax((2, 3, 4))[..., None, None, None]  # what the pooling sees at the first position
    torch.testing.assert_close(y[:, 8:, :1, :1, :1], block.b3b(corner))


def test_the_port_s_weights_load_and_their_classifier_is_left_out(tmp_path):
    network = Inception3D(1 / 8)
    state = {name: torch.full_like(value, 2) for name, value in network.state_dict().items()}
    torch.save(state | {"logits.conv3d.weight": torch.zeros(400, 128, 1, 1, 1)}, tmp_path / "rgb.pt")
    assert {"Conv3d_1a_7x7.conv3d.weight", "Mixed_5c.b3b.bn.running_mean"} <= state.keys()  # the port's names
    load_kinetics(network, tmp_path / "rgb.pt")
    assert all((value == 2).all() for value in network.state_dict().values())


def test_weights_that_are_not_there_or_another_network_s_are_refused_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    network = Inception3D(1 / 8)
    with pytest.raises(ValueError, match=r"no Kinetics weights of I3D from .*checkpoints/rgb_imagenet.pt.*download"):
        load_kinetics(network, "kinetics")
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"other.pt.*pytorch-i3d"):
        load_kinetics(network, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=f"at mini scale I3D starts from '{VIDEO}' or None"):
        video_backbone("i3d", "mini", "imagenet")
    with pytest.raises(ValueError, match="expected one of i3d, p3d, r3d"):
        video_backbone("c3d", "mini")
