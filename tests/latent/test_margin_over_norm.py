"""Margin over norm: exact for a linear world, checked by brute force."""

import pytest
import torch

from blindspots.latent import decayed_latents, margin_over_norm, scaled_norm


def test_it_is_the_smallest_change_of_a_linear_world(linear_world):
    model, decode, latents, labels = linear_world(size=2, n=60)
    found = margin_over_norm(model, decode, latents, labels, epsilon=0.5)
    centers = decayed_latents(latents, epsilon=0.5)
    angles = torch.linspace(0, 2 * torch.pi, 2001, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()], 1) * 2**0.5
    torch.testing.assert_close(scaled_norm(circle), torch.ones(2001, dtype=torch.float64))
    standing = (found > 0) & found.isfinite()
    assert standing.sum() >= 5
    for center, label, distance in zip(centers[standing], labels[standing], found[standing], strict=True):
        for factor, flips in ((0.999, False), (1.001, True)):
            points = center + factor * distance * circle
            answers = model(decode(points, label.expand(2001))).argmax(1)
            assert bool((answers != label).any()) == flips


def test_misread_latents_have_distance_zero_and_flat_ones_none(linear_world):
    model, decode, latents, labels = linear_world(n=60)
    found = margin_over_norm(model, decode, latents, labels, epsilon=0)
    wrong = model(decode(latents, labels)).argmax(1) != labels
    assert torch.equal(found == 0, wrong) and wrong.any() and not wrong.all()
    flat = margin_over_norm(lambda images: model(0 * images), decode, latents, torch.zeros_like(labels), epsilon=0)
    assert ((flat == 0) | flat.isinf()).all()


def test_the_batch_does_not_matter(linear_world):
    world = linear_world(n=7)
    torch.testing.assert_close(
        margin_over_norm(*world, epsilon=0.5, batch_size=2), margin_over_norm(*world, epsilon=0.5)
    )


def test_a_decoder_without_a_gradient_is_an_error(linear_world):
    model, decode, latents, labels = linear_world()
    with pytest.raises(ValueError, match="differentiably"):
        margin_over_norm(
            lambda images: images.flatten(1), lambda *given: decode(*given).detach(), latents, labels, epsilon=0
        )
    margin_over_norm(model, decode, latents, labels, epsilon=0)
    assert model.weight.grad is None and decode.matrix.grad is None
