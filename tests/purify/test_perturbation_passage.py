"""The passage of a perturbation: exact where the split and the codes are known, and by its definition elsewhere."""

import pytest
import torch

from blindspots.purify import acsr_purifier, perturbation_passage, tikhonov_split
from blindspots.seeding import generator


@pytest.fixture
def images():
    return 0.3 + 0.4 * torch.rand(4, 3, 16, 16, generator=generator(0), dtype=torch.float64)


@pytest.fixture
def dictionary():
    filters = torch.randn(6, 3, 4, 4, generator=generator(1), dtype=torch.float64)
    return filters / filters.flatten(1).norm(dim=1)[:, None, None, None]


def purifier(dictionary, lmbda):
    return acsr_purifier(None, None, [dictionary], lmbda=lmbda)


def test_a_shift_of_all_pixels_is_low_and_passes_untouched(images, dictionary):
    found = perturbation_passage(purifier(dictionary, 0.1), images, images + 0.1)
    one = torch.ones(4, dtype=torch.float64)
    torch.testing.assert_close(found.low_share, one)
    torch.testing.assert_close(found.low_left, one)
    torch.testing.assert_close(found.left, one)
    assert (found.coded_left == 0).all()


def test_a_checkerboard_is_high_by_the_filters_formula(images, dictionary):
    sign = 1.0 - 2.0 * ((torch.arange(16)[:, None] + torch.arange(16)) % 2).double()
    # Mirrored with the edge repeated it is no wave any more, so compare with the split of the change itself.
    change = (0.05 * sign).expand_as(images)
    low, high = tikhonov_split(change)
    found = perturbation_passage(purifier(dictionary, 0.1), images, images + change)
    energy = change.square().flatten(1).sum(1)
    torch.testing.assert_close(found.high_share, (high * change).flatten(1).sum(1) / energy)
    torch.testing.assert_close(found.low_left, low.square().flatten(1).sum(1) / energy)
    assert (found.high_share > 0.9).all()


def test_where_nothing_is_coded_only_the_low_part_is_left(images, dictionary):
    attacked = images + 0.1 * torch.rand(images.shape, generator=generator(2), dtype=images.dtype)
    found = perturbation_passage(purifier(dictionary, 1e3), images, attacked)
    assert (found.coded_left == 0).all()
    torch.testing.assert_close(found.left, found.low_left)


def test_where_everything_is_coded_the_perturbation_passes(images):
    # Shifted deltas in each color code anything.
    deltas = torch.eye(3, dtype=torch.float64)[:, :, None, None]
    attacked = images + 0.1 * torch.rand(images.shape, generator=generator(2), dtype=images.dtype)
    settings = dict(lmbda=1e-5, max_iterations=2000, tolerance=1e-8)
    found = perturbation_passage(acsr_purifier(None, None, [deltas], **settings), images, attacked)
    one = torch.ones(4, dtype=torch.float64)
    torch.testing.assert_close(found.coded_left, one, atol=1e-2, rtol=0)
    torch.testing.assert_close(found.left, one, atol=1e-2, rtol=0)


def test_it_is_what_its_definition_says(images, dictionary):
    attacked = images + 0.1 * torch.rand(images.shape, generator=generator(2), dtype=images.dtype)
    purify = purifier(dictionary, 0.2)
    found = perturbation_passage(purify, images, attacked)
    energy = (attacked - images).square().flatten(1).sum(1)
    torch.testing.assert_close(found.low_share + found.high_share, torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(found.purified, purify(attacked))
    torch.testing.assert_close(found.clean, purify(images))
    torch.testing.assert_close(found.astray, (found.purified - images).square().flatten(1).sum(1) / energy)
    torch.testing.assert_close(found.left, (found.purified - found.clean).square().flatten(1).sum(1) / energy)


def test_bad_arguments_are_named(images, dictionary):
    purify = purifier(dictionary, 0.2)
    with pytest.raises(TypeError, match="AcsrPurifier"):
        perturbation_passage(lambda x: x, images, images)
    with pytest.raises(ValueError, match="image 0 as it was"):
        perturbation_passage(purify, images, images)
    with pytest.raises(ValueError, match="attacked: expected"):
        perturbation_passage(purify, images, images[:2] + 0.1)
