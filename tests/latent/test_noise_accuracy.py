"""Pixel noise: the rate of a linear model, and the distance that it stands for."""

import pytest
import torch

from blindspots.latent import adversarial_severity, distance_from_noise_error, noise_accuracy
from blindspots.seeding import generator

WEIGHT = torch.tensor([3.0, -1.0, 2.0, 0.5], dtype=torch.float64)


def linear(images):
    score = (images.flatten(1) - 0.5) @ WEIGHT
    return torch.stack([-score, score], dim=1)


IMAGES = torch.rand(40, 1, 2, 2, generator=generator(0), dtype=torch.float64)
LABELS = linear(IMAGES).argmax(1)
DISTANCES = ((IMAGES.flatten(1) - 0.5) @ WEIGHT).abs() / WEIGHT.norm()


def test_the_rate_is_that_of_the_gaussian():
    found = noise_accuracy(linear, IMAGES, LABELS, sigma=0.4, draws=200)
    expected = torch.special.ndtr(DISTANCES / 0.4)
    # 200 draws: a standard error of at most 0.036 for an image, 0.006 for the mean.
    assert (found.by_image - expected).abs().max() < 0.15
    assert found.accuracy == pytest.approx(expected.mean().item(), abs=0.02)
    assert found.interval[0] < found.accuracy < found.interval[1] and found.correct.shape == (40, 200)


def test_the_distance_comes_back_and_agrees_with_the_search():
    torch.testing.assert_close(distance_from_noise_error(1 - torch.special.ndtr(DISTANCES / 0.4), sigma=0.4), DISTANCES)
    found = noise_accuracy(linear, IMAGES, LABELS, sigma=0.4, draws=400)
    estimates = distance_from_noise_error(1 - found.by_image, sigma=0.4)
    severities = adversarial_severity(linear, IMAGES, LABELS, bound=1.0, clip=False, restarts=2).severities
    # Scaled norm times sqrt(n) is L2. At error 0.1 the standard error of the estimate is 0.035.
    near = DISTANCES < 0.5
    assert near.sum() > 10 and (estimates[near] - 2 * severities[near]).abs().max() < 0.12


def test_clamping_takes_noise_away():
    black = torch.zeros(30, 1, 2, 2, dtype=torch.float64)

    def brightness(images):
        score = images.mean(dim=(1, 2, 3)) + 0.15
        return torch.stack([-score, score], dim=1)

    labels = torch.ones(30, dtype=torch.long)
    plain, clipped = (noise_accuracy(brightness, black, labels, draws=10, clip=clip).accuracy for clip in (False, True))
    assert clipped == 1 and plain < 1


def test_rows_batches_and_seed():
    whole = noise_accuracy(linear, IMAGES, LABELS, draws=4)
    assert whole.sigma == 0.4
    part = noise_accuracy(linear, IMAGES[30:], LABELS[30:], draws=4, rows=torch.arange(30, 40), batch_size=3)
    assert torch.equal(part.correct, whole.correct[30:])
    assert not torch.equal(whole.correct, noise_accuracy(linear, IMAGES, LABELS, draws=4, seed=1).correct)
    assert noise_accuracy(linear, IMAGES, LABELS, sigma=0).accuracy == 1


def test_errors_of_none_and_all_are_infinitely_far():
    found = distance_from_noise_error(torch.tensor([0.0, 0.5, 1.0]), sigma=1)
    assert found.tolist() == [torch.inf, 0.0, -torch.inf]


def test_messages():
    with pytest.raises(ValueError, match="errors: expected probabilities"):
        distance_from_noise_error(torch.tensor([50.0]), sigma=1)
    with pytest.raises(ValueError, match="sigma: expected a finite number > 0"):
        distance_from_noise_error(torch.tensor([0.5]), sigma=0)
    with pytest.raises(ValueError, match="images: expected finite"):
        noise_accuracy(linear, IMAGES * float("nan"), LABELS)
