"""Training of the class-conditional autoencoder: it learns, each option counts, the cache returns the same."""

from importlib import import_module

import pytest
import torch

from blindspots.latent_models.conditional_autoencoder import conditional_autoencoder
from blindspots.latent_models.train_conditional_autoencoder import (
    train_conditional_autoencoder,
    trained_conditional_autoencoder,
)
from blindspots.seeding import generator

# The package has functions of the names of its modules.
module = import_module("blindspots.latent_models.train_conditional_autoencoder")


def bars(n=120, seed=0):
    """Images of one bar: class 0 upright, class 1 flat, at one of six places, of varying brightness."""
    draws = generator(seed)
    labels = torch.arange(n) % 2
    places = torch.randint(1, 7, (n,), generator=draws)
    light = 0.6 + 0.4 * torch.rand(n, generator=draws)
    images = torch.zeros(n, 1, 8, 8)
    for image, label, place, value in zip(images, labels, places, light, strict=True):
        (image[0, :, place] if label == 0 else image[0, place]).fill_(value)
    return images, labels


IMAGES, LABELS = bars()


def built(seed=0):
    return conditional_autoencoder(1, 2, side=8, latent_size=3, width=4, hidden=16, seed=seed)


def train(model, **options):
    settings = {"epochs": 30, "batch_size": 20, "seed": 0, "progress": False} | options
    return train_conditional_autoencoder(model, IMAGES, LABELS, **settings)


def test_reconstructions_get_better_than_the_class_mean_and_drawn_latents_give_the_class():
    model = built()
    history = train(model, epochs=70, learning_rate=3e-2)
    assert history[-1].loss < 0.7 * history[0].loss
    means = torch.stack([IMAGES[label == LABELS].mean(0) for label in range(2)])[LABELS]
    error = (model(IMAGES, LABELS) - IMAGES).square().mean()
    assert error < 0.5 * (means - IMAGES).square().mean()
    drawn = model.decode(torch.randn(100, 3, generator=generator(3)), torch.arange(100) % 2)
    upright = drawn.mean(2).var(2).flatten() > drawn.mean(3).var(2).flatten()
    assert (upright == (torch.arange(100) % 2 == 0)).double().mean() > 0.9


def test_latents_are_white_after_training_and_another_seed_gives_another_model():
    model, again, other = built(), built(), built()
    train(model, epochs=2)
    train(again, epochs=2)
    train(other, epochs=2, seed=1)
    latents = model.encode(IMAGES, LABELS)
    assert latents[LABELS == 0].mean(0).abs().max() < 1e-3
    assert torch.equal(latents, again.encode(IMAGES, LABELS))
    assert not torch.equal(latents, other.encode(IMAGES, LABELS))


def test_the_weight_of_the_divergence_counts():
    close, far = built(), built()
    train(close, epochs=10, divergence_weight=10.0)
    train(far, epochs=10, divergence_weight=0.0)
    spread = [model.encode_codes(IMAGES, LABELS)[0].std().item() for model in (close, far)]
    assert spread[0] < spread[1]


def test_the_cache_returns_the_same_model_without_training(tmp_path, monkeypatch):
    def trained(images=IMAGES, **options):
        settings = {"n_classes": 2, "latent_size": 3, "width": 4, "hidden": 8, "epochs": 1, "seed": 0} | options
        return trained_conditional_autoencoder(images, LABELS, progress=False, directory=tmp_path, **settings)

    model, history = trained()
    original, calls = module.train_conditional_autoencoder, []

    def counted(*arguments, **options):
        calls.append(options)
        return original(*arguments, **options)

    counted.__wrapped__ = original
    monkeypatch.setattr(module, "train_conditional_autoencoder", counted)
    again, repeated = trained()
    assert not calls
    assert repeated == history
    latents = model.encode(IMAGES, LABELS)
    assert torch.equal(again.encode(IMAGES, LABELS), latents)
    assert torch.equal(again.decode(latents, LABELS), model.decode(latents, LABELS))
    assert not any(parameter.requires_grad for parameter in again.parameters()) and not again.training
    for options in ({"seed": 1}, {"epochs": 2}, {"latent_size": 2}, {"width": 3}, {"hidden": 9}, {"batch_size": 60},
                    {"learning_rate": 1e-3}, {"divergence_weight": 0.5}, {"images": 1 - IMAGES}):  # fmt: skip
        trained(**options)
    assert len(calls) == 9


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="model: expected a ConditionalAutoencoder"):
        train(torch.nn.Identity())
    with pytest.raises(ValueError, match="divergence_weight"):
        train(built(), divergence_weight=-1.0)
    with pytest.raises(ValueError, match="labels: expected at least 2 images of each class"):
        train_conditional_autoencoder(built(), IMAGES, torch.zeros_like(LABELS), epochs=1, seed=0)
    with pytest.raises(ValueError, match=r"images: expected shape \(N, C, H, W\) with \(1, 8, 8\)"):
        train_conditional_autoencoder(built(), torch.zeros(4, 1, 12, 12), LABELS[:4], epochs=1, seed=0)
    with pytest.raises(ValueError, match="images: expected square images"):
        trained_conditional_autoencoder(torch.zeros(4, 1, 8, 12), LABELS[:4], n_classes=2, epochs=1, seed=0)
