"""The first strength at which an image falls."""

import pytest
import torch

from blindspots.attacks import fall_strengths

STRENGTHS = (0.1, 0.2, 0.4)
IMAGES = torch.tensor([0.95, 0.65, 0.75, 0.2]).view(4, 1, 1, 1)  # read right above 0.5
LABELS = torch.zeros(4, dtype=torch.long)


def judge(images):
    values = images.flatten(1).sum(1) - 0.5
    return torch.stack([values, -values], dim=1)


def darken(images, labels, strength):
    return images - strength


def test_each_image_falls_at_the_first_strength_that_reaches_the_boundary():
    falls = fall_strengths(darken, judge, IMAGES, LABELS, strengths=STRENGTHS)
    assert falls.tolist() == [torch.inf, 0.2, 0.4, 0.0]


def test_fallen_images_are_not_attacked_again():
    seen = []

    def counting(images, labels, strength):
        seen.append((strength, len(images), len(labels)))
        return darken(images, labels, strength)

    fall_strengths(counting, judge, IMAGES, LABELS, strengths=STRENGTHS)
    assert seen == [(0.1, 3, 3), (0.2, 3, 3), (0.4, 2, 2)]
    seen.clear()
    fall_strengths(counting, judge, IMAGES[1:2], LABELS[1:2], strengths=STRENGTHS)
    assert [strength for strength, *_ in seen] == [0.1, 0.2]


def test_a_weaker_attack_later_on_does_not_bring_an_image_back():
    falls = fall_strengths(
        lambda images, labels, strength: images - (0.3 if strength == 0.1 else 0.0), judge, IMAGES, LABELS,
        strengths=STRENGTHS,
    )  # fmt: skip
    assert falls.tolist() == [torch.inf, 0.1, 0.1, 0.0]


@pytest.mark.parametrize("strengths", [[], [0.2, 0.1], [0.1, 0.1]])
def test_strengths_have_to_rise(strengths):
    with pytest.raises(ValueError, match="strengths: expected at least one, each larger"):
        fall_strengths(darken, judge, IMAGES, LABELS, strengths=strengths)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"strengths\[0\]"):
        fall_strengths(darken, judge, IMAGES, LABELS, strengths=[0.0])
    with pytest.raises(ValueError, match=r"attack: expected images \(3, 1, 1, 1\)"):
        fall_strengths(lambda *_: IMAGES[:1], judge, IMAGES, LABELS, strengths=STRENGTHS)
