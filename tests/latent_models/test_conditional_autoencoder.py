"""The class-conditional autoencoder: shapes, its two ways, and latents that are white class by class."""

import pytest
import torch

from blindspots.latent_models.conditional_autoencoder import conditional_autoencoder
from blindspots.latent_models.generative_model import GenerativeModel
from blindspots.seeding import generator


def small(side=8, channels=1, n_classes=2, latent_size=3, seed=0, **options):
    return conditional_autoencoder(
        channels, n_classes, side=side, latent_size=latent_size, width=4, hidden=8, seed=seed, **options
    )


def some(n=40, side=8, channels=1, n_classes=2, seed=0):
    draws = generator(seed)
    return torch.rand(n, channels, side, side, generator=draws), torch.arange(n) % n_classes


@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 32), (3, 64), (3, 128)])
def test_images_go_to_latents_and_back_to_the_same_shape(channels, side):
    model, (images, labels) = small(side, channels), some(2, side, channels)
    assert isinstance(model, GenerativeModel)
    assert model.image_shape == (channels, side, side)
    latents = model.encode(images, labels)
    assert latents.shape == (2, 3)
    rebuilt = model.decode(latents, labels)
    assert rebuilt.shape == images.shape
    assert rebuilt.min() >= 0 and rebuilt.max() <= 1


def test_forward_decodes_what_encode_returns_before_and_after_whitening():
    model, (images, labels) = small().double(), some()
    images = images.double()
    torch.testing.assert_close(model(images, labels), model.decode(model.encode(images, labels), labels))
    before = model.encode(images, labels)
    model.fit_whitening(images, labels)
    assert not torch.allclose(model.encode(images, labels), before)
    torch.testing.assert_close(model(images, labels), model.decode(model.encode(images, labels), labels))


def test_whitened_latents_of_each_class_have_mean_zero_and_covariance_one():
    model, (images, labels) = small().double(), some(60)
    with torch.no_grad():  # the codes of an untrained network hardly vary: here they are three pixels of an image
        model.encoder_maps = torch.nn.Flatten()
        model.encoder_hidden = torch.nn.Identity()
        model.encoder_codes = torch.nn.Linear(66, 6, device="meta").to_empty(device="cpu").double()
        model.encoder_codes.bias.zero_()
        model.encoder_codes.weight.copy_(torch.eye(6, 66))
    images = images.double()
    model.fit_whitening(images, labels, batch_size=7)
    latents = model.encode(images, labels)
    for label in range(2):
        own = latents[labels == label]
        torch.testing.assert_close(own.mean(0), torch.zeros(3, dtype=own.dtype), rtol=0, atol=1e-8)
        torch.testing.assert_close(own.T.cov(), torch.eye(3, dtype=own.dtype), rtol=0, atol=1e-6)


def test_codes_that_do_not_vary_are_not_blown_up():
    model, (images, labels) = small().double(), some(60)
    with torch.no_grad():
        model.encoder_codes.weight[0].zero_()
    model.fit_whitening(images.double(), labels)
    latents = model.encode(images.double(), labels)
    assert latents.abs().max() < 10  # without a floor the rounding of a constant code would be divided by itself
    torch.testing.assert_close(model(images.double(), labels), model.decode(latents, labels))


def test_the_class_matters_on_both_ways():
    model, (images, labels) = small(), some(2)
    assert not torch.equal(model.encode(images, labels), model.encode(images, 1 - labels))
    latents = torch.zeros(2, 3)
    assert not torch.equal(model.decode(latents, labels), model.decode(latents, 1 - labels))


def test_a_batch_equals_its_images_one_at_a_time():
    model, (images, labels) = small().double(), some(5)
    images = images.double()
    model.fit_whitening(images, labels)
    latents = model.encode(images, labels)
    alone = [model.encode(image[None], label[None]) for image, label in zip(images, labels, strict=True)]
    torch.testing.assert_close(latents, torch.cat(alone), rtol=0, atol=1e-9)
    alone = [model.decode(latent[None], label[None]) for latent, label in zip(latents, labels, strict=True)]
    torch.testing.assert_close(model.decode(latents, labels), torch.cat(alone), rtol=0, atol=1e-12)


def test_the_spec_rebuilds_the_same_network_and_another_seed_does_not():
    model, (images, labels) = small(seed=1), some(2)
    options = {name: value for name, value in model.spec.items() if name != "name"}
    assert torch.equal(conditional_autoencoder(**options, seed=1)(images, labels), model(images, labels))
    assert not torch.equal(conditional_autoencoder(**options, seed=2)(images, labels), model(images, labels))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"side": 10}, "side: expected a multiple of 4"), ({"side": 68}, "side: expected a multiple of 8"),
     ({"latent_size": 0}, "latent_size"), ({"n_classes": 0}, "n_classes"), ({"side": 4}, "side")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_images_of_another_size_and_a_class_without_images_are_refused():
    model = small()
    with pytest.raises(ValueError, match=r"expected shape \(N, 1, 8, 8\).*got \(2, 1, 12, 12\)"):
        model.encode(*some(2, 12))
    images, labels = some(4)
    with pytest.raises(ValueError, match="at least 2 images of each class, got 0 of class 1"):
        model.fit_whitening(images, torch.zeros_like(labels))
