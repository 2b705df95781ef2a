"""The curvature against whole Hessians, for a linear model in closed form, and for a loss that bends down."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.input_curvature import input_curvature
from blindspots.fairness.robust_surrogate import cross_entropies
from blindspots.seeding import generator


def smooth_model(seed=0):
    draws = generator(seed)
    first = torch.randn(5, 8, generator=draws, dtype=torch.float64)
    second = torch.randn(3, 5, generator=draws, dtype=torch.float64)
    return lambda images: F.elu(images.flatten(1) @ first.T) @ second.T


IMAGES = torch.rand(4, 2, 2, 2, generator=generator(1), dtype=torch.float64)
LABELS = torch.tensor([0, 1, 2, 1])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_it_is_the_largest_eigenvalue_not_the_largest_in_size(sign):
    model = smooth_model()

    def losses(logits, labels):
        return sign * cross_entropies(logits, labels)

    found = input_curvature(model, IMAGES, LABELS, iterations=4000, losses=losses, generator=generator(2))
    for image, label, value in zip(IMAGES, LABELS, found, strict=True):

        def loss(x, label=label):
            return losses(model(x[None]), label[None])[0]

        hessian = torch.autograd.functional.hessian(loss, image).reshape(8, 8)
        assert value.item() == pytest.approx(torch.linalg.eigvalsh(hessian).max().item(), abs=1e-6)
    short = input_curvature(model, IMAGES, LABELS, iterations=2, losses=losses, generator=generator(2))
    assert (short <= found + 1e-6).all() and not torch.equal(short, found)


def test_a_linear_classifier_has_its_closed_form(line):
    weights = torch.tensor([1.0, -2.0, 0.5, 1.0, 0.0, 0.3, -0.7, 0.1], dtype=torch.float64)
    model = line(weights, 0.1)
    chance = torch.sigmoid(IMAGES.flatten(1) @ weights + 0.1)
    found = input_curvature(model, IMAGES, LABELS.clamp(max=1), generator=generator(0))
    torch.testing.assert_close(found, chance * (1 - chance) * weights.square().sum())
    assert model.weights.grad is None


def test_a_loss_without_curvature_has_none(line):
    model = line(torch.ones(8), regression=True)
    found = input_curvature(model, IMAGES, LABELS, losses=lambda out, labels: out[:, 0], generator=generator(0))
    assert torch.equal(found, torch.zeros(4, dtype=torch.float64))


def test_bad_options_are_named(line):
    with pytest.raises(ValueError, match="iterations: expected"):
        input_curvature(smooth_model(), IMAGES, LABELS, iterations=0, generator=generator(0))
    with pytest.raises(ValueError, match="labels: expected shape"):
        input_curvature(smooth_model(), IMAGES, LABELS[:2], generator=generator(0))
