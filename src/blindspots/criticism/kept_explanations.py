"""Explanations that outlive an interrupted run: one cache entry for each image that is explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from blindspots.cache import cached_tensors
from blindspots.criticism.lime_explain import Explanation, lime_explain
from blindspots.fingerprint import fingerprint
from blindspots.types import Classifier

_NUMBERS = ("effective_samples", "determined")
_TENSORS = tuple(field.name for field in fields(Explanation) if field.name not in _NUMBERS)


def kept_explanations(
    make: Callable[[], Sequence[Explanation]],
    model: Classifier,
    tensors: Sequence[Tensor],
    settings: Mapping[str, Any],
) -> list[Explanation]:
    """Return explanations of one model, from the cache if the same ones were made before.

    Args:
        make: explains; called without arguments.
        model: torch.nn.Module; its weights and the kind of device count.
        tensors: all tensors that fix the explanations beside the model: images, superpixels, samples. The first
            one's device is that of what is returned.
        settings: JSON-able, all else that fixes them.

    Returns:
        As `make` does.

    Raises:
        TypeError: the model is no torch.nn.Module, so that its weights cannot be told from another's.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"model: expected a torch.nn.Module where explanations are kept, got {type(model).__name__}; "
            "wrap it, or explain without keeping"
        )
    state, device = model.state_dict(), tensors[0].device

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        found, numbers = {}, []
        for place, one in enumerate(make()):
            found |= {f"{place}.{name}": getattr(one, name) for name in _TENSORS}
            numbers.append([getattr(one, name) for name in _NUMBERS])
        return found, {"numbers": numbers}

    entry = cached_tensors(
        "explanation",
        build,
        parameters={"settings": dict(settings), "model": [type(model).__name__, *state], "device": device.type},
        data=(
            fingerprint(*(value.detach().cpu() for value in tensors)),
            fingerprint(*(value.cpu() for value in state.values())),
        ),
        sources=(lime_explain,),
    )
    return [
        Explanation(
            **{name: entry.tensors[f"{place}.{name}"].to(device) for name in _TENSORS},
            **dict(zip(_NUMBERS, numbers, strict=True)),
        )
        for place, numbers in enumerate(entry.metadata["numbers"])
    ]
