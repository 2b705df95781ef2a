"""At which strength each image falls: the weakest attack, of rising strengths, that a defense misreads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import check_attack
from blindspots.attacks.result import misclassified
from blindspots.types import Classifier, Images, Labels, Scores

AttackAt = Callable[[Images, Labels, float], Images]
"""(images (N, C, H, W) in [0, 1], labels (N,), strength) -> attacked images."""


def fall_strengths(
    attack: AttackAt, judge: Classifier, images: Tensor, labels: Tensor, *, strengths: Sequence[float]
) -> Scores:
    """Return the first strength at which the judge misreads each image.

    An image that has fallen is not attacked again: what is within reach at one strength is within reach at every
    larger one, so the share of images that fall later is the accuracy over strength, and never rises.

    Args:
        attack: makes attacked images at a strength; it may follow another model than the judge, such as the
            undefended one (transfer) or a stand-in for a defense without a gradient.
        judge: images -> logits (N, K), the true defense; asked about the attacked images.
        images: (N, C, H, W) in [0, 1].
        labels: (N,).
        strengths: rising, > 0, at least one.

    Returns:
        (N,) in float64: 0 where the judge misreads the image without attack, infinity where it never falls, else one
        of the strengths.

    Raises:
        TypeError, ValueError: bad images or labels; strengths that do not rise; attacked images of another shape.

    Source: ours. P1 prints the accuracy at one strength of each attack.
    """
    check_attack(images, labels)
    for index, strength in enumerate(strengths):
        checks.check_number(strength, f"strengths[{index}]", above=0.0)
    if not len(strengths) or any(later <= earlier for earlier, later in itertools.pairwise(strengths)):
        raise ValueError(f"strengths: expected at least one, each larger than the one before, got {list(strengths)}")
    falls = torch.full((len(images),), torch.inf, dtype=torch.float64, device=images.device)
    falls[misclassified(judge, images, labels)] = 0.0
    for strength in strengths:
        standing = falls.isinf().nonzero().flatten()
        if standing.numel() == 0:
            break
        attacked = attack(images[standing], labels[standing], float(strength))
        if not isinstance(attacked, Tensor) or attacked.shape != images[standing].shape:
            got = tuple(attacked.shape) if isinstance(attacked, Tensor) else type(attacked).__name__
            raise ValueError(f"attack: expected images {tuple(images[standing].shape)}, as given, got {got}")
        falls[standing[misclassified(judge, attacked, labels[standing])]] = float(strength)
    return falls
