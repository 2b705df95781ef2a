"""Rebuild a model from the JSON-able description it carries."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from blindspots.models.autoencoder import autoencoder
from blindspots.models.mlp import mlp
from blindspots.models.resnet import resnet
from blindspots.models.small_cnn import small_cnn
from blindspots.models.small_transformers import small_swin, small_vit
from blindspots.models.torchvision_models import torchvision_classifier
from blindspots.models.wide_resnet import wide_resnet


def _torchvision_from_spec(*, architecture: str, n_classes: int | None = None, seed: int) -> nn.Module:
    return torchvision_classifier(architecture, n_classes=n_classes, seed=seed)


BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "small_cnn": small_cnn,
    "resnet": resnet,
    "wide_resnet": wide_resnet,
    "small_vit": small_vit,
    "small_swin": small_swin,
    "mlp": mlp,
    "autoencoder": autoencoder,
    "torchvision_classifier": _torchvision_from_spec,
}


def check_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a model's spec without its name, after checking that the builder knows each.

    Raises:
        TypeError: not a mapping.
        ValueError: no name, an unknown name, an unknown option, or a required option that is missing.
    """
    if not isinstance(spec, Mapping):
        raise TypeError(f'spec: expected a mapping such as {{"name": "small_cnn", ...}}, got {type(spec).__name__}')
    name = spec.get("name")
    if name not in BUILDERS:
        raise ValueError(f"spec: expected a name among {', '.join(BUILDERS)}; got {name!r}")
    parameters = inspect.signature(BUILDERS[name]).parameters
    known = [option for option in parameters if option != "seed"]
    options = {key: value for key, value in spec.items() if key != "name"}
    if unknown := [option for option in options if option not in known]:
        raise ValueError(f"spec: expected options of {name} among {', '.join(known)}; got {', '.join(unknown)}")
    required = [option for option in known if parameters[option].default is inspect.Parameter.empty]
    if missing := [option for option in required if option not in options]:
        raise ValueError(f"spec: expected {', '.join(required)} for {name}, got no {', '.join(missing)}")
    return options


def build_model(spec: Mapping[str, Any], *, seed: int) -> nn.Module:
    """Build the model a spec describes, with first weights drawn from the seed.

    Args:
        spec: "name" (small_cnn, resnet, wide_resnet, small_vit, small_swin, mlp, autoencoder, torchvision_classifier)
            and the builder's options by name; every model built here carries its own as `.spec`.
        seed: decides the first weights.

    Returns:
        The model in evaluation mode, on the CPU; `build_model(model.spec, seed=...)` has the same architecture.

    Raises:
        TypeError: the spec is not a mapping.
        ValueError: an unknown name or option, a required option that is missing, or a value the builder refuses.
    """
    options = check_spec(spec)
    return BUILDERS[spec["name"]](**options, seed=seed)
