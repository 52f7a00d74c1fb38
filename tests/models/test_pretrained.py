"""The package's own weights: what is written is what networks start from, and what is not there is said."""

import pytest
import torch

from reidlib.models import create_model, pretrained
from reidlib.models.backbones import scaled_resnet
from reidlib.models.pretrained import FOLDER, NAMES, save_weights, weights_digest


@pytest.fixture
def trained(own_weights):
    """A network with statistics of its own whose weights are called "walkers"."""
    torch.manual_seed(7)
    network = scaled_resnet("mini")
    network(torch.rand(4, 3, 64, 32))
    save_weights(network, "walkers", {})
    return network.eval()


def test_weights_are_those_of_the_network_in_half_precision(trained, own_weights):
    found = scaled_resnet("mini", "walkers").state_dict()
    for name, value in trained.state_dict().items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value.half().to(value.dtype) if value.is_floating_point() else value)
    assert [path.name for path in own_weights.iterdir()] == ["walkers.safetensors"]


def state_of(name, **options):
    torch.manual_seed(0)
    return create_model(name, num_ids=3, scale="mini", **options).state_dict()


@pytest.mark.parametrize("name", ["agw", "seqmasks", "nonlocal3d"])
def test_networks_start_from_them_and_draw_the_rest(trained, name):
    new, started = (state_of(name, **options) for options in ({}, {"weights": "walkers"}))
    weights = {f"backbone.{key}": value.half().to(value.dtype) for key, value in trained.state_dict().items()}
    assert weights.keys() < new.keys() == started.keys()
    for key, value in started.items():
        assert torch.equal(value, weights.get(key, new[key])), key


def test_an_inserted_block_changes_nothing_at_first(trained):
    images = torch.rand(2, 3, 64, 32)
    plain, inserted = (scaled_resnet("mini", "walkers", non_local=n).eval() for n in (False, True))
    with torch.no_grad():
        torch.testing.assert_close(inserted(images), plain(images))
        torch.testing.assert_close(plain(images), trained(images), rtol=0.02, atol=0.02)


def test_what_is_not_there_is_said_with_the_command_that_trains_it(own_weights):
    with pytest.raises(FileNotFoundError, match=r"walkers.safetensors.*python -m reidlib reproduce pretraining"):
        scaled_resnet("mini", "walkers")


def test_a_damaged_file_and_another_network_s_are_refused(trained, own_weights):
    other = torch.nn.Linear(2, 2)
    save_weights(other, "walkers_attributes", {})
    (own_weights / "walkers.safetensors").write_bytes(b"not weights")
    for name in NAMES:
        with pytest.raises(ValueError, match=rf"{name}.safetensors has no weights of this network.*with git"):
            scaled_resnet("mini", name)


def test_other_weights_are_refused_at_mini_scale(tmp_path):
    for weights in ("imagenet", "walker", tmp_path / "walkers"):
        with pytest.raises(ValueError, match='scale="paper" only; at mini scale, expected walkers or walkers_attr'):
            scaled_resnet("mini", weights)


def test_only_known_names_and_numbers_are_written(own_weights):
    network = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match="weights='mine': expected one of walkers, walkers_attributes, walkers_i3d"):
        save_weights(network, "mine", {})
    network.bias.data[0] = 1e6
    with pytest.raises(ValueError, match="walkers: bias has numbers that half precision cannot hold"):
        save_weights(network, "walkers", {})
    assert not own_weights.exists()


def test_a_digest_is_of_the_numbers_alone(trained):
    digest = weights_digest("walkers")
    assert len(digest) == 8 and int(digest, 16) >= 0
    save_weights(trained, "walkers", {"trained": "elsewhere"})
    assert weights_digest("walkers") == digest
    trained.conv1.weight.data[0, 0, 0, 0] += 1
    save_weights(trained, "walkers", {})
    assert weights_digest("walkers") != digest
    assert weights_digest("walkers_attributes") == weights_digest("imagenet") == weights_digest(None) == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_package_s_own_weights_fit(name):
    if not (FOLDER / f"{name}.safetensors").exists():
        pytest.skip(f"{name}: not trained yet")
    assert scaled_resnet("mini", name)(torch.rand(1, 3, 64, 32)).isfinite().all()
    assert pretrained.weights_path(name).stat().st_size < 700_000
