"""Planted tables: printed as said, found when planted, and not found when they are anything."""

import pytest
import torch

from blindspots.purify import grim_power, plant_percentages, search_chance, smallest_chance_tails


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_printed_values_are_the_shares_rounded_and_truncated():
    certain = torch.tensor([[0.0, 1.0]])
    assert plant_percentages(7, certain, generator=generator()).tolist() == [[0, 10000]]
    half = torch.full((1, 500), 0.5)
    rounded = plant_percentages(3, half, generator=generator())
    truncated = plant_percentages(3, half, generator=generator(), printing="truncated")
    assert set(rounded.flatten().tolist()) == {0, 3333, 6667, 10000}
    assert set(truncated.flatten().tolist()) == {0, 3333, 6666, 10000}
    assert set(plant_percentages(8, half, generator=generator(), decimals=0).flatten().tolist()) <= {
        0, 13, 25, 38, 50, 63, 75, 88, 100,
    }  # fmt: skip


def test_a_planted_size_always_fits_and_many_values_name_it():
    for printing in ("rounded", "truncated"):
        few = grim_power(56, 2, repeats=200, threshold=1e-4, generator=generator(), printing=printing)
        many = grim_power(56, 16, repeats=200, threshold=1e-4, generator=generator(), printing=printing)
        assert few.fits == many.fits == 1.0
        assert few.smallest < many.smallest and many.smallest > 0.95 and many.flagged == 1.0
        assert many.named > 0.95


def test_the_wrong_rule_misses_values_and_a_size_out_of_reach_is_never_named():
    wrong = grim_power(56, 12, repeats=100, threshold=1e-4, generator=generator(), printing="truncated", rule="rounded")
    assert wrong.fits < 0.1
    beyond = grim_power(10_000, 12, repeats=100, threshold=1e-4, generator=generator())
    assert beyond.fits == beyond.named == beyond.smallest == 0.0


def test_a_threshold_from_luck_is_passed_by_luck_as_often_as_it_says():
    luck = smallest_chance_tails(8, repeats=1000, generator=generator())
    assert (luck[1:] >= luck[:-1]).all() and len(luck) == 1000
    threshold = luck[49].item()
    again = smallest_chance_tails(8, repeats=1000, generator=generator(1))
    # 5 % of 1,000 with four standard deviations of both draws
    assert abs((again <= threshold).double().mean().item() - 0.05) < 4 * (2 * 0.05 * 0.95 / 1000) ** 0.5
    images = grim_power(10_000, 8, repeats=1000, threshold=threshold, generator=generator(2))
    assert images.flagged < 0.09, "accuracies on 10,000 images are as good as any"


def test_the_chance_of_a_search_counts_the_luck_at_or_below():
    luck = torch.tensor([0.1, 0.2, 0.3])
    assert search_chance(0.05, luck) == 0.25 and search_chance(0.2, luck) == 0.75 and search_chance(1.0, luck) == 1.0


def test_same_seed_same_answer_and_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    first, second, other = (smallest_chance_tails(4, repeats=20, generator=generator(s)) for s in (0, 0, 1))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_each_option_changes_the_answer():
    base = smallest_chance_tails(4, repeats=50, generator=generator())
    for option in ({"max_n": 50}, {"rule": "rounded"}, {"low": 90.0}, {"high": 60.0}):
        assert not torch.equal(base, smallest_chance_tails(4, repeats=50, generator=generator(), **option))
    planted = {"repeats": 100, "threshold": 1e-4}
    named = grim_power(32, 2, generator=generator(), **planted)
    for option in ({"max_n": 31}, {"low": 0.94}, {"high": 0.61}):
        assert named != grim_power(32, 2, generator=generator(), **planted, **option)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plant_percentages(0, torch.ones(1), generator=generator()), "n: expected a finite number >= 1"),
        (
            lambda: plant_percentages(3, torch.ones(1), generator=generator(), printing="up"),
            "printing: expected one of",
        ),
        (lambda: smallest_chance_tails(0, repeats=1, generator=generator()), "n_values: expected a finite number >= 1"),
        (
            lambda: smallest_chance_tails(2, repeats=1, generator=generator(), low=80.0, high=70.0),
            "high: expected more than",
        ),
        (
            lambda: grim_power(3, 2, repeats=0, threshold=0.1, generator=generator()),
            "repeats: expected a finite number",
        ),
        (
            lambda: grim_power(3, 2, repeats=1, threshold=2.0, generator=generator()),
            "threshold: expected a finite number",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
