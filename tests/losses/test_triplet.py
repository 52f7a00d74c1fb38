import math

import pytest
import torch

from reidlib.losses import batch_all_triplet_loss, batch_all_triplets, batch_hard_triplet_loss, batch_hard_triplets


def random_batch(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (9,), generator=generator)
    return torch.randn(9, 5, dtype=torch.float64, generator=generator), labels


def triplets(features: torch.Tensor, labels: torch.Tensor) -> list[tuple[int, float, float]]:
    """(anchor, distance to a positive, distance to a negative) of every triplet."""
    points, n = features.tolist(), len(labels)
    return [
        (a, math.dist(points[a], points[p]), math.dist(points[a], points[k]))
        for a in range(n)
        for p in range(n)
        for k in range(n)
        if p != a and labels[p] == labels[a] and labels[k] != labels[a]
    ]


def test_hand_computed_line():
    features = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    labels = torch.tensor([0, 0, 1, 1])
    # anchors 0, 1, 3, 7: farthest positive 1, 1, 4, 4; nearest negative 3, 2, 2, 6
    assert batch_hard_triplet_loss(features, labels, margin=0.3).item() == pytest.approx((0 + 0 + 2.3 + 0) / 4)
    soft = sum(math.log1p(math.exp(d)) for d in (-2, -1, 2, -2)) / 4
    assert batch_hard_triplet_loss(features, labels, margin=None).item() == pytest.approx(soft)
    # triplets above zero: only anchor 3's, against negatives at distance 3 (4 - 3 + 0.3) and 2 (4 - 2 + 0.3)
    assert batch_all_triplet_loss(features, labels, margin=0.3).item() == pytest.approx((1.3 + 2.3) / 2)


@pytest.mark.parametrize("seed", range(20))
def test_against_loops_over_all_triplets(seed):
    features, labels = random_batch(seed)
    found = triplets(features, labels)
    anchors = {a for a, _, _ in found}
    for margin, hinge in ((0.5, lambda d: max(0.0, d + 0.5)), (None, lambda d: math.log1p(math.exp(d)))):
        hard = [hinge(max(p - n for b, p, n in found if b == a)) for a in anchors]
        loss = batch_hard_triplet_loss(features, labels, margin)
        assert loss.item() == pytest.approx(sum(hard) / len(hard), rel=1e-9)
    violated = [p - n + 0.5 for _, p, n in found if p - n + 0.5 > 0]
    assert batch_all_triplet_loss(features, labels, 0.5).item() == pytest.approx(
        sum(violated) / len(violated), rel=1e-9
    )


def test_strips_are_averaged_each_by_itself():
    torch.manual_seed(0)
    features, labels = torch.randn(6, 3, 5, dtype=torch.float64), torch.tensor([0, 0, 1, 1, 2, 2])
    features[:, 2] = 100 * labels[:, None]  # this strip violates no margin, and counts as zero
    losses = []
    for strip in features.unbind(1):
        violated = [p - n + 0.5 for _, p, n in triplets(strip, labels) if p - n + 0.5 > 0]
        losses.append(sum(violated) / max(len(violated), 1))
    assert losses[0] > 0 and losses[1] > 0 and losses[2] == 0
    assert batch_all_triplet_loss(features, labels, 0.5).item() == pytest.approx(sum(losses) / 3, rel=1e-9)


def all_at_once(features: torch.Tensor, labels: torch.Tensor, margin: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The batch-all loss with every triplet written out, and the share of triplets that violate the margin."""
    strips = features.transpose(0, 1)
    distances = torch.cdist(strips, strips, compute_mode="donot_use_mm_for_euclid_dist")
    same = labels[:, None] == labels
    anchors, positives = (same & ~torch.eye(len(labels), dtype=torch.bool)).nonzero(as_tuple=True)
    losses = torch.relu(distances[:, anchors, positives, None] - distances[:, anchors] + margin) * ~same[anchors]
    violated = (losses > 0).sum((1, 2))
    return (losses.sum((1, 2)) / violated.clamp(min=1)).mean(), violated.float().mean() / (~same[anchors]).sum()


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 2, 3] * 4, [0] * 7 + [1] * 4 + [2] * 2 + [3] * 2 + [4], [0] * 15 + [1]],
    ids=["equal numbers", "unequal numbers", "one stranger"],
)
@pytest.mark.parametrize("spread", [1.0, 1e-4], ids=["apart", "close and far from the origin"])
def test_value_and_gradient_are_those_of_all_triplets_written_out(labels, spread):
    torch.manual_seed(0)
    labels, margin = torch.tensor(labels), 2 * spread
    features = spread * torch.randn(16, 5, 8, dtype=torch.float64) + 3 * (spread < 1)
    features[5] = features[6]  # coinciding clips have no distance, and no gradient of it
    expected = features.clone().requires_grad_()
    loss, active = all_at_once(expected, labels, margin)
    loss.backward()
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float32, 0.02 if spread < 1 else 1e-5)):
        given = features.to(dtype, copy=True).requires_grad_()
        found = batch_all_triplets(given, labels, margin)
        (3 * found.loss).backward()
        assert found.loss.item() == pytest.approx(loss.item(), rel=tolerance)
        assert found.active.item() == pytest.approx(active.item(), abs=2e-3)
        error = (given.grad - 3 * expected.grad).norm() / (3 * expected.grad).norm()
        assert error < tolerance


def test_coinciding_features_have_finite_gradients():
    features = torch.zeros(4, 3, requires_grad=True)
    labels = torch.tensor([0, 0, 1, 1])
    (batch_hard_triplet_loss(features, labels) + batch_all_triplet_loss(features, labels)).backward()
    assert torch.isfinite(features.grad).all()


def test_anchors_without_a_positive_are_left_out_with_finite_gradients():
    features = torch.tensor([[0.0], [1.0], [1.5]], requires_grad=True)
    loss = batch_hard_triplet_loss(features, torch.tensor([0, 0, 1]), margin=0.3)
    assert loss.item() == pytest.approx((0.0 + 0.8) / 2)  # anchors 0 (1 - 1.5 + 0.3) and 1 (1 - 0.5 + 0.3)
    loss.backward()
    assert features.grad.flatten().tolist() == pytest.approx([-0.5, 1.0, -0.5])


def test_a_batch_without_triplets():
    features, labels = torch.randn(3, 2), torch.tensor([0, 1, 2])
    assert batch_hard_triplet_loss(features, labels).isnan()
    assert batch_all_triplet_loss(features, labels) == 0


def test_gradients_agree_with_finite_differences():
    features, labels = random_batch(3)
    features.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: batch_hard_triplet_loss(x, labels, 0.5), features)
    assert torch.autograd.gradcheck(lambda x: batch_all_triplet_loss(x, labels, 0.5), features)


def test_active_triplets_and_distances_by_hand():
    features, labels = torch.tensor([[0.0], [1.0], [1.5], [4.0]]), torch.tensor([0, 0, 1, 1])
    hard = batch_hard_triplets(features, labels, margin=0.3)
    # farthest positive minus nearest negative: 1 - 1.5, 1 - 0.5, 2.5 - 0.5, 2.5 - 3
    assert hard.active == 0.5
    assert batch_hard_triplets(features, labels, margin=0.6).active == 1
    assert batch_hard_triplets(features, labels, margin=None).active == 0.5
    assert hard.distance == pytest.approx((1 + 1.5 + 4 + 0.5 + 3 + 2.5) / 6)
    every = batch_all_triplets(features, labels, margin=0.3)
    # 1 - 1.5, 1 - 4; 1 - 0.5, 1 - 3; 2.5 - 1.5, 2.5 - 0.5; 2.5 - 4, 2.5 - 3: three of eight above -0.3
    assert every.active == 3 / 8 and every.distance == hard.distance
    assert not hard.active.requires_grad and not every.distance.requires_grad
    assert hard.watched("x") == {"x active": hard.active, "x distance": hard.distance}


def test_collapsed_features_are_all_active_and_at_no_distance():
    features, labels = torch.zeros(4, 2, requires_grad=True), torch.tensor([0, 0, 1, 1])
    for found in (batch_hard_triplets(features, labels), batch_all_triplets(features, labels)):
        assert (found.active, found.distance) == (1, 0)
