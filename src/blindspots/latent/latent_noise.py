"""Noise in latent space that keeps the prior: what was standard normal stays so."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.latent.inputs import check_latents, check_rows
from blindspots.latent.row_streams import row_normals
from blindspots.seeding import generator
from blindspots.types import Features


def noisy_latents(
    latents: Tensor, *, epsilon: float | int, seed: int, rows: Tensor | None = None, draw: int = 0
) -> Features:
    r"""Return latents with noise: l' = (l + epsilon z) / sqrt(1 + epsilon^2), z ~ N(0, I).

    Args:
        latents: (N, D).
        epsilon: magnitude of the noise, >= 0; 0 returns the latents as they are.
        seed: of the noise.
        rows: (N,), numbers of the rows' random streams, >= 0; None: 0 to N - 1. Give them where a set is split, and
            the noise is that of the whole.
        draw: number of the draw; the same draw has the same z for every epsilon.

    Returns:
        (N, D); standard normal if the latents are.

    Raises:
        TypeError, ValueError: bad latents, a number out of range, rows that are no integers.

    Source: P2, from whose code the formula is read.
    """
    check_latents(latents)
    checks.check_number(epsilon, "epsilon", at_least=0.0)
    checks.check_number(draw, "draw", at_least=0, integer=True)
    streams = check_rows(rows, len(latents), latents.device)
    noise = row_normals(streams, latents.shape[1], seed=seed, names=("latent noise", draw)).to(latents)
    return (latents.detach() + epsilon * noise) / (1.0 + epsilon * epsilon) ** 0.5


def prior_latents(
    n: int, latent_size: int, *, class_shares: Float[Tensor, " K"], seed: int
) -> tuple[Float[Tensor, "N D"], Int[Tensor, " N"]]:
    """Draw latents from N(0, I) and their classes in given proportions: the subjects of the generation metrics.

    Args:
        n: N, at least 1. The first of more are the same.
        latent_size: D, at least 1.
        class_shares: (K,), >= 0, not all 0; they need not sum to 1.
        seed: of both draws.

    Returns:
        latents (N, D) in the dtype and on the device of class_shares, labels (N,) from 0 to K - 1.

    Raises:
        TypeError, ValueError: a number out of range, shares that are no shares.

    Source: P2: classes are drawn with their proportions, latents from the prior.
    """
    checks.check_number(n, "n", at_least=1, integer=True)
    checks.check_number(latent_size, "latent_size", at_least=1, integer=True)
    valid = class_shares.isfinite().all() and (class_shares >= 0).all() and bool(class_shares.sum() > 0)
    if not valid:
        raise ValueError(f"class_shares: expected numbers >= 0, not all 0, got {class_shares.tolist()}")
    rows = torch.arange(n)
    latents = row_normals(rows, latent_size, seed=seed, names=("prior",))
    ends = (class_shares.double() / class_shares.double().sum()).cumsum(0).cpu()
    uniforms = torch.rand(n, generator=generator(seed, "prior labels"), dtype=torch.float64)
    # A share of 0 is never drawn: the end of the class before it lies no lower.
    labels = torch.searchsorted(ends, uniforms, right=True).clamp_max(int(class_shares.cpu().nonzero().max()))
    return latents.to(class_shares), labels.to(class_shares.device)
