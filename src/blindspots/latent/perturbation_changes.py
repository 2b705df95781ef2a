"""What a found perturbation changes: how far it goes, whether it leaves the prior's shell, and the image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.latent.inputs import Decoder, decoded, judged_decoder
from blindspots.latent.latent_pgd import LatentSearch
from blindspots.latent.scaled_norm import scaled_norm


@dataclass(frozen=True)
class PerturbationChanges:
    """Sizes of N perturbations; NaN where none was found.

    Attributes:
        latent_norms: (N,), ||D||_s.
        radius_shifts: (N,), ||lbar + D||_s - ||lbar||_s; above 0 = away from the origin.
        image_norms: (N,), ||dx||_s with dx = G(lbar + D) - G(lbar), in units of the [0, 1] range.
        image_means: (N,), ||dx||_1 / n: the mean absolute change of a value, in the same units.
    """

    latent_norms: Float[Tensor, " N"]
    radius_shifts: Float[Tensor, " N"]
    image_norms: Float[Tensor, " N"]
    image_means: Float[Tensor, " N"]


def perturbation_changes(
    decode: Decoder, search: LatentSearch, labels: Tensor, *, batch_size: int = 256
) -> PerturbationChanges:
    """Measure what a search found.

    Args:
        decode: (latents (N, D), labels (N,)) -> images (N, C, H, W) in [0, 1].
        search: of `latent_pgd`, with N rows.
        labels: (N,).
        batch_size: images made together.

    Returns:
        PerturbationChanges; NaN where the search found nothing, so that no mean takes a failed attempt in.

    Raises:
        TypeError, ValueError: bad labels, batch size or images.

    Source: P2, which reports these beside its severities.
    Differs from the paper: its images are in [-1, 1], where the image changes are twice as large.
    """
    checks.check_labels(labels, len(search.norms))
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    norms, means = [], []
    with judged_decoder(decode):
        for center, point, theirs in zip(
            *(part.split(batch_size) for part in (search.centers, search.points, labels)), strict=True
        ):
            change = decoded(decode, point, theirs) - decoded(decode, center, theirs)
            norms.append(scaled_norm(change))
            means.append(change.abs().flatten(1).mean(dim=1))

    def known(values: Tensor) -> Tensor:
        return values.masked_fill(search.censored, torch.nan)

    return PerturbationChanges(
        latent_norms=known(search.norms),
        radius_shifts=known(scaled_norm(search.points) - scaled_norm(search.centers)),
        image_norms=known(torch.cat(norms)),
        image_means=known(torch.cat(means)),
    )
