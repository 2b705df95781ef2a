"""Encoding by optimization: exact for a linear decoder, the same in a batch, best of its restarts."""

import pytest
import torch

from blindspots.latent_models.encode_by_optimization import encode_by_optimization
from blindspots.seeding import generator

MATRIX = torch.linalg.qr(torch.randn(16, 3, generator=generator(0), dtype=torch.float64))[0]


def linear(latents, labels):
    """A decoder of 4x4 images; the second class is upside down."""
    images = 0.5 + 0.1 * (latents @ MATRIX.T.to(latents)).reshape(-1, 1, 4, 4)
    return torch.where(labels[:, None, None, None] == 1, images.flip(2), images)


def some(n=5, seed=1):
    latents = torch.randn(n, 3, generator=generator(seed), dtype=torch.float64)
    labels = torch.arange(n) % 2
    return linear(latents, labels), labels, latents


def encode(images, labels, decode=linear, **options):
    settings = {"latent_size": 3, "steps": 400, "generator": generator(2)} | options
    return encode_by_optimization(decode, images, labels, **settings)


def test_latents_of_a_linear_decoder_are_found():
    images, labels, latents = some()
    found = encode(images, labels)
    torch.testing.assert_close(found.latents, latents, rtol=0, atol=1e-3)
    assert found.errors.max() < 1e-8
    assert found.restart_errors.shape == (5, 4)
    assert torch.equal(found.errors, found.restart_errors.amin(1))


def test_errors_are_those_of_the_returned_latents():
    images, labels, _ = some()
    found = encode(images, labels, steps=3)
    errors = (linear(found.latents, labels) - images).square().mean((1, 2, 3))
    torch.testing.assert_close(found.errors, errors)


def test_a_batch_equals_its_images_one_at_a_time():
    images, labels, _ = some()
    together = encode(images, labels, steps=20)
    small = encode(images, labels, steps=20, batch_size=2)
    alone = [encode(images[i : i + 1], labels[i : i + 1], steps=20).latents for i in range(5)]
    torch.testing.assert_close(together.latents, torch.cat(alone), rtol=0, atol=1e-12)
    torch.testing.assert_close(together.latents, small.latents, rtol=0, atol=1e-12)


def test_restarts_escape_a_decoder_with_a_false_bottom():
    def folded(latents, labels):
        # one latent: a shallow valley at -2, the true one at +2, a hill between
        height = torch.where(latents < 0, 0.3 + 0.05 * (latents + 2).square(), 0.05 * (latents - 2).square())
        return height.clamp(0, 1)[:, :, None, None]

    image, label = torch.zeros(1, 1, 1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.long)
    several = encode(image, label, folded, latent_size=1, restarts=8, steps=100)
    assert several.restart_errors.max() > 0.05  # some starts end in the shallow one
    assert several.errors.item() < 1e-3
    assert several.latents.item() == pytest.approx(2, abs=0.2)


def test_a_first_start_is_used_and_comes_first():
    images, labels, latents = some()
    found = encode(images, labels, steps=1, first=latents)
    assert torch.equal(found.latents, latents)  # nothing is better than the true ones, whatever a step does
    assert found.restart_errors.shape == (5, 5)
    assert found.restart_errors[:, 0].max() < 1e-20
    plain = encode(images, labels, steps=1)
    torch.testing.assert_close(found.restart_errors[:, 1:], plain.restart_errors)
    with pytest.raises(ValueError, match=r"first: expected latents \(5, 3\), got \(4, 3\)"):
        encode(images, labels, first=latents[:4])


def test_seeds_and_options_count_and_dtype_is_kept():
    images, labels, _ = some()
    usual = encode(images, labels, steps=2).latents
    assert torch.equal(encode(images, labels, steps=2).latents, usual)
    for options in ({"generator": generator(3)}, {"restarts": 1}, {"steps": 3}, {"learning_rate": 0.2}):
        assert not torch.equal(encode(images, labels, **({"steps": 2} | options)).latents, usual)
    assert encode(images.float(), labels, steps=1).latents.dtype == torch.float32


def test_bad_input_is_refused():
    images, labels, _ = some()
    with pytest.raises(ValueError, match="decode: expected images"):
        encode(images, labels, lambda latents, labels: linear(latents, labels)[:, :, :2])
    for name in ("latent_size", "restarts", "steps", "batch_size", "learning_rate"):
        with pytest.raises(ValueError, match=name):
            encode(images, labels, **{name: 0})
    with pytest.raises(ValueError, match="images"):
        encode(images + 5, labels)
