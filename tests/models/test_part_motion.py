"""Equations 1 to 3 of SS-HSP on motions whose answers are known."""

import pytest
import torch

from reidlib.models.part_motion import (
    Parts,
    back_warp,
    displacement,
    inverse,
    part_flow,
    positions,
    soft_argmax,
    total_flow,
    visibility,
)

SIZE = (64, 32)
TURN = torch.tensor([[0.9, -0.2], [0.15, 1.1]])
MOVE = torch.tensor([0.05, -0.1])


def one_part(shift, affine, maps=None):
    maps = torch.zeros(1, 2, *SIZE) if maps is None else maps
    return Parts(maps, torch.as_tensor(shift).view(1, 1, 2), torch.as_tensor(affine).view(1, 1, 2, 2))


def test_positions_have_one_unit_in_both_directions():
    z = positions(4, 2, torch.zeros(()))
    assert z[1, :, 0].tolist() == [-0.75, -0.25, 0.25, 0.75] and z[0, 0].tolist() == [-0.25, 0.25]


def test_soft_argmax_finds_a_single_peak_and_the_middle_of_nothing():
    heat = torch.zeros(1, 2, *SIZE)
    heat[0, 0, 10, 20] = 1000
    weights, found = soft_argmax(heat)
    torch.testing.assert_close(weights.sum((2, 3)), torch.ones(1, 2))
    torch.testing.assert_close(found[0, 0], positions(*SIZE, heat)[:, 10, 20])
    torch.testing.assert_close(found[0, 1], torch.zeros(2), atol=1e-4, rtol=0)


def test_the_inverse_is_exact_but_for_matrices_that_are_nearly_singular():
    torch.manual_seed(0)
    matrices = torch.eye(2) + 0.3 * torch.randn(50, 2, 2)
    regular = matrices[matrices.det().abs() > 0.1]
    assert len(regular) > 30
    torch.testing.assert_close(inverse(regular), torch.linalg.inv(regular), rtol=1e-4, atol=1e-4)
    mirrored = torch.diag(torch.tensor([-1.0, 2.0]))
    torch.testing.assert_close(inverse(mirrored), torch.linalg.inv(mirrored))
    singular = torch.ones(2, 2, requires_grad=True)
    inverse(singular).sum().backward()
    torch.testing.assert_close(inverse(singular), 10 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
    assert singular.grad.isfinite().all() and not inverse(torch.zeros(2, 2)).any()


def test_equation_1_is_the_affine_motion_that_took_the_part_from_frame_to_frame():
    """e_s = F(e_t) and A_s = F' A_t for an affine F: then G = F, whatever e_t and A_t."""
    torch.manual_seed(0)
    for _ in range(5):
        shift, affine = 0.5 * torch.randn(2), torch.eye(2) + 0.2 * torch.randn(2, 2)
        flow = part_flow(one_part(TURN @ shift + MOVE, TURN @ affine), one_part(shift, affine))
        z = positions(*SIZE, shift)
        expected = torch.einsum("ij,jhw->ihw", TURN, z) + MOVE[:, None, None]
        torch.testing.assert_close(flow[0, 0], expected, rtol=1e-4, atol=1e-4)


def test_equation_2_takes_each_position_from_the_flow_of_its_part():
    maps = torch.zeros(1, 3, *SIZE)
    maps[0, 0, :20], maps[0, 1, 20:40], maps[0, 2, 40:] = 1, 1, 1
    flows = torch.stack([torch.full((2, *SIZE), value) for value in (0.25, 0.5)])[None]
    total = total_flow(maps, flows)
    assert (total[0, :, :20] == 0.25).all() and (total[0, :, 20:40] == 0.5).all()
    torch.testing.assert_close(total[0, :, 40:], positions(*SIZE, maps)[:, 40:])


def test_equation_3_hides_background_that_a_part_covered_and_nothing_else():
    covered, shown = torch.zeros(1, 1, *SIZE), torch.zeros(1, 1, *SIZE)
    covered[..., :16], shown[..., 8:] = 1, 1  # background of the next frame: columns 8 on
    source, target = torch.cat([covered, 1 - covered], 1), torch.cat([1 - shown, shown], 1)
    expected = torch.ones(1, 1, *SIZE)
    expected[..., 8:16] = 0
    assert torch.equal(visibility(source, target), expected)


def test_warping_by_the_flow_gives_the_frame_that_the_motion_shows():
    """The source shows f(p) at p, the target f(F(z)) at z."""

    def picture(p):
        return torch.stack([torch.sin(3 * p[0]), torch.cos(2 * p[1]), p[0] * p[1]])[None]

    z = positions(*SIZE, torch.zeros(()))
    flow = part_flow(one_part(MOVE, TURN), one_part([0.0, 0.0], torch.eye(2)))[:, 0]
    inside = (flow[0].abs() < torch.tensor([0.45, 0.95])[:, None, None]).all(0)
    found = back_warp(picture(z), flow)
    assert inside.float().mean() > 0.5
    torch.testing.assert_close(found[0][:, inside], picture(flow[0])[0][:, inside], rtol=0, atol=2e-3)


def test_standing_still_changes_nothing_and_outside_is_the_edge():
    image = torch.rand(2, 3, *SIZE)
    z = positions(*SIZE, image)
    torch.testing.assert_close(back_warp(image, z.expand(2, -1, -1, -1)), image, rtol=0, atol=1e-4)
    far = z + torch.tensor([5.0, 0.0])[:, None, None]
    torch.testing.assert_close(
        back_warp(image, far.expand(2, -1, -1, -1)), image[..., -1:].expand_as(image), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("height", [64, 256])
def test_a_shift_by_whole_pixels_is_told_in_pixels(height):
    z = positions(*SIZE, torch.zeros(()))[None]
    moved = z + torch.tensor([3.0, -2.0])[:, None, None] * 2 / 64
    expected = torch.tensor([3.0, -2.0]) * height / 64
    torch.testing.assert_close(displacement(moved, height).mean((0, 2, 3)), expected, rtol=1e-4, atol=1e-4)
    image = torch.rand(1, 3, *SIZE)
    warped = back_warp(image, moved)
    torch.testing.assert_close(warped[..., 2:, :-3], image[..., :-2, 3:], rtol=0, atol=1e-4)
