"""The likelihood of a perturbation is scipy's Gaussian density, and its inverse comes back."""

import pytest
import torch
from scipy import stats

from blindspots.latent import (
    decayed_latents,
    noisy_latents,
    norm_at_log_likelihood,
    perturbation_log_likelihood,
    scaled_norm,
)
from blindspots.seeding import generator


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1, 3.0])
@pytest.mark.parametrize("size", [1, 2, 64])
def test_it_is_the_gaussian_density(epsilon, size):
    changes = torch.randn(7, size, generator=generator(0), dtype=torch.float64)
    found = perturbation_log_likelihood(scaled_norm(changes), latent_size=size, epsilon=epsilon)
    variance = epsilon**2 / (1 + epsilon**2)
    gaussian = stats.multivariate_normal([0.0] * size, variance * torch.eye(size).double().numpy())
    torch.testing.assert_close(found, torch.as_tensor(gaussian.logpdf(changes.numpy())))


def test_the_extra_root_of_the_released_converter_would_be_seen():
    norms = torch.tensor([0.3], dtype=torch.float64)
    found = perturbation_log_likelihood(norms, latent_size=64, epsilon=0.5)
    peak = perturbation_log_likelihood(0 * norms, latent_size=64, epsilon=0.5)
    assert (found - peak).item() == pytest.approx(-64 * 0.09 / (2 * 0.2))


def test_it_is_the_density_of_the_noise_itself():
    latents = torch.randn(3000, 4, generator=generator(0), dtype=torch.float64)
    moves = noisy_latents(latents, epsilon=0.5, seed=0) - decayed_latents(latents, epsilon=0.5)
    found = perturbation_log_likelihood(scaled_norm(moves), latent_size=4, epsilon=0.5)
    entropy = stats.multivariate_normal([0.0] * 4, 0.2 * torch.eye(4).double().numpy()).entropy()
    # The log-density of a draw has a standard deviation of sqrt(n / 2) = 1.41; four standard errors.
    assert found.mean().item() == pytest.approx(-entropy, abs=0.1)


def test_the_norm_comes_back():
    norms = torch.linspace(0, 3, 9, dtype=torch.float64)
    likelihoods = perturbation_log_likelihood(norms, latent_size=8, epsilon=0.5)
    assert (likelihoods.diff() < 0).all()
    back = norm_at_log_likelihood(likelihoods, latent_size=8, epsilon=0.5)
    torch.testing.assert_close(back, norms, atol=1e-7, rtol=1e-7)


def test_messages():
    with pytest.raises(ValueError, match="norms: expected finite values >= 0"):
        perturbation_log_likelihood(torch.tensor([torch.inf]), latent_size=2, epsilon=1)
    with pytest.raises(ValueError, match="epsilon: expected a finite number > 0"):
        perturbation_log_likelihood(torch.tensor([1.0]), latent_size=2, epsilon=0)
    with pytest.raises(ValueError, match="that of no perturbation"):
        norm_at_log_likelihood(torch.tensor([100.0]), latent_size=2, epsilon=1)
