"""The published latent search, and ours repair by repair, on the same latents."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots.checks import check_choice
from blindspots.latent import latent_pgd, random_direction_search
from blindspots.latent.inputs import Decoder
from blindspots.studies.published_search import published_search

TURNS = 10
REPAIRS: dict[str, dict[str, object]] = {
    "decayed point first": {"center_run": False, "bisections": 0},
    "and a run from the center": {"bisections": 0},
    "and bisection": {},
    "and turns along the boundary": {"turns": TURNS},
    "all repairs, side by side": {"side_by_side": True},
    "from the center only": {"random_start": False, "restarts": 1},
    "from the center, and turns": {"random_start": False, "restarts": 1, "turns": TURNS},
}
"""What `latent_pgd` is told; the first four add a repair each."""
METHODS = ("published", *REPAIRS, "random directions")


@dataclass(frozen=True)
class SearchOutcome:
    """What one search did with N latents.

    Attributes:
        norms: (N,), ||D||_s, infinite where nothing was found.
        returned: (N,), what the search returns as a length; finite for the published search even where it failed.
        gradients: (N,), gradient evaluations.
        seconds: processor time of all N.
    """

    norms: Tensor
    returned: Tensor
    gradients: Tensor
    seconds: float


def search_ladder(
    model: nn.Module,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    bound: float | int,
    steps: int = 50,
    step_size: float | int = 0.05,
    restarts: int = 12,
    directions: int = 100,
    methods: Sequence[str] = METHODS,
    seed: int = 0,
) -> dict[str, SearchOutcome]:
    """Search the smallest perturbation of each latent with several searches that share their random starts.

    Args:
        model, decode, latents, labels, epsilon, bound, steps, step_size, restarts, seed: of `latent.latent_pgd`.
        directions: of `latent.random_direction_search`.
        methods: which of METHODS.

    Returns:
        SearchOutcome by method, in the order given.

    Raises:
        TypeError, ValueError: an unknown method, or what `latent_pgd` refuses.
    """
    for method in methods:
        check_choice(method, "methods", METHODS)
    given = (model, decode, latents, labels)
    common = {"epsilon": epsilon, "bound": bound, "seed": seed}
    walk = {"steps": steps, "step_size": step_size, "restarts": restarts}
    outcomes = {}
    for method in methods:
        start = time.process_time()
        if method == "published":
            published = published_search(*given, **walk, **common)
            norms = torch.where(published.success, published.norms, torch.inf)
            returned, gradients = published.norms, published.gradient_evaluations
        else:
            if method == "random directions":
                found = random_direction_search(*given, directions=directions, **common)
            else:
                options = walk | REPAIRS[method]
                at_once = restarts if options.pop("side_by_side", False) else 1
                found = latent_pgd(*given, restarts_at_once=at_once, **options, **common)
            norms, returned, gradients = found.norms, found.norms, found.gradient_evaluations
        outcomes[method] = SearchOutcome(norms, returned, gradients, time.process_time() - start)
    return outcomes
