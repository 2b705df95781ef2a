"""How likely a perturbation is under the latent noise, from its length alone."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


def _log_peak(latent_size: int, epsilon: float | int) -> float:
    """Return the log-density at no perturbation, after a look at the arguments."""
    checks.check_number(latent_size, "latent_size", at_least=1, integer=True)
    checks.check_number(epsilon, "epsilon", above=0.0)
    return 0.5 * latent_size * math.log((1.0 + epsilon * epsilon) / (2.0 * math.pi * epsilon * epsilon))


def perturbation_log_likelihood(
    norms: Float[Tensor, " N"], *, latent_size: int, epsilon: float | int
) -> Float[Tensor, " N"]:
    r"""Return the log-density of perturbations of the decayed latent under noise of magnitude epsilon.

        log tau(rho) = (n / 2) log((1 + e^2) / (2 pi e^2)) - (1 + e^2) / (2 e^2) n rho^2,        rho = ||D||_s
    which is that of N(0, e^2 / (1 + e^2) I) at any D of this length: the noise around its mean.

    Args:
        norms: (N,), `scaled_norm` of the perturbations, >= 0.
        latent_size: n, dimension of the latents.
        epsilon: magnitude e of the noise, > 0.

    Returns:
        (N,), natural logarithms; they may be positive.

    Raises:
        TypeError, ValueError: a negative or infinite norm, a number out of range.

    Source: P2; the formula is that of its noise.
    Differs from the paper: the released converter multiplies the second term by a further sqrt(n), and nothing
    there uses it.
    """
    peak = _log_peak(latent_size, epsilon)
    if not (norms >= 0).all() or not norms.isfinite().all():
        raise ValueError("norms: expected finite values >= 0; leave out searches that found nothing")
    return peak - (1.0 + epsilon * epsilon) / (2.0 * epsilon * epsilon) * latent_size * norms.square()


def norm_at_log_likelihood(
    log_likelihoods: Float[Tensor, " N"], *, latent_size: int, epsilon: float | int
) -> Float[Tensor, " N"]:
    """Return the scaled norms at which perturbations have these log-likelihoods, the inverse of the other.

    Raises:
        TypeError, ValueError: a log-likelihood above that of no perturbation, a number out of range.
    """
    peak = _log_peak(latent_size, epsilon)
    if not (log_likelihoods <= peak).all() or not log_likelihoods.isfinite().all():
        raise ValueError(f"log_likelihoods: expected finite values up to {peak:.6g}, that of no perturbation")
    squares = (peak - log_likelihoods) * (2.0 * epsilon * epsilon) / ((1.0 + epsilon * epsilon) * latent_size)
    return torch.sqrt(squares)
