"""Training against one attack as one point of a comparison: how strong the attack was, and what the models became."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.attacks.comparison import NamedAttack
from blindspots.data.sets import ImageSet
from blindspots.fairness import RobustDataset, group_slope_test
from blindspots.perception import ssim_distance
from blindspots.studies.country_models import CONTROLS, CountryModels, country_models, robust_country_data

DRAWS = ("late", "equal")


@dataclass(frozen=True)
class MatchedTraining:
    """S models of one method, on one data set of Algorithm 4.1 or on the images alone.

    Attributes:
        accuracy, worst, slope: (S,) float64 on the test images: of all, of the worst country, and of accuracy by
            country on the covariate.
        data_accuracy, data_slope: likewise on the images that the models were trained from.
        by_country: (S, G), accuracy on the test images.
        met: by name, means over the attacked images: "l2", "relative" (to the image's norm) and "distance" (1 - SSIM)
            of the change from the image that was attacked; "l2 from original"; "flipped", the share of rightly
            classified images that the attack turned; "share of originals", as they are drawn. Empty without an attack.
        models: what was trained.
        robust_data: what Algorithm 4.1 gave, or None.
    """

    accuracy: Tensor
    worst: Tensor
    slope: Tensor
    data_accuracy: Tensor
    data_slope: Tensor
    by_country: Tensor
    met: dict[str, float]
    models: CountryModels
    robust_data: RobustDataset | None


def matched_training(
    model: nn.Module,
    data: ImageSet,
    test: ImageSet,
    covariate: Tensor,
    *,
    attack: NamedAttack | None = None,
    control: str = "plain",
    rounds: int = 2,
    draws: str = "late",
    window_size: int = 7,
    seed: int,
    generation: dict[str, Any],
    training: dict[str, Any],
) -> MatchedTraining:
    """Run Algorithm 4.1 with an attack, train models on what it gives by Algorithm 4.2, and judge them.

    Args:
        model: theta_0, on its device.
        data: the images to train from, with groups "country".
        test: the images to judge on, of the same countries.
        covariate: (G,), by country, for instance the logarithm of income.
        attack: with settings; None for a training without attack.
        control: which, a key of `CONTROLS`; has no meaning beside an attack.
        rounds: of Algorithm 4.1.
        draws: "late": by the weights of Algorithm 4.1, which favor late items; "equal": all items alike.
        window_size: of the SSIM by which changes are told.
        seed: of all that is drawn.
        generation: options of `robust_country_data`.
        training: options of `country_models`.

    Returns:
        MatchedTraining, from the cache where it was trained before.

    Raises:
        TypeError, ValueError: an option out of range, or what the two algorithms refuse.
    """
    checks.check_choice(draws, "draws", DRAWS)
    checks.check_choice(control, "control", tuple(CONTROLS))
    judged = {"data": data, "test": test}
    robust: RobustDataset | None = None
    met: dict[str, float] = {}
    if attack is not None:
        with warnings.catch_warnings():  # noise may turn none, and "flipped" tells how many each attack turned
            warnings.filterwarnings("ignore", message="attack: turned none")
            robust = robust_country_data(model, data, attack, rounds=rounds, seed=seed, **generation)
        if draws == "equal":
            robust = replace(robust, weights=torch.ones_like(robust.weights))
        met = _met(robust, data, window_size)
    made = country_models(
        model, data if robust is None else robust, method=control if robust is None else "robust", judged_on=judged,
        seed=seed, **training,
    )  # fmt: skip
    seen, new = (made.accuracies(name, judged[name]) for name in ("data", "test"))
    return MatchedTraining(
        accuracy=new.overall, worst=new.worst,
        slope=group_slope_test(new.by_group, covariate, new.counts).slope, data_accuracy=seen.overall,
        data_slope=group_slope_test(seen.by_group, covariate, seen.counts).slope, by_country=new.by_group, met=met,
        models=made, robust_data=robust,
    )  # fmt: skip


def _met(robust: RobustDataset, data: ImageSet, window_size: int) -> dict[str, float]:
    """Return how strong the attack was, in means over all attacked items."""
    late = robust.rounds > 0
    images, parents = robust.images[late], robust.images[robust.parents[late]]
    lengths = (images - parents).flatten(1).norm(dim=1)
    norms = parents.flatten(1).norm(dim=1).clamp_min(torch.finfo(lengths.dtype).tiny)
    origins = robust.images[robust.origins[late]]
    right = ~robust.already_wrong[late]
    return {
        "l2": lengths.double().mean().item(),
        "relative": (lengths / norms).double().mean().item(),
        "distance": ssim_distance(images, parents, window_size=window_size).double().mean().item(),
        "l2 from original": (images - origins).flatten(1).norm(dim=1).double().mean().item(),
        "flipped": robust.success[late][right].double().mean().item() if right.any() else float("nan"),
        "share of originals": (robust.weights[: len(data)].sum() / robust.weights.sum()).item(),
    }
