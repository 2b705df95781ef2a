"""The same class shown by every method: adversarial, MMD-critic, the model's probability, chance."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.criticism.adversarial_prototypes import adversarial_prototypes
from blindspots.criticism.exemplars import Exemplars
from blindspots.criticism.mmd_exemplars import mmd_exemplars
from blindspots.criticism.probability_prototypes import probability_prototypes
from blindspots.criticism.random_prototypes import random_prototypes

EXEMPLAR_METHODS = ("adversarial", "adversarial with mistakes", "MMD", "probability", "random")


def exemplars_by_method(
    features: Tensor,
    steps: Tensor,
    probabilities: Tensor,
    n_prototypes: int,
    n_criticisms: int,
    *,
    max_steps: int = 10,
    weight: float | int = 1e-5,
    generator: torch.Generator,
) -> dict[str, Exemplars]:
    """Choose prototypes and criticisms of one class by each method, from the same examples.

    Args:
        features: (N, D), penultimate features of the class's examples, for MMD-critic.
        steps: (N,), from `steps_to_flip` with max_steps.
        probabilities: (N,) in [0, 1], of the class.
        n_prototypes: at least 1.
        n_criticisms: at least 1.
        max_steps: M of the attack. P4: 10.
        weight: of MMD-critic's log-determinant. P4: lambda = 1e-5.
        generator: CPU generator; decides among those that qualify.

    Returns:
        By the names in `EXEMPLAR_METHODS`. "adversarial" shows no example that was wrong before the attack;
        "adversarial with mistakes" counts such an example as misclassified after one step, which it also is.

    Raises:
        TypeError, ValueError: as the methods' own functions; inputs of different lengths.

    Source: P4 Sections 3.3 and 3.4: criticisms are "the examples misclassified after one step".
    Differs from the paper: it does not say whether those wrong from the start are among them; both readings are here.
    """
    checks.check_number(n_criticisms, "n_criticisms", at_least=1, integer=True)
    if not len(features) == len(steps) == len(probabilities):
        raise ValueError(
            f"features, steps, probabilities: expected equal lengths, got {len(features)}, {len(steps)} and "
            f"{len(probabilities)}"
        )
    numbers = (n_prototypes, n_criticisms)
    return {
        "adversarial": adversarial_prototypes(steps, *numbers, max_steps=max_steps, generator=generator),
        "adversarial with mistakes": adversarial_prototypes(
            steps.clamp(min=1), *numbers, max_steps=max_steps, generator=generator
        ),
        "MMD": mmd_exemplars(features, *numbers, weight=weight),
        "probability": probability_prototypes(probabilities, *numbers, generator=generator),
        "random": random_prototypes(len(features), *numbers, generator=generator),
    }
