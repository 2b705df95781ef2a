"""Superpixels: numbered without gaps, along the edges of the image, as scikit-image finds them."""

import pytest
import skimage.segmentation
import torch

from blindspots.criticism import quickshift_superpixels, slic_superpixels

BOTH = [quickshift_superpixels, slic_superpixels]


def quarters():
    image = torch.zeros(3, 32, 32)
    image[0, :16, :16], image[1, 16:, :16], image[2, :, 16:] = 1.0, 0.8, 0.6
    return image


@pytest.mark.parametrize("make", BOTH)
def test_numbers_have_no_gaps_and_repeat(make, photograph):
    found = make(photograph)
    assert found.dtype == torch.int64 and found.shape == photograph.shape[1:]
    assert torch.equal(found.unique(), torch.arange(int(found.max()) + 1)) and int(found.max()) > 0
    assert torch.equal(make(photograph), found)


@pytest.mark.parametrize("make", BOTH)
def test_no_superpixel_crosses_an_edge_of_three_plain_fields(make):
    image = quarters()
    found = make(image)
    for number in found.unique():
        assert len(image[:, found == number].unique(dim=1).T) == 1


def test_the_partitions_are_those_of_scikit_image(photograph):
    pixels = photograph.permute(1, 2, 0).numpy()
    for found, peer in (
        (slic_superpixels(photograph, n_segments=12), skimage.segmentation.slic(pixels, n_segments=12)),
        (
            quickshift_superpixels(photograph, kernel_size=3.0, seed=4),
            skimage.segmentation.quickshift(pixels, kernel_size=3.0, max_dist=200, ratio=0.2, rng=4),
        ),
    ):
        assert torch.equal(torch.from_numpy(peer).long().unique(return_inverse=True)[1], found)


def test_gray_images_have_superpixels():
    gray = quarters().mean(dim=0, keepdim=True)
    assert int(slic_superpixels(gray).max()) > 0 and int(quickshift_superpixels(gray, max_dist=10.0).max()) > 0


@pytest.mark.parametrize(
    ("make", "option", "values"),
    [
        (quickshift_superpixels, "kernel_size", (2.0, 3.0)),
        (quickshift_superpixels, "max_dist", (4.0, 200.0)),
        (quickshift_superpixels, "ratio", (0.2, 1.0)),
        (slic_superpixels, "n_segments", (10, 60)),
        (slic_superpixels, "compactness", (0.5, 30.0)),
    ],
)
def test_every_option_changes_the_partition(make, option, values, photograph):
    first, second = (make(photograph, **{option: value}) for value in values)
    assert not torch.equal(first, second)


def test_the_seed_breaks_the_ties_of_plain_fields():
    first, again, other = (
        quickshift_superpixels(quarters(), kernel_size=1.0, max_dist=3.0, seed=seed) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quickshift_superpixels(torch.full((3, 16, 16), 0.4), kernel_size=30.0), "at least 2 superpixels"),
        (
            lambda: slic_superpixels(torch.rand(1, 3, 8, 8, generator=torch.Generator())),
            "explain the images one by one",
        ),
        (lambda: slic_superpixels(torch.full((2, 8, 8), 0.5)), "expected 3 channels or 1"),
        (lambda: slic_superpixels(2 * quarters()), "expected values in"),
        (lambda: slic_superpixels(quarters(), n_segments=1), "n_segments"),
        (lambda: slic_superpixels(quarters(), compactness=0.0), "compactness"),
        (lambda: quickshift_superpixels(quarters(), ratio=2.0), "ratio"),
        (lambda: quickshift_superpixels(quarters(), max_dist=0.0), "max_dist"),
        (lambda: quickshift_superpixels(quarters(), kernel_size=0.5), "kernel_size"),
        (lambda: quickshift_superpixels(quarters(), seed=-1), "seed"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
