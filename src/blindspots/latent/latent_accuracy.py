"""Which latents no small move misleads."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool
from torch import Tensor

from blindspots.latent.accuracy import wilson
from blindspots.latent.inputs import Decoder
from blindspots.latent.latent_pgd import LatentSearch, latent_pgd
from blindspots.latent.perturbation_changes import PerturbationChanges, perturbation_changes
from blindspots.types import Classifier


@dataclass(frozen=True)
class LatentAccuracy:
    """Which of N latents withstood the search.

    Attributes:
        search: what was found, row by row.
        changes: of latents and images, row by row.
    """

    search: LatentSearch
    changes: PerturbationChanges

    @property
    def robust(self) -> Bool[Tensor, " N"]:
        """Whether nothing was found within the bound; a better search may find more."""
        return ~self.search.success

    @property
    def accuracy(self) -> float:
        """The share for which nothing was found, in [0, 1]: an upper bound of the share that is safe."""
        return self.robust.double().mean().item()

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of that share."""
        return wilson(self.accuracy, len(self.robust))

    @property
    def n_wrong_at_center(self) -> int:
        """How many are misread at the decayed latent itself, without a perturbation."""
        return int((self.search.run == 0).sum())

    @property
    def n_stalled(self) -> int:
        """How many count as robust although a run met no gradient to follow, as of a generator that is dead."""
        return int((self.search.stalled & self.robust).sum())


def latent_accuracy(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    bound: float | int,
    steps: int = 50,
    step_size: float | int = 0.05,
    restarts: int = 12,
    random_start: bool = True,
    center_run: bool = True,
    restarts_at_once: int = 4,
    seed: int = 0,
    rows: Tensor | None = None,
    batch_size: int = 256,
) -> LatentAccuracy:
    r"""Return the latent adversarial accuracy: for which latents no D with ||D||_s <= bound is misread.

    It is the generation accuracy for latents of the prior and the reconstruction accuracy for those of real images.

    Args:
        model, decode, latents, labels: of `latent_pgd`.
        epsilon, steps, step_size, restarts, random_start, center_run: of `latent_pgd`, whose mode is "any".
        bound: largest ||D||_s, > 0. P2: 0.3 for MNIST, 0.1 elsewhere.
        restarts_at_once: of `latent_pgd`; it changes the time only.
        seed, rows, batch_size: likewise.

    Returns:
        LatentAccuracy.

    Raises:
        TypeError, ValueError: as `latent_pgd`.

    Source: P2's LAGA and LARA.
    Differs from the paper: see `latent_pgd`.
    """
    search = latent_pgd(
        model, decode, latents, labels, epsilon=epsilon, bound=bound, mode="any", steps=steps, step_size=step_size,
        restarts=restarts, random_start=random_start, center_run=center_run, restarts_at_once=restarts_at_once,
        seed=seed, rows=rows, batch_size=batch_size,
    )  # fmt: skip
    return LatentAccuracy(search, perturbation_changes(decode, search, labels, batch_size=batch_size))
