"""One trial of bias discovery: train on pictures with planted biases, attack, and let each method show the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from blindspots.criticism.attribute_skew import AttributeSkew, attribute_skew
from blindspots.criticism.exemplars import Exemplars
from blindspots.criticism.exemplars_by_method import exemplars_by_method
from blindspots.criticism.steps_to_flip import steps_to_flip
from blindspots.models import compute_features, compute_logits, trained_classifier
from blindspots.seeding import derive_seed, generator
from blindspots.studies.biased_pictures import BiasedPictures


@dataclass(frozen=True)
class BiasTrial:
    """A model trained on planted biases, and what each method shows of the classes asked about.

    Attributes:
        model: the trained network.
        test: the pictures that it was judged on.
        accuracy: on all of them, in [0, 1].
        steps: by class (n,), steps to flip its test pictures.
        exemplars: by class and number shown of either kind, then by method; indices count within the class's test
            pictures.
    """

    model: nn.Module
    test: BiasedPictures
    accuracy: float
    steps: dict[int, Int[Tensor, " n"]]
    exemplars: dict[tuple[int, int], dict[str, Exemplars]]

    def skews(self, name: str, target: int, n_shown: int) -> dict[str, AttributeSkew]:
        """Return by method how an attribute is spread over n_shown prototypes and n_shown criticisms of a class."""
        has = self.test.attributes[name][self.test.labels == target]
        return {method: attribute_skew(has, shown) for method, shown in self.exemplars[target, n_shown].items()}


def bias_trial(
    train: BiasedPictures,
    test: BiasedPictures,
    *,
    targets: Sequence[int],
    spec: Mapping[str, Any],
    training: Mapping[str, Any],
    n_shown: Sequence[int] = (10,),
    step_size: float | int = 0.001,
    steps: int = 10,
    seed: int,
    device: str | torch.device = "cpu",
) -> BiasTrial:
    """Train a network and choose prototypes and criticisms of each class by every method.

    Args:
        train: pictures to learn from.
        test: pictures of which exemplars are chosen, with the same attributes.
        targets: classes to show, each with at least twice as many test pictures that the network gets right as it has
            prototypes.
        spec: of the network, see `models.build_model`.
        training: options of `models.trained_classifier`, with epochs; the cache makes an interrupted run resume.
        n_shown: numbers of prototypes, and of as many criticisms; each is a choice of its own.
        step_size, steps: of the attack. P4: 0.001 and 10.
        seed: of the network, its training and the choices.
        device: where the network computes.

    Returns:
        BiasTrial.

    Raises:
        TypeError, ValueError: as the functions used; too few pictures of a class for a method, with the class named.

    Source: P4 Sections 3.3 and 3.4.
    Differs from the paper: it looks into a network whose biases nobody planted.
    """
    if not len(n_shown):
        raise ValueError("n_shown: expected at least one number, got none")
    if not targets:
        raise ValueError("targets: expected at least one class, got none")
    model, _ = trained_classifier(
        spec,
        train.images,
        train.labels,
        seed=derive_seed(seed, "bias trial") % 2**31,
        device=device,
        progress=False,
        **training,
    )
    logits = compute_logits(model, test.images)
    place = next(model.parameters()).device
    counted, shown = {}, {}
    for target in targets:
        mine = test.labels == target
        if not mine.any():
            raise ValueError(f"targets: expected classes with test pictures, got {target}, which has none")
        images, labels = test.images[mine], test.labels[mine]
        counts = steps_to_flip(model, images.to(place), labels.to(place), step_size=step_size, steps=steps).cpu()
        features, probabilities = compute_features(model, images), logits[mine].softmax(1)[:, target]
        try:
            for n in n_shown:
                shown[target, n] = exemplars_by_method(
                    features, counts, probabilities, n, n, max_steps=steps,
                    generator=generator(seed, "exemplars", target, n),
                )  # fmt: skip
        except ValueError as error:
            raise ValueError(f"class {target} ({int(mine.sum())} pictures): {error}") from error
        counted[target] = counts
    accuracy = (logits.argmax(1) == test.labels).double().mean().item()
    return BiasTrial(model, test, accuracy, counted, shown)
