"""The columns of P1's Table 1 on a linear model, whose distance to the boundary is known."""

import json
import math

import pytest
import torch

from blindspots.attacks import robust_table_attacks

FAST = dict(steps=10, cw_steps=60, search_steps=8, seed=0)


def linear(images):
    """Return logits whose boundary is the plane sum x = n / 2, at an l2 distance |sum x - n / 2| / sqrt n."""
    over = images.flatten(1).sum(1) - images[0].numel() / 2
    return torch.stack([-over, over], dim=1)


def at_distances(*distances):
    """Return gray images (N, 1, 4, 4) of class 1 at these l2 distances from the boundary."""
    return torch.stack([torch.full((1, 4, 4), 0.5 + distance / 4) for distance in distances])


def test_columns_come_in_the_order_of_the_table():
    assert list(robust_table_attacks(seed=0)) == ["PGD", "CW", "BIM", "TPGD"]


@pytest.mark.parametrize("name", ["PGD", "CW", "BIM"])
def test_l2_attacks_flip_what_the_ball_reaches_and_nothing_else(name):
    images = at_distances(0.15, 0.27, 0.33)
    result = robust_table_attacks(epsilon=0.3, **FAST)[name].run(linear, images, torch.ones(3, dtype=torch.long))
    assert result.success.tolist() == [True, True, False]
    assert (result.images - images).flatten(1).norm(dim=1).max() <= 0.3 + 1e-6


def test_tpgd_flips_what_its_cube_reaches_and_nothing_else():
    images = at_distances(0.15, 0.27, 0.33)  # sqrt 16 pixels: 0.0375, 0.0675, 0.0825 per pixel
    run = robust_table_attacks(tpgd_epsilon=0.07, **FAST)["TPGD"].run
    result = run(linear, images, torch.ones(3, dtype=torch.long))
    assert result.success.tolist() == [True, True, False]
    assert (result.images - images).abs().max() <= 0.07 + 1e-6


def test_the_default_cube_is_about_as_large_as_the_ball():
    wanted = 0.3 / math.sqrt(3 * 32 * 32)
    images = torch.full((1, 1, 4, 4), 0.5 + 1.2 * wanted)
    far = images + wanted
    run = robust_table_attacks(**FAST)["TPGD"].run
    assert run(linear, images - 0.3 * wanted, torch.ones(1, dtype=torch.long)).success.item()
    assert not run(linear, far, torch.ones(1, dtype=torch.long)).success.item()


def test_a_seed_repeats_itself_and_another_differs(small_network, draw):
    model, images = small_network(channels=3), draw(3, 3, 12, 12)
    labels = model(images).argmax(1)
    one, same, other = (robust_table_attacks(**(FAST | {"seed": seed})) for seed in (0, 0, 1))
    for name in ("PGD", "TPGD"):
        first = one[name].run(model, images, labels).images
        assert torch.equal(first, one[name].run(model, images, labels).images)
        assert torch.equal(first, same[name].run(model, images, labels).images)
        assert not torch.equal(first, other[name].run(model, images, labels).images)


def test_every_option_matters(small_network, draw):
    model, images = small_network(channels=3), draw(3, 3, 12, 12)
    labels = model(images).argmax(1)
    base = robust_table_attacks(epsilon=0.5, tpgd_epsilon=0.02, **FAST)
    for change, names in (
        (dict(epsilon=0.01), ("PGD", "CW", "BIM")),
        (dict(tpgd_epsilon=0.01), ("TPGD",)),
        (dict(steps=2), ("PGD", "BIM", "TPGD")),
        (dict(cw_steps=15), ("CW",)),
        (dict(search_steps=5), ("CW",)),
    ):
        other = robust_table_attacks(**(dict(epsilon=0.5, tpgd_epsilon=0.02) | FAST | change))
        for name in names:
            first, second = (kind[name].run(model, images, labels).images for kind in (base, other))
            assert not torch.equal(first, second), (change, name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(epsilon=0), "epsilon: expected a finite number > 0"),
        (dict(tpgd_epsilon=-1), "tpgd_epsilon: expected a finite number > 0"),
        (dict(steps=0), "steps: expected"),
        (dict(cw_steps=0), "cw_steps: expected"),
        (dict(search_steps=0), "search_steps: expected"),
    ],
)
def test_bad_options_are_refused_before_any_work(options, message):
    with pytest.raises(ValueError, match=message):
        robust_table_attacks(seed=0, **options)


@pytest.mark.parametrize(
    ("change", "renewed"),
    [
        ({"epsilon": 0.5}, {"PGD", "CW", "BIM"}),
        ({"tpgd_epsilon": 0.01}, {"TPGD"}),
        ({"steps": 3}, {"PGD", "BIM", "TPGD"}),
        ({"cw_steps": 3}, {"CW"}),
        ({"search_steps": 3}, {"CW"}),
        ({"seed": 1}, {"PGD", "TPGD"}),
    ],
)
def test_settings_say_all_that_fixes_an_attack_so_that_its_row_can_be_kept(change, renewed):
    def settings(**options):
        attacks = robust_table_attacks(**options)
        return {name: json.dumps(dict(attack.settings), sort_keys=True) for name, attack in attacks.items()}

    base, other = settings(**FAST), settings(**(FAST | change))
    assert len(set(base.values())) == 4
    assert {name for name in base if base[name] != other[name]} == renewed
