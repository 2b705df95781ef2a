"""The direction of J: autograd's gradient of the definition, and exact where that one rounds to 0."""

import pytest
import torch

from blindspots.latent.objective import lead_direction, misread
from blindspots.seeding import generator


def lead(logits, labels):
    """J by its definition."""
    probabilities = logits.softmax(dim=1)
    own = probabilities.gather(1, labels[:, None])[:, 0]
    return probabilities.scatter(1, labels[:, None], -1.0).amax(dim=1) - own


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_it_is_the_gradient_of_the_definition_up_to_a_positive_factor(n_classes):
    logits = 2 * torch.randn(20, n_classes, generator=generator(0), dtype=torch.float64)
    labels = torch.arange(20) % n_classes
    leaf = logits.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(lead(leaf, labels).sum(), leaf)
    own = logits.softmax(1).gather(1, labels[:, None])
    torch.testing.assert_close(lead_direction(logits, labels) * (1 - own), gradient)
    assert torch.equal(misread(logits, labels), lead(logits, labels) > 0)


def test_a_confident_network_still_has_a_direction():
    logits, labels = torch.tensor([[2000.0, 10.0, 0.0]]), torch.tensor([0])
    leaf = logits.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(lead(leaf, labels).sum(), leaf)
    assert (gradient == 0).all()
    found = lead_direction(logits, labels)[0]
    assert found[0] == pytest.approx(-2, abs=1e-3) and found[1] == pytest.approx(2, abs=1e-3)


def test_a_tie_is_not_misread():
    logits = torch.tensor([[1.0, 1.0], [1.0, 1.0 + 1e-6]])
    assert misread(logits, torch.tensor([0, 0])).tolist() == [False, True]
