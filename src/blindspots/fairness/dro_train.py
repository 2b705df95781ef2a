"""P0's Algorithm 4.2: train on a given robust data set, one model or fifty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.fairness.drawn_descent import Descent, Factors, drawn_descent
from blindspots.fairness.weighted_images import (
    WeightedImages,
    check_weighted,
    draw_rows,
    step_factors,
    why_diverged,
)

ON_DIVERGENCE = ("raise", "record")


def dro_train(
    model: nn.Module,
    robust_data: WeightedImages,
    *,
    steps: int,
    learning_rate: float | int,
    weighting: str = "sampling_only",
    batch_size: int = 1,
    generator: torch.Generator,
    on_divergence: str = "raise",
    progress: bool = False,
) -> Descent:
    r"""Train a classifier on images drawn in proportion to their weights, changing it in place.

        repeat `steps` times: draw (x_i, y_i) in proportion to P_i with replacement from D_rob (M items);
            theta <- theta - learning_rate c_i grad l(theta; x_i, y_i)
    c_i is 1, P_i or P_i / mean(P); see `step_factors`. The paper's T_2 epochs are T_2 M steps of one image.

    Args:
        model: theta_0, images (n, C, H, W) in [0, 1] -> logits (n, K); it holds theta afterwards. It trains in
            evaluation mode, and has its own mode again.
        robust_data: what `generate_adversarial_dataset` returns, or any WeightedImages: with the originals and weights
            of 1, plain training; with `group_balanced`, reweighting by group.
        steps: updates, at least 1.
        learning_rate: the paper's alpha, > 0.
        weighting: "sampling_only", "literal" (as printed; diverges) or "normalized".
        batch_size: images per update, whose steps are averaged; 1 is the algorithm as printed.
        generator: a CPU generator; decides what is drawn, and is advanced.
        on_divergence: "raise" an error that says why; or "record" it in `diverged_at`. Either way the model then has
            its first weights again.
        progress: show a bar once it has taken three seconds.

    Returns:
        Descent of one training.

    Raises:
        TypeError, ValueError: a bad set or option, found before any work; training that diverged.

    Source: P0, Section 4, Algorithm 4.2.
    Differs from the paper: "literal" is what it prints; see `step_factors` for why it is not the default. Evaluation
    mode and the order of draws (all before the first step, which changes nothing) are ours.
    """
    made = dro_train_many(
        [model], robust_data, steps=steps, learning_rate=learning_rate, weighting=weighting, batch_size=batch_size,
        generators=[generator], path="one_by_one", on_divergence=on_divergence, progress=progress,
    )  # fmt: skip
    if made.diverged_at[0] is None:
        made.load(model)
    return made


def dro_train_many(
    models: Sequence[nn.Module],
    robust_data: WeightedImages | Sequence[WeightedImages],
    *,
    steps: int,
    learning_rate: float | int,
    weighting: str = "sampling_only",
    batch_size: int = 1,
    generators: Sequence[torch.Generator],
    path: str | None = None,
    models_at_once: int | None = None,
    on_divergence: str = "raise",
    progress: bool = False,
) -> Descent:
    """Run Algorithm 4.2 once per generator, all models at once; each is what `dro_train` gives with that generator.

    Args:
        models: where each training starts, S modules of one architecture, which stay as they are; `[model] * 50` for
            the paper's fifty.
        robust_data: one set for all, or S sets, one each (of data sets that were resampled too). One that stands there
            repeatedly is held once.
        generators: S CPU generators; each is advanced.
        path: "stacked" or "one_by_one", the same up to the order of sums; None for what was measured to be faster
            (`faster_path`).
        models_at_once: most that are stacked, to bound memory; None for all.
        steps, learning_rate, weighting, batch_size, on_divergence, progress: as in `dro_train`.

    Returns:
        Descent of all, in order.

    Raises:
        TypeError, ValueError: as `dro_train`; numbers of models, sets and generators that do not fit.
    """
    sets = [robust_data] if isinstance(robust_data, WeightedImages) else list(robust_data)
    for data in sets:
        check_weighted(data)
    check_many(models, sets, generators, steps=steps, batch_size=batch_size, models_at_once=models_at_once)
    checks.check_choice(on_divergence, "on_divergence", ON_DIVERGENCE)
    held = list({id(data): data for data in sets}.values())
    first = dict(zip(map(id, held), accumulate((len(data.weights) for data in held), initial=0), strict=False))
    starts = [first[id(data)] for data in sets]
    factors = [step_factors(data.weights, weighting) for data in held]
    rows = draw_for_each([data.weights for data in sets], steps, batch_size, generators, starts=starts)
    images, labels, every = (joined(parts) for parts in ([s.images for s in held], [s.labels for s in held], factors))

    def make_factors(n_models: int) -> Factors:
        return lambda losses, rows: every[rows.to(every.device)].to(losses.device)

    made = descent_in_parts(
        models, images, labels, rows, make_factors, learning_rate=learning_rate, path=path,
        models_at_once=models_at_once, progress=progress,
    )  # fmt: skip
    if on_divergence == "raise":
        for place, step in enumerate(made.diverged_at):
            if step is not None:
                own = sets[place % len(sets)].weights
                raise ValueError(why_diverged(own, weighting, learning_rate, step) + f" (model {place})")
    return made


def check_many(
    models: Sequence[nn.Module],
    sets: Sequence[object],
    generators: Sequence[torch.Generator],
    *,
    steps: int,
    batch_size: int,
    models_at_once: int | None,
) -> None:
    """Raise unless there is a generator for each model and one set, or as many as models."""
    checks.check_number(steps, "steps", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    if models_at_once is not None:
        checks.check_number(models_at_once, "models_at_once", at_least=1, integer=True)
    if not models or len(generators) != len(models):
        raise ValueError(f"generators: expected one per model ({len(models)}, at least 1), got {len(generators)}")
    for generator in generators:
        checks.check_generator(generator, "generators")
    if len({id(generator) for generator in generators}) < len(generators):
        raise ValueError("generators: expected a generator of its own for each model, got one twice")
    if len(sets) not in (1, len(models)):
        raise ValueError(f"robust_data: expected one set, or one for each of {len(models)} models, got {len(sets)}")


def draw_for_each(
    weights: Sequence[Tensor],
    steps: int,
    batch_size: int,
    generators: Sequence[torch.Generator],
    *,
    starts: Sequence[int] = (0,),
) -> Tensor:
    """Return rows (S, steps, B) drawn in proportion to weights, of one set or of S, counted from where each starts."""
    drawn = []
    for place, generator in enumerate(generators):
        own, start = (parts[place if len(parts) > 1 else 0] for parts in (weights, starts))
        drawn.append(start + draw_rows(own, steps * batch_size, generator).view(steps, batch_size))
    return torch.stack(drawn)


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Return tensors one after another; a single one as it is, without a copy."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def descent_in_parts(
    models: Sequence[nn.Module],
    images: Tensor,
    labels: Tensor,
    rows: Tensor,
    make_factors: Callable[[int], Factors],
    *,
    learning_rate: float | int,
    path: str | None,
    models_at_once: int | None,
    progress: bool = False,
) -> Descent:
    """Run `drawn_descent` for so many models at once, and put the parts together."""
    size = len(models) if models_at_once is None else models_at_once
    parts = [
        drawn_descent(
            models[start : start + size], images, labels, rows[start : start + size], make_factors,
            learning_rate=learning_rate, path=path, progress=progress,
        )
        for start in range(0, len(models), size)
    ]  # fmt: skip
    return replace(
        parts[0],
        states=tuple(state for part in parts for state in part.states),
        losses=torch.cat([part.losses for part in parts]),
        diverged_at=tuple(step for part in parts for step in part.diverged_at),
        seconds=sum(part.seconds for part in parts),
    )
