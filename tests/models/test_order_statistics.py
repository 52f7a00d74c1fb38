import pytest
import torch

from reidlib.models.order_statistics import median_comparisons, set_max, set_median


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 11, 16, 17, 30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_exactly_torch_s_maximum_and_median(count, dtype):
    torch.manual_seed(count)
    x = torch.randn(3, count, 4, 5).to(dtype)
    x[0] = torch.randint(3, x[0].shape)  # many equal values
    assert torch.equal(set_max(x), x.max(1).values)
    assert torch.equal(set_median(x), x.median(1).values)


@pytest.mark.parametrize("count", range(2, 13))
def test_comparisons_find_the_median_of_every_arrangement_of_zeros_and_ones(count):
    # comparisons that are right for all zeros and ones are right for all values (Knuth, section 5.3.4, theorem Z)
    arrangements = torch.cartesian_prod(*[torch.tensor([0, 1], dtype=torch.int8)] * count)
    values = list(arrangements.unbind(1))
    for i, j in median_comparisons(count):
        values[i], values[j] = torch.minimum(values[i], values[j]), torch.maximum(values[i], values[j])
    assert torch.equal(values[(count - 1) // 2], arrangements.median(1).values)


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(0)
    x = torch.randn(2, 6, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(set_median, x)
    assert torch.autograd.gradcheck(set_max, x)


def test_equal_values_share_the_gradient():
    x = torch.tensor([[1.0, 5.0, 3.0, 3.0, 5.0]], requires_grad=True)
    (set_median(x).sum() + 10 * set_max(x).sum()).backward()
    assert x.grad.tolist() == [[0.0, 5.0, 0.5, 0.5, 5.0]]


def test_a_set_of_one_is_its_own_median_and_not_the_same_memory():
    x = torch.randn(2, 1, 3)
    median = set_median(x)
    median.add_(1)
    torch.testing.assert_close(median, x[:, 0] + 1)
