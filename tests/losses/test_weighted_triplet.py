import math

import pytest
import torch

from reidlib.losses import weighted_triplet_loss


def by_loops(features: torch.Tensor, labels: torch.Tensor) -> float:
    """The definition, in Python's double precision."""
    points, losses = features.double().tolist(), []
    for i, anchor in enumerate(points):
        same = [math.dist(anchor, p) for j, p in enumerate(points) if j != i and labels[j] == labels[i]]
        other = [math.dist(anchor, p) for j, p in enumerate(points) if labels[j] != labels[i]]
        if not same or not other:
            continue
        hardest, nearest = max(same), min(other)
        w_same = [math.exp(d - hardest) for d in same]
        w_other = [math.exp(nearest - d) for d in other]
        far = sum(w * d for w, d in zip(w_same, same)) / sum(w_same)
        near = sum(w * d for w, d in zip(w_other, other)) / sum(w_other)
        losses.append(math.log1p(math.exp(far - near)))
    return sum(losses) / len(losses)


def test_hand_computed_case():
    # distances of anchor 0: positives 1 and 2, negative 3; positives' weights e/(e + e²) and e²/(e + e²)
    features = torch.tensor([[0.0], [1.0], [-2.0], [3.0]])
    loss = weighted_triplet_loss(features, torch.tensor([0, 0, 0, 1]))
    e = math.e
    anchors = [
        (1 * e + 2 * e**2) / (e + e**2) - 3,
        (1 * e + 3 * e**3) / (e + e**3) - 2,
        (2 * e**2 + 3 * e**3) / (e**2 + e**3) - 5,
    ]
    assert loss.item() == pytest.approx(sum(math.log1p(math.exp(d)) for d in anchors) / 3, rel=1e-5)


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0, 15.0, 100.0])
@pytest.mark.parametrize("seed", range(3))
def test_float32_agrees_with_loops_in_double_precision_at_any_distance(scale, seed):
    torch.manual_seed(seed)
    features, labels = scale * torch.randn(16, 8), torch.arange(4).repeat_interleave(4)
    loss = weighted_triplet_loss(features, labels)
    assert loss.item() == pytest.approx(by_loops(features, labels), rel=1e-4, abs=1e-6)


def test_distances_of_twenty_do_not_drown_the_negatives():
    # Features of mean distance about 19, as networks of 2048 channels give them: positives and negatives are
    # about as far, so the loss is near log 2. Weights that do not sum to one let it rise to about 17.
    torch.manual_seed(0)
    features = 0.3 * torch.randn(32, 2048)
    labels = torch.arange(8).repeat_interleave(4)
    assert 18 < torch.pdist(features).mean() < 20
    assert weighted_triplet_loss(features, labels).item() == pytest.approx(by_loops(features, labels), rel=1e-4)
    assert 0.5 < weighted_triplet_loss(features, labels) < 1.5


def test_gradients_agree_with_finite_differences_and_stay_finite():
    torch.manual_seed(1)
    features = (20 * torch.randn(7, 3, dtype=torch.float64)).requires_grad_()
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 3])
    assert torch.autograd.gradcheck(lambda x: weighted_triplet_loss(x, labels), features)
    coinciding = torch.zeros(5, 3, requires_grad=True)
    weighted_triplet_loss(coinciding, torch.tensor([0, 0, 1, 1, 2])).backward()
    assert torch.isfinite(coinciding.grad).all()


def test_anchors_without_a_positive_are_left_out():
    torch.manual_seed(2)
    features, labels = torch.randn(5, 3), torch.tensor([0, 0, 1, 1, 2])
    assert weighted_triplet_loss(features, labels).item() == pytest.approx(by_loops(features, labels), rel=1e-5)
    assert weighted_triplet_loss(features[:3], torch.tensor([0, 1, 2])).isnan()
