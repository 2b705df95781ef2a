"""Seven conditions, each showing what its own method picks."""

import pytest
import torch

from blindspots.criticism import TABLE_3_CONDITIONS, assignment_task, mmd_exemplars, table_3_conditions


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def study():
    """Return features, labels, steps and probabilities of six classes of 40 with known pools of exemplars."""
    labels = torch.arange(6).repeat_interleave(40)
    features = 2.0 * torch.eye(6)[labels] + 0.5 * torch.randn(240, 6, generator=seeded())
    place = torch.arange(240) % 40
    steps = torch.where(place < 10, 11, torch.where(place < 15, 1, 5))
    probabilities = torch.where(place >= 30, 0.95, torch.where(place >= 25, 0.05, 0.5))
    return features, labels, steps, probabilities


def places(showings):
    return [{row % 40 for rows in showing.values() for row in rows.tolist()} for showing in showings]


def test_each_condition_shows_its_methods_choice(study):
    features, labels, _, _ = study
    conditions = table_3_conditions(*study, n_draws=4, generator=seeded())
    assert list(conditions) == list(TABLE_3_CONDITIONS)
    assert [len(showings) for showings in conditions.values()] == [4, 1, 4, 4, 1, 4, 4]
    for showings in conditions.values():
        for showing in showings:
            assert list(showing) == list(range(6))
            assert all(len(rows.unique()) == 6 and (labels[rows] == c).all() for c, rows in showing.items())
    for shown in places(conditions["Adv - Prototypes only"]):
        assert shown <= set(range(10))
    for showing in conditions["Adv - Prototypes and Criticisms"]:
        assert all((rows[:3] % 40 < 10).all() and (rows[3:] % 40 >= 10).all() for rows in showing.values())
        assert all((rows[3:] % 40 < 15).all() for rows in showing.values())
    for shown in places(conditions["Probs - Prototypes only"]):
        assert shown <= set(range(30, 40))
    for shown in places(conditions["Probs - Prototypes and Criticisms"]):
        assert shown <= set(range(25, 40)) and shown & set(range(25, 30))
    mmd = mmd_exemplars(features[:40], 3, 3, weight=1e-5).shown
    assert torch.equal(conditions["MMD - Prototypes and Criticisms"][0][0], mmd)


def test_draws_differ_and_follow_the_seed(study):
    first, same, other = (table_3_conditions(*study, n_draws=2, generator=seeded(seed)) for seed in (1, 1, 2))
    for name in TABLE_3_CONDITIONS:
        assert all(torch.equal(first[name][0][c], same[name][0][c]) for c in range(6))
    assert not torch.equal(first["Random"][0][0], first["Random"][1][0])
    assert not torch.equal(first["Random"][0][0], other["Random"][0][0])


def test_the_assignment_task_takes_them(study):
    features, labels, _, _ = study
    conditions = table_3_conditions(*study, n_draws=2, generator=seeded())
    found = assignment_task(features, labels, conditions, n_tasks=200, generator=seeded())
    assert list(found.rates) == list(TABLE_3_CONDITIONS) and min(found.rates.values()) > found.chance


def test_options_change_what_is_shown(study):
    base = table_3_conditions(*study, generator=seeded())["MMD - Prototypes and Criticisms"][0][0]
    for options in (dict(bandwidth=0.05), dict(weight=1.0), dict(n_shown=4)):
        other = table_3_conditions(*study, generator=seeded(), **options)["MMD - Prototypes and Criticisms"][0][0]
        assert other.tolist() != base.tolist(), options
    steps = study[2]
    shorter = table_3_conditions(study[0], study[1], steps.clamp_max(6), study[3], max_steps=5, generator=seeded())
    assert places(shorter["Adv - Prototypes only"])[0] <= set(range(10))


def test_bad_arguments_are_named(study):
    features, labels, steps, probabilities = study
    with pytest.raises(ValueError, match=r"steps: expected shape \(240,\), one per example, got \(3,\)"):
        table_3_conditions(features, labels, steps[:3], probabilities, generator=seeded())
    with pytest.raises(ValueError, match="n_shown: expected an even number, half of them criticisms, got 5"):
        table_3_conditions(*study, n_shown=5, generator=seeded())
    with pytest.raises(ValueError, match=r"class 0 \(40 examples\): .*expected at most 40 together"):
        table_3_conditions(*study, n_shown=42, generator=seeded())
