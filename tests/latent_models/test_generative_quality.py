"""Quality of generative models whose answers are known: perfect, blurred, of the wrong class, dead."""

import pytest
import torch

from blindspots.latent_models.generative_quality import generative_quality, squared_mmd
from blindspots.seeding import generator

N = 400
LATENTS = torch.randn(N, 4, generator=generator(0), dtype=torch.float64)
LABELS = torch.arange(N) % 2


class Known:
    """Pixels are latents in the top half of class 0 and the bottom half of class 1; `strength` is their spread."""

    latent_size, n_classes, classes, image_shape = 4, 2, (0, 1), (1, 2, 4)

    def __init__(self, strength=0.08, shrink=1.0, swap=False):
        self.strength, self.shrink, self.swap = strength, shrink, swap

    def decode(self, latents, labels):
        images = torch.full((len(latents), 1, 2, 4), 0.2, dtype=latents.dtype)
        rows = 1 - labels if self.swap else labels
        images[torch.arange(len(latents)), 0, rows] = 0.6 + self.strength * latents
        return images.clamp(0, 1)

    def encode(self, images, labels):
        return self.shrink * (images[torch.arange(len(images)), 0, labels] - 0.6) / 0.08


def judge(images):
    return images.mean((1, 3))


IMAGES = Known().decode(LATENTS, LABELS)


def quality(model, images=IMAGES, **options):
    return generative_quality(model, judge, images, LABELS, generator=generator(1), **options)


def test_a_perfect_model_is_found_perfect():
    result = quality(Known(), batch_size=37)
    assert result.n == N and result.classes == (0, 1) and result.dead == ()
    assert result.generation_accuracy == result.reconstruction_accuracy == result.real_accuracy == 1.0
    assert result.reconstruction_error < 1e-20
    assert abs(result.squared_mmd) < 0.01
    # the mean of ||l||/2 in four dimensions is 0.94; the spread has a standard error of about 2.5 %
    assert result.latent_norm == pytest.approx(0.94, abs=0.05)
    assert result.latent_deviation == pytest.approx(1.0, abs=0.08)
    assert result.spreads == pytest.approx((1.0, 1.0), abs=0.12)


def test_a_model_that_shrinks_has_the_error_of_its_shrinking():
    result = quality(Known(shrink=0.5))
    assert result.relative_error == pytest.approx(0.25, rel=0.05)  # half of each deviation is left out
    assert result.reconstruction_error == pytest.approx(0.25 * 0.08**2 / 2, rel=0.2)
    assert result.latent_norm == pytest.approx(0.47, abs=0.03)


def test_the_wrong_class_and_a_dead_generator_are_seen():
    assert quality(Known(swap=True)).generation_accuracy == 0
    assert quality(Known(swap=True)).class_accuracies == (0.0, 0.0)
    dead = quality(Known(strength=1e-4))
    assert dead.dead == (0, 1) and max(dead.spreads) < 0.01
    assert dead.generation_accuracy == 1.0  # accuracy alone would not tell
    assert dead.squared_mmd > 5 * abs(quality(Known()).squared_mmd)


def test_mmd_is_that_of_its_definition_and_zero_between_halves_of_one_sample():
    images, references = torch.rand(3, 1, 1, 2, generator=generator(0)), torch.rand(4, 1, 1, 2, generator=generator(1))
    a, b = images.double().flatten(1), references.double().flatten(1)
    distances = sorted((b[i] - b[j]).norm().item() for i in range(4) for j in range(4) if i != j)
    scale = 2 * distances[(len(distances) - 1) // 2] ** 2

    def k(x, y):
        return torch.exp(-(x - y).square().sum() / scale).item()

    expected = sum(k(a[i], a[j]) for i in range(3) for j in range(3) if i != j) / 6
    expected += sum(k(b[i], b[j]) for i in range(4) for j in range(4) if i != j) / 12
    expected -= 2 * sum(k(x, y) for x in a for y in b) / 12
    assert squared_mmd(images, references) == pytest.approx(expected)
    sample = torch.randn(400, 1, 2, 2, generator=generator(2))
    assert abs(squared_mmd(sample[:200], sample[200:])) < 0.02
    assert squared_mmd(sample[:200] + 1, sample[200:]) > 0.1


def test_the_same_seed_gives_the_same_numbers_and_bad_input_is_refused():
    assert quality(Known()) == quality(Known())
    with pytest.raises(TypeError, match="model: expected decode, encode"):
        quality(object())
    with pytest.raises(ValueError, match="images"):
        quality(Known(), IMAGES + 1)
    with pytest.raises(ValueError, match="at least 2 images of each class, got 1 of class 0"):
        generative_quality(Known(), judge, IMAGES[:2], LABELS[:2], generator=generator(0))
