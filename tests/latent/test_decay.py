"""Noise magnitude and decay: the printed pairs, the way back, the mean of the noise."""

import pytest
import torch

from blindspots.latent import decay_of, decayed_latents, epsilon_of, noisy_latents


@pytest.mark.parametrize(("epsilon", "decay"), [(0, 0), (0.5, 0.10557), (1, 0.29289)])
def test_the_known_pairs(epsilon, decay):
    assert decay_of(epsilon) == pytest.approx(decay, abs=5e-6)
    assert epsilon_of(decay_of(epsilon)) == pytest.approx(epsilon, abs=1e-15)


@pytest.mark.parametrize("epsilon", [1e-8, 1e-3, 0.25, 0.75, 3.0, 1e3])
def test_the_way_back_is_exact_far_from_one_too(epsilon):
    assert epsilon_of(decay_of(epsilon)) == pytest.approx(epsilon, rel=1e-9)
    assert decay_of(epsilon) == pytest.approx(1 - 1 / (1 + epsilon**2) ** 0.5, abs=1e-15)


def test_decayed_latents_are_the_mean_of_noisy_ones():
    latent = torch.tensor([[2.0, -1.0, 0.5]], dtype=torch.float64)
    many = noisy_latents(latent.repeat(4000, 1), epsilon=0.75, seed=0)
    # Each coordinate has a standard deviation of 0.6; 0.04 is four standard errors of the mean.
    assert (many.mean(0) - decayed_latents(latent, epsilon=0.75)[0]).abs().max() < 0.04
    torch.testing.assert_close(decayed_latents(latent, epsilon=0.75), 0.8 * latent)


def test_no_noise_leaves_latents_alone_and_dtype_is_kept():
    latents = torch.tensor([[1.0, 2.0]])
    assert torch.equal(decayed_latents(latents, epsilon=0), latents)
    assert decayed_latents(latents, epsilon=1).dtype == torch.float32


def test_messages():
    with pytest.raises(ValueError, match="decay: expected a number below 1"):
        epsilon_of(1.0)
    with pytest.raises(ValueError, match="epsilon: expected a finite number >= 0"):
        decay_of(-0.5)
    with pytest.raises(ValueError, match="latents: expected finite values"):
        decayed_latents(torch.tensor([[float("nan")]]), epsilon=1)
