"""The autoencoder: shapes, range, seeds, and that training makes reconstructions better."""

import pytest
import torch

from blindspots.models.autoencoder import autoencoder
from blindspots.models.registry import build_model


def blobs(n=64, seed=0):
    """Images of one bright square each, at one of nine places."""
    places = torch.randint(0, 3, (n, 2), generator=torch.Generator().manual_seed(seed))
    images = torch.zeros(n, 1, 12, 12)
    for image, (row, column) in zip(images, places.tolist(), strict=True):
        image[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 1.0
    return images


@pytest.mark.parametrize("side", [8, (8, 12)])
def test_images_go_to_latents_and_back_to_the_same_shape(side):
    model = autoencoder(3, side=side, n_latents=5, width=4, seed=0)
    height, width = (side, side) if isinstance(side, int) else side
    images = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    assert model.encode(images).shape == (2, 5)
    assert model.decode(model.encode(images)).shape == images.shape
    assert torch.equal(model(images), model.decode(model.encode(images)))


def test_decoded_images_lie_in_the_unit_range_for_any_latents():
    latents = 1e3 * torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    images = autoencoder(1, side=8, n_latents=5, width=4, seed=0).decode(latents)
    assert images.min() >= 0
    assert images.max() <= 1


def test_the_spec_rebuilds_the_same_network_and_another_seed_does_not():
    model, images = autoencoder(1, side=12, n_latents=3, width=4, seed=1), blobs(2)
    assert torch.equal(build_model(model.spec, seed=1)(images), model(images))
    assert not torch.equal(build_model(model.spec, seed=2)(images), model(images))


def test_statistics_of_the_input_change_the_latents():
    plain = autoencoder(1, side=12, seed=0).encode(blobs(2))
    assert not torch.allclose(plain, autoencoder(1, side=12, mean=(0.0,), seed=0).encode(blobs(2)))
    assert not torch.allclose(plain, autoencoder(1, side=12, std=(1.0,), seed=0).encode(blobs(2)))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"side": 10}, "side: expected a multiple of 4"), ({"side": (8, 8, 8)}, "side: expected one number or"),
     ({"side": 8, "n_latents": 0}, "n_latents"), ({"side": 8, "width": 0}, "width")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        autoencoder(1, **options, seed=0)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"expected shape \(N, 1, 12, 12\).*got \(1, 1, 8, 8\)"):
        autoencoder(1, side=12, seed=0)(torch.zeros(1, 1, 8, 8))
