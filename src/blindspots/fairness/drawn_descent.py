"""Plain gradient steps on rows drawn beforehand, for one classifier or for many at once."""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from blindspots import checks
from blindspots.borrowed import judged

PATHS = ("stacked", "one_by_one")
STACKED_MODELS = 5  # at 16 px three were slower stacked, ten twice as fast
STACKED_PIXELS = 8192  # per model and step; on a CPU stacking won at 4,096 and lost at 16,384, whatever the image size
_LOOK_EVERY = 64  # steps between two looks at the losses; each makes a GPU wait

Factors = Callable[[Tensor, Tensor], Tensor]
"""(losses (S, B) before the step, rows (S, B)) -> what multiplies each image's gradient (S, B); may keep a state."""


@dataclass(frozen=True)
class Descent:
    """What S trainings of one architecture gave.

    Attributes:
        states: one state dictionary per model, on the CPU.
        losses: (S, steps) float64, mean cross-entropy of each step's batch before the step, unweighted; NaN after a
            training was given up.
        diverged_at: per model, the first step, counted from 1, whose loss or resulting weights are not finite; None if
            all are.
        seconds: wall time of all.
        path: "stacked" or "one_by_one".
    """

    states: tuple[dict[str, Tensor], ...]
    losses: Tensor
    diverged_at: tuple[int | None, ...]
    seconds: float
    path: str

    def load(self, model: nn.Module, place: int = 0) -> nn.Module:
        """Give a model of this architecture the weights of training `place`, and return it."""
        model.load_state_dict(self.states[place])
        return model


def drawn_descent(
    models: Sequence[nn.Module],
    images: Tensor,
    labels: Tensor,
    rows: Tensor,
    make_factors: Callable[[int], Factors],
    *,
    learning_rate: float | int,
    path: str | None = None,
    progress: bool = False,
) -> Descent:
    r"""Train S classifiers by theta <- theta - learning_rate mean_b c_b grad l(theta; image b), each on its own rows.

    The models stay as they are. They train in evaluation mode: batch normalization keeps its statistics, dropout does
    nothing. "stacked" computes all models in one call (`torch.func.vmap`), which saves calls where these cost more than
    arithmetic: few images per step, small images, a GPU. "one_by_one" is the plain loop. Both give the same up to the
    order of sums.

    Args:
        models: S modules of one architecture, images (n, C, H, W) -> logits (n, K); one may stand there repeatedly.
        images: (M, C, H, W) in [0, 1]; moved to the models batch by batch.
        labels: (M,), 0 to K - 1.
        rows: (S, steps, B) on the CPU.
        make_factors: number of models -> Factors for them; called once if stacked, else once per model.
        learning_rate: > 0.
        path: "stacked" or "one_by_one"; None for what was measured to be faster (`faster_path`).
        progress: show a bar once it has taken three seconds.

    Returns:
        Descent.

    Raises:
        TypeError, ValueError: models without weights to train or of different architectures, labels beyond their
            classes, rows that do not fit, or an option out of range.
    """
    checks.check_number(learning_rate, "learning_rate", above=0.0)
    if path is not None:
        checks.check_choice(path, "path", PATHS)
    _check_models(models, images, labels)
    if rows.ndim != 3 or len(rows) != len(models) or not rows.numel():
        raise ValueError(f"rows: expected ({len(models)}, steps, B), one set per model, got {tuple(rows.shape)}")
    low, high = (bound.item() for bound in torch.aminmax(rows))
    if low < 0 or high >= len(images):
        raise ValueError(f"rows: expected rows from 0 to {len(images) - 1}, got values from {low} to {high}")
    if path is None:
        path = faster_path(len(models), images, rows.shape[2], next(models[0].parameters()).device)
    started = time.perf_counter()
    train = _stacked if path == "stacked" else _one_by_one
    with tqdm(
        total=len(models) * rows.shape[1], desc="training", unit="step", disable=not progress, delay=3, leave=False,
        mininterval=0.2 if sys.stderr.isatty() else 15.0,
    ) as bar:  # fmt: skip
        states, losses, diverged = train(models, images, labels, rows, make_factors, float(learning_rate), bar)
    return Descent(states, losses, diverged, time.perf_counter() - started, path)


def faster_path(n_models: int, images: Tensor, batch_size: int, device: torch.device) -> str:
    """Return "stacked" or "one_by_one", whichever was faster in `benchmarks/test_many_models.py`.

    On a CPU stacking gains from five models on and up to 8,192 pixels per model and step, batch_size times H W. On a
    GPU, which was not measured, two models and more are stacked.

    Args:
        n_models: S.
        images: (M, C, H, W).
        batch_size: images per model and step.
        device: of the models.
    """
    if device.type != "cpu":
        return "stacked" if n_models > 1 else "one_by_one"
    few_pixels = batch_size * images.shape[-2] * images.shape[-1] <= STACKED_PIXELS
    return "stacked" if n_models >= STACKED_MODELS and few_pixels else "one_by_one"


def _check_models(models: Sequence[nn.Module], images: Tensor, labels: Tensor) -> None:
    if not models:
        raise ValueError("models: expected at least one, got none")
    first = models[0]
    trained = [value for value in first.parameters() if value.requires_grad]
    if not trained:
        raise ValueError("models: expected parameters that require gradients, got none; use requires_grad_(True)")
    shapes = {name: (value.shape, value.dtype) for name, value in first.state_dict().items()}
    for place, other in enumerate(models):
        if other is not first and {n: (v.shape, v.dtype) for n, v in other.state_dict().items()} != shapes:
            raise ValueError(f"models: expected one architecture and dtype, got another at place {place}")
    with judged(first), torch.no_grad():
        logits = first(images[:1].to(trained[0].device, trained[0].dtype))
    checks.check_logits(logits, 1)
    checks.check_labels(labels, len(images), n_classes=logits.shape[1])


def _one_by_one(
    models: Sequence[nn.Module],
    images: Tensor,
    labels: Tensor,
    rows: Tensor,
    make_factors: Callable[[int], Factors],
    learning_rate: float,
    bar: tqdm,
) -> tuple[tuple[dict[str, Tensor], ...], Tensor, tuple[int | None, ...]]:
    n_models, n_steps = rows.shape[:2]
    losses = torch.full((n_models, n_steps), float("nan"), dtype=torch.float64)
    states, diverged = [], []
    for place, (given, own) in enumerate(zip(models, rows, strict=True)):
        model = copy.deepcopy(given)
        trained = [value for value in model.parameters() if value.requires_grad]
        device, dtype = trained[0].device, trained[0].dtype
        factors, seen, failed = make_factors(1), [], None
        with judged(model):
            for step, batch in enumerate(own):
                here = batch.to(images.device)
                targets = labels[here].to(device, torch.long)
                with torch.enable_grad():
                    each = F.cross_entropy(model(images[here].to(device, dtype)), targets, reduction="none")
                    weights = factors(each.detach()[None], batch[None])[0].to(each)
                    gradients = torch.autograd.grad((weights * each).mean(), trained)
                with torch.no_grad():
                    torch._foreach_add_(trained, gradients, alpha=-learning_rate)
                seen.append(each.detach().mean())
                bar.update()
                if (step + 1) % _LOOK_EVERY == 0 and not torch.isfinite(seen[-1]):
                    break
        losses[place, : len(seen)] = torch.stack(seen).double().cpu()
        failed = _first_failure(losses[place, : len(seen)], [value.detach() for value in trained])
        states.append({name: value.detach().to("cpu", copy=True) for name, value in model.state_dict().items()})
        diverged.append(failed)
    return tuple(states), losses, tuple(diverged)


def _stacked(
    models: Sequence[nn.Module],
    images: Tensor,
    labels: Tensor,
    rows: Tensor,
    make_factors: Callable[[int], Factors],
    learning_rate: float,
    bar: tqdm,
) -> tuple[tuple[dict[str, Tensor], ...], Tensor, tuple[int | None, ...]]:
    n_models, n_steps = rows.shape[:2]
    template = copy.deepcopy(models[0])
    moving = {name for name, value in template.named_parameters() if value.requires_grad}
    weights, buffers = torch.func.stack_module_state(list(models))
    fixed = {name: value.detach() for name, value in buffers.items()}
    fixed |= {name: value.detach() for name, value in weights.items() if name not in moving}
    leaves = {name: value.detach().clone().requires_grad_(True) for name, value in weights.items() if name in moving}
    trained = list(leaves.values())
    device, dtype = trained[0].device, trained[0].dtype

    def each_loss(leaves: dict[str, Tensor], fixed: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
        logits = torch.func.functional_call(template, {**leaves, **fixed}, (images,))
        return F.cross_entropy(logits, labels, reduction="none")

    together = torch.func.vmap(each_loss)
    factors, seen = make_factors(n_models), []
    with judged(template):
        for step in range(n_steps):
            batch = rows[:, step]
            here = batch.to(images.device)
            targets = labels[here].to(device, torch.long)
            with torch.enable_grad():
                each = together(leaves, fixed, images[here].to(device, dtype), targets)
                # Each model's own mean; their sum has the gradient of each with respect to its own weights.
                total = (factors(each.detach(), batch).to(each) * each).mean(1).sum()
                gradients = torch.autograd.grad(total, trained)
            with torch.no_grad():
                torch._foreach_add_(trained, gradients, alpha=-learning_rate)
            seen.append(each.detach().mean(1))
            bar.update(n_models)
            if (step + 1) % _LOOK_EVERY == 0 and not torch.isfinite(seen[-1]).any():
                break
    losses = torch.full((n_models, n_steps), float("nan"), dtype=torch.float64)
    losses[:, : len(seen)] = torch.stack(seen, 1).double().cpu()
    states, diverged = [], []
    every = {name: value.detach().cpu() for name, value in {**leaves, **fixed}.items()}
    for place, given in enumerate(models):
        states.append({name: every[name][place].clone() for name in given.state_dict()})
        moved = [value.detach()[place] for value in trained]
        diverged.append(_first_failure(losses[place, : len(seen)], moved))
    return tuple(states), losses, tuple(diverged)


def _first_failure(losses: Tensor, weights: list[Tensor]) -> int | None:
    """Return the first step, from 1, with a loss that is not finite, else the last if the weights are not, or None."""
    bad = (~torch.isfinite(losses)).nonzero()
    if len(bad):
        return int(bad[0]) + 1
    fine = all(bool(torch.isfinite(value).all()) for value in weights)
    return None if fine else len(losses)
