"""The bound against Hessians, and where it is met."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.perceptron_smoothness import perceptron_smoothness
from blindspots.seeding import generator


def largest_eigenvalue(first, second, point, label, activation):
    def loss(x):
        return F.cross_entropy((second @ activation(first @ x))[None], label[None])

    return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, point)).abs().max().item()


def test_no_hessian_exceeds_it():
    draws = generator(0)
    for scale in (0.2, 1.0, 3.0):
        first = scale * torch.randn(6, 5, generator=draws, dtype=torch.float64)
        second = torch.randn(3, 6, generator=draws, dtype=torch.float64)
        bound, found = perceptron_smoothness(first, second), []
        for _ in range(40):
            point = torch.randn(5, generator=draws, dtype=torch.float64)
            label = torch.randint(0, 3, (), generator=draws)
            found.append(largest_eigenvalue(first, second, point, label, F.elu))
        assert max(found) <= bound and max(found) > bound / 100


def test_a_linear_model_of_two_classes_meets_it():
    first = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    second = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    found = largest_eigenvalue(first, second, torch.zeros(2, dtype=torch.float64), torch.tensor(0), lambda x: x)
    assert found == pytest.approx(perceptron_smoothness(first, second, bend=0.0), rel=1e-12)


def test_what_the_logits_share_does_not_count_and_options_do():
    first, second = torch.eye(3, dtype=torch.float64), torch.rand(4, 3, generator=generator(1), dtype=torch.float64)
    base = perceptron_smoothness(first, second)
    assert perceptron_smoothness(first, second + torch.tensor([5.0, -3.0, 1.0])) == pytest.approx(base)
    assert perceptron_smoothness(2 * first, second) == pytest.approx(4 * base)
    assert perceptron_smoothness(first, second, slope=0.5) < base
    assert perceptron_smoothness(first, second, bend=0.25) < base


def test_matrices_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"second: expected \(K, M\) beside first"):
        perceptron_smoothness(torch.ones(3, 2), torch.ones(4, 2))
    with pytest.raises(ValueError, match="bend: expected"):
        perceptron_smoothness(torch.ones(3, 2), torch.ones(4, 3), bend=-1.0)
