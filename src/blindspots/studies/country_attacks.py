"""The attacks that P0's fairness experiment trains against, each with its options fixed and a name."""

from __future__ import annotations

from functools import partial
from typing import Any

from blindspots.attacks.comparison import NamedAttack
from blindspots.attacks.perceptual_attack import perceptual_attack
from blindspots.attacks.pgd_l2 import pgd_l2_until_flipped
from blindspots.attacks.ssim_one_step import ssim_one_step
from blindspots.perception import SSIMDistance

COUNTRY_ATTACKS = {"pgd": "PGD", "perceptual": "perceptual", "ssim": "SSIM step"}
"""By key, the names under which they are printed."""


def country_attack(
    name: str,
    *,
    step_size: float | int = 0.1,
    steps: int = 100,
    confidence: float | int = 0.0,
    weight: float | int = 1.0,
    epsilon: float | int = 0.5,
    window_size: int = 7,
) -> NamedAttack:
    """Return an attack that Algorithm 4.1 can run, and the settings by which its results are kept.

    Args:
        name: "pgd": normalized L2 ascent until the class flips; "perceptual": Algorithm 3.1 with 1 - SSIM in the place
            of PieAPP, which needs 64 pixels; "ssim": the closed step of Section 3.1.
        step_size, steps, confidence: of the first two. P0 prints 0.1 and 100 at 299 pixels, and margins 0, 1, 5.
        weight: of the distance, "perceptual" only.
        epsilon: L2 length of the step, "ssim" only.
        window_size: of SSIM, odd, at most the image's side.

    Raises:
        ValueError: an unknown name. Options are checked by the attacks.

    Source: P0 Section 3.1 (the step), Algorithm 3.1, Section 3.2 (PGD); Section 4 trains with the latter two.
    """
    iterated: dict[str, Any] = {"step_size": step_size, "steps": steps, "confidence": confidence}
    if name == "pgd":
        return NamedAttack(partial(pgd_l2_until_flipped, **iterated), settings={"attack": name, **iterated})
    if name == "perceptual":
        options = {**iterated, "weight": weight}
        distance = SSIMDistance(window_size=window_size)
        return NamedAttack(
            partial(perceptual_attack, distance=distance, **options), ("1 - SSIM",),
            {"attack": name, "window_size": window_size, **options},
        )  # fmt: skip
    if name == "ssim":
        closed: dict[str, Any] = {"epsilon": epsilon, "window_size": window_size}
        return NamedAttack(partial(ssim_one_step, **closed), ("1 - SSIM",), {"attack": name, **closed})
    raise ValueError(f"name: expected one of {', '.join(COUNTRY_ATTACKS)}, got {name!r}")
