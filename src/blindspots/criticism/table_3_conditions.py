"""The seven conditions of P4's Table 3: who chooses what is shown of a class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from blindspots import checks
from blindspots.criticism.adversarial_prototypes import adversarial_prototypes
from blindspots.criticism.assignment_task import Showing
from blindspots.criticism.exemplars import Exemplars, exemplars_by_class
from blindspots.criticism.inputs import check_features
from blindspots.criticism.mmd_exemplars import mmd_exemplars
from blindspots.criticism.probability_prototypes import probability_prototypes
from blindspots.criticism.random_prototypes import random_prototypes

TABLE_3_CONDITIONS = (
    "Adv - Prototypes and Criticisms",
    "MMD - Prototypes and Criticisms",
    "Probs - Prototypes and Criticisms",
    "Adv - Prototypes only",
    "MMD - Prototypes only",
    "Probs - Prototypes only",
    "Random",
)


def table_3_conditions(
    features: Tensor,
    labels: Tensor,
    steps: Tensor,
    probabilities: Tensor,
    *,
    n_shown: int = 6,
    n_draws: int = 10,
    max_steps: int = 10,
    bandwidth: float | int | None = None,
    weight: float | int = 1e-5,
    generator: torch.Generator,
) -> dict[str, list[Showing]]:
    """Choose what each condition shows, class by class: six prototypes, or three and three criticisms.

    Args:
        features: (N, D), penultimate features, in which MMD-critic chooses.
        labels: (N,), classes, 0-based.
        steps: (N,), from `steps_to_flip` with max_steps.
        probabilities: (N,) in [0, 1], of its own class for each example.
        n_shown: images shown of a class, even, at least 2. P4: 6.
        n_draws: showings of each condition that chooses at random, at least 1; MMD-critic does not and has one.
        max_steps: M of the attack. P4: 10.
        bandwidth: of MMD-critic's kernel; None: each class's median distance.
        weight: of MMD-critic's log-determinant. P4: lambda = 1e-5.
        generator: CPU generator.

    Returns:
        By condition, in the names and the order of Table 3, the showings that `assignment_task` takes.

    Raises:
        TypeError, ValueError: inputs of other lengths than labels; a class with too few examples, named.

    Source: P4 Section 3.3 and Table 3.
    Differs from the paper: as `adversarial_prototypes`, `probability_prototypes` and `select_criticisms` do.
    """
    check_features(features)
    checks.check_labels(labels, len(features))
    for name, values in (("steps", steps), ("probabilities", probabilities)):
        if not isinstance(values, Tensor) or values.shape != (len(features),):
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise ValueError(f"{name}: expected shape ({len(features)},), one per example, got {got}")
    checks.check_number(n_shown, "n_shown", at_least=2, integer=True)
    if n_shown % 2:
        raise ValueError(f"n_shown: expected an even number, half of them criticisms, got {n_shown}")
    checks.check_number(n_draws, "n_draws", at_least=1, integer=True)
    checks.check_generator(generator)

    def adversarial(rows: Tensor, *counts: int) -> Exemplars:
        return adversarial_prototypes(steps[rows], *counts, max_steps=max_steps, generator=generator)

    def mmd(rows: Tensor, *counts: int) -> Exemplars:
        return mmd_exemplars(features[rows], *counts, bandwidth=bandwidth, weight=weight)

    def by_probability(rows: Tensor, *counts: int) -> Exemplars:
        return probability_prototypes(probabilities[rows], *counts, generator=generator)

    def at_random(rows: Tensor, *counts: int) -> Exemplars:
        return random_prototypes(len(rows), *counts, generator=generator)

    def showings(choose: Callable[..., Exemplars], counts: Sequence[int], n: int) -> list[Showing]:
        drawn = [exemplars_by_class(labels, lambda rows: choose(rows, *counts)) for _ in range(n)]
        return [{label: exemplars.shown for label, exemplars in draw.items()} for draw in drawn]

    halves, whole = (n_shown // 2, n_shown // 2), (n_shown, 0)
    plans = (
        (adversarial, halves, n_draws),
        (mmd, halves, 1),
        (by_probability, halves, n_draws),
        (adversarial, whole, n_draws),
        (mmd, whole, 1),
        (by_probability, whole, n_draws),
        (at_random, whole, n_draws),
    )
    return {name: showings(*plan) for name, plan in zip(TABLE_3_CONDITIONS, plans, strict=True)}
