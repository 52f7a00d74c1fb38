"""R3D and P3D: sizes, shapes, and that they start as the 2-D network that they are inflated from."""

import pytest
import torch

from reidlib.models.backbones import scaled_resnet
from reidlib.models.pretrained import save_weights
from reidlib.models.resnet3d import Block3D, ResNet3D, inflate, scaled_resnet3d


@pytest.mark.parametrize("pseudo", [False, True])
def test_shapes_are_those_of_i3d_at_both_scales(pseudo):
    with torch.device("meta"):
        paper, mini = (scaled_resnet3d(scale, pseudo=pseudo) for scale in ("paper", "mini"))
        assert paper(torch.empty(1, 3, 8, 256, 128)).shape == (1, 1024, 3, 16, 8)
        assert mini(torch.empty(1, 3, 8, 64, 32)).shape == (1, 128, 3, 8, 4)


def test_sizes_are_those_of_resnet_50_with_kernels_over_time(count):
    with torch.device("meta"):
        flat, full, pseudo = (
            scaled_resnet("paper"),
            scaled_resnet3d("paper", pseudo=False),
            scaled_resnet3d("paper", pseudo=True),
        )
    widths = [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3
    reduced = 2048 * 1024 + 2 * 1024
    assert count(full) == count(flat) + 6 * 3 * 64 * 49 + sum(2 * 9 * c * c for c in widths) + reduced
    assert count(pseudo) == count(flat) + sum(3 * c * c + 2 * c for c in widths) + reduced


@pytest.mark.parametrize("pseudo", [False, True])
@pytest.mark.usefixtures("own_weights")
def test_a_new_network_sees_each_frame_as_the_2d_one_does(pseudo):
    torch.manual_seed(0)
    flat = scaled_resnet("mini")
    flat(torch.rand(4, 3, 64, 32))
    save_weights(flat, "walkers", {})
    flat = scaled_resnet("mini", "walkers").eval()
    network = scaled_resnet3d("mini", "walkers", pseudo=pseudo).eval()
    image = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        maps = network(image[:, :, None].expand(-1, -1, 8, -1, -1))
        expected = flat(image)
    for time in range(3):
        torch.testing.assert_close(maps[:, :, time], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["A", "B", "C"])
def test_p3d_s_blocks_are_serial_parallel_and_both(kind):
    torch.manual_seed(0)
    block = Block3D(4, 4, 1, deep=False, kind=kind).eval()
    torch.nn.init.normal_(block.temporal.bn.weight)
    x = torch.rand(1, 4, 5, 3, 3)
    with torch.no_grad():
        space = torch.relu(block.bn1(block.conv1(x)))
        time = block.temporal
        middle = {"A": time(space), "B": space + time(x), "C": space + time(space)}[kind]
        torch.testing.assert_close(block(x), torch.relu(block.bn2(block.conv2(middle)) + x))


def test_blocks_of_the_kinds_take_turns():
    network = ResNet3D((3, 4, 6, 3), (2, 2, 2, 2), deep=True, pseudo=True)
    kinds = "".join(b.kind for stage in range(1, 5) for b in getattr(network, f"layer{stage}"))
    assert kinds == "ABCABCABCABCABCA"


def test_weights_in_3d_load_as_they_are_and_others_are_refused(tmp_path):
    network = ResNet3D((1, 1, 1, 1), (2, 2, 2, 2), deep=False, pseudo=False, channels=3)
    state = {key: torch.ones_like(v) for key, v in network.state_dict().items() if not key.startswith("reduce")}
    inflate(network, state)
    assert (network.conv1.weight == 1).all() and network.conv1.weight.dim() == 5
    with pytest.raises(RuntimeError, match="strange"):
        inflate(network, state | {"strange": torch.zeros(1)})
    torch.save({"state_dict": {"module.strange": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"50 layers from .*other.pth.*Missing key.*torchvision's ResNet-50"):
        scaled_resnet3d("paper", tmp_path / "other.pth", pseudo=False)
