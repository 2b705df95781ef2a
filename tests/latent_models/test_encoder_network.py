"""An encoder network learns to invert a decoder, each option counts, the decoder is left alone."""

import pytest
import torch
from torch import nn

from blindspots.latent_models.encoder_network import latent_encoder, train_encoder
from blindspots.seeding import generator

MATRIX = torch.linalg.qr(torch.randn(64, 2, generator=generator(0)))[0]


def linear(latents, labels):
    images = 0.5 + 0.3 * (latents @ MATRIX.T).reshape(-1, 1, 8, 8)
    return torch.where(labels[:, None, None, None] == 1, images.flip(2), images)


def built(seed=0, **options):
    return latent_encoder(1, 3, **({"side": 8, "latent_size": 2, "width": 4, "hidden": 16} | options), seed=seed)


def train(encoder, decode=linear, **options):
    settings = {"classes": (0, 1), "n_pairs": 256, "epochs": 20, "batch_size": 32, "learning_rate": 1e-2, "seed": 0}
    return train_encoder(encoder, decode, progress=False, **(settings | options))


@pytest.mark.parametrize("image_weight", [0.0, 1.0])
def test_latents_of_both_classes_come_back(image_weight):
    encoder = built()
    history = train(encoder, image_weight=image_weight)
    assert history[-1].loss < 0.2 * history[0].loss
    latents = torch.randn(100, 2, generator=generator(4))
    labels = torch.arange(100) % 2
    with torch.no_grad():
        found = encoder(linear(latents, labels), labels)
    assert (found - latents).square().mean() < 0.1
    assert not encoder.training


@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 32), (3, 64)])
def test_images_of_several_sizes_are_encoded(channels, side):
    encoder = latent_encoder(channels, 2, side=side, latent_size=5, width=4, hidden=8, seed=0)
    images = torch.rand(3, channels, side, side, generator=generator(0), dtype=torch.float64)
    labels = torch.tensor([0, 1, 1])
    latents = encoder.double()(images, labels)
    assert latents.shape == (3, 5)
    alone = [encoder(image[None], label[None]) for image, label in zip(images, labels, strict=True)]
    torch.testing.assert_close(latents, torch.cat(alone), rtol=0, atol=1e-12)
    assert not torch.equal(encoder(images, 1 - labels), latents)
    options = {name: value for name, value in encoder.spec.items() if name != "name"}
    assert torch.equal(latent_encoder(**options, seed=0).double()(images, labels), latents)


def test_a_decoder_module_is_left_as_it_is():
    with torch.random.fork_rng(devices=[]):
        layer = nn.Linear(2, 64)
    before = layer.weight.detach().clone()
    train(built(), lambda latents, labels: layer(latents).reshape(-1, 1, 8, 8).sigmoid(), epochs=1)
    assert torch.equal(layer.weight, before)


@pytest.mark.parametrize(
    "options", [{"seed": 1}, {"classes": (0, 2)}, {"n_pairs": 64}, {"epochs": 2}, {"batch_size": 64},
                {"learning_rate": 1e-3}, {"image_weight": 0.0}],
)  # fmt: skip
def test_each_option_counts_and_the_same_seed_gives_the_same_bits(options):
    images, labels = torch.rand(2, 1, 8, 8, generator=generator(0)), torch.tensor([0, 1])
    first, again, other = built(), built(), built()
    train(first, epochs=1)
    train(again, epochs=1)
    train(other, **({"epochs": 1} | options))
    assert torch.equal(first(images, labels), again(images, labels))
    assert not torch.equal(first(images, labels), other(images, labels))


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="encoder: expected a LatentEncoder"):
        train(nn.Identity())
    for classes in ((), (3,), (-1,)):
        with pytest.raises(ValueError, match=r"classes: expected labels in \[0, 3\)"):
            train(built(), classes=classes)
    with pytest.raises(ValueError, match="image_weight"):
        train(built(), image_weight=-1.0)
    for options in ({"side": 4}, {"latent_size": 0}, {"width": 0}, {"hidden": 0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            built(**options)
