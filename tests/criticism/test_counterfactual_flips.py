"""Pairs whose answers are known, and planted faces with one attribute changed."""

import pytest
import torch

from blindspots.criticism import counterfactual_flips
from blindspots.data.planted import flip_attribute, planted_faces


def by_brightness(images):
    score = images.mean(dim=(1, 2, 3)) - 0.5
    return torch.stack([-score, score], dim=1)


def of_brightness(*values):
    return torch.tensor(values)[:, None, None, None].expand(-1, 1, 2, 2)


# The attribute brightens by 0.2; the first, second and fourth image have it.
IMAGES = of_brightness(0.6, 0.9, 0.1, 0.65, 0.35)
COUNTERPARTS = of_brightness(0.4, 0.7, 0.3, 0.45, 0.55)
HAS = torch.tensor([True, True, False, True, False])


def test_pairs_are_put_in_order_and_counted():
    found = counterfactual_flips(by_brightness, IMAGES, COUNTERPARTS, HAS, target_class=1)
    assert found.with_attribute.tolist() == [1, 1, 0, 1, 1] and found.without_attribute.tolist() == [0, 1, 0, 0, 0]
    assert found.flipped.tolist() == [True, False, False, True, True]
    assert found.flip_rate == pytest.approx(0.6) and found.interval[0] < 0.6 < found.interval[1]
    assert (found.class_rate_with, found.class_rate_without) == (pytest.approx(0.8), pytest.approx(0.2))
    # Three gained and none lost: 2 / 2^3.
    assert (found.n_gained, found.n_lost) == (3, 0) and found.p_value == pytest.approx(0.25)


def test_of_the_other_class_everything_is_lost():
    found = counterfactual_flips(by_brightness, IMAGES, COUNTERPARTS, HAS, target_class=0)
    assert (found.n_gained, found.n_lost) == (0, 3)


def test_a_model_that_does_not_look_never_flips():
    def constant(images):
        return torch.stack([torch.zeros(len(images)), torch.ones(len(images))], dim=1)

    found = counterfactual_flips(constant, IMAGES, COUNTERPARTS, HAS.long(), target_class=1)
    assert found.flip_rate == 0 and found.p_value == 1.0 and found.class_rate_with == found.class_rate_without == 1.0


def test_batches_do_not_matter_and_the_mode_is_kept():
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.9), torch.nn.Identity()).train()
    whole = counterfactual_flips(model, IMAGES, COUNTERPARTS, HAS, target_class=3)
    parts = counterfactual_flips(model, IMAGES, COUNTERPARTS, HAS, target_class=3, batch_size=2)
    assert torch.equal(whole.with_attribute, parts.with_attribute) and model.training and model[1].training


def test_a_model_of_one_attribute_flips_with_it_and_not_with_another():
    faces = planted_faces(60, seed=3, size=32)
    flipped = {name: flip_attribute(faces, name) for name in ("dark_skin", "smile")}
    dark = faces.groups["dark_skin"]
    means = [faces.images[dark == value].mean() for value in (0, 1)]

    def by_skin(images):
        score = sum(means) / 2 - images.mean(dim=(1, 2, 3))
        return torch.stack([-score, score], dim=1)

    found = {
        name: counterfactual_flips(by_skin, faces.images, other.images, faces.groups[name], target_class=1)
        for name, other in flipped.items()
    }
    assert found["dark_skin"].flip_rate > 5 * found["smile"].flip_rate
    assert found["dark_skin"].n_gained > 10 * max(1, found["dark_skin"].n_lost)
    assert found["dark_skin"].p_value < 1e-4


@pytest.mark.parametrize(
    ("counterparts", "has", "target", "message"),
    [
        (COUNTERPARTS[:3], HAS, 1, "counterparts: expected the shape of images"),
        (COUNTERPARTS * 300, HAS, 1, r"counterparts: expected values in \[0, 1\]"),
        (COUNTERPARTS, HAS[:2], 1, r"has_attribute: expected one flag per image, \(5,\), got \(2,\)"),
        (COUNTERPARTS, HAS * 2, 1, "has_attribute: expected 0 or 1 for each image, got other values"),
        (COUNTERPARTS, HAS, 2, "target_class: expected a finite number >= 0 and <= 1, got 2"),
    ],
)
def test_bad_arguments_are_named(counterparts, has, target, message):
    with pytest.raises(ValueError, match=message):
        counterfactual_flips(by_brightness, IMAGES, counterparts, has, target_class=target)
