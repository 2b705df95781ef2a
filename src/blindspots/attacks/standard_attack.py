"""The attacks everybody knows, from foolbox behind this package's contract, and TPGD."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.attacks.gradients import check_attack, check_differentiable, logit_margin
from blindspots.attacks.model import judged
from blindspots.attacks.result import AttackResult, l2_distances, linf_distances, misclassified
from blindspots.attacks.tpgd import tpgd
from blindspots.types import Classifier, Flags


@dataclass(frozen=True)
class _Entry:
    classes: dict[str, str]
    options: tuple[str, ...]
    needs_epsilon: bool = True
    random_start: bool = False


_STEPPING = ("steps", "step_size", "random_start")
_ENTRIES = {
    "fgsm": _Entry({"linf": "LinfFastGradientAttack", "l2": "L2FastGradientAttack"}, ("random_start",)),
    "bim": _Entry({"linf": "LinfBasicIterativeAttack", "l2": "L2BasicIterativeAttack"}, _STEPPING),
    "pgd": _Entry(
        {"linf": "LinfProjectedGradientDescentAttack", "l2": "L2ProjectedGradientDescentAttack"},
        _STEPPING,
        random_start=True,
    ),
    "deepfool": _Entry(
        {"linf": "LinfDeepFoolAttack", "l2": "L2DeepFoolAttack"}, ("steps", "candidates", "overshoot"), False
    ),
    "cw": _Entry(
        {"l2": "L2CarliniWagnerAttack"}, ("steps", "step_size", "confidence", "search_steps", "initial_constant"), False
    ),
    "tpgd": _Entry({"linf": "tpgd"}, ("steps", "step_size", "random_start"), random_start=True),
}
STANDARD_ATTACKS = tuple(_ENTRIES)
_RANGES = {
    "steps": dict(at_least=1, integer=True),
    "step_size": dict(above=0.0),
    "candidates": dict(at_least=2, integer=True),
    "overshoot": dict(at_least=0.0),
    "confidence": dict(at_least=0.0),
    "search_steps": dict(at_least=1, integer=True),
    "initial_constant": dict(above=0.0),
}
_FOOLBOX_NAMES = {"search_steps": "binary_search_steps", "initial_constant": "initial_const"}


class _Insulated(torch.autograd.Function):
    """Ask a model so that a backward pass through the logits reaches the images and nothing else.

    foolbox calls loss.backward(), which would add to the `.grad` of the model's parameters.
    """

    @staticmethod
    def forward(ctx, images: Tensor, questions: _Questions) -> Tensor:
        with torch.enable_grad():
            leaf = images.detach().requires_grad_(True)
            logits = questions.answer(leaf)
            check_differentiable(logits)
        ctx.leaf, ctx.logits, ctx.questions = leaf, logits, questions
        return logits.detach().clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        ctx.questions.n_gradients += 1
        (pulled,) = torch.autograd.grad(ctx.logits, ctx.leaf, gradient)
        # The extremes carry NaN and infinity along, and cost a tenth of a look at every value.
        checks.check_finite(torch.stack(torch.aminmax(pulled)), "the model's gradient")
        return pulled, None


class _Questions(nn.Module):
    """What foolbox takes for the model: it hides the real one, so that nothing moves it, and counts gradients."""

    def __init__(self, model: Classifier, labels: Tensor) -> None:
        super().__init__()
        self._ask, self._labels = [model], labels
        self._last: tuple[Tensor, Tensor] | None = None
        self.n_gradients = 0
        self.eval()

    def answer(self, images: Tensor) -> Tensor:
        logits = self._ask[0](images)
        checks.check_logits(logits, images.shape[0])
        checks.check_labels(self._labels, images.shape[0], n_classes=logits.shape[1])
        return logits

    def forward(self, images: Tensor) -> Tensor:
        if images.requires_grad:
            return _Insulated.apply(images, self)
        with torch.no_grad():
            logits = self.answer(images)
        self._last = images, logits
        return logits

    def verdict(self, images: Tensor) -> Flags:
        """Return whether the images (N, C, H, W) are misclassified (N,).

        foolbox ends by asking about the images it returns; if it was about these very ones, asking again would
        only cost time: a fifth of fgsm's.
        """
        if self._last is not None and torch.equal(self._last[0], images):
            return logit_margin(self._last[1], self._labels.long()) > 0
        return misclassified(self._ask[0], images, self._labels)


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Keep foolbox's logging.info from installing a handler that writes to stderr."""
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)


def _random_start(norm: str, generator: torch.Generator) -> Callable:
    """Return foolbox's uniform start in the ball, drawn on the CPU from a generator."""

    def start(x0, epsilon: float):
        raw = x0.raw
        options = dict(generator=generator, dtype=raw.dtype)
        if norm == "linf":
            noise = torch.rand(raw.shape, **options) * (2.0 * epsilon) - epsilon
        else:
            # The first n coordinates of a point on the sphere in n + 2 dimensions are uniform in the ball.
            normal = torch.randn(raw.shape[0], raw[0].numel() + 2, **options)
            # As foolbox writes the norm: one bit less in float32 can end on another side of a ReLU.
            inside = normal / normal.square().sum(dim=1, keepdim=True).sqrt()
            noise = (epsilon * inside[:, : raw[0].numel()]).view(raw.shape)
        return type(x0)(raw + noise.to(raw.device))

    return start


def _watched_criterion(labels: Tensor):
    """Return foolbox's misclassification, noting for each image how often it was asked about and not yet flipped,
    and whether it ever flipped, the last question left out.
    """
    import foolbox

    class Watched(foolbox.criteria.Misclassification):
        def __init__(self) -> None:
            super().__init__(labels)
            self.misses, self.found, self.last = torch.zeros_like(labels), torch.zeros_like(labels).bool(), None

        def __call__(self, perturbed, outputs):
            flipped = super().__call__(perturbed, outputs)
            if self.last is not None:
                self.misses += (~self.last).long()
                self.found |= self.last
            self.last = flipped.raw if hasattr(flipped, "raw") else flipped
            return flipped

    return Watched()


def standard_attack(
    name: str,
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int | None,
    norm: str,
    steps: int | None = None,
    step_size: float | int | None = None,
    random_start: bool | None = None,
    generator: torch.Generator | None = None,
    candidates: int | None = None,
    overshoot: float | int | None = None,
    confidence: float | int | None = None,
    search_steps: int | None = None,
    initial_constant: float | int | None = None,
) -> AttackResult:
    r"""Run one of the standard attacks: fgsm, bim, pgd, deepfool and cw as foolbox has them, and tpgd.

    None stands for foolbox's default. An option that an attack does not take is an error.

    | name | norm | steps | step_size | further options |
    |---|---|---|---|---|
    | fgsm | linf, l2 | 1, always | epsilon, always | random_start (no) |
    | bim | linf, l2 | 10 | epsilon / 5 | random_start (no) |
    | pgd | linf, l2 | 40; 50 for l2 | epsilon / 30; epsilon / 40 for l2 | random_start (yes) |
    | deepfool | linf, l2 | 50 | | candidates (10), overshoot (0.02) |
    | cw | l2 | 10000 | 0.01 | confidence (0), search_steps (9), initial_constant (0.001) |
    | tpgd | linf | 10 | epsilon / 4 | random_start (yes: noise of 0.001) |

    Args:
        name: one of the above.
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attacks are untargeted.
        epsilon: radius of the ball in the norm, in units of the [0, 1] range, > 0. None, for deepfool and cw
            only: the smallest change they find; with a radius that change is clipped to it.
        norm: "linf" or "l2", the norm of the ball or of what is minimized.
        steps: at least 1.
        step_size: length of a step in the norm, > 0; for cw the rate of its Adam.
        random_start: start uniformly in the ball.
        generator: CPU generator of the random start; needed if there is one.
        candidates: most likely classes that deepfool looks at, at least 2.
        overshoot: share by which deepfool goes beyond the boundary it sees, >= 0.
        confidence: margin in logits that cw aims for, >= 0.
        search_steps: values that cw tries for its constant, at least 1.
        initial_constant: the first of them, > 0.

    Returns:
        AttackResult; distances are in the norm. steps are updates of the image, counted per image for
        deepfool. gradient_evaluations counts foolbox's backward passes, which take every image each time,
        finished or not; deepfool takes one per candidate. stalled is None, except for tpgd.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits; an option that is not this attack's.

    Source: Goodfellow et al. (2015), Kurakin et al. (2017), Madry et al. (2018), Moosavi-Dezfooli et al.
    (2016), Carlini and Wagner (2017), through foolbox (Rauber et al., 2020); tpgd: Zhang et al. (2019).
    Differs from foolbox: where cw finds nothing, foolbox returns a black image, which may even count as a
    success; here the original comes back. The start is drawn from the generator, in foolbox's way, instead of
    from torch's global one. Parameters' gradients, the model's mode and the root logger stay as they were. As
    in foolbox, cw stops a search when the loss of the whole batch stops falling, so its images depend on
    their batch.
    """
    checks.check_choice(name, "name", STANDARD_ATTACKS)
    entry = _ENTRIES[name]
    checks.check_choice(norm, "norm", tuple(entry.classes))
    check_attack(images, labels)
    if epsilon is not None or entry.needs_epsilon:
        if epsilon is None:
            raise ValueError(f"epsilon: expected a radius for {name}, got None; only deepfool and cw go without")
        checks.check_number(epsilon, "epsilon", above=0.0)
    given = dict(
        steps=steps, step_size=step_size, random_start=random_start, candidates=candidates, overshoot=overshoot,
        confidence=confidence, search_steps=search_steps, initial_constant=initial_constant,
    )  # fmt: skip
    given = {key: value for key, value in given.items() if value is not None}
    for key, value in given.items():
        if key not in entry.options:
            raise ValueError(f"{key}: expected None, because {name} does not take it, got {value!r}")
        if key in _RANGES:
            checks.check_number(value, key, **_RANGES[key])
    randomly = given.get("random_start", entry.random_start)
    if randomly:
        checks.check_generator(generator)
    if name == "tpgd":
        given.pop("random_start", None)
        noise = {} if randomly else dict(start_noise=0.0)
        return tpgd(model, images, labels, epsilon=epsilon, generator=generator, **given, **noise)
    options = {_FOOLBOX_NAMES.get(key, key): value for key, value in given.items()}
    if "step_size" in options:
        options["stepsize" if name == "cw" else "abs_stepsize"] = options.pop("step_size")
    return _run_foolbox(name, model, images.detach(), labels, epsilon, norm, options, generator if randomly else None)


def _run_foolbox(
    name: str, model: Classifier, images: Tensor, labels: Tensor, epsilon: float | None, norm: str,
    options: dict, generator: torch.Generator | None,
) -> AttackResult:  # fmt: skip
    import foolbox

    attack = getattr(foolbox.attacks, _ENTRIES[name].classes[norm])(**options)
    if generator is not None:
        attack.get_random_start = _random_start(norm, generator)
    criterion = _watched_criterion(labels.long())
    questions = _Questions(model, labels)
    with judged(model), torch.enable_grad(), _root_logger_kept():
        wrapped = foolbox.PyTorchModel(questions, bounds=(0, 1), device=images.device)
        _, attacked, _ = attack(wrapped, images, criterion, epsilons=epsilon)
    attacked = attacked.detach().clamp(0.0, 1.0)
    if name == "cw":
        attacked = torch.where(criterion.found[:, None, None, None], attacked, images)
    evaluations = torch.full_like(labels, questions.n_gradients, dtype=torch.long)
    distances = linf_distances if norm == "linf" else l2_distances

    return AttackResult(
        images=attacked,
        success=questions.verdict(attacked),
        steps=criterion.misses if name == "deepfool" else evaluations,
        gradient_evaluations=evaluations,
        distances=distances(attacked, images),
    )
