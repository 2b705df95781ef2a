"""The attacks that P0's fairness experiment trains against, each with its options fixed and a name."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from blindspots.attacks.attack_to_strength import StrengthAttackResult, attack_to_strength
from blindspots.attacks.comparison import NamedAttack
from blindspots.attacks.perceptual_attack import perceptual_attack
from blindspots.attacks.pgd_l2 import pgd_l2_until_flipped
from blindspots.attacks.ssim_one_step import ssim_one_step
from blindspots.fingerprint import fingerprint
from blindspots.perception import SSIMDistance
from blindspots.seeding import generator
from blindspots.types import Distance

COUNTRY_ATTACKS = {"pgd": "PGD", "perceptual": "perceptual", "ssim": "SSIM step"}
"""By key, the names under which they are printed."""

MATCHED_ATTACKS = {**COUNTRY_ATTACKS, "noise": "random noise"}
"""Likewise, with the control that is no attack; keys are directions of `attack_to_strength`."""


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


def matched_attack(
    name: str,
    *,
    strength: float | int,
    measure: str = "l2",
    step_size: float | int = 0.02,
    steps: int = 100,
    weight: float | int = 1.0,
    window_size: int = 7,
    distance: Distance | None = None,
    distance_name: str = "1 - SSIM",
    seed: int = 0,
) -> NamedAttack:
    """Return an attack of one strength that Algorithm 4.1 can run, and the settings by which its results are kept.

    Args:
        name: a key of `MATCHED_ATTACKS`.
        strength, measure, step_size, steps, weight, window_size: of `attack_to_strength`.
        distance: c0 of "perceptual" and of the measure "distance"; None: 1 - SSIM with the window.
        distance_name: under which its results are kept; name another distance differently.
        seed: of the noise, which is drawn for each batch of images from this and from what the batch holds. So an
            interrupted run goes on with the same noise.

    Raises:
        ValueError: a distance of one's own under the default's name. Options are checked by the attack.

    Source: ours; see `attack_to_strength`.
    """
    if distance is not None and distance_name == "1 - SSIM":
        raise ValueError("distance_name: expected a name of its own for a distance that is given, got '1 - SSIM'")
    used = SSIMDistance(window_size=window_size) if distance is None else distance
    options: dict[str, Any] = {
        "strength": strength, "measure": measure, "step_size": step_size, "steps": steps, "weight": weight,
        "window_size": window_size,
    }  # fmt: skip

    def run(model: nn.Module, images: Tensor, labels: Tensor) -> StrengthAttackResult:
        draws = generator(seed, "noise", fingerprint(images)) if name == "noise" else None
        return attack_to_strength(name, model, images, labels, distance=used, generator=draws, **options)

    told = {"attack": f"{name} to strength", "distance": distance_name, **options}
    return NamedAttack(run, (distance_name,), told | ({"seed": seed} if name == "noise" else {}))
