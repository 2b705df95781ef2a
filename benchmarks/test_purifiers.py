"""Throughput of every purifier, in images per second: 32 photographs of 3x32x32 on one thread, as published.

There is no peer here; what is compared is the price of the defenses. Before the clock starts, each has to give images
of the same shape in [0, 1] that are not the given ones. ACSR and STL are timed with random unit-norm dictionaries, and
with a small network as encoder where there are several; the matching is part of their time. MagNet and PixelDefend
have the sizes of their defaults and a short training, which changes what they answer and not what it costs. PixelDefend
goes pixel by pixel: eight grey digits are enough, and its figure is for images of 28x28.
"""

import functools

import pytest
import skimage.data
import torch

from blindspots.data import load
from blindspots.models import small_cnn
from blindspots.purify import (
    acsr_purifier,
    bit_depth,
    crop_ensemble,
    defended,
    deflection_ensemble,
    fit_quilting,
    jpeg,
    pixel_defend,
    pixel_deflection,
    stl_purifier,
    tikhonov_split,
    to_eight_bit,
    total_variation,
    train_magnet,
    train_pixel_cnn,
    wavelet_denoise,
)
from blindspots.seeding import generator

N_IMAGES, SIDE, N_CLUSTERS, N_FILTERS, FILTER_SIDE = 32, 32, 4, 64, 8


@functools.cache
def photographs(name, n=N_IMAGES):
    """Return n pieces of a photograph, a little dimmed so that no value is a level of an 8-bit file."""
    pixels = torch.tensor(getattr(skimage.data, name)()).permute(2, 0, 1).float() / 255
    places = generator(0, name)
    room = torch.tensor([side - SIDE + 1 for side in pixels.shape[1:]])
    corners = [(torch.rand(2, generator=places) * room).long().tolist() for _ in range(n)]
    return 0.999 * torch.stack([pixels[:, top : top + SIDE, left : left + SIDE] for top, left in corners])


class Centers:
    """The least that stands for semantic clusters."""

    def __init__(self, centers):
        self.centers = centers

    def __len__(self):
        return len(self.centers)

    def assign(self, features):
        return torch.cdist(features, self.centers).argmin(dim=1)


def random_dictionaries(count):
    filters = torch.randn(count, N_FILTERS, 3, FILTER_SIDE, FILTER_SIDE, generator=generator(1))
    return list(filters / filters.flatten(2).norm(dim=2)[..., None, None, None])


@functools.cache
def model():
    return small_cnn(3, 10, seed=0)


def acsr(count=N_CLUSTERS):
    with torch.no_grad():
        clusters = Centers(model().encode(photographs("coffee", count)))
    return acsr_purifier(model().encode, clusters, random_dictionaries(count))


def quilting():
    return fit_quilting(photographs("coffee", 256), n_patches=100_000, generator=generator(0))


def stl_strata():
    """Return STL with four strata; its encoder is shown images of their own size."""
    with torch.no_grad():
        centers = model().encode(photographs("coffee", N_CLUSTERS))
    return stl_purifier(random_dictionaries(N_CLUSTERS), encode=model().encode, centers=centers, side=SIDE)


PURIFIERS = [
    # name, makes the purifier, rounds
    ("8 bits", lambda: to_eight_bit, 9),
    ("bit depth 3", lambda: functools.partial(bit_depth, bits=3), 9),
    ("jpeg 75", lambda: functools.partial(jpeg, quality=75), 9),
    ("wavelet denoising", lambda: lambda images: wavelet_denoise(images, sigma=0.04).clamp(0, 1), 5),
    ("pixel deflection", lambda: functools.partial(pixel_deflection, generator=generator(0)), 5),
    ("low pass alone", lambda: lambda images: tikhonov_split(images)[0].clamp(0, 1), 9),
    ("total variation", lambda: functools.partial(total_variation, generator=generator(0)), 3),
    ("quilting", quilting, 3),
    ("MagNet, the reformer", lambda: train_magnet(photographs("coffee", 256), seed=0, epochs=1), 9),
    ("STL, one dictionary", lambda: stl_purifier(random_dictionaries(1)[0]), 3),
    ("STL, four strata", stl_strata, 3),
    ("ACSR, one dictionary", lambda: acsr_purifier(None, None, random_dictionaries(1)), 3),
    ("ACSR, four clusters", acsr, 3),
]


def timed(benchmark, name, function, images, rounds):
    benchmark.group = f"purifying {len(images)} images {'x'.join(map(str, images.shape[1:]))}"
    benchmark.extra_info.update(contestant=name)
    benchmark.pedantic(function, (images,), rounds=rounds, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["note"] = f"{len(images) / benchmark.stats.stats.median:.1f} images/s"


@pytest.mark.parametrize(("name", "make", "rounds"), PURIFIERS, ids=[row[0] for row in PURIFIERS])
def test_throughput(benchmark, name, make, rounds):
    images, purify = photographs("astronaut"), make()
    found = purify(images)
    assert found.shape == images.shape and found.min() >= 0 and found.max() <= 1 and not torch.equal(found, images)
    timed(benchmark, name, purify, images, rounds)


def test_throughput_of_the_crop_ensemble(benchmark):
    images, draws = photographs("astronaut"), generator(0)
    probabilities = crop_ensemble(images, model(), generator=draws)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(N_IMAGES))

    def ask(images):
        return crop_ensemble(images, model(), generator=draws)

    timed(benchmark, "crop ensemble, 30 crops, a small network", ask, images, 3)


def test_throughput_of_the_deflection_ensemble(benchmark):
    images, draws = photographs("astronaut"), generator(0)
    probabilities = deflection_ensemble(images, model(), generator=draws)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(N_IMAGES))

    def ask(images):
        return deflection_ensemble(images, model(), generator=draws)

    timed(benchmark, "deflection ensemble, 10 runs, a small network", ask, images, 3)


@pytest.mark.parametrize("whole", [False, True], ids=["windows", "whole images"])
def test_throughput_of_pixel_defend(benchmark, whole):
    density, _ = train_pixel_cnn(load("digits", split="train").images[:64].float(), seed=0, epochs=1)
    images = load("digits", split="test").images[:8].float()
    purify = functools.partial(pixel_defend, density=density, epsilon=32 / 255)
    found = purify(images)
    assert found.shape == images.shape and found.min() >= 0 and found.max() <= 1 and not torch.equal(found, images)
    torch.testing.assert_close(purify(images, whole_images=True), found)
    purify = functools.partial(purify, whole_images=whole)
    timed(benchmark, f"PixelDefend, {'whole images' if whole else 'windows'}", purify, images, 1 if whole else 3)


@pytest.mark.parametrize("backward", ["identity", "low_pass", "unrolled"])
def test_throughput_of_a_gradient_through_acsr(benchmark, backward):
    images, classifier = photographs("astronaut"), defended(model(), acsr(), backward=backward)

    def gradient(images):
        leaf = images.clone().requires_grad_(True)
        return torch.autograd.grad(classifier(leaf)[:, 0].sum(), leaf)[0]

    found = gradient(images)
    assert torch.isfinite(found).all() and (found.flatten(1) != 0).any(dim=1).all()
    timed(benchmark, f"gradient through ACSR, {backward}", gradient, images, 3)
