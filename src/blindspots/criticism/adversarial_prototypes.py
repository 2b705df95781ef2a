"""P4's prototypes and criticisms: the examples of a class that an attack flips last, and first."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.criticism.exemplars import Exemplars
from blindspots.criticism.random_prototypes import random_order
from blindspots.criticism.ranked_exemplars import ranked_exemplars


def adversarial_prototypes(
    steps: Tensor,
    n_prototypes: int,
    n_criticisms: int = 0,
    *,
    max_steps: int = 10,
    margins: Tensor | None = None,
    generator: torch.Generator | None = None,
    rule: str = "ranked",
) -> Exemplars:
    """Choose as prototypes what withstands the attack, and as criticisms what its first step flips.

    Args:
        steps: (N,), from `steps_to_flip`, of the examples of one class: 0 to max_steps + 1.
        n_prototypes: at least 1.
        n_criticisms: at least 0.
        max_steps: M, the steps that were tried; max_steps + 1 in steps says that none flipped the example.
        margins: (N,), the label's logit less the largest other one; of equal step counts the largest margin is the
            first prototype, and the smallest the first criticism. None: a random order decides, from the generator.
        generator: CPU generator; needed, and only used, without margins.
        rule: "ranked" goes on with fewer steps than M + 1, or more than 1, where too few examples meet P4's
            definition; "literal" is an error there.

    Returns:
        Exemplars on the device of steps. Examples with 0 steps, misclassified without an attack, are never shown.

    Raises:
        TypeError, ValueError: bad step counts, margins, generator or rule; too few examples.

    Source: P4 Section 3.3: prototypes are still correctly classified after M = 10 steps, criticisms flip after one.
    Differs from the paper: usually many more examples qualify than are shown, and it does not say which are taken; here
    a random choice, or the margin. Where too few qualify, it has no rule; here the next best, counted in the result.
    """
    if not isinstance(steps, Tensor) or steps.ndim != 1 or len(steps) == 0:
        raise ValueError("steps: expected counts (N,) with N >= 1, got none; use steps_to_flip")
    checks.check_number(max_steps, "max_steps", at_least=1, integer=True)
    checks.check_labels(steps, len(steps), n_classes=max_steps + 2, name="steps")
    fit = steps.double()
    fit[steps == max_steps + 1] = float("inf")
    fit[steps == 1] = float("-inf")
    if margins is None:
        if generator is None:
            raise ValueError("generator: expected one, or margins, got neither; many examples take equal steps")
        order = random_order(len(steps), generator).to(steps.device)
        ties = order, order
    else:
        if not isinstance(margins, Tensor) or margins.shape != steps.shape:
            got = tuple(margins.shape) if isinstance(margins, Tensor) else type(margins).__name__
            raise ValueError(f"margins: expected one per example, {tuple(steps.shape)}, got {got}")
        checks.check_finite(margins, "margins")
        wide = margins.detach().double().to(steps.device)
        ties = -wide, wide
    return ranked_exemplars(fit, n_prototypes, n_criticisms, ties=ties, allowed=steps > 0, rule=rule)
