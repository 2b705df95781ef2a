"""A random stream for each row: what is drawn for an image does not depend on the batch it stands in."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.seeding import generator
from blindspots.types import Labels


def row_normals(rows: Labels, size: int, *, seed: int, names: tuple[str | int, ...] = ()) -> Float[Tensor, "N D"]:
    """Draw a standard normal vector for each row from the row's own stream.

    Args:
        rows: (N,), the numbers of the streams, >= 0.
        size: D, length of a vector, at least 1.
        seed: shared by all rows.
        names: what the draw is for; other names are other streams.

    Returns:
        (N, D) in float64 on the CPU. A row's draw depends on its number, the seed, the names and D only.
    """
    drawn = [torch.randn(size, generator=generator(seed, *names, row), dtype=torch.float64) for row in rows.tolist()]
    return torch.stack(drawn)


def row_uniforms(rows: Labels, *, seed: int, names: tuple[str | int, ...] = ()) -> Float[Tensor, " N"]:
    """Draw a number from [0, 1) for each row from the row's own stream; see `row_normals`."""
    drawn = [torch.rand(1, generator=generator(seed, *names, row), dtype=torch.float64) for row in rows.tolist()]
    return torch.cat(drawn)
