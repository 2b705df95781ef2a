"""Borrow a model: evaluation mode while an attack asks it, everything as it was found afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from blindspots.types import Classifier


@contextmanager
def judged(model: Classifier) -> Iterator[None]:
    """Put a module in evaluation mode and give every submodule its own mode back at the end, also after an
    error.

    In training mode dropout would draw from the global generator, and batch normalization would mix the
    images of a batch and change the model. A plain callable is left alone.
    """
    modules = list(model.modules()) if isinstance(model, torch.nn.Module) else []
    training = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, mode in zip(modules, training, strict=True):
            module.training = mode
