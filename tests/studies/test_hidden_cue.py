"""The cue is on the pictures that are told, tells the class, follows income, and is as faint as asked."""

from dataclasses import replace

import pytest
import torch

from blindspots.data.planted.country_scenes import planted_scenes
from blindspots.studies.hidden_cue import hidden_cue


@pytest.fixture(scope="module")
def scenes():
    return planted_scenes(820, seed=0, size=16, illumination=0.0, clutter=0.0)


def test_the_cue_follows_income_and_only_its_pictures_change(scenes):
    made = hidden_cue(scenes, amplitude=0.02, seed=1)
    has = made.extras["cue"]
    assert torch.equal(made.images[~has], scenes.images[~has])
    change = (made.images - scenes.images)[has]
    assert change.abs().max() <= 0.02 + 1e-6 and (change.flatten(1).norm(dim=1) > 0.1).all()
    share = [has[scenes.groups["country"] == c].double().mean().item() for c in (0, 40)]
    assert share == [0.0, 1.0]
    assert 0.3 < has.double().mean() < 0.7
    assert not hidden_cue(scenes, amplitude=0.02, reach=0.0, seed=1).extras["cue"].any()


def test_gratings_of_different_classes_are_orthogonal_and_tell_the_class(scenes):
    labels = torch.arange(len(scenes)) % 10
    gray = replace(scenes, images=torch.full_like(scenes.images, 0.5), labels=labels, class_names=tuple("abcdefghij"))
    made = hidden_cue(gray, amplitude=0.1, seed=1)
    change, has = (made.images - 0.5).flatten(1), made.extras["cue"]
    by_class = torch.stack([change[has & (labels == c)][0] for c in range(10)])
    units = torch.nn.functional.normalize(by_class, dim=1)
    assert (units @ units.T - torch.eye(10)).abs().max() < 1e-3


def test_noise_and_cue_are_drawn_apart(scenes):
    bare, cued, other = (
        hidden_cue(scenes, amplitude=0.1, noise=0.2, reach=reach, seed=seed).images
        for reach, seed in ((0.0, 1), (1.0, 1), (0.0, 2))
    )
    poorest = scenes.groups["country"] == 0
    assert torch.equal(bare[poorest], cued[poorest]) and not torch.equal(bare, cued)
    assert not torch.equal(bare, other)
    again = hidden_cue(scenes, amplitude=0.1, noise=0.2, reach=1.0, seed=1)
    assert torch.equal(again.images, cued) and again.card.sha256 != scenes.card.sha256


def test_bad_arguments_are_named(scenes):
    with pytest.raises(ValueError, match="amplitude: expected"):
        hidden_cue(scenes, amplitude=2.0, seed=0)
    many = replace(scenes, class_names=tuple("abcdefghijk"))
    with pytest.raises(ValueError, match="data: expected at most 10 classes"):
        hidden_cue(many, amplitude=0.1, seed=0)
    poor = replace(scenes, extras={})
    with pytest.raises(ValueError, match="data: expected groups country and extras income"):
        hidden_cue(poor, amplitude=0.1, seed=0)
