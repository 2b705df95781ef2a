"""P1's attacks at a table's strength: an L2 length that each image meets, or stays below."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.comparison import NamedAttack
from blindspots.attacks.gradients import check_attack, loss_gradient, unit_vectors
from blindspots.attacks.result import AttackResult, l2_distances, linf_distances, misclassified
from blindspots.attacks.standard_attack import standard_attack
from blindspots.types import Classifier, Flags, Images, Scores

STRENGTH_ATTACKS = ("fgsm", "bim", "deepfool", "cw")
READINGS = ("relative", "absolute")
DIRECTIONS = ("sign", "gradient")
_HALVINGS = 60
_COLUMNS = {
    "FGSM .08": ("fgsm", 0.08),
    "FGSM .04": ("fgsm", 0.04),
    "BIM": ("bim", 0.04),
    "DeepFool": ("deepfool", 0.04),
    "CW": ("cw", 0.04),
}


def strength_radii(images: Tensor, strength: float | int, *, reading: str = "relative") -> Scores:
    """Return the L2 length (N,) that a strength stands for, in units of the [0, 1] range.

    Args:
        images: (N, C, H, W) in [0, 1], the originals x.
        strength: > 0.
        reading: "relative": strength ||x||_2, so that ||x' - x||_2 / ||x||_2 is the strength, 0 for a black
            image; "absolute": strength itself.

    Raises:
        TypeError, ValueError: bad images or options.
    """
    checks.check_images(images)
    checks.check_number(strength, "strength", above=0.0)
    checks.check_choice(reading, "reading", READINGS)
    if reading == "absolute":
        return images.new_full((len(images),), float(strength))
    return strength * torch.linalg.vector_norm(images.detach().flatten(1), dim=1)


def _per_image(values: Scores) -> Tensor:
    return values[:, None, None, None]


def _met(originals: Images, directions: Images, radii: Scores) -> Images:
    """Return clip(x + t d) at L2 distance radius from x: the distance grows with t, so t is found by halving.

    Where even the corner of [0, 1] that d points to is nearer than the radius, that corner comes back.
    """
    wide, rays = originals.double(), directions.double()
    wanted = radii.double()

    def moved(lengths: Scores) -> Images:
        return (wide + _per_image(lengths) * rays).clamp(0.0, 1.0)

    smallest = torch.where(rays == 0, float("inf"), rays.abs()).amin(dim=(1, 2, 3))
    last = torch.where(smallest.isfinite() & (wanted > 0), 1.0 / smallest, 0.0)  # every moving pixel is at its bound
    reachable = l2_distances(moved(last), wide) > wanted
    low, high = torch.zeros_like(last), torch.minimum(wanted, last)
    while (short := reachable & (l2_distances(moved(high), wide) <= wanted)).any():
        low, high = torch.where(short, high, low), torch.where(short, torch.minimum(2.0 * high, last), high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        beyond = l2_distances(moved(middle), wide) > wanted
        low, high = torch.where(beyond, low, middle), torch.where(beyond, middle, high)
    return moved(torch.where(reachable, low, last)).to(originals.dtype)


def _drawn_back(originals: Images, attacked: Images, radii: Scores) -> Images:
    """Return x + c (x' - x) with the largest c <= 1 that keeps within the radius."""
    lengths = l2_distances(attacked, originals)
    shares = torch.where(lengths > radii, radii / lengths.clamp_min(torch.finfo(lengths.dtype).tiny), 1.0)
    return torch.where(
        _per_image(shares) < 1.0, originals + _per_image(shares) * (attacked - originals), attacked
    ).clamp(0.0, 1.0)


def _directions(model: Classifier, images: Images, labels: Tensor, direction: str) -> tuple[Images, Flags]:
    """Return where to go, of unit L2 length, and which gradients (N,) were exactly 0."""
    gradients, _ = loss_gradient(model, images, labels)
    return unit_vectors(gradients.sign() if direction == "sign" else gradients)


def _fgsm(model: Classifier, images: Images, labels: Tensor, radii: Scores, direction: str) -> tuple[Images, Flags]:
    directions, stalled = _directions(model, images, labels, direction)
    return _met(images, directions, radii), stalled


def _bim(
    model: Classifier, images: Images, labels: Tensor, radii: Scores, direction: str, steps: int, step_share: float
) -> tuple[Images, Flags]:
    attacked, stalled = images, torch.ones_like(labels, dtype=torch.bool)
    for _ in range(steps):
        directions, zero = _directions(model, attacked, labels, direction)
        stalled &= zero
        moved = (attacked + _per_image(step_share * radii) * directions).clamp(0.0, 1.0)
        attacked = _drawn_back(images, moved, radii)
    return _met(images, attacked - images, radii), stalled


def attack_at_strength(
    name: str,
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    strength: float | int,
    reading: str = "relative",
    direction: str = "sign",
    steps: int = 100,
    step_share: float | int = 0.1,
    search_steps: int = 9,
) -> AttackResult:
    r"""Run FGSM, BIM, DeepFool or CW at an L2 strength, image by image.

    With radius the length that the strength stands for (`strength_radii`):

    | name | what it does | ||x' - x||_2 |
    |---|---|---|
    | fgsm | clip(x + t d), d of the loss at x, t such that the radius is met | = radius |
    | bim | steps of length step_share radius, after each into [0, 1] and back to the ball; then as fgsm | = radius |
    | deepfool | the smallest change it finds; if longer than radius, shortened along itself | <= radius |
    | cw | likewise | <= radius |

    fgsm and bim meet the radius to 1e-3 of it, unless the loss has no gradient, or the corner of [0, 1] that the
    direction points to is nearer; then that corner is returned. A shortened change need not fool the model any more:
    success is judged on what is returned. An image that is misclassified already is left alone by deepfool and cw
    only.

    Args:
        name: one of the above.
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attacks are untargeted.
        strength: the paper takes 0.08 and 0.04 for fgsm, 0.04 for the others.
        reading: "relative" to ||x||_2, or "absolute" in units of the [0, 1] range; see `strength_radii`.
        direction: of fgsm and bim: "sign" of the gradient, as these attacks are defined, or the "gradient" itself,
            which is the steepest way at a given L2 length. The others do not take it.
        steps: of bim, deepfool and of each search of cw, at least 1. fgsm takes one.
        step_share: length of a step of bim as a share of the radius, > 0.
        search_steps: values that cw tries for its constant, at least 1.

    Returns:
        AttackResult; distances are L2 in units of the [0, 1] range. steps and gradient_evaluations are as
        `standard_attack` counts them. stalled marks images whose gradient was exactly 0 in every step of fgsm or bim;
        None for the others.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: P1, experimental setup: "l2norm < 0.08" and "< 0.04", 100 iterations; FGSM: Goodfellow et al. (2015); BIM:
    Kurakin et al. (2017); DeepFool: Moosavi-Dezfooli et al. (2016); CW: Carlini and Wagner (2017), the last two through
    foolbox.
    Differs from the paper: it says neither what the norm is taken of nor how it is met. The work whose setting it
    follows (Guo et al., 2018; Sun et al., 2019) divides by ||x||_2, hence the default; absolute, 0.04 is less than one
    grey level per pixel on 32x32 colors. It does not name the step of BIM.
    """
    checks.check_choice(name, "name", STRENGTH_ATTACKS)
    check_attack(images, labels)
    checks.check_choice(direction, "direction", DIRECTIONS)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    checks.check_number(step_share, "step_share", above=0.0)
    checks.check_number(search_steps, "search_steps", at_least=1, integer=True)
    radii = strength_radii(images, strength, reading=reading)
    originals = images.detach()
    if name in ("deepfool", "cw"):
        options = dict(search_steps=search_steps) if name == "cw" else {}
        found = standard_attack(name, model, originals, labels, epsilon=None, norm="l2", steps=steps, **options)
        attacked = _drawn_back(originals, found.images, radii)
        return replace(
            found, images=attacked, success=misclassified(model, attacked, labels),
            distances=l2_distances(attacked, originals),
        )  # fmt: skip
    if name == "fgsm":
        steps = 1
        attacked, stalled = _fgsm(model, originals, labels, radii, direction)
    else:
        attacked, stalled = _bim(model, originals, labels, radii, direction, steps, float(step_share))
    taken = torch.full_like(labels, steps, dtype=torch.long)
    return AttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=torch.where(stalled, 0, taken),
        gradient_evaluations=taken,
        distances=l2_distances(attacked, originals),
        stalled=stalled,
    )


def fgsm_sweep(
    model: Classifier, images: Tensor, labels: Tensor, *, epsilons: tuple[float | int, ...]
) -> tuple[AttackResult, ...]:
    r"""Run l-infinity FGSM at several radii with a single gradient: clip(x + epsilon sign grad).

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes.
        epsilons: radii in units of the [0, 1] range, each > 0, at least one.

    Returns:
        One AttackResult per radius, in order, as `standard_attack("fgsm", norm="linf")` gives it; distances are
        l-infinity. Each counts the one gradient.

    Raises:
        TypeError, ValueError: bad images, labels, radii or logits.

    Source: P1 Figure 4; Goodfellow et al. (2015).
    """
    check_attack(images, labels)
    if not epsilons:
        raise ValueError("epsilons: expected at least one radius, got none")
    for epsilon in epsilons:
        checks.check_number(epsilon, "epsilons", above=0.0)
    originals = images.detach()
    gradients, _ = loss_gradient(model, originals, labels)
    stalled = (gradients == 0).flatten(1).all(dim=1)
    results = []
    for epsilon in epsilons:
        attacked = (originals + epsilon * gradients.sign()).clamp(0.0, 1.0)
        results.append(
            AttackResult(
                images=attacked,
                success=misclassified(model, attacked, labels),
                steps=(~stalled).long(),
                gradient_evaluations=torch.ones_like(labels, dtype=torch.long),
                distances=linf_distances(attacked, originals),
                stalled=stalled,
            )
        )
    return tuple(results)


def strength_table_attacks(
    *, reading: str = "relative", direction: str = "sign", steps: int = 100, search_steps: int = 9
) -> dict[str, NamedAttack]:
    """Return the attacks of P1's Tables 2 to 4, in their order: "FGSM .08", "FGSM .04", "BIM", "DeepFool", "CW".

    Args:
        reading: of the strengths, "relative" or "absolute"; see `attack_at_strength`.
        direction: of FGSM and BIM, "sign" or "gradient".
        steps: of BIM, DeepFool and each search of CW.
        search_steps: of CW.

    Returns:
        By name; each has its settings, so that `compare_attacks` can keep its rows.

    Source: P1, Tables 2, 3 and 4.
    """

    checks.check_choice(reading, "reading", READINGS)
    checks.check_choice(direction, "direction", DIRECTIONS)

    def column(name: str, strength: float) -> NamedAttack:
        options = dict(
            strength=strength, reading=reading, direction=direction, steps=steps, search_steps=search_steps
        )  # fmt: skip
        return NamedAttack(
            lambda model, images, labels: attack_at_strength(name, model, images, labels, **options),
            settings={"attack": "attack_at_strength", "name": name} | options,
        )

    return {title: column(*settings) for title, settings in _COLUMNS.items()}
