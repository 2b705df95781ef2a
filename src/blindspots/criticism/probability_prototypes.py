"""The baseline by confidence: prototypes of high probability, criticisms of low."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.criticism.exemplars import Exemplars
from blindspots.criticism.random_prototypes import random_order
from blindspots.criticism.ranked_exemplars import ranked_exemplars


def probability_prototypes(
    probabilities: Tensor,
    n_prototypes: int,
    n_criticisms: int = 0,
    *,
    above: float = 0.9,
    below: float = 0.1,
    generator: torch.Generator,
    rule: str = "ranked",
) -> Exemplars:
    """Choose as prototypes what the model gives its class with confidence, and as criticisms what it does not.

    Args:
        probabilities: (N,) in [0, 1], of its own class, for the examples of one class.
        n_prototypes: at least 1.
        n_criticisms: at least 0.
        above: prototypes are drawn at random from those with a probability > above, 0 to 1.
        below: criticisms are drawn at random from those with a probability < below, 0 to above.
        generator: CPU generator.
        rule: "ranked" goes on with the next highest, or lowest, where too few meet a threshold; "literal" is an error
            there.

    Returns:
        Exemplars on the device of probabilities.

    Raises:
        TypeError, ValueError: bad probabilities, thresholds, generator or rule; too few examples.

    Source: P4 Section 3.3: "e.g." more than 0.9, and less than 0.1.
    Differs from the paper: it does not say which of those that qualify are taken; here a random choice. An example
    below 0.1 is misclassified, unlike P4's adversarial criticisms, which are all correct at the start.
    """
    if not isinstance(probabilities, Tensor) or probabilities.ndim != 1 or len(probabilities) == 0:
        got = tuple(probabilities.shape) if isinstance(probabilities, Tensor) else type(probabilities).__name__
        raise ValueError(f"probabilities: expected (N,), that of its own class for each example, got {got}")
    checks.check_finite(probabilities, "probabilities")
    low, high = (bound.item() for bound in torch.aminmax(probabilities.detach()))
    if low < 0.0 or high > 1.0:
        raise ValueError(f"probabilities: expected values in [0, 1], got [{low:.3g}, {high:.3g}]; take a softmax")
    checks.check_number(above, "above", at_least=0.0, at_most=1.0)
    checks.check_number(below, "below", at_least=0.0, at_most=above)
    fit = probabilities.detach().double().clone()
    fit[probabilities > above] = float("inf")
    fit[probabilities < below] = float("-inf")
    order = random_order(len(fit), generator).to(fit.device)
    everything = torch.ones_like(fit, dtype=torch.bool)
    return ranked_exemplars(fit, n_prototypes, n_criticisms, ties=(order, order), allowed=everything, rule=rule)
