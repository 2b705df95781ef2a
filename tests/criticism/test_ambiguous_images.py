"""Insets: their pixels by hand, their class, laws of place and seed, messages."""

import pytest
import torch

from blindspots.criticism import ambiguous_images
from blindspots.seeding import generator

IMAGES = torch.rand(12, 3, 10, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(12) % 3


def planted(**options):
    given = {"side": 4, "generator": generator(1)} | options
    return ambiguous_images(IMAGES, LABELS, **given)


def test_the_inset_is_the_middle_of_an_image_of_its_class_and_the_rest_is_untouched():
    found = planted()
    for row in range(12):
        assert torch.equal(found.images[row][:, ~found.regions[row]], IMAGES[row][:, ~found.regions[row]])
        cut = found.images[row][:, found.regions[row]].view(3, 4, 4)
        donors = [other for other in range(12) if torch.equal(IMAGES[other][:, 3:7, 2:6], cut)]
        assert len(donors) == 1 and LABELS[donors[0]] == found.classes[row] != LABELS[row]


def test_the_region_is_a_square_of_the_asked_side():
    for region in planted(side=3).regions:
        rows, columns = region.any(1).nonzero().flatten(), region.any(0).nonzero().flatten()
        assert int(region.sum()) == 9 and len(rows) == len(columns) == 3
        assert int(rows[-1] - rows[0]) == int(columns[-1] - columns[0]) == 2


def test_places_and_classes_vary_and_all_other_classes_come_up():
    many = ambiguous_images(IMAGES.repeat(20, 1, 1, 1), LABELS.repeat(20), side=4, generator=generator(0))
    corners = many.regions.flatten(1).long().argmax(1)
    assert len(corners.unique()) == 7 * 5
    for label in range(3):
        assert set(many.classes[LABELS.repeat(20) == label].tolist()) == {0, 1, 2} - {label}


def test_the_same_seed_gives_the_same_insets_and_inputs_stay():
    before = IMAGES.clone()
    assert torch.equal(planted().images, planted().images) and torch.equal(IMAGES, before)
    assert not torch.equal(planted().images, planted(generator=generator(2)).images)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="side"):
        planted(side=8)
    with pytest.raises(ValueError, match="at least two classes"):
        ambiguous_images(IMAGES, torch.zeros(12, dtype=torch.long), side=4, generator=generator(0))
    with pytest.raises(ValueError, match="labels"):
        ambiguous_images(IMAGES, LABELS[:5], side=4, generator=generator(0))
    with pytest.raises(TypeError, match="generator"):
        planted(generator=None)
