"""Five ways to train one classifier, which differ in the images it sees and in where it starts."""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from blindspots.checks import check_choice, check_images, check_labels, check_number
from blindspots.latent_models.affine_augmentation import augment_images, check_augmentation
from blindspots.models.evaluation import compute_logits, evaluate_classifier, evaluating, place_of
from blindspots.models.optimization import EpochRecord
from blindspots.seeding import derive_seed
from blindspots.seeding import generator as make_generator

REGIMES = ("oneepoch", "plain", "conventional", "robust", "both")
STARTS = {"robust": "plain", "both": "conventional"}
NOISE = 0.4  # standard deviation in [0, 1] units: 0.8 in those of [-1, 1]
AUGMENTATION = {"degrees": 10.0, "shift": 0.1, "scale": 0.1, "flip": False, "brightness": 0.0}


@dataclass(frozen=True)
class RegimeTraining:
    """How a training went: a record per epoch (its score is the validation accuracy, on noisy images in the noisy
    regimes), the epoch whose weights were kept, counted from 1 (0: the first weights), and why it ended.
    """

    regime: str
    history: tuple[EpochRecord, ...]
    kept_epoch: int
    stopped_early: bool
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the same as JSON-able values."""
        return asdict(self) | {"history": [asdict(record) for record in self.history]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RegimeTraining:
        """Return what `as_dict` was made from."""
        return cls(**(values | {"history": tuple(EpochRecord(**record) for record in values["history"])}))


def noisy(images: Tensor, *, sigma: float = NOISE, generator: torch.Generator) -> Tensor:
    """Return images plus Gaussian noise, not clipped; sigma in [0, 1] units, drawn on the CPU."""
    return images + sigma * torch.randn(images.shape, generator=generator, dtype=torch.float32).to(images)


def train_regime(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    regime: str,
    validation: tuple[Tensor, Tensor],
    epochs: int = 8,
    epoch_size: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 4e-4,
    weight_decay: float = 1e-6,
    decay: float = 0.75,
    sigma: float = NOISE,
    augmentation: Mapping[str, Any] = AUGMENTATION,
    seed: int,
    progress: bool = True,
) -> RegimeTraining:
    """Train a classifier in one regime, changing it in place, until the validation accuracy drops for the first time.

    "oneepoch" sees the images once (one epoch); "plain" until the drop; "conventional" sees them augmented; "robust"
    with Gaussian noise; "both" augmented and with noise. The last two are meant to start from a plain and a
    conventional model: give those weights to the model. The mean cross-entropy is minimized by RMSprop; the learning
    rate falls by a factor after each epoch. At a drop, the weights before it are kept. The noisy regimes are
    validated on noisy images, with the same noise each time.

    Args:
        model: images (n, C, H, W) in [0, 1] (and, with noise, beyond) -> logits (n, K); on its device.
        images, labels: (N, C, H, W) in [0, 1] and (N,) in [0, K).
        regime: one of the five names.
        validation: (images, labels) that decide when to stop.
        epochs: at most; "oneepoch" does one.
        epoch_size: images per epoch, each pass over them in a new order; None for N.
        batch_size: images per step.
        learning_rate, weight_decay: of RMSprop.
        decay: factor of the learning rate after each epoch, in (0, 1].
        sigma: of the noise, in [0, 1] units.
        augmentation: options of `affine_augmentation`.
        seed: decides order, augmentation, noise and dropout.
        progress: show a bar once training has taken three seconds.

    Returns:
        RegimeTraining; the model has the kept weights, in the mode it had.

    Raises:
        TypeError, ValueError: a bad model, images, labels or options; a loss that is not finite, after which the model
            has its first weights again.

    Source: P2, as reconstructed from the authors' repository (papers.md 3.4).
    Differs from the paper: what its conventional augmentation does is not known to us; ours turns, shifts and resizes.
        That validation of the noisy regimes is noisy, and that the weights before the drop are kept, is ours.
    """
    check_choice(regime, "regime", REGIMES)
    options = dict(
        epochs=epochs, epoch_size=epoch_size, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, decay=decay, sigma=sigma, augmentation=augmentation, seed=seed,
    )  # fmt: skip
    check_regime(model, images, labels, validation, **options)
    device, dtype = place_of(model, images)
    epochs = 1 if regime == "oneepoch" else epochs
    n_batches = math.ceil((len(images) if epoch_size is None else epoch_size) / batch_size)
    draws = make_generator(seed, "regime", regime)
    optimizer = torch.optim.RMSprop(
        [part for part in model.parameters() if part.requires_grad], lr=learning_rate, weight_decay=weight_decay
    )
    waiting = torch.empty(0, dtype=torch.long)
    first = copy.deepcopy(model.state_dict())
    kept, kept_epoch, history, stopped = first, 0, [], False
    started = time.perf_counter()
    modes = {part: part.training for part in model.modules()}
    with (
        torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
        _bar(epochs * n_batches, progress) as bar,
    ):
        torch.manual_seed(derive_seed(seed, "dropout", regime))
        try:
            for epoch in range(epochs):
                begun, total = time.perf_counter(), 0.0
                model.train()
                for _ in range(n_batches):
                    while len(waiting) < batch_size:
                        waiting = torch.cat([waiting, torch.randperm(len(images), generator=draws)])
                    chosen, waiting = waiting[:batch_size], waiting[batch_size:]
                    batch = images[chosen.to(images.device)].to(device, dtype)
                    if regime in ("conventional", "both"):
                        batch = augment_images(batch, **{**AUGMENTATION, **augmentation}, generator=draws)
                    if regime in STARTS:
                        batch = noisy(batch, sigma=sigma, generator=draws)
                    optimizer.zero_grad(set_to_none=True)
                    loss = F.cross_entropy(model(batch), labels[chosen.to(labels.device)].to(device))
                    loss.backward()
                    optimizer.step()
                    total += loss.item()
                    bar.update()
                if not math.isfinite(total):
                    kept = first
                    raise ValueError(
                        f"learning_rate: training diverged at {learning_rate:g} in epoch {epoch + 1}; lower it (the "
                        "model has its first weights again)"
                    )
                score = _validate(model, validation, regime in STARTS, sigma, seed)
                rate = optimizer.param_groups[0]["lr"]
                stopped = bool(history) and score < history[-1].score
                history.append(EpochRecord(total / n_batches, rate, time.perf_counter() - begun, score))
                if stopped:
                    break
                kept, kept_epoch = copy.deepcopy(model.state_dict()), epoch + 1
                optimizer.param_groups[0]["lr"] = rate * decay
        finally:
            model.load_state_dict(kept)
            optimizer.zero_grad(set_to_none=True)
            for part, training in modes.items():
                part.training = training
    return RegimeTraining(regime, tuple(history), kept_epoch, stopped, time.perf_counter() - started)


def check_regime(
    model: nn.Module, images: Tensor, labels: Tensor, validation: tuple[Tensor, Tensor], *, epochs: int,
    epoch_size: int | None, batch_size: int, learning_rate: float, weight_decay: float, decay: float, sigma: float,
    augmentation: Mapping[str, Any], seed: int,
) -> None:  # fmt: skip
    """Raise unless `train_regime` can train this model with these options."""
    if not isinstance(model, nn.Module) or not any(part.requires_grad for part in model.parameters()):
        raise TypeError(f"model: expected a torch module with parameters to train, got {type(model).__name__}")
    if not isinstance(validation, tuple) or len(validation) != 2:
        raise TypeError(f"validation: expected a pair (images, labels), got {type(validation).__name__}")
    for given, classes, name in ((images, labels, ""), (*validation, "validation ")):
        check_images(given, f"{name}images")
        n_classes = compute_logits(model, given[:1]).shape[1]
        check_labels(classes, len(given), n_classes=n_classes, name=f"{name}labels")
    for name, value in {"epochs": epochs, "batch_size": batch_size}.items():
        check_number(value, name, at_least=1, integer=True)
    if epoch_size is not None:
        check_number(epoch_size, "epoch_size", at_least=1, integer=True)
    check_number(learning_rate, "learning_rate", above=0.0)
    check_number(weight_decay, "weight_decay", at_least=0.0)
    check_number(decay, "decay", above=0.0, at_most=1.0)
    check_number(sigma, "sigma", at_least=0.0)
    check_number(seed, "seed", integer=True)
    unknown = [name for name in augmentation if name not in AUGMENTATION]
    if unknown:
        raise ValueError(f"augmentation: expected options among {', '.join(AUGMENTATION)}; got {', '.join(unknown)}")
    check_augmentation(**{**AUGMENTATION, **augmentation})


def _validate(model: nn.Module, validation: tuple[Tensor, Tensor], with_noise: bool, sigma: float, seed: int) -> float:
    images, labels = validation
    if not with_noise:
        return evaluate_classifier(model, images, labels).accuracy
    device, dtype = place_of(model, images)
    draws, right = make_generator(seed, "noisy validation"), 0
    with evaluating(model), torch.no_grad():
        for part, classes in zip(images.split(256), labels.split(256), strict=True):
            logits = model(noisy(part.to(device, dtype), sigma=sigma, generator=draws))
            right += (logits.argmax(1) == classes.to(device)).sum().item()
    return right / len(images)


def _bar(n_steps: int, shown: bool) -> tqdm:
    terminal = sys.stderr.isatty()
    return tqdm(
        total=n_steps, desc="classifier", unit="batch", disable=not shown, delay=3, leave=False,
        mininterval=0.2 if terminal else 15.0, maxinterval=0.5 if terminal else 60.0, dynamic_ncols=terminal,
    )  # fmt: skip
