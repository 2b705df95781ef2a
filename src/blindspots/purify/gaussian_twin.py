"""Features without clusters: one Gaussian for each class, with the mean and the covariance of the real ones."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


def gaussian_twin(features: Tensor, labels: Tensor, *, generator: torch.Generator) -> Float[Tensor, "N D"]:
    r"""Draw features from one normal distribution per class, of the same means and covariances.

    For the n features r_i of a class with mean mu,
        twin = mu + (1 / sqrt n) sum_i z_i (r_i - mu),   z_i independent standard normal,
    which has exactly the class's mean and covariance E[(r - mu)(r - mu)'] as its own, whatever its rank. What a
    clustering finds in the twin, it would find in any cloud of that shape: a control for what it finds in the features.

    Args:
        features: (N, D), finite.
        labels: (N,), classes, 0-based.
        generator: CPU generator.

    Returns:
        (N, D), in the dtype and on the device of features, each row drawn for the class at its place.

    Raises:
        TypeError, ValueError: features or labels that do not fit.

    Source: ours; P1 has no control for its clusters.
    """
    if not isinstance(features, Tensor) or features.ndim != 2 or not features.is_floating_point():
        got = (tuple(features.shape), features.dtype) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(f"features: expected float features (N, D), got {got}; flatten them")
    checks.check_finite(features, "features")
    checks.check_labels(labels, len(features))
    checks.check_generator(generator)
    twin = torch.empty_like(features)
    for label in labels.unique().tolist():
        mine = (labels == label).nonzero().flatten()
        rows = features[mine].detach().double()
        mean = rows.mean(dim=0)
        weights = torch.randn(len(rows), len(rows), generator=generator, dtype=torch.float64).to(rows)
        twin[mine] = (mean + weights @ (rows - mean) / len(rows) ** 0.5).to(features)
    return twin
