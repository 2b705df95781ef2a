"""Quilting: exact reconstruction, the nearest patch, and seams against an exhaustive search."""

import itertools

import pytest
import torch

from blindspots.purify import Quilting, fit_quilting
from blindspots.purify.quilting import _joined, _seam
from blindspots.seeding import generator


def test_an_image_is_rebuilt_exactly_from_its_own_patches(draw):
    images = draw(2, 3, 20, 23)
    quilt = fit_quilting(images, generator=generator(0))
    assert quilt.patches.shape == (2 * 16 * 19, 3, 5, 5)
    # (20 - 5) / 3 and (23 - 5) / 3 are whole, so every patch of the grid is one of the fitted ones.
    assert torch.equal(quilt(images), images)


def test_every_pixel_comes_from_a_clean_patch(draw):
    clean, other = draw(1, 1, 16, 16), draw(2, 1, 17, 19, seed=1)
    result = fit_quilting(clean, generator=generator(0))(other)
    assert result.shape == other.shape
    assert torch.isin(result, clean).all()


def test_each_patch_is_replaced_by_the_nearest_one(draw):
    # Without overlap there is no seam: the image is cut into tiles and each is looked up.
    clean, other = draw(4, 2, 6, 6), draw(1, 2, 8, 8, seed=1)
    quilt = fit_quilting(clean, patch=4, overlap=0, generator=generator(0))
    result = quilt(other)
    for top, left in itertools.product((0, 4), (0, 4)):
        tile = other[0, :, top : top + 4, left : left + 4]
        nearest = (quilt.patches - tile).square().sum((1, 2, 3)).argmin()
        assert torch.equal(result[0, :, top : top + 4, left : left + 4], quilt.patches[nearest])


def test_the_seam_is_the_cheapest_of_all_cuts(draw):
    errors = draw(6, 4, 3)
    sides = _seam(errors)
    for error, side in zip(errors, sides, strict=True):
        cuts = [
            cut
            for cut in itertools.product(range(3), repeat=4)
            if all(abs(first - second) <= 1 for first, second in itertools.pairwise(cut))
        ]
        best = min(cuts, key=lambda cut: sum(error[line, place].item() for line, place in enumerate(cut)))
        assert torch.equal(side, torch.arange(3) <= torch.tensor(best)[:, None])


def test_a_seam_runs_where_two_pieces_agree():
    first, second = torch.zeros(1, 3, 5, 1), torch.ones(1, 3, 5, 1)
    second[0, 0, 0], second[0, 1, 1], second[0, 2, 1] = 0, 0, 0
    joined = _joined(torch.stack([first, second], dim=1), 2)
    assert joined.shape == (1, 3, 8, 1)
    assert torch.equal(joined[0, :, :3], torch.zeros(3, 3, 1))
    # Behind the seam, which is at column 0, 1, 1 of the overlap, the second piece begins.
    expected = torch.tensor([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    assert torch.equal(joined[0, :, 3:5, 0], expected) and torch.equal(joined[0, :, 5:], torch.ones(3, 3, 1))


def test_noise_is_reduced_on_a_photograph(photograph):
    clean, image = photograph(96), photograph(48)
    noise = 0.1 * torch.randn(image.shape, generator=generator(0), dtype=torch.float64)
    noisy = (image + noise).clamp(0, 1)
    result = fit_quilting(clean, generator=generator(1))(noisy)
    assert (result - image).norm() < 0.8 * (noisy - image).norm()


def test_an_image_alone_is_the_same_image_in_a_batch(draw):
    quilt, images = fit_quilting(draw(1, 1, 20, 20), generator=generator(0)), draw(3, 1, 12, 15, seed=1)
    together = quilt(images)
    for index in range(3):
        assert torch.equal(quilt(images[index : index + 1])[0], together[index])


def test_the_choice_of_patches_is_seeded_and_without_repetition(draw):
    clean = draw(2, 1, 12, 12)
    some = fit_quilting(clean, n_patches=50, generator=generator(0))
    again, other = (fit_quilting(clean, n_patches=50, generator=generator(seed)) for seed in (0, 1))
    assert torch.equal(some.patches, again.patches) and not torch.equal(some.patches, other.patches)
    assert len(torch.unique(some.patches.flatten(1), dim=0)) == 50
    every = fit_quilting(clean, generator=generator(0)).patches.flatten(1)
    assert all((every == one).all(1).any() for one in some.patches.flatten(1))


def test_every_option_changes_the_result(draw):
    clean, images = draw(1, 1, 20, 20), draw(1, 1, 17, 17, seed=1)
    base = fit_quilting(clean, generator=generator(0))(images)
    for options in (dict(patch=4), dict(overlap=1), dict(n_patches=20)):
        assert not torch.equal(fit_quilting(clean, generator=generator(0), **options)(images), base), options


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_and_input_are_kept_also_for_images_smaller_than_a_patch(draw, dtype):
    quilt = fit_quilting(draw(1, 1, 12, 12), generator=generator(0))
    for side in (3, 8):
        images = draw(2, 1, side, side + 1, seed=1, dtype=dtype)
        before = images.clone()
        result = quilt(images.requires_grad_(True))
        assert result.dtype == dtype and result.shape == images.shape and not result.requires_grad
        assert torch.equal(images, before)


def test_many_patches_are_searched_in_parts(draw, monkeypatch):
    clean, images = draw(1, 1, 24, 24), draw(2, 1, 14, 14, seed=1)
    quilt = fit_quilting(clean, generator=generator(0))
    whole = quilt(images)
    monkeypatch.setattr("blindspots.purify.quilting._PATCHES", 37)
    monkeypatch.setattr("blindspots.purify.quilting._QUERIES", 5)
    assert torch.equal(quilt(images), whole)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(patch=1), "patch: expected a finite number >= 2 and <= 8"),
        (dict(patch=9), "patch: expected"),
        (dict(overlap=3), "overlap: expected a finite number >= 0 and <= 2"),
        (dict(n_patches=0), "n_patches: expected a finite number >= 1"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        fit_quilting(draw(1, 1, 8, 9), generator=generator(0), **options)


def test_images_of_another_kind_are_refused(draw):
    quilt = fit_quilting(draw(1, 3, 8, 8), generator=generator(0))
    assert isinstance(quilt, Quilting)
    with pytest.raises(ValueError, match="images: expected 3 channels, as the patches have, got 1"):
        quilt(draw(1, 1, 8, 8))
