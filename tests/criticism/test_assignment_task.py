"""Tasks whose answers are known, the same tasks everywhere, and intervals that cover."""

import pytest
import torch

from blindspots.criticism import assignment_task


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def clouds(n_classes=8, n=40, spread=0.1, seed=0):
    """Return points around the corners of a simplex, and their classes."""
    labels = torch.arange(n_classes).repeat_interleave(n)
    noise = torch.randn(len(labels), n_classes, generator=seeded(seed), dtype=torch.float64)
    return torch.eye(n_classes, dtype=torch.float64)[labels] + spread * noise, labels


def first_rows(labels, n=6, start=0):
    return {c: (labels == c).nonzero().flatten()[start : start + n] for c in labels.unique().tolist()}


def test_separated_classes_are_always_told_apart_and_wrong_exemplars_never():
    features, labels = clouds()
    swapped = features.clone()
    rows = first_rows(labels)
    for c in range(8):
        swapped[rows[c]] = features[rows[(c + 1) % 8]]
    right = assignment_task(features, labels, {"all": [rows]}, n_tasks=100, generator=seeded())
    assert right.rates["all"] == 1.0 and right.intervals["all"] == (1.0, 1.0) and right.chance == pytest.approx(1 / 6)
    # Six of eight classes are shown, so that the one whose exemplars were taken may be missing.
    wrong = assignment_task(swapped, labels, {"all": [rows]}, n_tasks=100, n_groups=8, generator=seeded())
    assert wrong.rates["all"] == 0.0


def test_features_that_say_nothing_give_chance():
    labels = torch.arange(10).repeat_interleave(60)
    features = torch.randn(600, 4, generator=seeded(5))
    found = assignment_task(features, labels, {"a": [first_rows(labels)]}, n_tasks=3000, generator=seeded())
    # 3,000 tasks: a standard deviation of 0.007 around 1 / 6, and some more because 540 targets repeat.
    assert found.rates["a"] == pytest.approx(1 / 6, abs=0.04)
    low, high = found.intervals["a"]
    assert low < found.rates["a"] < high and high - low < 0.08


def by_hand(features, labels, rows, result, subject):
    right = []
    for target, classes in zip(result.targets.tolist(), result.classes.tolist(), strict=True):
        distances = [(features[rows[c]] - features[target]).norm(dim=1) for c in classes]
        pooled = [d.min() if subject == "nearest" else d.mean() for d in distances]
        right.append(classes[torch.stack(pooled).argmin()] == labels[target].item())
    return right


@pytest.mark.parametrize("subject", ["nearest", "mean"])
def test_answers_are_those_of_the_rule(subject):
    features, labels = clouds(spread=0.5)
    rows = first_rows(labels)
    found = assignment_task(features, labels, {"a": [rows]}, n_tasks=300, subject=subject, generator=seeded())
    assert found.correct["a"].tolist() == by_hand(features, labels, rows, found, subject)
    assert found.rates["a"] == pytest.approx(found.correct["a"].double().mean().item())
    assert 0.3 < found.rates["a"] < 0.95


def test_tasks_hold_their_target_once_and_never_what_is_shown():
    features, labels = clouds()
    conditions = {"a": [first_rows(labels)], "b": [first_rows(labels, start=6), first_rows(labels, start=12)]}
    found = assignment_task(features, labels, conditions, n_tasks=500, generator=seeded())
    shown = {row for showings in conditions.values() for s in showings for rows in s.values() for row in rows.tolist()}
    assert not shown & set(found.targets.tolist())
    assert found.classes.shape == (500, 6)
    assert all(len(set(row)) == 6 for row in found.classes.tolist())
    own = labels[found.targets]
    assert ((found.classes == own[:, None]).sum(1) == 1).all()
    # Each class is the target 62.5 times in 500, and each place in the row 83.3 times.
    assert own.bincount().min() > 35 and own.bincount().max() < 95
    assert (found.classes == own[:, None]).sum(0).min() > 50


def test_showings_take_turns_and_conditions_share_the_tasks():
    features, labels = clouds(spread=0.8)
    first, second = first_rows(labels), first_rows(labels, start=6)
    conditions = {"first": [first], "second": [second], "both": [first, second]}
    found = assignment_task(features, labels, conditions, n_tasks=400, generator=seeded())
    even = torch.arange(400) % 2 == 0
    expected = torch.where(even, found.correct["first"], found.correct["second"])
    assert torch.equal(found.correct["both"], expected)
    assert not torch.equal(found.correct["first"], found.correct["second"])


def test_a_difference_is_paired():
    features, labels = clouds(spread=0.8)
    conditions = {"a": [first_rows(labels)], "same": [first_rows(labels)], "b": [first_rows(labels, start=6)]}
    found = assignment_task(features, labels, conditions, n_tasks=400, generator=seeded())
    assert found.difference("a", "same") == (0.0, 0.0, 0.0)
    estimate, low, high = found.difference("a", "b")
    assert estimate == pytest.approx(found.rates["a"] - found.rates["b"]) and low <= estimate <= high
    assert found.difference("b", "a")[0] == -estimate
    with pytest.raises(ValueError, match="second: expected one of a, same, b; got 'c'"):
        found.difference("a", "c")


def test_intervals_cover_the_rate_of_all_targets():
    features, labels = clouds(spread=0.8, n=60)
    rows = first_rows(labels)
    settings = dict(n_tasks=200, n_replicates=300)
    truth = assignment_task(features, labels, {"a": [rows]}, n_tasks=20000, n_replicates=1, generator=seeded(99))
    inside = 0
    for seed in range(20):
        low, high = assignment_task(features, labels, {"a": [rows]}, **settings, generator=seeded(seed)).intervals["a"]
        inside += low <= truth.rates["a"] <= high
    # 19 of 20 are expected; fewer than 16 have a probability of 0.3 %.
    assert inside >= 16


def test_tasks_with_one_target_stay_together():
    # One target per class, so that 400 tasks say no more than eight images do.
    features, labels = clouds(spread=0.8, n=7)
    few = assignment_task(features, labels, {"a": [first_rows(labels)]}, n_tasks=400, generator=seeded())
    many_features, many_labels = clouds(spread=0.8, n=100)
    many = assignment_task(
        many_features, many_labels, {"a": [first_rows(many_labels)]}, n_tasks=400, generator=seeded()
    )
    width = {name: r.intervals["a"][1] - r.intervals["a"][0] for name, r in (("few", few), ("many", many))}
    assert width["few"] > 2 * width["many"]


def test_a_seed_gives_the_same_and_options_change_the_result():
    features, labels = clouds(spread=0.8)
    conditions = {"a": [first_rows(labels)]}
    base, same = (assignment_task(features, labels, conditions, generator=seeded(3)) for _ in range(2))
    assert base.rates == same.rates and base.intervals == same.intervals and torch.equal(base.targets, same.targets)
    assert len(base.targets) == 1000 and len(base.replicates["a"]) == 1000
    for options in (dict(n_groups=3), dict(subject="mean"), dict(generator=seeded(4)), dict(n_tasks=10)):
        assert (
            assignment_task(features, labels, conditions, **(dict(generator=seeded(3)) | options)).rates != base.rates
        )
    wide = assignment_task(features, labels, conditions, level=0.99, generator=seeded(3)).intervals["a"]
    assert wide[0] < base.intervals["a"][0] and wide[1] > base.intervals["a"][1]


FEATURES, LABELS = clouds(n=8)
ROWS = first_rows(LABELS)


@pytest.mark.parametrize(
    ("conditions", "options", "message"),
    [
        ({}, {}, "conditions: expected at least one, with at least one showing"),
        ({"a": []}, {}, "conditions: expected at least one, with at least one showing"),
        ({"a": [ROWS]}, dict(n_groups=9), "n_groups: expected at most 8, the classes that are shown, got 9"),
        ({"a": [ROWS, {0: ROWS[0]}]}, {}, r"conditions\['a'\]: expected the classes .* in every showing, got \[0\]"),
        ({"a": [ROWS | {2: ROWS[2][:3]}]}, {}, r"conditions\['a'\]\[2\]: expected 6 rows, as others show, got 3"),
        ({"a": [ROWS | {2: ROWS[3]}]}, {}, r"conditions\['a'\]\[2\]: expected examples of class 2, got others"),
        ({"a": [ROWS | {2: ROWS[2] + 999}]}, {}, r"conditions\['a'\]\[2\]: expected indices from 0 to 63"),
        ({"a": [first_rows(LABELS, n=8)]}, {}, "labels: expected an example of class 0 that is not shown, got none"),
        ({"a": [ROWS]}, dict(subject="person"), "subject: expected one of nearest, mean"),
        ({"a": [ROWS]}, dict(n_tasks=0), "n_tasks: expected a finite number >= 1"),
        ({"a": [ROWS]}, dict(level=0.0), "level: expected a finite number > 0"),
    ],
)
def test_bad_arguments_are_named(conditions, options, message):
    with pytest.raises(ValueError, match=message):
        assignment_task(FEATURES, LABELS, conditions, generator=seeded(), **options)
