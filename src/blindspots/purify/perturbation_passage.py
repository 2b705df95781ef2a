"""What becomes of a perturbation on its way through ACSR's purifier, part by part."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.purify.acsr import AcsrPurifier
from blindspots.types import Images, Scores


@dataclass(frozen=True)
class PerturbationPassage:
    """Energies of a perturbation d = x' - x, relative to ||d||^2 where nothing else is said.

    Attributes:
        low_share: (N,), <d_low, d> / ||d||^2, the share in the low-pass part. It and high_share add up to 1.
        high_share: (N,), the share in the high-pass part.
        low_left: (N,), ||d_low||^2, which passes the purifier untouched.
        coded_left: (N,), ||c(x') - c(x)||^2 / ||d_high||^2 with c what the codes stand for: how much of the high-pass
            part of d coding lets through; above 1 where it adds to it. 0 where d has no high-pass part.
        left: (N,), ||p(x') - p(x)||^2 with p the purified image: what is left of d behind the purifier.
        astray: (N,), ||p(x') - x||^2: how far the purified image is from the clean one; above 1 where purifying moves
            it farther than the attack did.
        clean: (N, C, H, W), p(x).
        purified: (N, C, H, W), p(x').
    """

    low_share: Scores
    high_share: Scores
    low_left: Scores
    coded_left: Scores
    left: Scores
    astray: Scores
    clean: Images
    purified: Images


def _energy(images: Images) -> Scores:
    return images.square().flatten(1).sum(dim=1)


@torch.no_grad()
def perturbation_passage(purifier: AcsrPurifier, originals: Tensor, attacked: Tensor) -> PerturbationPassage:
    """Purify images before and after an attack and compare the parts.

    Args:
        purifier: made by `acsr_purifier`; both batches go through it, each with its own choice of cluster.
        originals: (N, C, H, W) in [0, 1], clean.
        attacked: of the same shape, in [0, 1]; every image must differ from its original.

    Returns:
        PerturbationPassage, in the dtype of originals.

    Raises:
        TypeError, ValueError: not a purifier of this kind, images that do not fit, or an image that was not changed.

    Source: P1, Robust Semantic Feature Purification (the coded part is "free from adversarial manipulation") and
    Discussion (strong l-infinity perturbations reach low frequencies); neither is measured there.
    """
    if not isinstance(purifier, AcsrPurifier):
        raise TypeError(f"purifier: expected an AcsrPurifier, got {type(purifier).__name__}; use acsr_purifier")
    checks.check_images(originals, "originals")
    checks.check_images(attacked, "attacked")
    if attacked.shape != originals.shape:
        raise ValueError(f"attacked: expected {tuple(originals.shape)}, as originals, got {tuple(attacked.shape)}")
    change = attacked - originals
    length = _energy(change)
    if not length.all():
        untouched = int((length == 0).nonzero()[0])
        raise ValueError(f"attacked: expected every image changed, got image {untouched} as it was; leave it out")
    before, after = purifier.in_detail(originals), purifier.in_detail(attacked)
    low, high = after.low - before.low, after.high - before.high
    coded, high_energy = _energy(after.reconstructed - before.reconstructed), _energy(high)
    floor = torch.finfo(high_energy.dtype).eps * length  # rounding errors of a perturbation that is low-pass only
    return PerturbationPassage(
        low_share=(low * change).flatten(1).sum(dim=1) / length,
        high_share=(high * change).flatten(1).sum(dim=1) / length,
        low_left=_energy(low) / length,
        coded_left=torch.where(high_energy > floor, coded / high_energy.clamp_min(floor), 0.0),
        left=_energy(after.images - before.images) / length,
        astray=_energy(after.images - originals) / length,
        clean=before.images,
        purified=after.images,
    )
