"""The loss gradient against finite differences, and unit vectors."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from blindspots.attacks.gradients import (
    input_gradient,
    logit_margin,
    loss_gradient,
    margin_gradient,
    unit_vectors,
)


def test_gradient_is_that_of_each_images_own_loss(small_network, draw):
    model, images, labels = small_network(), draw(3, 1, 8, 8), torch.tensor([0, 1, 2])
    gradients, stopped = loss_gradient(model, images, labels)
    assert not stopped.any()
    direction = draw(3, 1, 8, 8, seed=7) - 0.5
    above, below = (cross_entropy(model(images + step * direction), labels, reduction="none") for step in (1e-6, -1e-6))
    # Central differences: truncation 1e-12, rounding 1e-16 / 1e-6.
    torch.testing.assert_close((above - below) / 2e-6, (gradients * direction).sum(dim=(1, 2, 3)), rtol=0, atol=1e-8)


def test_images_above_the_margin_get_no_gradient(small_network, draw):
    model, images = small_network(), draw(4, 1, 8, 8)
    labels = torch.tensor([0, 1, 2, 3])
    margins = logit_margin(model(images), labels)
    level = margins.sort().values[1:3].mean().item()
    gradients, stopped = loss_gradient(model, images, labels, stop_above=level)
    assert torch.equal(stopped, margins > level) and stopped.sum() == 2
    assert gradients[stopped].abs().max() == 0
    torch.testing.assert_close(gradients[~stopped], loss_gradient(model, images, labels)[0][~stopped])
    everything, stopped = loss_gradient(model, images, labels, stop_above=-1e9)
    assert stopped.all() and everything.abs().max() == 0


def test_the_gradient_of_any_loss_comes_with_the_logits(small_network, draw):
    model, images, labels = small_network(), draw(3, 1, 8, 8), torch.tensor([0, 1, 2])
    gradients, logits = input_gradient(model, images, labels, lambda logits: -logits[:2, 0])
    assert torch.equal(logits, model(images).detach()) and not logits.requires_grad
    leaf = images.clone().requires_grad_(True)
    torch.testing.assert_close(gradients, torch.autograd.grad(-model(leaf)[:2, 0].sum(), leaf)[0])
    assert gradients[2].abs().max() == 0 and gradients[1].abs().max() > 0


def test_margins_have_a_gradient_up_to_the_ceiling(linear_model, draw):
    weight, images = draw(1, 4, 4) - 0.5, draw(3, 1, 4, 4)
    model, labels = linear_model(weight, 0.2), torch.tensor([0, 1, 0])
    margins = logit_margin(model(images), labels)
    gradients, found = margin_gradient(model, images, labels)
    torch.testing.assert_close(gradients, torch.stack([weight, -weight, weight]))
    assert torch.equal(found, margins)
    ceiling = margins.sort().values[1].item()
    limited, found = margin_gradient(model, images, labels, ceiling=ceiling)
    assert torch.equal(found, margins)
    assert torch.equal(limited.abs().amax(dim=(1, 2, 3)) > 0, margins <= ceiling)
    each = margins.detach() + torch.tensor([1.0, -1.0, 0.0])
    limited, _ = margin_gradient(model, images, labels, ceiling=each)
    assert (limited.abs().amax(dim=(1, 2, 3)) > 0).tolist() == [True, False, True]


def test_margin_is_the_best_other_logit_less_the_labels():
    logits = torch.tensor([[1.0, 4.0, 2.0], [3.0, 0.0, 3.0]])
    assert logit_margin(logits, torch.tensor([1, 0])).tolist() == [-2.0, 0.0]
    assert logit_margin(logits, torch.tensor([0, 1])).tolist() == [3.0, 3.0]


@pytest.mark.parametrize("scale", [1e-38, 1.0, 1e30])
def test_unit_vectors_have_unit_length_at_any_scale(draw, scale):
    vectors = draw(3, 1, 5, 5, dtype=torch.float32) * scale
    vectors[1] = 0
    units, zero = unit_vectors(vectors)
    torch.testing.assert_close(units.flatten(1).norm(dim=1), torch.tensor([1.0, 0.0, 1.0]))
    assert zero.tolist() == [False, True, False]
