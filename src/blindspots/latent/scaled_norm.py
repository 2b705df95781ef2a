"""The length of a vector per square root of its dimension: about 1 for a draw from the standard normal."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.types import Scores


def scaled_norm(vectors: Float[Tensor, "N ..."]) -> Scores:
    """Return ||v||_2 / sqrt(n) of each row, with n the number of its entries.

    Args:
        vectors: (N, ...), latents, images or changes of them; at least one entry per row.

    Returns:
        (N,), in the units of the entries: their root mean square.

    Raises:
        ValueError: rows without entries.

    Source: P2, in whose code latents, perturbations and image changes are measured in it.
    """
    flat = vectors.flatten(1) if vectors.ndim > 1 else vectors[:, None]
    if flat.shape[1] == 0:
        raise ValueError(f"vectors: expected at least one entry per row, got shape {tuple(vectors.shape)}")
    return torch.linalg.vector_norm(flat, dim=1) / flat.shape[1] ** 0.5
