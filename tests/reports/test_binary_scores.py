"""Area, F1 and their intervals: by hand, against scikit-learn, by symmetry, and by how often they hold the truth."""

import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score

from blindspots.reports.binary_scores import binary_scores
from blindspots.seeding import generator


def scores(margins, labels, resamples=50, seed=0):
    margins, labels = torch.as_tensor(margins, dtype=torch.float32), torch.as_tensor(labels)
    return binary_scores(margins, labels, resamples=resamples, generator=generator(seed))


def test_six_images_by_hand():
    found = scores([2.0, 0.5, -1.0, 0.5, -0.5, -2.0], [1, 1, 1, 0, 0, 0])
    # Pairs won: 2.0 wins 3, 0.5 ties one and wins two, -1.0 wins one.
    assert found.auc.value == pytest.approx((3 + 2.5 + 1) / 9)
    assert found.f1.value == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert (found.n, found.n_positive) == (6, 3)


@pytest.mark.parametrize("seed", [0, 1])
def test_they_are_those_of_scikit_learn(seed):
    draws = generator(seed)
    labels = (torch.rand(90, generator=draws) < 0.3).long()
    margins = (torch.randn(90, generator=draws) + labels).mul(4).round().div(4)  # rounded: with ties
    found = scores(margins, labels)
    assert found.auc.value == pytest.approx(roc_auc_score(labels, margins), abs=1e-12)
    assert found.f1.value == pytest.approx(f1_score(labels, margins > 0), abs=1e-12)


def test_an_answer_turned_around_turns_the_area_around():
    draws = generator(2)
    margins, labels = torch.randn(40, generator=draws), torch.arange(40) % 2
    one, other = scores(margins, labels), scores(-margins, labels)
    assert one.auc.value + other.auc.value == pytest.approx(1)
    assert one.auc.low + other.auc.high == pytest.approx(1), "same seed, same resamples"


def test_a_filter_without_error_and_one_that_finds_nothing():
    labels = torch.tensor([0, 0, 1, 1])
    perfect = scores([-1.0, -2.0, 1.0, 2.0], labels)
    assert (perfect.auc.low, perfect.auc.high, perfect.f1.low, perfect.f1.high) == (1, 1, 1, 1)
    blind = scores([-1.0, -1.0, -1.0, -1.0], labels)
    assert blind.auc.value == 0.5 and blind.f1.value == 0 == blind.f1.high


def test_many_images_are_compared_in_pieces(monkeypatch):
    draws = generator(3)
    margins, labels = torch.randn(60, generator=draws), torch.arange(60) % 2
    whole = scores(margins, labels)
    monkeypatch.setattr("blindspots.reports.binary_scores._CHUNK", 70)
    assert scores(margins, labels) == whole


def test_the_same_generator_gives_the_same_interval_and_another_one_another():
    draws = generator(4)
    margins, labels = torch.randn(50, generator=draws), torch.arange(50) % 2
    assert scores(margins, labels) == scores(margins, labels)
    assert scores(margins, labels).auc.low != scores(margins, labels, seed=1).auc.low


def test_the_interval_of_the_area_holds_the_truth_about_as_often_as_it_says():
    draws, held, runs = generator(5), 0, 400
    truth = 0.5 * (1 + torch.erf(torch.tensor(0.5)).item())  # Phi(1 / sqrt 2)
    labels = torch.arange(100) % 2
    for _ in range(runs):
        margins = torch.randn(100, generator=draws) + labels
        area = binary_scores(margins, labels, resamples=200, generator=draws).auc
        held += area.low <= truth <= area.high
    assert 0.9 <= held / runs <= 0.98  # 200 resamples of 50 + 50 images; its standard error is 0.011


@pytest.mark.parametrize(
    ("margins", "labels", "kind", "message"),
    [
        (torch.ones(3).long(), torch.tensor([0, 1, 1]), TypeError, "margins: expected a float tensor"),
        (torch.ones(3, 2), torch.tensor([0, 1, 1]), ValueError, "margins: expected one for each image"),
        (torch.tensor([0.0, torch.nan]), torch.tensor([0, 1]), ValueError, "margins"),
        (torch.ones(3), torch.tensor([0, 1]), ValueError, "labels"),
        (torch.ones(3), torch.tensor([0, 1, 2]), ValueError, "labels"),
        (torch.ones(3), torch.tensor([1, 1, 1]), ValueError, "labels: expected both classes, got 3 of 3 positive"),
    ],
)
def test_what_does_not_fit_is_refused(margins, labels, kind, message):
    with pytest.raises(kind, match=message):
        binary_scores(margins, labels, generator=generator(0))


def test_no_resample_is_refused():
    with pytest.raises(ValueError, match="resamples"):
        scores([1.0, -1.0], [1, 0], resamples=0)
