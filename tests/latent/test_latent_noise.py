"""Latent noise keeps the prior, comes from a stream per row, and grows with epsilon."""

import pytest
import torch
from scipy import stats

from blindspots.latent import noisy_latents, prior_latents, scaled_norm
from blindspots.seeding import generator


@pytest.mark.parametrize("epsilon", [0.25, 0.5, 1.0, 4.0])
def test_noise_keeps_the_standard_normal(epsilon):
    latents = torch.randn(2000, 3, generator=generator(1), dtype=torch.float64)
    noisy = noisy_latents(latents, epsilon=epsilon, seed=0)
    for column in noisy.T:
        assert stats.kstest(column.numpy(), "norm").pvalue > 0.01
    expected = 1 / (1 + epsilon**2) ** 0.5
    for before, after in zip(latents.T, noisy.T, strict=True):
        # The standard error of a correlation of 2000 is at most 0.022.
        assert stats.pearsonr(before, after).statistic == pytest.approx(expected, abs=0.07)


def test_noise_without_the_division_would_not():
    latents = torch.randn(2000, 1, generator=generator(1), dtype=torch.float64)
    swollen = noisy_latents(latents, epsilon=1.0, seed=0) * 2**0.5
    assert stats.kstest(swollen[:, 0].numpy(), "norm").pvalue < 1e-6


def test_a_row_keeps_its_noise_in_any_batch():
    latents = torch.randn(6, 4, generator=generator(2))
    whole = noisy_latents(latents, epsilon=0.5, seed=3)
    order = torch.tensor([4, 0, 5])
    assert torch.equal(noisy_latents(latents[order], epsilon=0.5, seed=3, rows=order), whole[order])


def test_seed_draw_and_epsilon_matter_and_the_draw_is_shared_by_epsilons():
    latents = torch.zeros(2, 4, dtype=torch.float64)
    one = noisy_latents(latents, epsilon=1, seed=0)
    assert torch.equal(one, noisy_latents(latents, epsilon=1, seed=0))
    assert not torch.equal(one, noisy_latents(latents, epsilon=1, seed=1))
    assert not torch.equal(one, noisy_latents(latents, epsilon=1, seed=0, draw=1))
    torch.testing.assert_close(noisy_latents(latents, epsilon=0.5, seed=0) * 5**0.5, one * 2**0.5)
    assert torch.equal(noisy_latents(latents + 1, epsilon=0, seed=0), latents + 1)


def test_the_prior_has_its_shares_and_its_norm():
    latents, labels = prior_latents(4000, 5, class_shares=torch.tensor([3.0, 0.0, 1.0]), seed=0)
    assert latents.shape == (4000, 5) and latents.dtype == torch.float32
    assert labels.unique().tolist() == [0, 2]
    # Standard error of a share of 4000: 0.007.
    assert (labels == 0).double().mean().item() == pytest.approx(0.75, abs=0.03)
    assert stats.kstest(latents.flatten().numpy(), "norm").pvalue > 0.01
    assert scaled_norm(latents).mean().item() == pytest.approx(0.95, abs=0.02)


def test_the_first_of_more_are_the_same_and_the_seed_matters():
    shares = torch.ones(2, dtype=torch.float64)
    few, many = (prior_latents(n, 3, class_shares=shares, seed=0) for n in (5, 9))
    assert torch.equal(few[0], many[0][:5]) and torch.equal(few[1], many[1][:5])
    assert not torch.equal(few[0], prior_latents(5, 3, class_shares=shares, seed=1)[0])


def test_messages():
    with pytest.raises(ValueError, match="rows: expected shape"):
        noisy_latents(torch.zeros(2, 3), epsilon=1, seed=0, rows=torch.arange(3))
    for shares in ([0.0, 0.0], [-1.0, 2.0], [float("nan"), 1.0]):
        with pytest.raises(ValueError, match="class_shares"):
            prior_latents(2, 2, class_shares=torch.tensor(shares), seed=0)
