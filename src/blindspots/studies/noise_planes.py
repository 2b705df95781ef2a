"""Severities in pixels beside the distances that noise tells: two ways to the same boundary."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.latent import distance_from_noise_error, noise_accuracy
from blindspots.types import Classifier


def noise_planes(
    models: Mapping[str, Classifier],
    images: Tensor,
    labels: Tensor,
    severities: Mapping[str, Tensor],
    *,
    sigma: float | int,
    draws: int,
    seed: int,
) -> dict[str, Float[Tensor, "M 2"]]:
    """Return, for each classifier, what a search found beside the distance of a plane that noise crosses as often.

    Pictures are left out where no draw or half of the draws and more are misread, which tells no distance, and where
    the search found nothing or the picture is misread as it is.

    Args:
        models: by name.
        images: (N, C, H, W) in [0, 1].
        labels: (N,).
        severities: by the same names, (N,) in scaled L2, infinite where nothing was found.
        sigma: standard deviation of the noise, > 0, in units of the [0, 1] range.
        draws: of noise for each picture, at least 1.
        seed: of the noise, which all classifiers share.

    Returns:
        By name (M, 2) on the CPU in float64: found, and told by noise, both in scaled L2; M of the N pictures.

    Raises:
        TypeError, ValueError: names that differ, severities of another length, or what `noise_accuracy` refuses.

    Source: the relation that P2's code checks severities with.
    """
    if set(models) != set(severities):
        raise ValueError(
            f"severities: expected those of {', '.join(sorted(models))}; got {', '.join(sorted(severities)) or 'none'}"
        )
    pairs = {}
    for name, model in models.items():
        if len(severities[name]) != len(images):
            raise ValueError(
                f"severities: expected {len(images)} for {name}, one a picture; got {len(severities[name])}"
            )
        wrong = 1.0 - noise_accuracy(model, images, labels, sigma=sigma, draws=draws, seed=seed).by_image
        planes = distance_from_noise_error(wrong, sigma=sigma) / images[0].numel() ** 0.5
        found = severities[name].to(planes)
        usable = (wrong > 0) & (wrong < 0.5) & found.isfinite() & (found > 0)
        pairs[name] = torch.stack([found, planes], dim=1)[usable].double().cpu()
    return pairs
