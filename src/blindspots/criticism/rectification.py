"""Take back the mistakes that people accept, whatever says that they do; intervals by image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class Rectification:
    """A model's error before and after accepted mistakes are taken back, in percent of all images.

    Attributes:
        error: percent of images whose prediction is not the label.
        rectified: error times the share of judged mistakes that was not accepted. Mistakes that nobody judged
            are taken to be like the judged ones; `bounds` does without that.
        rescued: percent of the judged mistakes that was accepted; NaN without any mistake.
        bounds: rectified error if all, and if none, of the unjudged mistakes were accepted.
        n_images, n_mistakes, n_judged: images, mistakes among them, judged mistakes among these.
        interval: bootstrap interval of `rectified` over images; None without a generator.
    """

    error: float
    rectified: float
    rescued: float
    bounds: tuple[float, float]
    n_images: int
    n_mistakes: int
    n_judged: int
    interval: tuple[float, float] | None = None


def rectify(
    predictions: Tensor,
    labels: Tensor,
    acceptance: Tensor,
    *,
    n_classes: int | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    generator: torch.Generator | None = None,
) -> Rectification:
    """Return the error that is left when accepted mistakes are taken back.

    Args:
        predictions: (N,) classes.
        labels: (N,) classes.
        acceptance: (N,) floats, how far people accept the prediction, 0 to 1; NaN = not judged. Votes are
            counted by `rectified_error`; here goes what a worker model says, such as the posterior of
            `dawid_skene`, as it is or rounded. Rows of right predictions are not read.
        n_classes: number of classes, so that an unknown label is an error; None = not checked.
        resamples: bootstrap samples of images, with replacement.
        level: probability of the interval, inside (0, 1).
        generator: a CPU generator for the bootstrap; None = no interval.

    Returns:
        Rectification, in percent.

    Raises:
        TypeError, ValueError: tensors that do not match, an unknown label, an acceptance outside [0, 1], no
            judged mistake among the mistakes.

    Source: P4 Sec. 3.1. Differs from the paper: there every mistake was judged; a share of an acceptance, the
    bounds and the interval are ours.
    """
    check_predictions(predictions, labels, n_classes)
    check_resampling(resamples, level, generator)
    if not isinstance(acceptance, Tensor) or not acceptance.is_floating_point():
        got = acceptance.dtype if isinstance(acceptance, Tensor) else type(acceptance).__name__
        raise TypeError(f"acceptance: expected a float tensor (N,), got {got}; convert with .float()")
    if acceptance.shape != labels.shape:
        raise ValueError(
            f"acceptance: expected shape {tuple(labels.shape)}, a value for each prediction, got "
            f"{tuple(acceptance.shape)}; look the values up with votes_on"
        )
    if ((acceptance < 0) | (acceptance > 1)).any():
        worst = acceptance.nan_to_num(0.5).sub(0.5).abs().argmax()
        raise ValueError(
            f"acceptance: expected 0 to 1, or NaN for not judged, got {acceptance[worst].item():g}; use shares"
        )
    mistakes = predictions != labels
    judged = mistakes & ~acceptance.isnan()
    check_judged(int(mistakes.sum()), int(judged.sum()), "acceptance", "judge some of them")
    accepted = acceptance[judged].double()[:, None]
    interval = None
    if generator is not None:
        low, high = resampled(len(labels), int(mistakes.sum()), accepted, resamples, level, generator)[:, 0].tolist()
        interval = (low, high)
    return Rectification(*summarized(len(labels), int(mistakes.sum()), accepted[:, 0]), interval=interval)


def check_predictions(predictions: Tensor, labels: Tensor, n_classes: int | None) -> None:
    """Raise unless predictions and labels are classes of one and the same images."""
    if not isinstance(labels, Tensor) or labels.ndim != 1 or len(labels) == 0:
        got = tuple(labels.shape) if isinstance(labels, Tensor) else type(labels).__name__
        raise ValueError(f"labels: expected an integer tensor (N,) with N >= 1, got {got}; use torch.as_tensor")
    checks.check_labels(labels, len(labels), n_classes=n_classes)
    checks.check_labels(predictions, len(labels), n_classes=n_classes, name="predictions")


def check_resampling(resamples: int, level: float, generator: torch.Generator | None) -> None:
    """Raise unless the options of the bootstrap make sense."""
    checks.check_number(resamples, "resamples", at_least=1, integer=True)
    checks.check_number(level, "level", above=0.0, at_most=1.0)
    if level == 1:
        raise ValueError("level: expected a probability inside (0, 1), got 1; try 0.95")
    if generator is not None:
        checks.check_generator(generator)


def check_judged(n_mistakes: int, n_judged: int, name: str, remedy: str) -> None:
    """Raise if there are mistakes and nobody judged any of them."""
    if n_mistakes and not n_judged:
        raise ValueError(f"{name}: expected answers to some of the {n_mistakes} mistakes, got none; {remedy}")


def summarized(
    n_images: int, n_mistakes: int, accepted: Float[Tensor, " J"]
) -> tuple[float, float, float, tuple[float, float], int, int, int]:
    """Return the first seven fields of Rectification from the acceptance of the judged mistakes."""
    error = 100 * n_mistakes / n_images
    total, unjudged = float(accepted.sum()), n_mistakes - len(accepted)
    bounds = tuple(100 * (n_mistakes - total - extra) / n_images for extra in (unjudged, 0))
    share = total / len(accepted) if len(accepted) else math.nan
    rectified = error * (1 - share) if n_mistakes else 0.0
    return error, rectified, 100 * share, (bounds[0], bounds[1]), n_images, n_mistakes, len(accepted)


def resampled(
    n_images: int,
    n_mistakes: int,
    accepted: Float[Tensor, "J T"],
    resamples: int,
    level: float,
    generator: torch.Generator,
) -> Float[Tensor, "2 T"]:
    """Return the bootstrap interval over images of the rectified error, for T rules of acceptance at once.

    Images of one kind (right, unjudged, judged with one and the same acceptance) are exchangeable, so a resample
    is a multinomial draw of kinds: exactly the bootstrap, without N draws for each resample. Resamples with
    mistakes and no judged one among them are left out.
    """
    kinds, counts = accepted.cpu().unique(dim=0, return_counts=True)
    sizes = torch.cat([torch.tensor([n_mistakes - len(accepted)]), counts]).double()
    left = torch.full((resamples,), float(n_images), dtype=torch.float64)
    rest, drawn = float(n_images), []
    for size in sizes:
        share = torch.full_like(left, min(1.0, float(size) / rest) if rest > 0 else 0.0)
        drawn.append(torch.binomial(left, share, generator=generator))
        left, rest = left - drawn[-1], rest - float(size)
    unjudged, judged = drawn[0], torch.stack(drawn[1:], dim=1) if len(kinds) else left.new_zeros(resamples, 0)
    total = judged.sum(dim=1)
    kept = (total > 0) | (unjudged == 0)
    share = (judged @ kinds.double())[kept] / total[kept, None].clamp_min(1.0)
    errors = 100 * (unjudged + total)[kept, None] / n_images * (1 - share)
    tail = (1 - level) / 2
    return torch.quantile(errors, torch.tensor([tail, 1 - tail], dtype=torch.float64), dim=0)
