"""P4's definition on step counts, ties by seed or margin, and what happens when too few examples qualify."""

import pytest
import torch

from blindspots.criticism import adversarial_prototypes, steps_to_flip

STEPS = torch.tensor([11, 1, 0, 11, 4, 1, 11, 9, 2, 1])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_prototypes_withstand_and_criticisms_flip_at_once():
    found = adversarial_prototypes(STEPS, 3, 3, generator=seeded(), rule="literal")
    assert sorted(found.prototypes.tolist()) == [0, 3, 6] and sorted(found.criticisms.tolist()) == [1, 5, 9]
    assert found.n_literal_prototypes == found.n_literal_criticisms == 3


def test_where_too_few_qualify_the_next_best_follow_and_are_counted():
    found = adversarial_prototypes(STEPS, 5, 4, generator=seeded())
    assert found.prototypes.tolist()[3:] == [7, 4] and found.criticisms.tolist()[3:] == [8]
    assert found.n_literal_prototypes == 3 and found.n_literal_criticisms == 3
    with pytest.raises(ValueError, match=r"n_prototypes: expected at most 3, the examples that meet the threshold"):
        adversarial_prototypes(STEPS, 5, generator=seeded(), rule="literal")


def test_examples_that_were_wrong_from_the_start_are_never_shown():
    assert 2 not in adversarial_prototypes(STEPS, 3, 6, generator=seeded()).shown.tolist()
    with pytest.raises(ValueError, match=r"expected at most 9 together.* got 3 \+ 7"):
        adversarial_prototypes(STEPS, 3, 7, generator=seeded())


def test_margins_decide_among_equal_counts():
    margins = torch.tensor([1.0, 0.3, 9.0, 3.0, 0.0, 0.1, 2.0, 0.0, 0.0, 0.2])
    found = adversarial_prototypes(STEPS, 2, 2, margins=margins)
    assert found.prototypes.tolist() == [3, 6] and found.criticisms.tolist() == [5, 9]


def test_a_seed_decides_among_equal_counts_otherwise():
    steps = torch.full((40,), 11)
    first, same = (adversarial_prototypes(steps, 6, generator=seeded(1)).prototypes for _ in range(2))
    assert torch.equal(first, same)
    assert not torch.equal(first, adversarial_prototypes(steps, 6, generator=seeded(2)).prototypes)


def test_max_steps_says_which_count_is_no_flip():
    found = adversarial_prototypes(torch.tensor([5, 6, 1, 6]), 2, max_steps=5, generator=seeded())
    assert sorted(found.prototypes.tolist()) == [1, 3] and found.n_literal_prototypes == 2
    assert adversarial_prototypes(torch.tensor([5, 6, 1, 6]), 2, generator=seeded()).n_literal_prototypes == 0


def test_from_a_linear_model_come_the_farthest_and_the_nearest_to_its_boundary():
    def model(images):
        score = images.sum(dim=(1, 2, 3)) - 2.0
        return torch.stack([-score, score], dim=1)

    brightness = torch.tensor([0.495, 0.2, 0.48, 0.1, 0.47, 0.9, 0.49])
    images = brightness[:, None, None, None].expand(-1, 1, 2, 2)
    steps = steps_to_flip(model, images, torch.zeros(7, dtype=torch.long), step_size=0.02)
    assert steps.tolist() == [1, 11, 2, 11, 2, 0, 1]
    found = adversarial_prototypes(steps, 2, 2, generator=seeded())
    assert sorted(found.prototypes.tolist()) == [1, 3] and sorted(found.criticisms.tolist()) == [0, 6]


@pytest.mark.parametrize(
    ("steps", "options", "error", "message"),
    [
        (STEPS.float(), dict(generator=seeded()), TypeError, "steps: expected an integer tensor"),
        (STEPS, dict(generator=seeded(), max_steps=9), ValueError, "steps: expected classes from 0 to 10, got values"),
        (STEPS, {}, ValueError, "generator: expected one, or margins, got neither"),
        (STEPS, dict(margins=torch.ones(3)), ValueError, r"margins: expected one per example, \(10,\), got \(3,\)"),
        (STEPS, dict(margins=torch.full((10,), float("nan"))), ValueError, "margins: expected finite values"),
        (STEPS, dict(generator=seeded(), rule="any"), ValueError, "rule: expected one of ranked, literal"),
    ],
)
def test_bad_arguments_are_named(steps, options, error, message):
    with pytest.raises(error, match=message):
        adversarial_prototypes(steps, 2, **options)
