"""PerC-AL: alternate between fooling the model and lowering the perceptual color difference."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.eight_bit import round_to_eight_bits
from blindspots.attacks.gradients import check_attack, logit_margin, loss_gradient, unit_vectors
from blindspots.attacks.model import judged
from blindspots.attacks.result import AttackResult, misclassified
from blindspots.perception.color import check_color_images, ciede2000, rgb_to_lab
from blindspots.types import Classifier, Images, Scores

RANKINGS = ("candidate", "before_step")
_LOSS_DECAY = 0.01
_COLOR_DECAY = 0.1


def color_distances(images: Tensor, references: Tensor) -> Scores:
    """Return the L2 norms (N,) of the CIEDE2000 maps between images and references (N, 3, H, W) in [0, 1]."""
    return _norms(ciede2000(rgb_to_lab(references), rgb_to_lab(images)))


def _norms(maps: Tensor) -> Scores:
    return torch.linalg.vector_norm(maps, dim=(1, 2))


def _color_gradient(images: Images, labs: Tensor) -> Images:
    with torch.enable_grad():
        leaf = images.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(_norms(ciede2000(labs, rgb_to_lab(leaf))).sum(), leaf)
    return gradient


def _margins(model: Classifier, images: Images, labels: Tensor) -> Scores:
    with judged(model), torch.no_grad():
        logits = model(images)
    checks.check_logits(logits, images.shape[0])
    return logit_margin(logits, labels.long())


def perc_al(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    steps: int = 1000,
    loss_step_size: float | int = 1.0,
    color_step_size: float | int = 0.1,
    confidence: float | int = 0.0,
    quantize: bool = True,
    ranking: str = "candidate",
) -> AttackResult:
    r"""Step along the loss while an image is not adversarial, and down the color difference while it is.

    In step k of K, with g the gradient of the cross-entropy and d that of ||dE||_2, the norm of the CIEDE2000
    map to the original,
        not adversarial:  x <- x + alpha_k g / ||g||_2        alpha_k from loss_step_size to its hundredth
        adversarial:      x <- x - beta_k d / ||d||_2         beta_k from color_step_size to its tenth
    along half a cosine, then a clamp to [0, 1]. The candidate is x rounded to 8 bits; it is adversarial if its
    margin max_{i != y} logit_i - logit_y is > confidence. The adversarial candidate with the smallest ||dE||_2
    is returned, the original where there was none.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, 3, H, W), RGB in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        steps: K, at least 1; every image takes them all, but for those whose margin exceeds the confidence
            already: these come back unchanged.
        loss_step_size: first L2 length of a step along the loss, in units of the [0, 1] range, > 0.
        color_step_size: first L2 length of a step down the color difference, > 0. The authors take 0.1 for
            untargeted attacks and 0.5 for targeted ones.
        confidence: margin in logits that a candidate has to exceed, >= 0.
        quantize: judge, and return, images rounded to 8 bits; otherwise as they are.
        ranking: "candidate" ranks candidates by their own color difference. "before_step" does as the
            released code: by that of the image before the color step, clamp and rounding of the same
            iteration.

    Returns:
        AttackResult; distances are ||dE||_2 of the returned images, gradient_evaluations counts gradients of
        the model (each image costs a forward pass per step besides). stalled marks images whose loss gradient
        became exactly 0 while they were not adversarial; they stop there.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: Zhao, Liu and Larson (2020), Algorithm 2, with the constants of the released code.
    Differs from the paper: nothing. From the released code: it takes any confidence but 0 as 40; here it is
    the margin itself. It ranks candidates by another image's color difference: measured before the color step,
    clamp and rounding of the iteration; that is kept as an option, see ranking. It normalizes by
    (x - 0.5) / 0.5 before the model; here that is the model's affair. Its first mask is of bytes, which
    torch no longer wants as an index; here masks are Boolean throughout. A gradient of exactly 0 makes its
    image NaN. Its colors break at black, where L* is -16 instead of 0, so any change of a
    black pixel costs 8 or more, and its CIEDE2000 takes 39 degrees for 30; here both are as defined. It does
    not ask about an image before its first step, so a misclassified one moves; here it is its own best
    candidate and comes back as it was, which also is how adv-lib's port has it.
    """
    check_attack(images, labels)
    check_color_images(images)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    checks.check_number(loss_step_size, "loss_step_size", above=0.0)
    checks.check_number(color_step_size, "color_step_size", above=0.0)
    checks.check_number(confidence, "confidence", at_least=0.0)
    checks.check_choice(ranking, "ranking", RANKINGS)

    originals = images.detach()
    labs = rgb_to_lab(originals)
    current, best = originals.clone(), originals.clone()
    best_distances = images.new_full(images.shape[:1], float("inf"))
    adversarial = torch.zeros(images.shape[0], dtype=torch.bool, device=images.device)
    stalled, finished = adversarial.clone(), adversarial.clone()
    taken = torch.zeros_like(adversarial, dtype=torch.long)
    evaluations = taken.clone()
    for step in range(steps):
        share = 0.5 * (1.0 + math.cos(math.pi * step / steps))
        pushed = (~adversarial & ~stalled & ~finished).nonzero().squeeze(1)
        pulled = adversarial.nonzero().squeeze(1)
        if pushed.numel() > 0:
            # Only originals may be finished; later a margin counts after rounding.
            gradients, done = loss_gradient(
                model, current[pushed], labels[pushed], stop_above=confidence if step == 0 else None
            )
            finished[pushed] = done
            pushed, gradients = pushed[~done], gradients[~done]
            units, zero = unit_vectors(gradients)
            current[pushed] += loss_step_size * (_LOSS_DECAY + (1.0 - _LOSS_DECAY) * share) * units
            evaluations[pushed] += 1
            taken[pushed] += (~zero).long()
            stalled[pushed] = zero
        if pushed.numel() + pulled.numel() == 0:
            break
        before = current.clone() if ranking == "before_step" else None
        if pulled.numel() > 0:
            units, zero = unit_vectors(_color_gradient(current[pulled], labs[pulled]))
            current[pulled] -= color_step_size * (_COLOR_DECAY + (1.0 - _COLOR_DECAY) * share) * units
            taken[pulled] += (~zero).long()
        current.clamp_(0.0, 1.0)

        moved = torch.cat([pushed, pulled]).sort().values
        candidates = round_to_eight_bits(current[moved]) if quantize else current[moved]
        found = _margins(model, candidates, labels[moved]) > confidence
        adversarial[moved] = found
        stalled[moved] &= ~found
        if found.any():
            candidates, moved = candidates[found], moved[found]
            ranked = candidates if before is None else before[moved]
            with torch.no_grad():
                distances = _norms(ciede2000(labs[moved], rgb_to_lab(ranked)))
            better = distances < best_distances[moved]
            best[moved[better]] = candidates[better]
            best_distances[moved[better]] = distances[better]

    return AttackResult(
        images=best,
        success=misclassified(model, best, labels),
        steps=taken,
        gradient_evaluations=evaluations,
        distances=color_distances(best, originals),
        stalled=stalled,
    )
