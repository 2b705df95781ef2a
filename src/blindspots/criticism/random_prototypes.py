"""The baseline of baselines: examples of a class drawn at random."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from blindspots import checks
from blindspots.criticism.exemplars import Exemplars


def random_order(n: int, generator: torch.Generator) -> Int[Tensor, " N"]:
    """Return a random permutation (n,), drawn on the CPU."""
    checks.check_generator(generator)
    return torch.randperm(n, generator=generator)


def random_prototypes(
    n_examples: int, n_prototypes: int, n_criticisms: int = 0, *, generator: torch.Generator
) -> Exemplars:
    """Draw exemplars of a class at random, all different.

    Args:
        n_examples: N, the examples of the class.
        n_prototypes: at least 1.
        n_criticisms: at least 0; as random as the prototypes.
        generator: CPU generator.

    Returns:
        Exemplars with indices from 0 to N - 1, on the CPU.

    Raises:
        TypeError, ValueError: bad counts or generator; fewer examples than asked.

    Source: P4 Section 3.3 and Table 3, "Random".
    """
    checks.check_number(n_examples, "n_examples", at_least=1, integer=True)
    checks.check_number(n_prototypes, "n_prototypes", at_least=1, integer=True)
    checks.check_number(n_criticisms, "n_criticisms", at_least=0, integer=True)
    n_shown = n_prototypes + n_criticisms
    if n_shown > n_examples:
        raise ValueError(
            f"n_prototypes, n_criticisms: expected at most {n_examples} together, the examples, got "
            f"{n_prototypes} + {n_criticisms}; ask for fewer or give more examples"
        )
    order = random_order(n_examples, generator)
    return Exemplars(order[:n_prototypes], order[n_prototypes:n_shown], n_prototypes, n_criticisms)
