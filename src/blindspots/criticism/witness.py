"""Where the prototypes put too little weight, and where too much."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.criticism.inputs import check_features

_BLOCK = 512


def witness(features: Tensor, prototypes: Tensor, points: Tensor, *, bandwidth: float | int) -> Float[Tensor, " P"]:
    r"""Return the witness function of two samples at given points.

        f(z) = (1 / N) sum_i k(x_i, z) - (1 / M) sum_j k(p_j, z),     k(x, y) = exp(-||x - y||^2 / (2 bandwidth^2))
    > 0 where the data are denser than the prototypes say, < 0 where the prototypes put too much weight.

    Args:
        features: (N, D), all examples.
        prototypes: (M, D), the features of the prototypes; `features[selection.indices]`.
        points: (P, D), where to look.
        bandwidth: of the Gaussian kernel, in the units of features, > 0; `selection.bandwidth`.

    Returns:
        (P,), in the dtype of points, between -1 and 1; computed in float64, block by block.

    Raises:
        TypeError, ValueError: bad features, prototypes, points or bandwidth; numbers of dimensions that differ.

    Source: Kim, Khanna and Koyejo (2016), Eq. 2; its absolute value at examples is what criticisms maximize.
    """
    checks.check_number(bandwidth, "bandwidth", above=0.0)
    for name, value in (("features", features), ("prototypes", prototypes), ("points", points)):
        check_features(value, name)
        if value.shape[1] != features.shape[1]:
            raise ValueError(
                f"{name}: expected {features.shape[1]} dimensions, as the features have, got {value.shape[1]}; "
                "use the same layer"
            )
    center = features.detach().double().mean(dim=0)

    def scaled(rows: Tensor) -> Tensor:
        return (rows.detach().to(center) - center) / bandwidth

    places = scaled(points)
    return (_mean_kernel(scaled(features), places) - _mean_kernel(scaled(prototypes), places)).to(points)


def _mean_kernel(sources: Tensor, places: Tensor) -> Tensor:
    """Return the mean over the sources of the Gaussian kernel of width 1 at places (P, D)."""
    sums = places.new_zeros(len(places))
    for first in range(0, len(places), _BLOCK):
        here = places[first : first + _BLOCK]
        for some in sources.split(_BLOCK):
            squares = torch.cdist(here, some).square_()
            sums[first : first + _BLOCK] += squares.mul_(-0.5).exp_().sum(dim=1)
    return sums / len(sources)
