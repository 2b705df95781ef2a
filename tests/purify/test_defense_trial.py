"""Many defenses on many batches: what is right by hand, the same draws for every batch, time, and messages."""

import pytest
import torch

from blindspots.purify import NamedDefense, try_defenses


def bright(images):
    """Class 1 where the mean is above one half."""
    mean = images.mean(dim=(1, 2, 3))
    return torch.stack([0.5 - mean, mean - 0.5], dim=1)


DARK, LIGHT = torch.full((3, 1, 4, 4), 0.2), torch.full((3, 1, 4, 4), 0.8)
BATCHES = {"none": DARK, "attacked": LIGHT}
LABELS = torch.tensor([0, 0, 1])
NOTHING = NamedDefense(lambda x, _: x)
INVERSE = NamedDefense(lambda x, _: 1 - x)


def test_what_is_right_behind_each_defense_is_as_by_hand():
    trial = try_defenses(bright, BATCHES, LABELS, {"none": NOTHING, "inverse": INVERSE}, seed=0)
    assert trial.right["none", "none"].tolist() == [True, True, False]
    assert trial.right["none", "attacked"].tolist() == [False, False, True]
    assert trial.right["inverse", "attacked"].tolist() == [True, True, False]
    assert trial.accuracy("inverse", "none") == 1 / 3, "exact, so that equal shares compare as equal"
    torch.testing.assert_close(trial.images["inverse", "none"], LIGHT)


def test_an_ensemble_answers_with_scores_and_leaves_no_images():
    flip = NamedDefense(ensemble=lambda x, model, _: -model(x))
    trial = try_defenses(bright, BATCHES, LABELS, {"flip": flip}, seed=0)
    assert trial.right["flip", "none"].tolist() == [False, False, True]
    assert not trial.images


def test_every_batch_meets_the_same_draws_whatever_other_defenses_there_are():
    noisy = NamedDefense(lambda x, draws: torch.rand(x.shape, generator=draws))
    alone = try_defenses(bright, BATCHES, LABELS, {"noisy": noisy}, seed=3).images
    among = try_defenses(bright, BATCHES, LABELS, {"other": noisy, "noisy": noisy}, seed=3).images
    assert alone["noisy", "none"].equal(alone["noisy", "attacked"])
    assert alone["noisy", "none"].equal(among["noisy", "none"])
    assert not among["noisy", "none"].equal(among["other", "none"])
    assert not alone["noisy", "none"].equal(
        try_defenses(bright, BATCHES, LABELS, {"noisy": noisy}, seed=4).images["noisy", "none"]
    )


def test_images_are_defended_in_chunks():
    sizes = []
    seen = NamedDefense(lambda x, _: (sizes.append(len(x)), x)[1])
    try_defenses(bright, {"none": DARK}, LABELS, {"seen": seen}, seed=0, chunk=2)
    assert sizes == [2, 1]


def test_time_is_the_median_over_batches_per_image():
    trial = try_defenses(bright, BATCHES | {"more": DARK}, LABELS, {"none": NOTHING}, seed=0)
    middle = sorted(trial.seconds.values())[1]
    assert trial.milliseconds("none") == pytest.approx(1000 * middle / 3)
    with pytest.raises(ValueError, match="defense: expected one that was tried, got 'JPEG'"):
        trial.milliseconds("JPEG")


def test_model_and_global_generator_are_left_as_they_were():
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5)).train()
    try_defenses(model, BATCHES, LABELS, {"none": NOTHING}, seed=0)
    assert model.training  # the global generator is watched by a fixture


@pytest.mark.parametrize(
    ("defense", "message"),
    [
        (NamedDefense(lambda x, _: x[..., :2]), "odd: expected purified images"),
        (NamedDefense(lambda x, _: x + 1), r"odd: purified images: expected values in \[0, 1\]"),
        (NamedDefense(ensemble=lambda x, m, _: m(x)[:1]), "logits"),
    ],
)
def test_a_defense_that_returns_something_else_is_named(defense, message):
    with pytest.raises(ValueError, match=message):
        try_defenses(bright, BATCHES, LABELS, {"odd": defense}, seed=0)


def test_a_defense_is_a_purifier_or_an_ensemble():
    with pytest.raises(ValueError, match="expected exactly one of the two, got neither"):
        NamedDefense()
    with pytest.raises(ValueError, match="got both"):
        NamedDefense(purify=lambda x, _: x, ensemble=lambda x, m, _: m(x))


def test_nothing_to_try_is_refused():
    with pytest.raises(ValueError, match="expected at least one of each, got 2 and 0"):
        try_defenses(bright, BATCHES, LABELS, {}, seed=0)
    with pytest.raises(ValueError, match="chunk"):
        try_defenses(bright, BATCHES, LABELS, {"none": NOTHING}, seed=0, chunk=0)
