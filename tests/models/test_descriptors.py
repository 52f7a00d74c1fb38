"""Descriptors without training, on pictures whose histograms can be told by hand."""

import numpy as np
import pytest
import torch

from reidlib.models import create_model, list_models

NAMES = ("chance", "colour_histogram", "gradient_histogram", "mean_silhouette")


def embed(name, frames, masks=None, **options):
    """The embedding of a descriptor that is given what it looks at."""
    network = create_model(name, scale="mini", num_ids=3, **options).for_retrieval()
    given = {"frames": frames} | ({} if masks is None else {"masks": masks})
    looked_at = {*network.inputs, *network.optional_inputs}
    return network(**{key: value for key, value in given.items() if key in looked_at}).embedding


def flat(red, green, blue, time=2, size=(12, 8)):
    """A clip (1, T, 3, H, W) of one colour."""
    return torch.tensor([red, green, blue])[None, None, :, None, None].expand(1, time, 3, *size).clone()


def histogram(embedding):
    """(6 stripes, 3 channels, 16 levels), summing to 1."""
    return embedding.square().view(6, 3, 16)


def test_a_flat_colour_fills_one_level_of_each_channel_and_stripe():
    found = histogram(embed("colour_histogram", flat(0.0, 0.5, 1.0)))
    expected = torch.zeros(6, 3, 16)
    expected[:, 0, 0] = expected[:, 1, 8] = expected[:, 2, 15] = 1 / 18
    torch.testing.assert_close(found, expected)


def test_stripes_and_frames_are_counted():
    frames = flat(0.0, 0.0, 0.0, time=2)
    frames[0, 1, 0, 2:4] = 0.3  # red level 4 in the second of six stripes, in one of two frames
    found = histogram(embed("colour_histogram", frames))
    assert found[1, 0, 4].item() == pytest.approx(1 / 36)
    assert found[1, 0, 0].item() == pytest.approx(1 / 36)
    assert found[0, 0, 0].item() == found[1, 1, 0].item() == pytest.approx(1 / 18)


def test_the_inner_product_is_the_bhattacharyya_coefficient():
    torch.manual_seed(0)
    one, other = torch.rand(2, 1, 3, 3, 12, 8)
    a, b = embed("colour_histogram", one), embed("colour_histogram", other)
    counts = [np.zeros((6, 3, 16)), np.zeros((6, 3, 16))]
    for clip, count in zip((one, other), counts):
        for t, c, y, x in np.ndindex(3, 3, 12, 8):
            count[y // 2, c, int(clip[0, t, c, y, x] * 16)] += 1
    p, q = (count / count.sum() for count in counts)
    assert (a @ b.T).item() == pytest.approx(np.sqrt(p * q).sum(), rel=1e-5)
    assert (a @ a.T).item() == pytest.approx(1, rel=1e-5)


def test_with_masks_only_the_person_s_colours_count():
    frames = flat(1.0, 1.0, 1.0)
    masks = torch.zeros(1, 2, 1, 12, 8)
    masks[:, :, :, 4:6, 2:5] = 1  # within the third stripe
    frames[:, :, :, 4:6, 2:5] = 0.1
    found = histogram(embed("colour_histogram", frames, masks))
    expected = torch.zeros(6, 3, 16)
    expected[2, :, 1] = 1 / 3
    torch.testing.assert_close(found, expected)


def test_colour_constancy_removes_a_camera_s_gain_and_cast():
    torch.manual_seed(0)
    clip = torch.rand(1, 4, 3, 24, 8)
    changed = clip * torch.tensor([0.5, 0.7, 0.9])[:, None, None] + torch.tensor([0.3, 0.1, 0.0])[:, None, None]
    for constancy, low, high in ((True, 0.999, 1.001), (False, 0.0, 0.9)):
        a, b = (embed("colour_histogram", c, constancy=constancy) for c in (clip, changed))
        assert low < (a @ b.T).item() < high


def test_a_vertical_edge_has_a_horizontal_gradient():
    frames = torch.zeros(1, 1, 3, 16, 16)
    frames[..., 12:] = 1  # within the right cells
    found = embed("gradient_histogram", frames).view(9, 2, 2)
    expected = torch.zeros(9, 2, 2)
    expected[0, :, 1] = 1  # orientation 0, unit length
    torch.testing.assert_close(found, expected)


def test_a_horizontal_edge_has_a_vertical_gradient_whatever_its_sign():
    for bright in (slice(4, None), slice(None, 4)):
        frames = torch.zeros(1, 2, 3, 16, 16)
        frames[..., bright, :] = 1
        found = embed("gradient_histogram", frames).view(9, 2, 2)
        expected = torch.zeros(9, 2, 2)
        expected[4, 0] = 1  # 90 of 180 degrees, upper cells
        torch.testing.assert_close(found, expected)


def test_the_mean_silhouette_is_the_mean():
    masks = torch.tensor([[[1.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 0.0]]])[None, :, None]
    found = embed("mean_silhouette", torch.rand(1, 2, 3, 2, 2), masks)
    assert found.tolist() == [[0.5, 0.0, 1.0, 0.5]]
    with pytest.raises(ValueError, match="mean_silhouette needs masks"):
        embed("mean_silhouette", torch.rand(1, 2, 3, 2, 2))


def test_chance_knows_nothing_and_follows_the_seed():
    frames = flat(0.1, 0.2, 0.3).expand(200, -1, -1, -1, -1)
    torch.manual_seed(1)
    one, other = embed("chance", frames), embed("chance", frames)
    torch.manual_seed(1)
    assert torch.equal(embed("chance", frames), one)
    for found in (one, other):
        assert found.shape == (200, 64)
        cosine = torch.corrcoef(found) - torch.eye(200)
        assert cosine.mean().abs() < 0.01 and cosine.abs().max() < 0.8
    assert not torch.equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_every_clip_is_described_by_itself(name):
    assert name in list_models()
    frames, masks = torch.rand(3, 2, 3, 32, 16), torch.rand(3, 2, 1, 32, 16).round()
    torch.manual_seed(0)
    together = embed(name, frames, masks)
    assert together.shape == (3, {"chance": 64, "colour_histogram": 288}.get(name, 9 * 8 if "grad" in name else 512))
    torch.manual_seed(0)
    alone = torch.cat([embed(name, frames[i : i + 1], masks[i : i + 1]) for i in range(3)])
    if name == "chance":
        assert torch.isfinite(together).all()
    else:
        torch.testing.assert_close(together, alone)
