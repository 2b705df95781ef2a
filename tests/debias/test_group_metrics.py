"""Odds and EAcc: by hand, by a loop, by fairlearn; intervals that cover what they say."""

import pytest
import torch

from blindspots.debias.group_metrics import (
    class_balanced_accuracy,
    eacc_of,
    equalized_accuracy,
    equalized_odds,
    group_intervals,
    group_rates,
    odds_of,
)
from blindspots.seeding import generator

# TNR 3/4 and 1/2, TPR 1/2 and 1 in groups 0 and 1.
LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1])
GROUPS = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
PREDICTIONS = torch.tensor([0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1])


def random_table(seed, n=300, n_classes=2):
    draws = generator(seed)
    labels, groups = (torch.randint(0, top, (n,), generator=draws) for top in (n_classes, 2))
    wrong = torch.rand(n, generator=draws) < 0.2 + 0.2 * groups
    predictions = torch.where(wrong, torch.randint(0, n_classes, (n,), generator=draws), labels)
    return predictions, labels, groups


def looped(predictions, labels, groups):
    """Odds and EAcc in percent, from their definition, one example at a time."""
    n_classes = int(labels.max()) + 1
    seen, right = {}, {}
    for prediction, label, group in zip(predictions.tolist(), labels.tolist(), groups.tolist(), strict=True):
        seen[label, group] = seen.get((label, group), 0) + 1
        right[label, group] = right.get((label, group), 0) + (prediction == label)
    recall = {cell: right[cell] / seen[cell] for cell in seen}
    odds = sum(abs(recall[label, 0] - recall[label, 1]) for label in range(n_classes)) / n_classes
    return 100 * odds, 100 * sum(recall.values()) / len(recall)


def test_a_table_worked_by_hand():
    rates = group_rates(PREDICTIONS, LABELS, GROUPS)
    assert rates.tnr == (0.75, 0.5)
    assert rates.tpr == (0.5, 1.0)
    assert rates.counts.tolist() == [[4, 2], [2, 3]]
    assert rates.group_eacc == (62.5, 75.0)
    assert equalized_odds(PREDICTIONS, LABELS, GROUPS) == rates.odds == 37.5
    assert equalized_accuracy(PREDICTIONS, LABELS, GROUPS) == rates.eacc == 68.75


@pytest.mark.parametrize("n_classes", [2, 4])
def test_odds_and_accuracy_equal_a_loop(n_classes):
    for seed in range(5):
        table = random_table(seed, n_classes=n_classes)
        odds, eacc = looped(*table)
        assert equalized_odds(*table) == pytest.approx(odds, abs=1e-9)
        assert equalized_accuracy(*table) == pytest.approx(eacc, abs=1e-9)


def test_odds_and_accuracy_equal_fairlearn_on_random_tables():
    metrics = pytest.importorskip("fairlearn.metrics")
    from sklearn.metrics import balanced_accuracy_score

    for seed in range(20):
        predictions, labels, groups = (values.numpy() for values in random_table(seed))
        differences = (
            metrics.true_positive_rate_difference(labels, predictions, sensitive_features=groups),
            metrics.false_positive_rate_difference(labels, predictions, sensitive_features=groups),
        )
        by_group = metrics.MetricFrame(
            metrics=balanced_accuracy_score, y_true=labels, y_pred=predictions, sensitive_features=groups
        )
        table = random_table(seed)
        assert equalized_odds(*table) == pytest.approx(100 * sum(differences) / 2, abs=1e-9)
        assert equalized_accuracy(*table) == pytest.approx(100 * by_group.by_group.mean(), abs=1e-9)
        assert group_rates(*table).group_eacc == pytest.approx(tuple(100 * by_group.by_group), abs=1e-9)


def test_laws_of_both_measures():
    predictions, labels, groups = random_table(0)
    odds, eacc = equalized_odds(predictions, labels, groups), equalized_accuracy(predictions, labels, groups)
    order = torch.randperm(len(labels), generator=generator(9))
    assert equalized_odds(predictions[order], labels[order], groups[order]) == odds
    assert equalized_odds(predictions, labels, 1 - groups) == odds
    assert equalized_odds(1 - predictions, 1 - labels, groups) == pytest.approx(odds, abs=1e-9)
    assert equalized_accuracy(1 - predictions, labels, groups) == pytest.approx(100 - eacc, abs=1e-9)
    assert equalized_odds(labels, labels, groups) == 0
    assert equalized_accuracy(labels, labels, groups) == 100
    assert equalized_odds(groups, labels, groups) == 100
    assert equalized_accuracy(groups, labels, groups) == 50
    assert equalized_odds(predictions.int(), labels.to(torch.uint8), groups.short()) == odds


def test_single_group_accuracy_is_the_mean_of_true_rates():
    mine = GROUPS == 1
    assert class_balanced_accuracy(PREDICTIONS[mine], LABELS[mine]) == 75.0
    whole = [class_balanced_accuracy(PREDICTIONS[g == GROUPS], LABELS[g == GROUPS]) for g in (0, 1)]
    assert sum(whole) / 2 == equalized_accuracy(PREDICTIONS, LABELS, GROUPS)
    with pytest.raises(ValueError, match="got none of class 1"):
        class_balanced_accuracy(torch.tensor([0, 1]), torch.tensor([0, 0]))


def test_recalls_in_a_batch_of_samples():
    recalls = torch.rand(5, 2, 3, generator=generator(0), dtype=torch.float64)
    expected = [100 * (one[0] - one[1]).abs().mean() for one in recalls]
    assert torch.equal(odds_of(recalls), torch.stack(expected))
    assert torch.allclose(eacc_of(recalls), torch.stack([100 * one.mean() for one in recalls]))


def test_an_interval_of_the_bootstrap_of_examples_is_that_of_the_binomials():
    predictions, labels, groups = random_table(0, n=200)
    given = group_intervals(predictions, labels, groups, resamples=20000, generator=generator(0))
    draws = generator(1)
    cells = [torch.nonzero((labels == y) & (groups == g)).flatten() for y in (0, 1) for g in (0, 1)]
    odds, eacc = [], []
    for _ in range(2000):
        chosen = torch.cat([cell[torch.randint(0, len(cell), (len(cell),), generator=draws)] for cell in cells])
        rates = group_rates(predictions[chosen], labels[chosen], groups[chosen])
        odds.append(rates.odds)
        eacc.append(rates.eacc)
    for interval, values in ((given.odds, odds), (given.eacc, eacc)):
        tails = torch.tensor([0.025, 0.975], dtype=torch.float64)
        # The 2.5 % quantile of 2,000 draws varies by about 0.06 standard deviations; four times that is allowed.
        slack = 0.25 * torch.tensor(values).std().item()
        assert torch.tensor(values, dtype=torch.float64).quantile(tails).tolist() == pytest.approx(interval, abs=slack)


def test_intervals_cover_the_truth_as_often_as_they_say():
    recalls = torch.tensor([[0.9, 0.6], [0.7, 0.8]])
    groups, labels = torch.arange(2).repeat_interleave(300), torch.arange(2).repeat(300)
    draws = generator(0)
    covered = torch.zeros(3)
    for _ in range(300):
        right = torch.rand(600, generator=draws) < recalls[groups, labels]
        found = group_intervals(torch.where(right, labels, 1 - labels), labels, groups, generator=draws)
        inside = [found.odds[0] <= 20 <= found.odds[1], found.eacc[0] <= 75 <= found.eacc[1]]
        inside.append(found.gaps[1][0] <= -20 <= found.gaps[1][1])
        covered += torch.tensor(inside)
    # 95 % of 300 is 285; three standard deviations of Binomial(300, 0.95) are 11.
    assert (covered >= 285 - 11).all(), covered
    assert (covered <= 285 + 11).all(), covered


def test_a_fair_classifier_measures_odds_inside_the_interval_of_fair_ones():
    groups, labels = torch.arange(2).repeat_interleave(200), torch.arange(2).repeat(200)
    draws = generator(0)
    inside = []
    for _ in range(100):
        right = torch.rand(400, generator=draws) < 0.8
        table = (torch.where(right, labels, 1 - labels), labels, groups)
        found = group_intervals(*table, resamples=500, generator=draws)
        inside.append(found.odds_if_fair[0] <= equalized_odds(*table) <= found.odds_if_fair[1])
    # 95 of 100 are expected; three standard deviations of Binomial(100, 0.95) are 6.5.
    assert sum(inside) >= 88
    biased = (torch.where(groups == 0, labels, 0), labels, groups)
    assert group_intervals(*biased, generator=draws).odds_if_fair[1] < equalized_odds(*biased) == 50


def test_intervals_depend_on_the_seed_the_level_and_the_resamples():
    table = random_table(0)

    def interval(seed=0, **options):
        return group_intervals(*table, generator=generator(seed), **options)

    assert interval() == interval()
    assert interval() != interval(seed=1)
    assert interval() != interval(resamples=1000)
    assert interval(level=0.5).odds[1] < interval().odds[1]


@pytest.mark.parametrize(
    ("predictions", "labels", "groups", "error", "message"),
    [
        (PREDICTIONS[:6], LABELS[:6], GROUPS[:6], ValueError, "got group 0 only"),
        (PREDICTIONS[:8], LABELS[:8], GROUPS[:8], ValueError, "got none with label 1 in group 1"),
        (PREDICTIONS, LABELS, GROUPS + LABELS, ValueError, "groups: expected two values, 0 and 1"),
        (PREDICTIONS + 1, LABELS, GROUPS, ValueError, "labels: expected every class from 0 to 2, got none of class 2"),
        (PREDICTIONS[:5], LABELS, GROUPS, ValueError, r"predictions: expected shape \(11,\)"),
        (PREDICTIONS.float(), LABELS, GROUPS, TypeError, "predictions: expected an integer tensor"),
        (PREDICTIONS, LABELS.float(), GROUPS, TypeError, "labels: expected an integer tensor"),
        (PREDICTIONS[:0], LABELS[:0], GROUPS[:0], ValueError, "labels: expected an integer tensor"),
    ],
)
def test_bad_tables_are_refused(predictions, labels, groups, error, message):
    for measure in (equalized_odds, equalized_accuracy):
        with pytest.raises(error, match=message):
            measure(predictions, labels, groups)
    with pytest.raises(error, match=message):
        group_intervals(predictions, labels, groups, generator=generator(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resamples": 10}, "resamples: expected a finite number >= 100"),
        ({"level": 0.0}, "level: expected a finite number > 0"),
        ({"level": 1.0}, "level: expected a finite number > 0 and <= 0.999"),
    ],
)
def test_bad_options_of_intervals_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        group_intervals(PREDICTIONS, LABELS, GROUPS, generator=generator(0), **options)


def test_rates_of_two_classes_are_not_read_from_more():
    with pytest.raises(ValueError, match="labels: expected two classes, got 4"):
        _ = group_rates(*random_table(0, n_classes=4)).tpr
