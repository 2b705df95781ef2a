"""The loop of adversarial training: epochs, schedule, records, and a file from which it can be taken up again."""

from __future__ import annotations

import hashlib
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from blindspots.kept_state import keep_state, kept_state
from blindspots.seeding import derive_seed
from blindspots.seeding import generator as make_generator


@dataclass(frozen=True)
class RobustEpoch:
    """One pass over the images, means over its attacked training images.

    Attributes:
        loss: what was minimized, weight decay left out.
        cross_entropy: of the attacked images; of the clean ones with "trades".
        divergence: KL of the attacked from the clean prediction; None with "pgd".
        distance: Mahalanobis distance to the image's own cluster; None where it was not part of the loss.
        adversarial_accuracy: share in [0, 1] of attacked images classified correctly, in training mode.
        learning_rate: the last one.
        seconds: wall time.
    """

    loss: float
    cross_entropy: float
    divergence: float | None
    distance: float | None
    adversarial_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class RobustTraining:
    """How a training went: one record per epoch, and the seconds of all of them."""

    history: tuple[RobustEpoch, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the same as JSON-able values."""
        return {"history": [asdict(epoch) for epoch in self.history], "seconds": self.seconds}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RobustTraining:
        """Return what `as_dict` was made from."""
        return cls(tuple(RobustEpoch(**epoch) for epoch in values["history"]), values["seconds"])


class RobustRun:
    """The epochs of a training, kept in a file so that they can be taken up again.

    Args:
        model: its parameters are trained.
        n_images: how many there are.
        options: epochs, batch_size, learning_rate, weight_decay and seed, as in `robust_semantic_training`.
        file: where the state is kept after each epoch; None keeps none.
        digest: says which training it is (see `training_digest`); the state of another is refused.
    """

    def __init__(
        self, model: nn.Module, n_images: int, options: dict[str, Any], file: Path | None, digest: str
    ) -> None:
        self.model, self.n_images, self.options, self.file, self.digest = model, n_images, options, file, digest
        self.device = next(model.parameters()).device
        self.draws = make_generator(options["seed"], "robust batches")
        self.stepper = torch.optim.SGD(
            model.parameters(), lr=options["learning_rate"], momentum=0.9, nesterov=True,
            weight_decay=options["weight_decay"],
        )  # fmt: skip
        self.history: list[RobustEpoch] = []

    def go(
        self, batch_terms: Callable[[Tensor, torch.Generator], dict[str, Tensor]], progress: bool
    ) -> tuple[RobustEpoch, ...]:
        """Train until the last epoch, from the first or from where the file says, and return their records.

        Args:
            batch_terms: (indices (B,) on the CPU, CPU generator) -> scalars by name, means over the batch, with
                those of a RobustEpoch among them; "loss" is minimized.
            progress: show a bar once training has taken three seconds.

        Raises:
            ValueError: a file of another training, or one that is damaged; training that diverged.
        """
        epochs, n_batches = self.options["epochs"], math.ceil(self.n_images / self.options["batch_size"])
        terminal = sys.stderr.isatty()
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.default_generator.manual_seed(derive_seed(self.options["seed"], "dropout"))
            if self.device.type == "cuda":
                torch.cuda.manual_seed(derive_seed(self.options["seed"], "dropout"))
            self._load()
            self.model.train()
            with tqdm(
                total=epochs * n_batches, initial=len(self.history) * n_batches, desc="robust training", unit="batch",
                disable=not progress, delay=3, leave=False, mininterval=0.2 if terminal else 15.0,
                maxinterval=0.5 if terminal else 60.0, dynamic_ncols=terminal,
            ) as bar:  # fmt: skip
                for epoch in range(len(self.history), epochs):
                    self.history.append(self._epoch(epoch, n_batches, batch_terms, bar))
                    self._save()
        self.stepper.zero_grad(set_to_none=True)
        return tuple(self.history)

    def _epoch(
        self, epoch: int, n_batches: int, batch_terms: Callable[[Tensor, torch.Generator], dict[str, Tensor]], bar: tqdm
    ) -> RobustEpoch:
        started, totals = time.perf_counter(), {}
        for batch, indices in enumerate(torch.randperm(self.n_images, generator=self.draws).tensor_split(n_batches)):
            rate = _rate(epoch * n_batches + batch, self.options["epochs"] * n_batches, self.options["learning_rate"])
            for group in self.stepper.param_groups:
                group["lr"] = rate
            terms = batch_terms(indices, self.draws)
            self.stepper.zero_grad(set_to_none=True)
            terms["loss"].backward()
            self.stepper.step()
            for name, value in terms.items():
                totals[name] = totals.get(name, 0.0) + value.detach().double() * len(indices)
            bar.update()
        means = {"divergence": None, "distance": None}
        means |= {name: total.item() / self.n_images for name, total in totals.items()}
        if not math.isfinite(means["loss"]):
            raise ValueError(
                f"learning_rate: training diverged in epoch {epoch + 1} at {self.options['learning_rate']:g} (the mean "
                "loss is not finite); lower it or alpha, or look at the clusters' covariances"
            )
        bar.set_postfix_str(f"loss {means['loss']:.3g}", refresh=False)
        return RobustEpoch(**means, learning_rate=rate, seconds=time.perf_counter() - started)

    def _save(self) -> None:
        if self.file is None:
            return
        state = {
            "model": self.model.state_dict(), "stepper": self.stepper.state_dict(), "draws": self.draws.get_state(),
            "dropout": torch.get_rng_state(), "history": [asdict(epoch) for epoch in self.history],
        }  # fmt: skip
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        keep_state(self.file, self.digest, state)

    def _load(self) -> None:
        state = None if self.file is None else kept_state(self.file, self.digest)
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.stepper.load_state_dict(state["stepper"])
        self.draws.set_state(state["draws"])
        torch.set_rng_state(state["dropout"])
        if "cuda" in state:
            torch.cuda.set_rng_state(state["cuda"], self.device)
        self.history = [RobustEpoch(**epoch) for epoch in state["history"]]


def _rate(step: int, n_steps: int, peak: float) -> float:
    done = (step + 0.5) / n_steps
    if done < 0.3:
        return peak * (1 / 25 + (1 - 1 / 25) * done / 0.3)
    return peak * 0.5 * (1 + math.cos(math.pi * (done - 0.3) / 0.7))


def training_digest(options: dict[str, Any], *tensors: Tensor) -> str:
    """Return the SHA-256 of JSON-able options and of tensors: dtype, shape and bytes of each, in order."""
    digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
    for tensor in tensors:
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().flatten().clone(memory_format=torch.contiguous_format)
        if flat.numel():
            digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def tensors_of(clusters: object) -> list[Tensor]:
    """Return the tensors that an object holds in its attributes, also in lists and tuples, in order of the names."""
    held = []
    for name in sorted(getattr(clusters, "__dict__", {})):
        value = getattr(clusters, name)
        held += [part for part in (value if isinstance(value, list | tuple) else [value]) if isinstance(part, Tensor)]
    return held
