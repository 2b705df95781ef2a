"""Several bias variables: exact and independent assignments, blocks that leave each other alone, scores by a loop."""

import pytest
import torch
from scipy.stats import chi2_contingency

from blindspots.debias.several_biases import (
    assign_several,
    several_evaluator,
    stamp_several,
    trigger_effects,
)
from blindspots.seeding import generator

N = 400
LABELS = torch.arange(N) % 2
_draws = torch.rand(N, 3, generator=generator(0))
GROUPS = torch.where(_draws < torch.tensor([0.8, 0.7, 0.6]), LABELS[:, None], 1 - LABELS[:, None])
GROUPS[:, 1] = torch.where(_draws[:, 0] < 0.5, GROUPS[:, 0], GROUPS[:, 1])  # the first two go together
IMAGES = torch.rand(N, 3, 8, 8, generator=generator(1))


class Reader(torch.nn.Module):
    """Logits that read the red of two corners, with known weights."""

    def __init__(self, first=2.0, second=-0.5):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.tensor([first, second]))

    def forward(self, images):
        seen = torch.stack([images[:, 0, 0, 0], images[:, 0, 0, -1]], dim=1)  # top left, top right
        score = (seen * self.weights).sum(1)
        return torch.stack([torch.zeros_like(score), score], dim=1)


def test_each_variable_has_its_own_rates_exactly():
    assignment = assign_several(LABELS, GROUPS, generator=generator(2))
    assert assignment.shape == (N, 3)
    for label in (0, 1):
        mine = label == LABELS
        assert torch.equal((assignment[mine] == 0).sum(0), (GROUPS[mine] == 0).sum(0))


def test_given_the_label_triggers_are_independent_of_all_groups_and_of_each_other():
    values = []
    for seed in range(60):
        assignment = assign_several(LABELS, GROUPS, generator=generator(seed, "several"))
        mine = LABELS == 0
        pairs = [
            (assignment[:, 0], assignment[:, 1]),
            (assignment[:, 0], GROUPS[:, 1]),
            (assignment[:, 1], GROUPS[:, 1]),
        ]
        for first, second in pairs:
            counts = torch.bincount(2 * first[mine] + second[mine], minlength=4).reshape(2, 2)
            values.append(chi2_contingency(counts, correction=False).pvalue)
    # 180 tests of a true hypothesis: 5 % fall below 0.05, give or take three standard deviations of 1.6 %.
    assert sum(value < 0.05 for value in values) / len(values) < 0.10
    assert min(values) > 1e-5


def test_the_same_generator_gives_the_same_triggers():
    first, again, other = (assign_several(LABELS, GROUPS, generator=generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_blocks_are_in_their_corners_and_nothing_else_changes():
    assignment = assign_several(LABELS, GROUPS, generator=generator(2))
    stamped = stamp_several(IMAGES, assignment, size=2)
    changed = (stamped != IMAGES).any(1)
    outside = torch.ones(8, 8, dtype=torch.bool)
    for k, (rows, columns) in enumerate([(slice(2), slice(2)), (slice(2), slice(6, 8)), (slice(6, 8), slice(2))]):
        outside[rows, columns] = False
        patch = stamped[:, :, rows, columns]
        red = assignment[:, k].bool()
        assert (patch[red] == torch.tensor([1.0, 0, 0])[:, None, None]).all()
        assert (patch[~red] == torch.tensor([0, 0, 1.0])[:, None, None]).all()
    assert not changed[:, outside].any()


def test_no_variable_stamps_nothing():
    assert torch.equal(stamp_several(IMAGES, torch.zeros(N, 0, dtype=torch.long), size=2), IMAGES)


def test_effects_are_the_weights_of_a_linear_reader():
    assignment = assign_several(LABELS, GROUPS[:, :2], generator=generator(2))
    effects = trigger_effects(Reader(), IMAGES, assignment, size=2)
    assert torch.allclose(effects, torch.tensor([2.0, -0.5], dtype=torch.float64), atol=1e-6)
    assert trigger_effects(Reader(), IMAGES, assignment[:, :0], size=2).shape == (0,)


def test_the_evaluator_scores_inverted_triggers_as_a_loop_does():
    scores = several_evaluator({"test": (IMAGES, LABELS, GROUPS)}, size=2, stamped=1)(Reader(1.0, -1.0))
    stamped = stamp_several(IMAGES, 1 - GROUPS[:, :1], size=2)
    said = (stamped[:, 0, 0, 0] > stamped[:, 0, 0, -1]).long()
    for k in range(3):
        gaps = []
        for label in (0, 1):
            cells = [(said == label)[(label == LABELS) & (GROUPS[:, k] == group)].double().mean() for group in (0, 1)]
            gaps.append(abs(cells[0] - cells[1]).item())
        assert scores[f"test_odds_{k}"] == pytest.approx(100 * sum(gaps) / 2)
    assert scores["test_odds"] == scores["test_odds_0"]
    clean = several_evaluator({"test": (IMAGES, LABELS, GROUPS)}, size=2, stamped=0)(Reader(1.0, -1.0))
    assert clean["test_odds"] == pytest.approx(sum(clean[f"test_odds_{k}"] for k in range(3)) / 3)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (GROUPS[:, 0], "groups: expected shape"),
        (torch.zeros(N, 2, dtype=torch.long), "variable 0: groups: expected examples of both groups"),
        (torch.stack([GROUPS[:, 0], LABELS], 1), "variable 1: labels: expected examples of every class in both groups"),
    ],
)
def test_groups_that_cannot_be_judged_are_named(groups, message):
    with pytest.raises(ValueError, match=message):
        assign_several(LABELS, groups, generator=generator(0))


@pytest.mark.parametrize(
    ("n_variables", "options", "message"),
    [
        (2, {"size": 5}, "size: expected at most half"),
        (5, {"size": 2}, "corners: expected 5 or more"),
        (2, {"size": 2, "corners": ("top_left", "top_left")}, "corners: expected 2 or more, all different"),
        (2, {"size": 2, "corners": ("top_left", "middle")}, "corners"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(n_variables, options, message):
    with pytest.raises(ValueError, match=message):
        stamp_several(IMAGES, torch.zeros(N, n_variables, dtype=torch.long), **options)


def test_more_stamped_variables_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="stamped"):
        several_evaluator({"test": (IMAGES, LABELS, GROUPS)}, size=2, stamped=4)
    with pytest.raises(ValueError, match="splits: expected examples by name"):
        several_evaluator({}, size=2, stamped=0)
