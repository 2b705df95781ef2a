"""P0's Algorithm 4.1: grow a data set by attacking a classifier while it trains on what has grown."""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from blindspots import checks
from blindspots.attacks.comparison import NamedAttack
from blindspots.attacks.gradients import logit_margin
from blindspots.attacks.result import AttackResult
from blindspots.borrowed import judged
from blindspots.fairness.progress_digest import described, progress_digest
from blindspots.fairness.weighted_images import (
    LabeledImages,
    WeightedImages,
    draw_rows,
    step_factors,
    why_diverged,
)
from blindspots.kept_state import keep_state, kept_state

Attack = Callable[[nn.Module, Tensor, Tensor], AttackResult]
"""(model, images, labels) -> AttackResult: any attack of the package with its options fixed."""


@dataclass(frozen=True)
class RobustDataset(WeightedImages):
    """The originals followed by the attacked images of each round: M = (rounds + 1) N items.

    Attributes:
        images, labels, weights: as of WeightedImages; 1 for originals, (k - 1) N + i for item i of round k.
        origins: (M,), row of the original image that an item descends from: its country is that one's.
        parents: (M,), row of the item that was attacked, itself for an original. A parent may be attacked too.
        rounds: (M,), k; 0 for originals.
        already_wrong: (M,), whether the model misclassified the parent before the attack; False for originals.
        success: (M,), whether it misclassifies the item; False for originals.
        gradient_evaluations: of the model, by all attacks; the training's own are rounds N.
        losses: (rounds, updates), mean cross-entropy of each update's batch before the update.
        seconds: wall time of each round, of the run that made it.
        state: weights of the model after the last update, on the CPU.
    """

    origins: Tensor
    parents: Tensor
    rounds: Tensor
    already_wrong: Tensor
    success: Tensor
    gradient_evaluations: int
    losses: Tensor
    seconds: tuple[float, ...]
    state: dict[str, Tensor]

    @property
    def success_rates(self) -> tuple[float, ...]:
        """Return, by round, the share in [0, 1] of rightly classified parents that the attack turned; NaN if none."""
        rates = []
        for k in range(1, len(self.seconds) + 1):
            right = (self.rounds == k) & ~self.already_wrong
            rates.append(self.success[right].double().mean().item())
        return tuple(rates)

    @property
    def never_succeeded(self) -> bool:
        """Return whether there were rightly classified parents and the attack turned none of them, in any round."""
        attempts = (self.rounds > 0) & ~self.already_wrong
        return bool(attempts.any()) and not bool((self.success & attempts).any())


def generate_adversarial_dataset(
    model: nn.Module,
    data: LabeledImages,
    attack: Attack | NamedAttack,
    *,
    rounds: int,
    learning_rate: float | int,
    weighting: str = "sampling_only",
    batch_size: int = 1,
    attack_batch_size: int | None = None,
    generator: torch.Generator,
    progress_file: str | Path | None = None,
    progress: bool = False,
) -> RobustDataset:
    r"""Train a copy of a classifier and attack what it is trained on; each attacked image joins the data set.

        D = {(x_i, y_i, P_i = 1)}_N
        for k = 1 .. rounds:
            draw N items from D with replacement, in proportion to P
            for i = 1 .. N:
                theta <- theta - learning_rate c_i grad l(theta; x_i, y_i)
                attack (x_i, y_i) with theta; append the result with P = (k - 1) N + i
    c_i is 1, P_i or P_i / mean(P) over D as it is when the round begins; see `step_factors`. An item that is drawn may
    itself be an attacked one, which is then attacked again.

    Args:
        model: theta_0, images (n, C, H, W) in [0, 1] -> logits (n, K); left as it is. Device and dtype are its own.
        data: its .images (N, C, H, W) in [0, 1] and .labels (N,), 0 to K - 1.
        attack: (model, images, labels) -> AttackResult with images in [0, 1]; for instance
            functools.partial(pgd_l2_until_flipped, step_size=0.1); or a NamedAttack.
        rounds: the paper's T_1, at least 1.
        learning_rate: the paper's alpha, > 0.
        weighting: "sampling_only", "literal" (as printed; diverges) or "normalized".
        batch_size: images per update, whose steps are averaged; 1 is the algorithm as printed.
        attack_batch_size: images attacked at once, after the updates of all of them; a multiple of batch_size. None:
            batch_size. A larger one is faster and attacks an image with weights that are a few updates newer.
        generator: a CPU generator; decides what is drawn, and is advanced.
        progress_file: written after each round; where it exists the work goes on from it, and ends with the same bits
            as one that was never interrupted if the attack draws nothing at random. The caller removes it. The attack
            is known to it by `described` only.
        progress: show a bar once it has taken three seconds.

    Returns:
        RobustDataset, on the device of the images. An attack that turns no image in all rounds is also warned of.

    Raises:
        TypeError, ValueError: bad images, labels or options, found before any work; attacked images of another shape
            or outside [0, 1]; a progress file of another computation; training that diverged, with the reason.

    Source: P0, Section 4, Algorithm 4.1.
    Differs from the paper: "literal" is what it prints, the default is not, because weights up to rounds N multiply
    the step. It says nothing of batch normalization and dropout: the model trains in evaluation mode here, since a
    single image has no statistics. alpha, T_1 and N stand in its supplement only.
    """
    run = _Run(model, data, attack, rounds, learning_rate, weighting, batch_size, attack_batch_size, generator)
    file = None if progress_file is None else Path(progress_file)
    run.take_up(file)
    with tqdm(
        total=rounds * run.n, initial=run.done * run.n, desc="adversarial data set", unit="image",
        disable=not progress, delay=3, leave=False, mininterval=0.2 if sys.stderr.isatty() else 15.0,
    ) as bar:  # fmt: skip
        while run.done < rounds:
            run.one_round(bar)
            run.keep(file)
    made = run.result()
    if made.never_succeeded:
        warnings.warn(
            f"attack: turned none of {int(((made.rounds > 0) & ~made.already_wrong).sum())} rightly classified images "
            f"in {rounds} rounds; the data set holds changes that fool nothing: give it more steps or longer ones",
            stacklevel=2,
        )
    return made


class _Run:
    """The rounds of Algorithm 4.1: the growing data set, the model, and where the work stands."""

    def __init__(
        self,
        model: nn.Module,
        data: LabeledImages,
        attack: Attack | NamedAttack,
        rounds: int,
        learning_rate: float | int,
        weighting: str,
        batch_size: int,
        attack_batch_size: int | None,
        generator: torch.Generator,
    ) -> None:
        checks.check_images(data.images, "data.images")
        checks.check_labels(data.labels, len(data.images), name="data.labels")
        checks.check_number(rounds, "rounds", at_least=1, integer=True)
        checks.check_number(learning_rate, "learning_rate", above=0.0)
        step_factors(torch.ones(1), weighting)
        checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
        at_once = batch_size if attack_batch_size is None else attack_batch_size
        checks.check_number(at_once, "attack_batch_size", at_least=1, integer=True)
        if at_once % batch_size:
            raise ValueError(
                f"attack_batch_size: expected a multiple of batch_size {batch_size}, got {at_once}; images are "
                "attacked after the updates that they were drawn for"
            )
        checks.check_generator(generator)
        self.model = copy.deepcopy(model)
        self.trained = [value for value in self.model.parameters() if value.requires_grad]
        if not self.trained:
            raise ValueError("model: expected parameters that require gradients, got none; use requires_grad_(True)")
        self.place = {"device": self.trained[0].device, "dtype": self.trained[0].dtype}
        with judged(self.model), torch.no_grad():
            logits = self.model(data.images[:1].to(**self.place))
        checks.check_logits(logits, 1)
        checks.check_labels(data.labels, len(data.images), n_classes=logits.shape[1], name="data.labels")
        self.attack = attack.run if isinstance(attack, NamedAttack) else attack
        self.draws, self.rounds = generator, rounds
        self.learning_rate, self.weighting = float(learning_rate), weighting
        self.batch_size, self.at_once = batch_size, at_once
        self.n, self.done = len(data.images), 0
        self.digest_of = lambda: progress_digest(
            {
                "rounds": rounds, "learning_rate": float(learning_rate), "weighting": weighting,
                "batch_size": batch_size, "attack_batch_size": at_once, "attack": described(attack),
            },
            data.images, data.labels, *model.state_dict().values(), generator.get_state(),
        )  # fmt: skip
        size, device = (rounds + 1) * self.n, data.images.device
        self.images = data.images.new_empty((size, *data.images.shape[1:]))
        self.images[: self.n] = data.images.detach()
        first = torch.arange(self.n)
        later = torch.arange(1, size - self.n + 1)
        self.weights = torch.cat([torch.ones(self.n), later]).double()
        self.parents = torch.cat([first, torch.zeros_like(later)])
        self.origins, self.labels = self.parents.clone(), data.labels.long().repeat(rounds + 1)
        self.flags = torch.zeros(2, size, dtype=torch.bool)  # already wrong, success
        self.losses = torch.zeros(rounds, -(-self.n // batch_size), dtype=torch.float64)
        self.seconds: list[float] = []
        self.gradient_evaluations = 0
        self.device = device

    def one_round(self, bar: tqdm) -> None:
        started, k = time.perf_counter(), self.done
        filled = (k + 1) * self.n
        rows = draw_rows(self.weights[:filled], self.n, self.draws)
        factors = step_factors(self.weights[:filled], self.weighting)
        new = torch.arange(filled, filled + self.n)
        self.parents[new], self.origins[new] = rows, self.origins[rows]
        self.labels[new.to(self.device)] = self.labels[rows.to(self.device)]
        with judged(self.model):
            update = 0
            for block in torch.arange(self.n).split(self.at_once):
                for batch in block.split(self.batch_size):
                    self._update(rows[batch], factors[rows[batch]], k, update)
                    update += 1
                self._attack_block(rows[block], new[block], k * self.losses.shape[1] + update)
                bar.update(len(block))
        self.seconds.append(time.perf_counter() - started)
        self.done += 1

    def _items(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        here = rows.to(self.device)
        return self.images[here].to(**self.place), self.labels[here].to(self.place["device"])

    def _update(self, rows: Tensor, factors: Tensor, k: int, update: int) -> None:
        images, labels = self._items(rows)
        with torch.enable_grad():
            losses = F.cross_entropy(self.model(images), labels, reduction="none")
            gradients = torch.autograd.grad((factors.to(losses) * losses).mean(), self.trained)
        with torch.no_grad():
            torch._foreach_add_(self.trained, gradients, alpha=-self.learning_rate)
        mean = losses.detach().double().mean().item()
        self.losses[k, update] = mean
        if not mean < float("inf"):
            self._stop(k * self.losses.shape[1] + update + 1)

    def _stop(self, step: int) -> None:
        seen = self.weights[: (self.done + 1) * self.n]
        raise ValueError(why_diverged(seen, self.weighting, self.learning_rate, step))

    def _attack_block(self, rows: Tensor, new: Tensor, step: int) -> None:
        images, labels = self._items(rows)
        with torch.no_grad():
            logits = self.model(images)
        if not torch.isfinite(logits).all():
            self._stop(step)
        result = self.attack(self.model, images, labels)
        checks.check_same_shape(images, result.images, "the attacked images", "attack: images")
        checks.check_images(result.images, "attack: images")
        self.images[new.to(self.device)] = result.images.detach().to(self.images)
        self.flags[0, new] = (logit_margin(logits, labels) > 0).cpu()
        self.flags[1, new] = result.success.cpu()
        self.gradient_evaluations += int(result.gradient_evaluations.sum())

    def keep(self, file: Path | None) -> None:
        if file is None:
            return
        filled = slice(self.n, (self.done + 1) * self.n)
        state = {
            "images": self.images[filled].cpu().clone(), "labels": self.labels[filled].cpu().clone(),
            "parents": self.parents[filled].clone(), "origins": self.origins[filled].clone(),
            "flags": self.flags[:, filled].clone(), "losses": self.losses[: self.done].clone(),
            "seconds": self.seconds, "gradient_evaluations": self.gradient_evaluations,
            "model": self.model.state_dict(), "draws": self.draws.get_state(),
        }  # fmt: skip
        keep_state(file, self.digest, state)

    def take_up(self, file: Path | None) -> None:
        if file is None:
            return
        self.digest = self.digest_of()
        state: dict[str, Any] | None = kept_state(file, self.digest)
        if state is None:
            return
        self.done = len(state["seconds"])
        filled = slice(self.n, (self.done + 1) * self.n)
        self.images[filled] = state["images"].to(self.images)
        self.labels[filled] = state["labels"].to(self.labels)
        self.parents[filled], self.origins[filled] = state["parents"], state["origins"]
        self.flags[:, filled], self.losses[: self.done] = state["flags"], state["losses"]
        self.seconds, self.gradient_evaluations = list(state["seconds"]), state["gradient_evaluations"]
        self.model.load_state_dict(state["model"])
        self.draws.set_state(state["draws"])

    def result(self) -> RobustDataset:
        flags, device = self.flags.to(self.device), self.device
        return RobustDataset(
            images=self.images, labels=self.labels, weights=self.weights.to(device), origins=self.origins.to(device),
            parents=self.parents.to(device), rounds=torch.arange(self.rounds + 1).repeat_interleave(self.n).to(device),
            already_wrong=flags[0], success=flags[1], gradient_evaluations=self.gradient_evaluations,
            losses=self.losses, seconds=tuple(self.seconds),
            state={name: value.detach().to("cpu", copy=True) for name, value in self.model.state_dict().items()},
        )  # fmt: skip
