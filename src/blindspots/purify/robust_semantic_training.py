"""P1's robust semantic training: adversarial training that also pulls features to the cluster of their image."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.purify.robust_run import RobustRun, RobustTraining, tensors_of, training_digest
from blindspots.purify.training_attack import TrainingAttack

OBJECTIVES = ("pgd", "trades")
_PAPER_ATTACK = TrainingAttack()

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""(images (n, C, H, W) in [0, 1], CPU generator) -> images of the same shape, in [0, 1]."""


@runtime_checkable
class ClusterDistances(Protocol):
    """What the semantic term needs of the clusters of stage I."""

    def mahalanobis(self, features: Tensor) -> Tensor:
        """Return the distances (N, J) of features (N, D) to all clusters, differentiable, finite slope at 0."""
        ...


def robust_semantic_training(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    cluster_index: Tensor | None = None,
    clusters: ClusterDistances | None = None,
    *,
    alpha: float | int | None = None,
    semantic: bool = True,
    attack: TrainingAttack = _PAPER_ATTACK,
    include_distance_in_attack: bool = False,
    objective: str = "pgd",
    beta: float | int | None = None,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | int = 0.05,
    weight_decay: float | int = 5e-4,
    augment: Augment | None = None,
    seed: int,
    progress: bool = True,
    progress_file: str | Path | None = None,
) -> tuple[nn.Module, RobustTraining]:
    r"""Train a copy of a classifier on attacked images whose features are held at their clean cluster.

    For image x of class y in cluster (mu, sigma), with x' from the attack,
        loss = CE(f(x'), y) + alpha sqrt((R(x') - mu)^T sigma^-1 (R(x') - mu)),                 (P1 Eq. 7)
    and weight decay. R are the penultimate features, `model.encode`. With `objective="trades"` the first term is
    CE(f(x), y) + beta KL(f(x) || f(x')), and the attack maximizes that divergence instead of the cross-entropy.
    `semantic=False` leaves the second term out: plain adversarial training (PGDAT), or TRADES.

    The attack asks the model in evaluation mode, anew for each batch; the losses are taken in training mode. SGD
    with Nesterov momentum 0.9; the rate rises linearly from a 25th of `learning_rate` in the first 30 % of the steps
    and falls to 0 as half a cosine.

    Args:
        model: with `encode` and `head`, images (n, C, H, W) in [0, 1] -> logits (n, K); left as it is. Its weights
            are where training starts, its device and dtype where it happens.
        images: (N, C, H, W) in [0, 1], clean.
        labels: (N,), 0 to K - 1.
        cluster_index: (N,), the cluster of each image in stage I, 0 to J - 1; None without the semantic term.
        clusters: those of the clean features; None likewise. On the model's device.
        alpha: weight of the distance, >= 0; None likewise.
        semantic: add the distance.
        attack: the inner maximization.
        include_distance_in_attack: the attack maximizes the loss with alpha times the distance.
        objective: "pgd" or "trades".
        beta: weight of the divergence, > 0, for "trades" only; None for 6.
        epochs: passes over the images, at least 1.
        batch_size: the largest batch.
        learning_rate: the largest one, > 0.
        weight_decay: l2 penalty added to the gradient of every parameter, >= 0: 2 lambda of the equation.
        augment: changes the images of a batch before they are attacked.
        seed: decides order, augmentation, random starts and dropout.
        progress: show a bar once training has taken three seconds.
        progress_file: written after each epoch; where it exists the training goes on from it, and ends with the same
            weights as one that was never interrupted. The caller removes it.

    Returns:
        (trained copy in evaluation mode, RobustTraining).

    Raises:
        TypeError, ValueError: bad images, labels, clusters or options, found before any work; an argument that would
            have no effect; a progress file of another training; or training that diverged.

    Source: P1, Robust Semantic Training, Eq. 7; Algorithm 1, stage II. TRADES: Zhang et al. (2019).
    Differs from the paper: Eq. 7 lacks a transpose and a parenthesis, and Algorithm 1 writes lambda for alpha. The
    paper gives no alpha, step size, epochs, rate or schedule, and cites another paper for TRADES. TRADES starts its
    attack 0.001 from the image, ours is drawn from the ball.
    """
    options = dict(
        alpha=alpha, semantic=semantic, include_distance_in_attack=include_distance_in_attack, objective=objective,
        beta=beta, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay,
        seed=seed,
    )  # fmt: skip
    check_robust_training(model, images, labels, cluster_index, clusters, attack=attack, **options)
    trained = copy.deepcopy(model).requires_grad_(True)
    terms = _Terms(
        clusters=clusters if semantic else None,
        alpha=float(alpha) if semantic else 0.0,
        beta=None if objective == "pgd" else float(6.0 if beta is None else beta),
        attack=attack,
        distance_in_attack=include_distance_in_attack,
    )
    tensors = [part for part in (images, labels, cluster_index) if part is not None]
    name = training_digest(
        options | {"attack": asdict(attack)}, *tensors, *model.state_dict().values(), *tensors_of(clusters)
    )
    run = RobustRun(trained, len(images), options, None if progress_file is None else Path(progress_file), name)
    device, dtype = next((value.device, value.dtype) for value in trained.parameters())

    def batch_terms(indices: Tensor, draws: torch.Generator) -> dict[str, Tensor]:
        clean = images[indices.to(images.device)].to(device, dtype)
        if augment is not None:
            clean = augment(clean, draws)
        targets = labels[indices.to(labels.device)].to(device, torch.long)
        own = None if cluster_index is None else cluster_index[indices.to(cluster_index.device)].to(device, torch.long)
        return terms.of(trained, clean, targets, own, draws)

    history = run.go(batch_terms, progress)
    return trained.eval(), RobustTraining(history, sum(epoch.seconds for epoch in history))


@dataclass(frozen=True)
class _Terms:
    """The parts of the loss of a batch, and the attack that comes before them."""

    clusters: ClusterDistances | None
    alpha: float
    beta: float | None
    attack: TrainingAttack
    distance_in_attack: bool

    def distances(self, features: Tensor, own: Tensor) -> Tensor:
        return self.clusters.mahalanobis(features).gather(1, own[:, None]).squeeze(1)

    def of(
        self, model: nn.Module, clean: Tensor, targets: Tensor, own: Tensor | None, draws: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the loss of a batch, a scalar, and what it is made of."""
        with judged(model):
            attacked = self._attacked(model, clean, targets, own, draws)
        parts: dict[str, Tensor] = {}
        calm = None if self.beta is None else model.head(model.encode(clean)).log_softmax(1)
        features = model.encode(attacked)
        logits = model.head(features)
        if calm is None:
            parts["cross_entropy"] = loss = F.cross_entropy(logits, targets)
        else:
            parts["cross_entropy"] = F.nll_loss(calm, targets)
            parts["divergence"] = F.kl_div(logits.log_softmax(1), calm, log_target=True, reduction="batchmean")
            loss = parts["cross_entropy"] + self.beta * parts["divergence"]
        if self.clusters is not None:
            parts["distance"] = self.distances(features, own).mean()
            loss = loss + self.alpha * parts["distance"]
        return {"loss": loss, **parts, "adversarial_accuracy": (logits.argmax(1) == targets).double().mean()}

    def _attacked(
        self, model: nn.Module, clean: Tensor, targets: Tensor, own: Tensor | None, draws: torch.Generator
    ) -> Tensor:
        calm = None
        if self.beta is not None:
            with torch.no_grad():
                calm = model.head(model.encode(clean)).log_softmax(1)

        def losses(moved: Tensor) -> Tensor:
            features = model.encode(moved)
            logits = model.head(features)
            if calm is None:
                values = F.cross_entropy(logits, targets, reduction="none")
            else:
                values = F.kl_div(logits.log_softmax(1), calm, log_target=True, reduction="none").sum(1)
            return values + self.alpha * self.distances(features, own) if self.distance_in_attack else values

        return self.attack.perturb(clean, losses, generator=draws)


def check_robust_training(
    model: nn.Module, images: Tensor, labels: Tensor, cluster_index: Tensor | None, clusters: ClusterDistances | None,
    *, alpha: float | int | None, semantic: bool, attack: TrainingAttack, include_distance_in_attack: bool,
    objective: str, beta: float | int | None, epochs: int, batch_size: int, learning_rate: float | int,
    weight_decay: float | int, seed: int,
) -> None:  # fmt: skip
    """Raise unless `robust_semantic_training` can work with these, and each of them has an effect."""
    if not isinstance(model, nn.Module) or not all(callable(getattr(model, part, None)) for part in ("encode", "head")):
        raise TypeError(f"model: expected a torch module with .encode and .head, got {type(model).__name__}")
    checks.check_images(images)
    checks.check_labels(labels, len(images))
    checks.check_choice(objective, "objective", OBJECTIVES)
    checks.check_number(epochs, "epochs", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    checks.check_number(learning_rate, "learning_rate", above=0.0)
    checks.check_number(weight_decay, "weight_decay", at_least=0.0)
    checks.check_number(seed, "seed", integer=True)
    if beta is not None:
        if objective == "pgd":
            raise ValueError(f'beta: expected None with objective="pgd", which has no divergence, got {beta!r}')
        checks.check_number(beta, "beta", above=0.0)
    if objective == "trades" and not attack.random_start:
        raise ValueError(
            'attack: expected a random start with objective="trades", whose divergence has no gradient at the image, '
            "got random_start=False"
        )
    semantic_parts = dict(cluster_index=cluster_index, clusters=clusters, alpha=alpha)
    for name, value in semantic_parts.items():
        if semantic and value is None:
            raise ValueError(f"{name}: expected one with semantic=True, got None; use semantic=False to train without")
        if not semantic and value is not None:
            raise ValueError(f"{name}: expected None with semantic=False, got {type(value).__name__}; leave it out")
    if include_distance_in_attack and not semantic:
        raise ValueError("include_distance_in_attack: expected False with semantic=False, got True")
    place = next(model.parameters())
    with judged(model), torch.no_grad():
        features = model.encode(images[:1].to(place.device, place.dtype))
        logits = model.head(features)
    checks.check_logits(logits, 1)
    checks.check_labels(labels, len(images), n_classes=logits.shape[1])
    if semantic:
        checks.check_number(alpha, "alpha", at_least=0.0)
        distances = clusters.mahalanobis(features)
        if distances.ndim != 2 or len(distances) != 1:
            raise ValueError(f"clusters: expected .mahalanobis to give (1, J), got {tuple(distances.shape)}")
        checks.check_labels(cluster_index, len(images), n_classes=distances.shape[1], name="cluster_index")
