"""How far one must go in latent space for the class to change."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from blindspots.latent.censored_summary import CensoredSummary, summarize_censored
from blindspots.latent.inputs import Decoder
from blindspots.latent.latent_pgd import LatentSearch, latent_pgd
from blindspots.latent.perturbation_changes import PerturbationChanges, perturbation_changes
from blindspots.types import Classifier


@dataclass(frozen=True)
class LatentSeverity:
    """The severities of N latents.

    Attributes:
        search: what was found, row by row.
        changes: of latents and images, row by row.
    """

    search: LatentSearch
    changes: PerturbationChanges

    @property
    def severities(self) -> Float[Tensor, " N"]:
        """||D||_s of each; 0 where no change is needed, infinity where none was found up to the bound."""
        return self.search.norms

    @property
    def summary(self) -> CensoredSummary:
        """Mean, standard deviation and quartiles, with what was not found kept apart."""
        return summarize_censored(self.severities, bound=self.search.bound)


def latent_severity(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    bound: float | int = 2.5,
    steps: int = 50,
    step_size: float | int = 0.05,
    restarts: int = 12,
    random_start: bool = True,
    center_run: bool = True,
    bisections: int = 10,
    restarts_at_once: int = 1,
    seed: int = 0,
    rows: Tensor | None = None,
    batch_size: int = 256,
) -> LatentSeverity:
    r"""Return the latent adversarial severity: min ||D||_s such that f(G_y(lbar + D)) != y, for each latent.

    It is the generation severity for latents of the prior and the reconstruction severity for those of real images.
    Every severity is that of a perturbation found, hence an upper bound of the smallest.

    Args:
        model, decode, latents, labels: of `latent_pgd`.
        epsilon, bound, steps, step_size, restarts, random_start, center_run: of `latent_pgd`, whose mode is "min";
            the defaults are P2's for MNIST.
        bisections, restarts_at_once, seed, rows, batch_size: likewise.

    Returns:
        LatentSeverity.

    Raises:
        TypeError, ValueError: as `latent_pgd`.

    Source: P2's LAGS and LARS.
    Differs from the paper: see `latent_pgd` and `summarize_censored`.
    """
    search = latent_pgd(
        model, decode, latents, labels, epsilon=epsilon, bound=bound, mode="min", steps=steps, step_size=step_size,
        restarts=restarts, random_start=random_start, center_run=center_run, bisections=bisections,
        restarts_at_once=restarts_at_once, seed=seed, rows=rows, batch_size=batch_size,
    )  # fmt: skip
    return LatentSeverity(search, perturbation_changes(decode, search, labels, batch_size=batch_size))
