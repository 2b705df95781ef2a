"""A round's summary is what its draws, attacks and weights say."""

import pytest

from blindspots.data.planted.country_scenes import planted_scenes
from blindspots.fairness import generate_adversarial_dataset
from blindspots.models import build_model
from blindspots.seeding import generator
from blindspots.studies.country_attacks import country_attack
from blindspots.studies.robust_rounds import robust_rounds

N = 20


@pytest.fixture(scope="module")
def made():
    data = planted_scenes(N, seed=0, size=16, countries=["Burundi", "France"])
    model = build_model({"name": "small_cnn", "in_channels": 3, "n_classes": 6, "width": 4, "norm": "group"}, seed=0)
    attack = country_attack("pgd", step_size=0.05, steps=10)
    return generate_adversarial_dataset(
        model, data, attack, rounds=3, learning_rate=0.05, batch_size=2, generator=generator(1)
    )


def test_the_expected_share_is_that_of_the_weights_the_round_began_with(made):
    for one in robust_rounds(made):
        held = made.weights[: one.round * N]
        assert one.n_items == len(held)
        assert one.originals_expected == pytest.approx((held[:N].sum() / held.sum()).item())


def test_what_was_drawn_is_counted_item_by_item(made):
    for one in robust_rounds(made):
        rows = range(one.round * N, (one.round + 1) * N)
        parents = [int(made.parents[row]) for row in rows]
        assert one.originals_drawn == pytest.approx(sum(parent < N for parent in parents) / N)
        wrong = [bool(made.already_wrong[row]) for row in rows]
        assert one.already_wrong == pytest.approx(sum(wrong) / N) and one.n_right == N - sum(wrong)
        right = [row for row, flag in zip(rows, wrong, strict=True) if not flag]
        if right:
            moved = [(made.images[row] - made.images[made.parents[row]]).norm().item() for row in right]
            assert one.moved == pytest.approx(sum(moved) / len(moved), rel=1e-5)
            assert one.turned == pytest.approx(sum(bool(made.success[row]) for row in right) / len(right))


def test_the_first_round_draws_originals_only(made):
    first, *later = robust_rounds(made)
    assert first.originals_drawn == first.originals_expected == 1.0
    assert all(one.originals_expected < 0.2 for one in later)
