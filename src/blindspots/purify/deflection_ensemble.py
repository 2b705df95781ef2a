"""The ensemble of pixel deflection: deflect and denoise several times, and average what the model says."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.attacks.model import judged
from blindspots.purify.pixel_deflection import pixel_deflection
from blindspots.types import Classifier

Probabilities = Float[Tensor, "N K"]


def deflection_ensemble(
    images: Tensor,
    model: Classifier,
    *,
    n_runs: int = 10,
    deflections: int = 200,
    window: int = 10,
    sigma: float | int = 0.04,
    generator: torch.Generator,
    activation: Tensor | None = None,
    sigma_units: str = "span",
) -> Probabilities:
    """Average a model's probabilities over several runs of `pixel_deflection`.

    Like `crop_ensemble` it returns probabilities, since there is no image that stands for the runs; their
    logarithm can be used as logits.

    Args:
        images: (N, C, H, W) in [0, 1].
        model: images in [0, 1] -> logits (N, K); asked `n_runs` times.
        n_runs: runs, at least 1. 1 is the model's answer to `pixel_deflection`.
        deflections, window, sigma, activation, sigma_units: see `pixel_deflection`.
        generator: CPU generator; the runs draw from it one after the other.

    Returns:
        (N, K), in [0, 1], each row summing to 1, in the dtype of the logits. No gradient flows through.

    Raises:
        TypeError, ValueError: bad images or options, or a model that returns no finite logits (N, K).

    Source: Prakash et al. (2018), who report an ensemble of 10 runs beside a single one; "PD-Ens" of P1 Table 4.
    Differs from the paper: P1 gives neither the number of runs nor the settings; these are those of the code of
    Prakash et al. We average probabilities.
    """
    checks.check_images(images)
    checks.check_number(n_runs, "n_runs", at_least=1, integer=True)
    total = None
    with judged(model), torch.no_grad():
        for _ in range(n_runs):
            purified = pixel_deflection(
                images, deflections=deflections, window=window, sigma=sigma, generator=generator,
                activation=activation, sigma_units=sigma_units,
            )  # fmt: skip
            logits = model(purified)
            checks.check_logits(logits, len(images))
            probabilities = logits.softmax(dim=1)
            total = probabilities if total is None else total + probabilities
    return total / n_runs
