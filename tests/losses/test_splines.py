"""Thin-plate splines: their derivative against differentiation, their special cases."""

import torch

from reidlib.losses.splines import CONTROLS, SPREAD, ThinPlateSpline


def test_the_jacobian_is_the_derivative():
    torch.manual_seed(0)
    spline = ThinPlateSpline.draw(2, 0.5)
    spline = ThinPlateSpline(spline.matrices, spline.offsets, spline.controls, 10 * spline.weights)  # bend more
    z = torch.rand(2, 4, 2) - 0.5
    found = spline.jacobian(z)
    every = torch.autograd.functional.jacobian(spline.points, z)  # (2, 4, 2, 2, 4, 2)
    for n in range(2):
        for p in range(4):
            torch.testing.assert_close(found[n, p], every[n, p, :, n, p], rtol=1e-4, atol=1e-5)
    assert (found - torch.eye(2)).abs().max() > 0.1


def test_at_a_control_everything_is_finite_and_without_weights_it_is_affine():
    torch.manual_seed(0)
    spline = ThinPlateSpline.draw(1, 0.5)
    assert spline.points(spline.controls[None]).isfinite().all()
    assert spline.jacobian(spline.controls[None]).isfinite().all()
    flat = ThinPlateSpline(spline.matrices, spline.offsets, spline.controls, 0 * spline.weights)
    z = torch.rand(1, 3, 2)
    torch.testing.assert_close(flat.points(z)[0], z[0] @ spline.matrices[0].T + spline.offsets[0])
    torch.testing.assert_close(flat.jacobian(z)[0, 1], spline.matrices[0])


def test_controls_cover_the_frame_and_draws_are_near_the_identity():
    torch.manual_seed(0)
    spline = ThinPlateSpline.draw(200, 0.5)
    assert len(spline.controls) == CONTROLS**2
    assert spline.controls.amin(0).tolist() == [-0.5, -1] and spline.controls.amax(0).tolist() == [0.5, 1]
    spread = (spline.matrices - torch.eye(2)).std()
    assert abs(float(spread) / SPREAD - 1) < 0.1
