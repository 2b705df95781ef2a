"""A family of generators behind one interface: each label to its own, in order, with both encoders."""

import pytest
import torch

from blindspots.latent_models.encoder_network import latent_encoder
from blindspots.latent_models.gan_family import GanFamily
from blindspots.latent_models.generative_model import GenerativeModel
from blindspots.latent_models.wgan_networks import wgan_generator
from blindspots.seeding import generator


def maker(seed, latent_size=3, side=8):
    network = wgan_generator(1, side=side, latent_size=latent_size, widths=(4, 4), seed=seed).double()
    with torch.no_grad():
        network.layers[0].weight.mul_(5)  # images of untrained generators hardly depend on their latents
        network.layers[-3].bias.fill_(1.0)
    return network


def family(**options):
    return GanFamily({1: maker(1), 4: maker(2)}, n_classes=5, **options)


LATENTS = torch.randn(6, 3, generator=generator(0), dtype=torch.float64)
LABELS = torch.tensor([4, 1, 4, 4, 1, 1])


def test_each_row_goes_to_the_generator_of_its_label():
    model = family()
    images = model.decode(LATENTS, LABELS)
    for latent, label, image in zip(LATENTS, LABELS.tolist(), images, strict=True):
        torch.testing.assert_close(image, model.generators[str(label)](latent[None])[0], rtol=0, atol=1e-12)
    assert model.classes == (1, 4) and model.n_classes == 5
    assert model.latent_size == 3 and model.image_shape == (1, 8, 8)
    assert isinstance(model, GenerativeModel)


def test_gradients_reach_the_latents_of_their_own_image_only():
    model, latents = family(), LATENTS.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model.decode(latents, LABELS)[2].sum(), latents)
    assert gradient[2].abs().max() > 0
    assert torch.equal(gradient[[0, 1, 3, 4, 5]], torch.zeros(5, 3, dtype=gradient.dtype))


def test_encoding_by_optimization_brings_images_back_and_does_not_depend_on_neighbors():
    model = family(steps=100)
    images = model.decode(LATENTS, LABELS).detach()
    found = model.encode(images, LABELS)
    error = (model.decode(found, LABELS) - images).square().mean()
    assert error < 0.2 * (model.decode(torch.zeros_like(LATENTS), LABELS) - images).square().mean()
    alone = [model.encode(image[None], label[None]) for image, label in zip(images, LABELS, strict=True)]
    torch.testing.assert_close(found, torch.cat(alone), rtol=0, atol=1e-8)
    assert not found.requires_grad
    assert not torch.equal(family(steps=100, seed=1).encode(images, LABELS), found)
    for options in ({"steps": 99}, {"restarts": 1}, {"learning_rate": 0.2}):
        assert not torch.equal(family(**({"steps": 100} | options)).encode(images, LABELS), found)


def test_an_encoder_network_is_used_where_there_is_one():
    network = latent_encoder(1, 5, side=8, latent_size=3, width=2, hidden=4, seed=0).double()
    model = family(encoder=network)
    images = model.decode(LATENTS, LABELS).detach()
    assert torch.equal(model.encode(images, LABELS), network(images, LABELS))
    assert not model.encode(images, LABELS).requires_grad
    refined = family(encoder=network, refine=True, steps=20).encode(images, LABELS)
    by_descent = family(steps=20).encode(images, LABELS)
    errors = [
        (model.decode(found, LABELS) - images).square().mean((1, 2, 3)) for found in (network(images, LABELS), refined)
    ]
    assert (errors[1] < errors[0]).all()
    assert (errors[1] <= (model.decode(by_descent, LABELS) - images).square().mean((1, 2, 3)) + 1e-12).all()


def test_a_class_without_a_generator_and_generators_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"labels: expected classes among \[1, 4\], got \[0, 2\]"):
        family().decode(LATENTS[:2], torch.tensor([2, 0]))
    with pytest.raises(ValueError, match="labels: expected classes among"):
        family().encode(torch.zeros(1, 1, 8, 8), torch.tensor([0]))
    with pytest.raises(ValueError, match="generators: expected one latent size"):
        GanFamily({0: maker(1), 1: maker(1, latent_size=4)}, n_classes=2)
    for wrong in ({}, {5: maker(1)}):
        with pytest.raises(ValueError, match=r"generators: expected labels in \[0, 5\)"):
            GanFamily(wrong, n_classes=5)
