"""The certificate of Sinha et al.: a ceiling on the loss under every distribution near the data."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from blindspots import checks
from blindspots.fairness.robust_surrogate import RobustSurrogate, surrogate_gap


@dataclass(frozen=True)
class Certificate:
    """A ceiling on the mean loss, by radius.

    Attributes:
        bounds: (R,), radii rho in the units of the distance.
        ceilings: (R,), gamma rho + mean phi_gamma.
        attained_bound: mean distance of the images found; there the ceiling is met: their mean loss is attained_loss.
        attained_loss: mean loss of the images found, a lower bound of the worst case at attained_bound.
        gap: how much of each ceiling is allowance for an ascent that has not arrived, mean over images; 0 without
            smoothness.
        proven: whether the ceilings hold whatever the ascent missed: a smoothness was given.
    """

    bounds: Tensor
    ceilings: Tensor
    attained_bound: float
    attained_loss: float
    gap: float
    proven: bool


def robustness_certificate(
    surrogate: RobustSurrogate, bounds: Tensor, *, smoothness: float | int | None = None
) -> Certificate:
    r"""Bound the worst mean loss over distributions within rho of the data, for each rho, from one surrogate.

        sup_{P: D(P, P_0) <= rho} E_P[l] <= gamma rho + E_{P_0}[phi_gamma]     for every rho >= 0,
    with equality at rho = E_{P_0}[c_0(x*, x_0)], the distance the worst-case images moved.

    Args:
        surrogate: phi at gamma = its weight, of the data the statement is about.
        bounds: (R,), rho >= 0, in the units of the distance.
        smoothness: Lipschitz constant of the loss's gradient in x. Given, what the ascent may have missed is added
            (`surrogate_gap`, squared distance only), and the ceilings are proven; None: they hold if phi was found
            exactly, which for a network nobody knows.

    Returns:
        Certificate in float64.

    Raises:
        TypeError, ValueError: negative or NaN bounds, or a smoothness that 2 gamma does not exceed.

    Source: Sinha, Namkoong and Duchi (2018), the data-dependent bound of their certificate.
    Differs from the paper: their bound on unseen data adds a term for the size of the model class, which nobody can
    compute for a network; this one is about the empirical distribution, as their experiments are.
    """
    if not bounds.is_floating_point() or bounds.ndim != 1 or not len(bounds):
        raise ValueError(f"bounds: expected floats (R,), got {bounds.dtype} {tuple(bounds.shape)}")
    checks.check_finite(bounds, "bounds")
    if (bounds < 0).any():
        raise ValueError(f"bounds: expected radii >= 0, got {bounds.min().item():g}")
    gap = 0.0 if smoothness is None else surrogate_gap(surrogate, smoothness).double().mean().item()
    ceiling = surrogate.values.double().mean().item() + gap
    return Certificate(
        bounds=bounds.double(),
        ceilings=surrogate.weight * bounds.double() + ceiling,
        attained_bound=surrogate.distances.double().mean().item(),
        attained_loss=surrogate.losses.double().mean().item(),
        gap=gap,
        proven=smoothness is not None,
    )
