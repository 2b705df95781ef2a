"""Whether a learned dictionary holds the filters of another, wherever they sit in their windows."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


def dictionary_likeness(dictionary: Tensor, others: Tensor) -> Float[Tensor, " P"]:
    """Return for each other filter how like it the most similar filter of a dictionary is.

    Likeness is the largest absolute correlation of two filters of unit norm over all shifts. Shift and sign are left
    out of account because codes can undo them.

    Args:
        dictionary: (M, C, h, w), the filters that are searched; none all zero.
        others: (P, C, h', w'), the filters looked for, for example planted ones; none all zero; dtype and device of
            dictionary.

    Returns:
        (P,) in [0, 1]; 1 = there up to shift and sign.

    Raises:
        TypeError, ValueError: not finite float filters, another number of channels, or a filter of zeros.

    Source: ours; P1 does not test its dictionaries.
    """
    for filters, name in ((dictionary, "dictionary"), (others, "others")):
        checks.check_images(filters, name, unit_range=False)
        if (filters.flatten(1) == 0).all(dim=1).any():
            raise ValueError(f"{name}: expected filters that are not all zero, got a zero filter; leave it out")
    if dictionary.shape[1] != others.shape[1]:
        raise ValueError(
            f"others: expected filters of {dictionary.shape[1]} channels, as the dictionary has, got {others.shape[1]}"
        )
    sides = [a + b for a, b in zip(dictionary.shape[-2:], others.shape[-2:], strict=True)]  # no shift wraps around
    first, second = (
        torch.fft.rfft2(part.double() / torch.linalg.vector_norm(part.double(), dim=(1, 2, 3), keepdim=True), s=sides)
        for part in (dictionary, others)
    )
    correlation = torch.fft.irfft2(torch.einsum("mchw,pchw->mphw", first, second.conj()), s=sides)
    return correlation.abs().amax(dim=(0, 2, 3)).clamp_max(1.0).to(dictionary.dtype)
