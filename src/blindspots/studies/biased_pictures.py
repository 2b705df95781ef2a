"""Pictures with planted biases of known strength: drawn faces, or photographs with colored patches stamped on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.criticism.bias_recovery import planted_correlation
from blindspots.data import ATTRIBUTES, ImageSet, flip_attribute, planted_faces
from blindspots.seeding import derive_seed, generator

PATCHES = {
    "red": ((0, 0), (0.85, 0.15, 0.15)),
    "green": ((0, 1), (0.15, 0.75, 0.2)),
    "blue": ((1, 0), (0.2, 0.3, 0.9)),
    "yellow": ((1, 1), (0.95, 0.85, 0.1)),
}
"""Corner (bottom, right) and color of each patch."""

PATCH_SHARE = 0.2
"""Side of a patch, as a share of the picture's."""


@dataclass(frozen=True)
class BiasedPictures:
    """Pictures, their classes, and who has which attribute.

    Attributes:
        images: (N, C, H, W) in [0, 1].
        labels: (N,), classes.
        attributes: by name (N,); the planted ones first, then those that were left as they fell.
        counterparts: by planted attribute the same pictures (N, C, H, W) with that one changed to its opposite; empty
            unless asked for.
        planted: by planted attribute, its share in the class and in the others that was asked for.
    """

    images: Float[Tensor, "N C H W"]
    labels: Int[Tensor, " N"]
    attributes: dict[str, Bool[Tensor, " N"]]
    counterparts: dict[str, Float[Tensor, "N C H W"]]
    planted: dict[str, tuple[float, float]]

    def share(self, name: str, target: int, *, elsewhere: bool = False) -> float:
        """Return the share of a class's pictures with an attribute, or that of all other classes together."""
        mine = (self.labels == target) != elsewhere
        return self.attributes[name][mine].double().mean().item()


def biased_faces(
    n: int,
    shares: Mapping[str, tuple[float, float]],
    *,
    label: str = "smile",
    size: int = 32,
    noise: float | int = 0.0,
    counterparts: bool = False,
    seed: int,
) -> BiasedPictures:
    """Draw faces of which half have the label, and plant attributes by their share among those and the others.

    Args:
        n: faces, at least 2.
        shares: by attribute, its share in class 1 and in class 0, each in (0, 1); equal shares plant nothing.
        label: the attribute that is class 1.
        size: side in pixels, 16 to 512.
        noise: standard deviation of Gaussian noise, in units of the [0, 1] range; a pair has the same noise.
        counterparts: draw every face again with each planted attribute changed.
        seed: decides everything.

    Returns:
        BiasedPictures; all of `data.ATTRIBUTES` but the label, of which those not planted fall evenly.

    Raises:
        TypeError, ValueError: an unknown attribute, shares out of range, bad sizes.

    Source: P4 Section 3.4, whose attribute cannot be labeled without judging people; these are drawings.
    """
    checks.check_number(noise, "noise", at_least=0.0)
    if label in shares:
        raise ValueError(f"shares: expected attributes other than the label, got {label!r}")
    asked = {name: planted_correlation(*pair) for name, pair in shares.items()}
    faces = planted_faces(
        n,
        seed=seed,
        size=size,
        label=label,
        prevalences={name: prevalence for name, (prevalence, _) in asked.items()},
        correlations={(name, label): phi for name, (_, phi) in asked.items()},
    )
    grain = noise * torch.randn(faces.images.shape, generator=generator(seed, "biased faces", "noise"))
    others = [name for name in ATTRIBUTES if name not in shares and name != label]
    flipped = {name: flip_attribute(faces, name).images for name in shares} if counterparts else {}
    return BiasedPictures(
        images=(faces.images + grain).clamp(0, 1),
        labels=faces.labels,
        attributes={name: faces.groups[name].bool() for name in [*shares, *others]},
        counterparts={name: (images + grain).clamp(0, 1) for name, images in flipped.items()},
        planted=dict(shares),
    )


def stamped_pictures(
    pictures: ImageSet,
    n: int,
    shares: Mapping[str, tuple[float, float]],
    *,
    target: int,
    opacity: float | int = 1.0,
    counterparts: bool = False,
    seed: int,
) -> BiasedPictures:
    """Take pictures at random and stamp colored patches on shares of one class and of the others.

    Args:
        pictures: images (N, 3, H, W) in [0, 1] with labels.
        n: how many to take, 1 to N.
        shares: by patch ("red", "green", "blue", "yellow"), its share in the class and elsewhere, each in (0, 1).
            Patches that are not named are stamped on half of either.
        target: the class.
        opacity: of the patches, above 0, at most 1.
        counterparts: make every picture again with each named patch put on or left off.
        seed: decides which pictures, and who gets a patch.

    Returns:
        BiasedPictures; shares are met up to rounding of counts.

    Raises:
        TypeError, ValueError: an unknown patch, shares out of range, a class that is missing among those taken.

    Source: P4 Section 3.4's hypothesis, with a patch for an attribute, which can be changed and leaves the rest alone.
    """
    checks.check_images(pictures.images)
    checks.check_number(n, "n", at_least=1, at_most=len(pictures), integer=True)
    checks.check_number(opacity, "opacity", above=0.0, at_most=1.0)
    for name, pair in shares.items():
        checks.check_choice(name, "shares", tuple(PATCHES))
        planted_correlation(*pair)
    rows = torch.randperm(len(pictures), generator=generator(seed, "stamped", "rows"))[:n]
    plain, labels = pictures.images[rows], pictures.labels[rows]
    mine = labels == target
    if not mine.any() or mine.all():
        raise ValueError(f"target: expected pictures of class {target} and of others among the {n} taken")
    attributes = {}
    for name in [*shares, *(patch for patch in PATCHES if patch not in shares)]:
        has = torch.zeros(n, dtype=torch.bool)
        for members, share in zip((mine, ~mine), shares.get(name, (0.5, 0.5)), strict=True):
            of = members.nonzero().flatten()
            order = torch.randperm(len(of), generator=generator(derive_seed(seed, name), "stamped", len(of)))
            has[of[order[: round(share * len(of))]]] = True
        attributes[name] = has
    flipped = {name: attributes | {name: ~attributes[name]} for name in shares} if counterparts else {}
    return BiasedPictures(
        images=_stamped(plain, attributes, opacity),
        labels=labels,
        attributes=attributes,
        counterparts={name: _stamped(plain, has, opacity) for name, has in flipped.items()},
        planted=dict(shares),
    )


def _stamped(images: Tensor, attributes: Mapping[str, Tensor], opacity: float) -> Tensor:
    made = images.clone()
    height, width = (max(1, round(PATCH_SHARE * side)) for side in images.shape[-2:])
    for name, has in attributes.items():
        (bottom, right), color = PATCHES[name]
        tall = slice(-height, None) if bottom else slice(height)
        wide = slice(-width, None) if right else slice(width)
        ink = made.new_tensor(color).view(1, 3, 1, 1)
        made[has, :, tall, wide] = torch.lerp(made[has, :, tall, wide], ink, opacity)
    return made
