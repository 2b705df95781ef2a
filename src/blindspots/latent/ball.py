"""The balls that a search stays in: how a change is measured, which way is steepest, how it is pulled back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.latent.scaled_norm import scaled_norm
from blindspots.types import Features, Flags, Scores


@dataclass(frozen=True)
class Ball:
    """A norm for changes (N, D), with what a search needs of it; every row is treated alone.

    Attributes:
        norms: changes -> (N,).
        steepest: gradients -> directions of norm 1, and which gradients were exactly 0 and stay 0.
        pulled_back: (changes, radii (N,)) -> changes, brought into the ball of the radius.
    """

    norms: Callable[[Features], Scores]
    steepest: Callable[[Features], tuple[Features, Flags]]
    pulled_back: Callable[[Features, Scores], Features]


def _scaled_l2_steepest(gradients: Features) -> tuple[Features, Flags]:
    # The largest entry first: the squares of tiny gradients leave float32's range.
    peaks = gradients.abs().amax(dim=1, keepdim=True)
    zero = peaks == 0
    scaled = gradients / torch.where(zero, 1.0, peaks)
    norms = scaled_norm(scaled)[:, None]
    return scaled / torch.where(zero, 1.0, norms), zero.flatten()


def _scaled_l2_pulled_back(changes: Features, radii: Scores) -> Features:
    norms = scaled_norm(changes)
    outside = norms > radii
    factors = torch.where(outside, radii / torch.where(outside, norms, 1.0), 1.0)
    return changes * factors[:, None]


def _linf_norms(changes: Features) -> Float[Tensor, " N"]:
    return changes.abs().amax(dim=1)


def _linf_steepest(gradients: Features) -> tuple[Features, Flags]:
    return gradients.sign(), (gradients == 0).all(dim=1)


def _linf_pulled_back(changes: Features, radii: Scores) -> Features:
    return changes.clamp(-radii[:, None], radii[:, None])


BALLS = {
    "scaled_l2": Ball(scaled_norm, _scaled_l2_steepest, _scaled_l2_pulled_back),
    "linf": Ball(_linf_norms, _linf_steepest, _linf_pulled_back),
}
