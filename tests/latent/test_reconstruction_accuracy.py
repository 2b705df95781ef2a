"""Reconstructions: which images they lose and gain, and how far they are off."""

import pytest
import torch

from blindspots.latent import decayed_accuracy, generation_accuracy, reconstruction_accuracy


def first_pixel(images):
    score = images[:, 0, 0, 0] - 0.5
    return torch.stack([-score, score], dim=1)


def constant(latents, labels):
    """One gray per latent: 0.5 + l / 10."""
    return (0.5 + latents / 10)[:, :, None, None].expand(-1, 1, 2, 2)


LATENTS = torch.tensor([[1.0], [-1.0], [2.0], [-2.0]], dtype=torch.float64)
LABELS = torch.tensor([1, 1, 0, 0])
IMAGES = torch.tensor([0.6, 0.7, 0.7, 0.1], dtype=torch.float64)[:, None, None, None].expand(-1, 1, 2, 2)


def test_lost_and_gained_images_and_errors_by_hand():
    found = reconstruction_accuracy(first_pixel, constant, LATENTS, LABELS, images=IMAGES)
    assert found.correct.tolist() == [True, False, False, True] and found.accuracy == 0.5
    assert found.image_correct.tolist() == [True, True, False, True]
    assert (found.lost, found.gained) == (0.25, 0.0)
    torch.testing.assert_close(found.errors, torch.tensor([0.0, 0.3, 0.0, 0.2], dtype=torch.float64))
    other = reconstruction_accuracy(first_pixel, constant, LATENTS, LABELS, images=1 - IMAGES)
    assert (other.lost, other.gained) == (0.25, 0.5)


@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_it_is_the_accuracy_of_the_decoded_latents(batch_size):
    found = reconstruction_accuracy(first_pixel, constant, LATENTS, LABELS, images=IMAGES, batch_size=batch_size)
    for other in (
        generation_accuracy(first_pixel, constant, LATENTS, LABELS),
        decayed_accuracy(first_pixel, constant, LATENTS, LABELS, epsilon=0),
    ):
        assert torch.equal(found.correct, other.correct)
    assert found.errors.shape == (4,)


def test_without_images_what_was_lost_is_not_known():
    found = reconstruction_accuracy(first_pixel, constant, LATENTS, LABELS)
    assert found.accuracy == 0.5 and found.errors is None
    with pytest.raises(ValueError, match="images: expected the images"):
        found.lost  # noqa: B018


def test_messages():
    with pytest.raises(ValueError, match="images: expected one for each of 4 latents, got 3"):
        reconstruction_accuracy(first_pixel, constant, LATENTS, LABELS, images=IMAGES[:3])
    with pytest.raises(ValueError, match="decoded images: expected the shape of images"):
        reconstruction_accuracy(first_pixel, constant, LATENTS, LABELS, images=IMAGES[..., :1])
