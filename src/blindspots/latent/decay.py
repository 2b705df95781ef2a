"""Noise that keeps the standard normal draws latents toward the origin: by how much, and back."""

from __future__ import annotations

from torch import Tensor

from blindspots import checks
from blindspots.latent.inputs import check_latents
from blindspots.types import Features


def decay_of(epsilon: float | int) -> float:
    """Return the decay d = 1 - 1 / sqrt(1 + epsilon^2) of noise of magnitude epsilon.

    Args:
        epsilon: >= 0; 0 is no noise.

    Returns:
        In [0, 1): 0.10557 for 0.5, 0.29289 for 1.

    Raises:
        TypeError, ValueError: a number out of range.

    Source: P2; the mean of l' = (l + epsilon z) / sqrt(1 + epsilon^2) given l is (1 - d) l.
    """
    checks.check_number(epsilon, "epsilon", at_least=0.0)
    root = (1.0 + epsilon * epsilon) ** 0.5
    # 1 - 1 / root without the cancellation for a small epsilon.
    return epsilon * epsilon / (root * (root + 1.0))


def epsilon_of(decay: float | int) -> float:
    """Return the noise magnitude epsilon = sqrt((1 - d)^-2 - 1) whose decay is d, the inverse of `decay_of`.

    Args:
        decay: in [0, 1).

    Raises:
        TypeError, ValueError: a number out of range.
    """
    checks.check_number(decay, "decay", at_least=0.0)
    if decay >= 1:
        raise ValueError(f"decay: expected a number below 1, which noise of any magnitude keeps to, got {decay!r}")
    return (decay * (2.0 - decay)) ** 0.5 / (1.0 - decay)


def decayed_latents(latents: Tensor, *, epsilon: float | int) -> Features:
    """Return l / sqrt(1 + epsilon^2): where noise of magnitude epsilon moves latents on average.

    Args:
        latents: (N, D).
        epsilon: >= 0; 0 returns the latents as they are.

    Raises:
        TypeError, ValueError: bad latents or a number out of range.
    """
    check_latents(latents)
    return latents.detach() * (1.0 - decay_of(epsilon))
