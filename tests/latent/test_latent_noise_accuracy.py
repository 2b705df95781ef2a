"""Latent noise accuracy: a known rate at each magnitude, common draws, intervals."""

import pytest
import torch
from scipy import stats

from blindspots.latent import generation_accuracy, latent_noise_accuracy, noisy_latents


def first_pixel(images):
    score = images[:, 0, 0, 0] - 0.5
    return torch.stack([-score, score], dim=1)


def sided(latents, labels):
    """Class y where the first latent is above 0."""
    side = torch.where(labels == 1, 1.0, -1.0).to(latents)
    return (0.5 + 0.02 * side * latents[:, 0]).clamp(0, 1)[:, None, None, None].expand(-1, 1, 2, 2)


LATENTS = torch.full((50, 2), 0.5, dtype=torch.float64)
LABELS = torch.arange(50) % 2


def test_the_rate_is_that_of_the_gaussian():
    found = latent_noise_accuracy(first_pixel, sided, LATENTS, LABELS, draws=60)
    expected = torch.tensor([stats.norm.cdf(0.5 / epsilon) for epsilon in (0.25, 0.5, 0.75, 1.0)])
    # 3000 draws: a standard error of at most 0.009.
    torch.testing.assert_close(found.accuracies, expected, atol=0.03, rtol=0)
    assert (found.accuracies.diff() < 0).all() and found.correct.shape == (4, 50, 60)
    assert (found.intervals[:, 0] < found.accuracies).all() and (found.accuracies < found.intervals[:, 1]).all()


def test_it_is_the_accuracy_of_noisy_latents():
    found = latent_noise_accuracy(first_pixel, sided, LATENTS, LABELS, epsilons=(0, 0.7), draws=2, seed=4)
    for index, epsilon in enumerate((0, 0.7)):
        for draw in range(2):
            moved = noisy_latents(LATENTS, epsilon=epsilon, seed=4, draw=draw)
            assert torch.equal(
                found.correct[index, :, draw], generation_accuracy(first_pixel, sided, moved, LABELS).correct
            )
    assert found.accuracies[0] == 1 and found.epsilons == (0.0, 0.7)


def test_rows_and_batches_do_not_matter_and_the_seed_does():
    options = dict(draws=3, epsilons=(1.0,))
    whole = latent_noise_accuracy(first_pixel, sided, LATENTS, LABELS, **options)
    half = latent_noise_accuracy(
        first_pixel, sided, LATENTS[25:], LABELS[25:], rows=torch.arange(25, 50), batch_size=7, **options
    )
    assert torch.equal(half.correct, whole.correct[:, 25:])
    assert not torch.equal(
        whole.correct, latent_noise_accuracy(first_pixel, sided, LATENTS, LABELS, seed=1, **options).correct
    )


def test_messages():
    with pytest.raises(ValueError, match="epsilons: expected at least one"):
        latent_noise_accuracy(first_pixel, sided, LATENTS, LABELS, epsilons=())
    with pytest.raises(ValueError, match=r"epsilons\[1\]"):
        latent_noise_accuracy(first_pixel, sided, LATENTS, LABELS, epsilons=(1.0, -1.0))
    with pytest.raises(ValueError, match="draws"):
        latent_noise_accuracy(first_pixel, sided, LATENTS, LABELS, draws=0)
