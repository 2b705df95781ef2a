"""Many defenses of one model on many attacked batches: what each gets right, and how long it takes per image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.model import judged
from blindspots.seeding import generator
from blindspots.types import Classifier, Flags, Images

Purify = Callable[[Tensor, torch.Generator], Tensor]
"""(images (N, C, H, W) in [0, 1], CPU generator) -> images of the same shape."""
Ensemble = Callable[[Tensor, Classifier, torch.Generator], Tensor]
"""(images, model, CPU generator) -> scores (N, K), the largest one names the class."""


@dataclass(frozen=True)
class NamedDefense:
    """A defense with its options fixed: a purifier, or an ensemble where no image stands for what it does.

    Attributes:
        purify: see `Purify`; None for an ensemble.
        ensemble: see `Ensemble`; None for a purifier. Exactly one of the two.
        source: who published it.
        published: the settings it was published with.
        here: the settings it has here.
    """

    purify: Purify | None = None
    ensemble: Ensemble | None = None
    source: str = ""
    published: str = ""
    here: str = ""

    def __post_init__(self) -> None:
        if (self.purify is None) == (self.ensemble is None):
            given = "neither" if self.purify is None else "both"
            raise ValueError(f"purify, ensemble: expected exactly one of the two, got {given}")


@dataclass(frozen=True)
class DefenseTrial:
    """What `try_defenses` found, by (defense, batch).

    Attributes:
        right: (N,), whether the class behind the defense is the label's.
        images: purified images (N, C, H, W); no entry for ensembles.
        seconds: wall time of the batch, purification and classification together.
        n: images in each batch.
    """

    right: Mapping[tuple[str, str], Flags]
    images: Mapping[tuple[str, str], Images]
    seconds: Mapping[tuple[str, str], float]
    n: int

    def accuracy(self, defense: str, batch: str) -> float:
        """Return the share of the batch that is right behind a defense."""
        return self.right[defense, batch].sum().item() / self.n

    def milliseconds(self, defense: str) -> float:
        """Return the median over batches of the time per image, in ms."""
        times = [value for (name, _), value in self.seconds.items() if name == defense]
        if not times:
            raise ValueError(f"defense: expected one that was tried, got {defense!r}")
        return 1000.0 * torch.tensor(times, dtype=torch.float64).quantile(0.5).item() / self.n


def try_defenses(
    model: Classifier,
    batches: Mapping[str, Tensor],
    labels: Tensor,
    defenses: Mapping[str, NamedDefense],
    *,
    seed: int,
    chunk: int = 50,
) -> DefenseTrial:
    """Put every batch behind every defense.

    A defense that draws at random gets the same draws on every batch, so that its rows differ by the attack alone, and
    draws of its own, whatever other defenses there are.

    Args:
        model: images in [0, 1] -> logits (N, K), protected by each defense in turn.
        batches: by name (N, C, H, W) in [0, 1]: the same images, clean and under attacks.
        labels: (N,), the true classes.
        defenses: by name.
        seed: decides the draws, with the defense's name.
        chunk: images defended at once, at least 1. Time is measured at this size; draws depend on it.

    Returns:
        DefenseTrial.

    Raises:
        TypeError, ValueError: bad images, labels or options, no batch, no defense, or a defense that returns images
            of another shape, values outside [0, 1], or scores that are no finite (N, K).
    """
    checks.check_number(chunk, "chunk", at_least=1, integer=True)
    if not batches or not defenses:
        raise ValueError(f"batches, defenses: expected at least one of each, got {len(batches)} and {len(defenses)}")
    for images in batches.values():
        checks.check_images(images)
        checks.check_labels(labels, len(images))
    right, purified, seconds = {}, {}, {}
    with judged(model), torch.no_grad():
        for name, defense in defenses.items():
            for batch, images in batches.items():
                draws = generator(seed, f"defense {name}")
                answers, shown = [], []
                started = perf_counter()
                for part in images.split(chunk):
                    scores, washed = _answer(model, part, defense, draws, name)
                    answers.append(scores.argmax(dim=1))
                    shown.append(washed)
                found = torch.cat(answers).cpu()  # waits for the device
                seconds[name, batch] = perf_counter() - started
                right[name, batch] = found == labels.cpu()
                if defense.purify is not None:
                    purified[name, batch] = torch.cat(shown)
    return DefenseTrial(right, purified, seconds, len(labels))


def _answer(
    model: Classifier, images: Images, defense: NamedDefense, draws: torch.Generator, name: str
) -> tuple[Tensor, Images | None]:
    """Return scores (n, K), and the purified images where there are any."""
    if defense.ensemble is not None:
        scores, washed = defense.ensemble(images, model, draws), None
    else:
        washed = defense.purify(images, draws)
        if not isinstance(washed, Tensor) or washed.shape != images.shape:
            got = tuple(washed.shape) if isinstance(washed, Tensor) else type(washed).__name__
            raise ValueError(f"{name}: expected purified images {tuple(images.shape)}, got {got}")
        checks.check_images(washed, f"{name}: purified images")
        scores = model(washed)
    checks.check_logits(scores, len(images))
    return scores, washed
