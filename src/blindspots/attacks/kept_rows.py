"""Attacked images that outlive an interrupted run: one cache entry for each attack on one set of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

import blindspots.attacks
import blindspots.perception
from blindspots.attacks.result import AttackResult
from blindspots.cache import cached_tensors
from blindspots.fingerprint import fingerprint
from blindspots.types import Classifier, Images, Labels

FIELDS = ("images", "success", "steps", "gradient_evaluations", "distances")
Row = tuple[AttackResult, Tensor | None, float]


def kept_row(
    make: Callable[[], Row], model: Classifier, images: Images, labels: Labels, settings: Mapping[str, Any]
) -> Row:
    """Return what an attack made of these images, from the cache if the same attack met them before.

    Args:
        make: attacks them; returns the result, the norms of its gradients or None, and its seconds.
        model: torch.nn.Module; its weights and the kind of device count.
        images: (N, C, H, W), attacked.
        labels: (N,).
        settings: JSON-able, all that fixes the attack.

    Returns:
        As `make` does, on the images' device; the seconds are those of the run that made the row.

    Raises:
        TypeError: the model is no torch.nn.Module, so that its weights cannot be told from another's.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"model: expected a torch.nn.Module where rows are kept, got {type(model).__name__}; "
            "wrap it, or attack without keeping rows"
        )
    state = model.state_dict()

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        result, norms, seconds = make()
        tensors = {field: getattr(result, field) for field in FIELDS}
        return tensors | ({} if norms is None else {"gradient_norms": norms}), {"seconds": seconds}

    entry = cached_tensors(
        "attack-row",
        build,
        parameters={
            "settings": dict(settings),
            "model": [type(model).__name__, *state],
            "device": images.device.type,
        },
        data=(fingerprint(images.cpu(), labels.cpu()), fingerprint(*(value.cpu() for value in state.values()))),
        # Whichever attack made the row, and whatever distance it minimizes.
        sources=(blindspots.attacks, blindspots.perception),
    )
    tensors = {name: value.to(images.device) for name, value in entry.tensors.items()}
    norms = tensors.pop("gradient_norms", None)
    return AttackResult(**tensors), norms, entry.metadata["seconds"]
