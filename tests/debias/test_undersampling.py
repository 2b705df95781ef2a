"""Undersampling keeps balanced cells, once or anew, and lessens the bias."""

import pytest
import torch

from blindspots.debias import erm
from blindspots.debias.group_training import GroupTraining
from blindspots.debias.undersampling import balanced_rows, undersampling
from blindspots.models import mlp
from blindspots.seeding import generator

SETTINGS = {"epochs": 15, "batch_size": 64, "learning_rate": 0.01}
LABELS = torch.tensor([0] * 30 + [1] * 20 + [2] * 10)
GROUPS = torch.tensor([0] * 26 + [1] * 4 + [0] * 8 + [1] * 12 + [0] * 3 + [1] * 7)


def trained(rows, labels, groups, seed=0, **options):
    model = mlp(3, 2, hidden=(16,), seed=0)
    return undersampling(model, rows, labels, groups, generator=generator(seed), **(SETTINGS | options))


def weights(result):
    return torch.cat([parameter.detach().flatten() for parameter in result.model.parameters()])


def cells(rows):
    return [
        [((LABELS[rows] == label) & (GROUPS[rows] == group)).sum().item() for group in (0, 1)] for label in (0, 1, 2)
    ]


@pytest.mark.parametrize(("balance", "expected"), [("cells", [[3, 3]] * 3), ("groups", [[4, 4], [8, 8], [3, 3]])])
def test_exactly_the_rarest_count_is_kept(balance, expected):
    rows = balanced_rows(LABELS, GROUPS, balance=balance, generator=generator(0))
    assert cells(rows) == expected
    assert torch.equal(rows, rows.unique())


def test_which_examples_stay_depends_on_the_seed_and_all_have_the_same_chance():
    def kept(seed):
        return balanced_rows(LABELS, GROUPS, generator=generator(seed))

    assert torch.equal(kept(0), kept(0))
    assert not torch.equal(kept(0), kept(1))
    draws = generator(5)
    counts = torch.zeros(len(LABELS))
    for _ in range(2000):
        counts[balanced_rows(LABELS, GROUPS, generator=draws)] += 1
    # 3 of 26 stay: 231 of 2,000 draws in the mean with a standard deviation of 14, so five of them are 71.
    assert (counts[:26] - 2000 * 3 / 26).abs().max() < 71


@pytest.mark.parametrize("redraw", [False, True])
def test_epochs_visit_the_kept_examples_only(biased_rows, listening, redraw):
    rows, labels, groups = biased_rows(60)
    # The first feature tells which example it was.
    rows[:, 0] = torch.arange(60)
    result = undersampling(
        listening, rows, labels, groups, redraw=redraw, epochs=2, batch_size=60, learning_rate=0.01,
        generator=generator(0),
    )  # fmt: skip
    seen = listening.seen
    assert isinstance(result, GroupTraining)
    least = min(((labels == label) & (groups == group)).sum().item() for label in (0, 1) for group in (0, 1))
    for epoch in seen:
        assert len(epoch.unique()) == len(epoch) == 4 * least
        assert all(((labels[epoch] == i) & (groups[epoch] == j)).sum() == least for i in (0, 1) for j in (0, 1))
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0].sort().values, seen[1].sort().values) is not redraw


def test_it_lessens_the_bias_of_standard_training(biased_rows, odds_of):
    test = biased_rows(4000, seed=1)
    standard = erm(mlp(3, 2, hidden=(16,), seed=0), *biased_rows(), generator=generator(0), **SETTINGS)
    assert odds_of(trained(*biased_rows()).model, *test) < odds_of(standard.model, *test) / 2


def test_options_and_seeds_change_the_outcome():
    rows = torch.randn(len(LABELS), 3, generator=generator(2))

    def result(seed=0, **options):
        model = mlp(3, 3, hidden=(8,), seed=0)
        settings = SETTINGS | {"epochs": 2} | options
        return weights(undersampling(model, rows, LABELS, GROUPS, generator=generator(seed), **settings))

    assert torch.equal(result(), result())
    for changed in ({"seed": 1}, {"balance": "groups"}, {"redraw": True}, {"weight_decay": 0.1}):
        assert not torch.equal(result(), result(**changed))


def test_bad_arguments_are_refused(biased_rows):
    rows, labels, groups = biased_rows(20)
    with pytest.raises(ValueError, match="balance: expected one of cells, groups"):
        trained(rows, labels, groups, balance="all")
    with pytest.raises(ValueError, match="got none with label 1 in group 0"):
        trained(rows, labels, labels)
    with pytest.raises(ValueError, match="groups: expected examples of both groups, got group 1 only"):
        balanced_rows(labels, torch.ones_like(labels), generator=generator(0))
    with pytest.raises(TypeError, match="generator: expected a torch"):
        balanced_rows(labels, groups, generator=0)
