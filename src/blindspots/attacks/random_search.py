"""An attacker without gradients: random colored squares, kept where the model's margin moves the right way."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.attack_at_strength import strength_radii
from blindspots.attacks.gradients import check_attack, logit_margin
from blindspots.attacks.model import judged
from blindspots.attacks.result import AttackResult, l2_distances
from blindspots.types import Classifier, Images, Scores


def _within(images: Images, changes: Images, radii: Scores) -> Images:
    """Return images + changes, scaled to the radius and cut to [0, 1], which can only shorten the change."""
    lengths = l2_distances(changes, torch.zeros_like(changes)).clamp_min(torch.finfo(changes.dtype).tiny)
    return (images + changes * (radii / lengths)[:, None, None, None]).clamp(0.0, 1.0)


def random_search(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    strength: float | int,
    reading: str = "relative",
    queries: int = 100,
    generator: torch.Generator,
) -> AttackResult:
    r"""Search an L2 ball with no gradient: it asks for the logits and nothing else.

    The change starts as noise of the ball's radius. Each query adds a square of one random color at a random place, as
    long as the change itself, scales the sum to the radius, and keeps it where the margin of the wrong classes grew.
    The side of the square falls from half the image's to one pixel. Images that are misread leave the batch.

    Args:
        model: images in [0, 1] -> logits (N, K); may hide its gradient or have none.
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes.
        strength, reading: the radius, see `strength_radii`.
        queries: most questions about one image after the first about the noise, at least 1.
        generator: CPU generator.

    Returns:
        AttackResult; distances are L2, at most the radius. steps are the questions asked about an image's attacks,
        gradient_evaluations are 0. An image that is misread at the start comes back as it is, with steps 0. success is
        what the model said when the image was last kept: a model that draws at random may say something else when
        asked again.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: ours, after the idea of random search by squares (Andriushchenko et al., 2020), without its schedule.
    """
    check_attack(images, labels)
    radii = strength_radii(images, strength, reading=reading)
    checks.check_number(queries, "queries", at_least=1, integer=True)
    checks.check_generator(generator)
    originals, (_, channels, height, width) = images.detach(), images.shape

    def margins_of(batch: Images, which: Tensor) -> Scores:
        with judged(model), torch.no_grad():
            logits = model(batch)
        checks.check_logits(logits, len(batch))
        checks.check_labels(labels, len(images), n_classes=logits.shape[1])
        return logit_margin(logits, labels[which].long())

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(originals)

    everyone = torch.arange(len(images), device=images.device)
    attacked, margins = originals.clone(), margins_of(originals, everyone)
    asked = torch.zeros_like(everyone)
    for query in range(queries + 1):
        standing = (margins <= 0).nonzero().flatten()
        if standing.numel() == 0:
            break
        changes = (attacked - originals)[standing]
        if query == 0:
            changes = normal(*changes.shape)
        else:
            side = max(1, round(min(height, width) / 2 * (1 - query / queries)))
            top, left = (int(torch.randint(n - side + 1, (1,), generator=generator)) for n in (height, width))
            color = normal(len(standing), channels, 1, 1)
            length = l2_distances(color, torch.zeros_like(color))[:, None, None, None] * side
            changes[:, :, top : top + side, left : left + side] += color / length * radii[standing, None, None, None]
        tried = _within(originals[standing], changes, radii[standing])
        found = margins_of(tried, standing)
        asked[standing] += 1
        better = found > margins[standing] if query else torch.ones_like(found, dtype=torch.bool)
        attacked[standing[better]], margins[standing[better]] = tried[better], found[better]
    return AttackResult(
        images=attacked, success=margins > 0, steps=asked, gradient_evaluations=torch.zeros_like(asked),
        distances=l2_distances(attacked, originals),
    )  # fmt: skip
