"""Attacks at a strength: exact on linear models, foolbox's images at equal radii, and the strength kept."""

import json

import pytest
import torch

from blindspots.attacks import (
    STRENGTH_ATTACKS,
    attack_at_strength,
    fgsm_sweep,
    standard_attack,
    strength_radii,
    strength_table_attacks,
)

FAST = dict(steps=20, search_steps=3)


def relative(result, images):
    return (result.images - images).flatten(1).norm(dim=1) / images.flatten(1).norm(dim=1)


def test_radii_are_the_two_readings(draw):
    images = draw(3, 1, 4, 4)
    torch.testing.assert_close(strength_radii(images, 0.04), 0.04 * images.flatten(1).norm(dim=1))
    assert strength_radii(images, 0.04, reading="absolute").tolist() == [0.04] * 3


@pytest.mark.parametrize("direction", ["sign", "gradient"])
@pytest.mark.parametrize("name", ["fgsm", "bim"])
def test_a_linear_model_is_moved_straight_by_the_radius(name, direction, linear_model, draw):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, draw(2, 1, 4, 4)
    ray = weight.sign() if direction == "sign" else weight
    ray = ray / ray.norm() * torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    result = attack_at_strength(
        name, linear_model(weight, 0.0), images, torch.tensor([0, 1]), strength=0.05, direction=direction, steps=20
    )
    expected = images + 0.05 * images.flatten(1).norm(dim=1).view(2, 1, 1, 1) * ray
    torch.testing.assert_close(result.images, expected)


@pytest.mark.parametrize("reading", ["relative", "absolute"])
@pytest.mark.parametrize("strength", [0.04, 0.08])
@pytest.mark.parametrize("direction", ["sign", "gradient"])
@pytest.mark.parametrize("name", ["fgsm", "bim"])
def test_fgsm_and_bim_meet_the_strength_although_pixels_are_clipped(
    name, direction, strength, reading, small_network, draw
):
    # Half of the pixels lie on the bounds, so clipping would shorten the step by much.
    model, images = small_network(channels=3, dtype=torch.float32), draw(4, 3, 12, 12, dtype=torch.float32)
    images = torch.where(images > 0.7, 1.0, torch.where(images < 0.3, 0.0, images))
    result = attack_at_strength(
        name, model, images, model(images).argmax(1), strength=strength, reading=reading, direction=direction, **FAST
    )
    reached = relative(result, images) if reading == "relative" else result.distances
    torch.testing.assert_close(reached, torch.full((4,), strength), rtol=1e-3, atol=0)
    assert result.images.min() >= 0 and result.images.max() <= 1


@pytest.mark.parametrize("name", ["deepfool", "cw"])
def test_deepfool_and_cw_stay_below_the_strength_and_are_shortened_along_themselves(name, small_network, draw):
    model, images = small_network(channels=3), draw(4, 3, 12, 12)
    labels = model(images).argmax(1)
    options = dict(search_steps=7) if name == "cw" else {}
    free = standard_attack(name, model, images, labels, epsilon=None, norm="l2", steps=60, **options)
    lengths = free.distances / images.flatten(1).norm(dim=1)
    strength = lengths.median().item() * 1.0001
    assert lengths.min() < strength < lengths.max(), "some are shortened and some are not"
    result = attack_at_strength(name, model, images, labels, strength=strength, steps=60, search_steps=7)
    shares = (strength / lengths).clamp(max=1).view(4, 1, 1, 1)
    torch.testing.assert_close(result.images, images + shares * (free.images - images))
    kept = lengths <= strength
    assert torch.equal(result.images[kept], free.images[kept])
    assert (relative(result, images) <= strength * (1 + 1e-12)).all()
    assert torch.equal(result.success, model(result.images).argmax(1) != labels) and not result.success.all()
    assert torch.equal(result.steps, free.steps)


def test_fgsm_is_foolboxs_where_nothing_is_clipped(small_network, draw):
    model, images = small_network(channels=3), draw(2, 3, 12, 12)
    labels, steep = model(images).argmax(1), dict(reading="absolute", direction="gradient")
    theirs = standard_attack("fgsm", model, images, labels, epsilon=0.1, norm="l2")
    torch.testing.assert_close(
        attack_at_strength("fgsm", model, images, labels, strength=0.1, **steep).images,
        theirs.images,
        rtol=0,
        atol=1e-6,
    )
    # A step of epsilon in each of the n values has the length epsilon sqrt(n).
    theirs = standard_attack("fgsm", model, images, labels, epsilon=0.01, norm="linf")
    ours = attack_at_strength("fgsm", model, images, labels, strength=0.01 * 432**0.5, reading="absolute")
    torch.testing.assert_close(ours.images, theirs.images, rtol=0, atol=1e-6)


def test_bim_is_foolboxs_where_it_ends_on_the_ball(small_network, draw):
    model, images = small_network(channels=3), draw(2, 3, 12, 12)
    labels = model(images).argmax(1)
    theirs = standard_attack("bim", model, images, labels, epsilon=0.3, norm="l2", steps=12, step_size=0.06)
    torch.testing.assert_close(theirs.distances, torch.full((2,), 0.3, dtype=torch.float64), rtol=1e-6, atol=0)
    ours = attack_at_strength(
        "bim", model, images, labels, strength=0.3, reading="absolute", direction="gradient", steps=12, step_share=0.2
    )
    torch.testing.assert_close(ours.images, theirs.images, rtol=0, atol=1e-6)


def test_a_corner_that_is_too_near_is_returned(linear_model):
    weight = torch.ones(1, 2, 2, dtype=torch.float64)
    images = torch.full((1, 1, 2, 2), 0.9, dtype=torch.float64)
    result = attack_at_strength("fgsm", linear_model(weight, 0.0), images, torch.tensor([0]), strength=0.5)
    assert (result.images == 1).all() and relative(result, images).item() == pytest.approx(1 / 9)


def test_the_strength_is_met_by_pixels_with_next_to_no_gradient(linear_model):
    # Two pixels carry the gradient and soon clip; the others have to bring the length, however small theirs is.
    weight = torch.full((1, 2, 3), 1e-25, dtype=torch.float64)
    weight[0, 0, :2] = 1.0
    images = torch.full((1, 1, 2, 3), 0.9, dtype=torch.float64)
    result = attack_at_strength(
        "fgsm", linear_model(weight, 0.0), images, torch.tensor([0]), strength=0.2, reading="absolute",
        direction="gradient",
    )  # fmt: skip
    # (0.1^2 2 + 4 h^2) = 0.2^2
    expected = torch.tensor([[0.1, 0.1, 0.005**0.5], [0.005**0.5] * 3], dtype=torch.float64)
    torch.testing.assert_close(result.images[0, 0], 0.9 + expected, rtol=0, atol=1e-9)


def test_a_black_image_is_left_alone_by_the_relative_reading(small_network):
    model, images = small_network(), torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    for name in STRENGTH_ATTACKS:
        result = attack_at_strength(name, model, images, model(images).argmax(1), strength=0.08, **FAST)
        assert torch.equal(result.images, images), name


def test_an_image_without_a_gradient_is_marked(draw):
    def flat(images):
        score = 0.0 * images.sum(dim=(1, 2, 3))
        return torch.stack([score, score], dim=1)

    images = draw(2, 1, 4, 4)
    for name in ("fgsm", "bim"):
        result = attack_at_strength(name, flat, images, torch.tensor([0, 1]), strength=0.1, steps=3)
        assert result.stalled.all() and torch.equal(result.images, images) and (result.steps == 0).all()


def test_counts_are_those_of_the_steps(small_network, draw):
    model, images = small_network(), draw(2, 1, 8, 8)
    labels = model(images).argmax(1)
    for name, count in (("fgsm", 1), ("bim", 7)):
        result = attack_at_strength(name, model, images, labels, strength=0.1, steps=7)
        assert result.steps.tolist() == result.gradient_evaluations.tolist() == [count] * 2


@pytest.mark.parametrize("name", STRENGTH_ATTACKS)
def test_every_option_matters(name, small_network, draw):
    model, images = small_network(channels=3), draw(3, 3, 12, 12)
    labels = model(images).argmax(1)

    def attacked(**options):
        options = dict(strength=0.02, steps=60 if name == "cw" else 4, search_steps=7) | options
        return attack_at_strength(name, model, images, labels, **options).images

    base = attacked()
    assert torch.equal(base, attacked())
    taken = dict(strength=0.01, reading="absolute")
    if name in ("fgsm", "bim"):
        taken |= dict(direction="gradient")
    if name == "bim":
        taken |= dict(step_share=0.9, steps=2)
    if name == "cw":
        taken |= dict(steps=20, search_steps=5)
    for key, value in taken.items():
        assert not torch.equal(base, attacked(**{key: value})), key


@pytest.mark.parametrize("name", STRENGTH_ATTACKS)
def test_model_and_inputs_are_left_as_found(name, small_network, draw):
    model, images = small_network().train(), draw(2, 1, 8, 8)
    before, state = images.clone(), {key: value.clone() for key, value in model.state_dict().items()}
    attack_at_strength(name, model, images, torch.tensor([0, 1]), strength=0.05, **FAST)
    assert torch.equal(images, before) and all(part.training for part in model.modules())
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_sweep_is_fgsm_at_each_radius(small_network, draw):
    model, images = small_network(channels=3), draw(4, 3, 12, 12)
    labels, epsilons = model(images).argmax(1), (0.01, 0.1, 0.5)
    for epsilon, result in zip(epsilons, fgsm_sweep(model, images, labels, epsilons=epsilons), strict=True):
        alone = standard_attack("fgsm", model, images, labels, epsilon=epsilon, norm="linf")
        torch.testing.assert_close(result.images, alone.images, rtol=0, atol=1e-12)
        assert torch.equal(result.success, alone.success)
        torch.testing.assert_close(result.distances, alone.distances)
        assert (result.gradient_evaluations == 1).all() and (result.steps == 1).all()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pgd", {}, "name: expected one of fgsm, bim, deepfool, cw"),
        ("fgsm", dict(strength=0), "strength: expected a finite number > 0"),
        ("fgsm", dict(reading="squared"), "reading: expected one of relative, absolute"),
        ("fgsm", dict(direction="up"), "direction: expected one of sign, gradient"),
        ("bim", dict(steps=0), "steps: expected a finite number >= 1"),
        ("bim", dict(step_share=0), "step_share: expected a finite number > 0"),
        ("cw", dict(search_steps=0), "search_steps: expected"),
    ],
)
def test_bad_options_are_named(name, options, message, small_network, draw):
    with pytest.raises(ValueError, match=message):
        attack_at_strength(
            name, small_network(), draw(1, 1, 8, 8), torch.tensor([0]), **(dict(strength=0.04) | options)
        )


def test_a_sweep_without_radii_is_named(small_network, draw):
    with pytest.raises(ValueError, match="epsilons: expected at least one radius"):
        fgsm_sweep(small_network(), draw(1, 1, 8, 8), torch.tensor([0]), epsilons=())


def test_the_tables_columns_are_the_papers(small_network, draw):
    model, images = small_network(channels=3), draw(2, 3, 12, 12)
    labels, options = model(images).argmax(1), dict(steps=15, search_steps=2)
    columns = strength_table_attacks(**options)
    expected = {"FGSM .08": 0.08, "FGSM .04": 0.04, "BIM": 0.04, "DeepFool": 0.04, "CW": 0.04}
    assert list(columns) == list(expected)
    names = dict(zip(columns, ("fgsm", "fgsm", "bim", "deepfool", "cw"), strict=True))
    for title, strength in expected.items():
        alone = attack_at_strength(names[title], model, images, labels, strength=strength, **options)
        assert torch.equal(columns[title].run(model, images, labels).images, alone.images), title
    other = strength_table_attacks(reading="absolute", direction="gradient", **options)["BIM"].run(
        model, images, labels
    )
    torch.testing.assert_close(other.distances, torch.full((2,), 0.04, dtype=torch.float64), rtol=1e-3, atol=0)
    with pytest.raises(ValueError, match="reading: expected one of"):
        strength_table_attacks(reading="squared")


def test_every_column_says_all_that_fixes_it_so_that_its_row_can_be_kept():
    def settings(**options):
        return [
            json.dumps(dict(attack.settings), sort_keys=True) for attack in strength_table_attacks(**options).values()
        ]

    base = settings()
    assert len(set(base)) == 5 and settings() == base
    for options in (dict(reading="absolute"), dict(direction="gradient"), dict(steps=9), dict(search_steps=2)):
        assert not set(settings(**options)) & set(base), options
    first = strength_table_attacks()["FGSM .08"].settings
    assert {key: first[key] for key in ("attack", "name", "strength")} == {
        "attack": "attack_at_strength", "name": "fgsm", "strength": 0.08,
    }  # fmt: skip
