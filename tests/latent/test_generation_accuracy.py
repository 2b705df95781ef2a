"""Accuracy on generated images: a planted error rate, a generator that is dead, decay that mends."""

import pytest
import torch
from scipy import stats

from blindspots.latent import decayed_accuracy, decayed_latents, generation_accuracy, prior_latents


def first_pixel(images):
    """Class 1 where the first pixel exceeds one half."""
    score = images[:, 0, 0, 0] - 0.5
    return torch.stack([-score, score], dim=1)


def planted(latents, labels):
    """The first pixel is on its class's side of one half where the first latent exceeds -1."""
    side = torch.where(labels == 1, 1.0, -1.0)
    return (0.5 + 0.05 * side * (latents[:, 0] + 1.0)).clamp(0, 1)[:, None, None, None].expand(-1, 1, 2, 2)


LATENTS, LABELS = prior_latents(4000, 3, class_shares=torch.ones(2), seed=0)


def test_the_planted_rate_is_found():
    found = generation_accuracy(first_pixel, planted, LATENTS, LABELS)
    # Phi(1) = 0.841; the standard error of 4000 is 0.006.
    assert found.accuracy == pytest.approx(stats.norm.cdf(1), abs=0.024)
    assert found.interval[0] < found.accuracy < found.interval[1]
    assert torch.equal(found.correct, LATENTS[:, 0] >= -1)


@pytest.mark.parametrize("epsilon", [0, 0.5, 1.0])
def test_decay_moves_toward_the_typical(epsilon):
    found = decayed_accuracy(first_pixel, planted, LATENTS, LABELS, epsilon=epsilon)
    assert found.accuracy == pytest.approx(stats.norm.cdf((1 + epsilon**2) ** 0.5), abs=0.024)
    moved = decayed_latents(LATENTS, epsilon=epsilon)
    assert torch.equal(found.correct, generation_accuracy(first_pixel, planted, moved, LABELS).correct)


def test_a_dead_generator_shows_in_the_classes():
    dead = lambda latents, labels: torch.full((len(latents), 1, 2, 2), 0.9)  # noqa: E731
    found = generation_accuracy(first_pixel, dead, LATENTS, LABELS)
    assert found.by_class == {0: 0.0, 1: 1.0} and found.accuracy == LABELS.double().mean().item()


def test_a_classifier_that_is_wrong_everywhere_scores_zero():
    found = generation_accuracy(lambda images: -first_pixel(images), planted, LATENTS.abs(), LABELS)
    assert found.accuracy == 0 and found.interval[0] == pytest.approx(0, abs=1e-12)


def test_messages():
    with pytest.raises(ValueError, match="latents: expected finite"):
        generation_accuracy(first_pixel, planted, LATENTS * float("nan"), LABELS)
    with pytest.raises(ValueError, match="epsilon"):
        decayed_accuracy(first_pixel, planted, LATENTS, LABELS, epsilon=-1)
