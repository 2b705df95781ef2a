"""Networks behind learned distances: built without drawing or downloading weights, filled from a file, frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from blindspots.types import Images
from blindspots.weight_files import find_weight, read_weight

Weights = str | Path | Mapping[str, Tensor]


def network_without_weights(build: Callable[[], nn.Module]) -> nn.Module:
    """Return a network whose parameters take no memory and were not drawn: they come from `fill` afterwards."""
    with torch.device("meta"):
        return build()


def read_state(
    weights: Weights | None, file_names: tuple[str, ...], *, data_root: str | Path | None = None
) -> dict[str, Tensor]:
    """Return a state: as given, from the file at a path, or from the first of the known files that is there.

    Raises:
        FileNotFoundError: no such file; where none was named, the message is that of the last known file: what
            to get, how large it is, under which licence, and where to put it.
        ValueError: a damaged file, or one that holds anything else than tensors by name.
    """
    if isinstance(weights, Mapping):
        source, state = "the mapping that was passed", dict(weights)
    elif weights is not None:
        source, state = str(weights), read_weight(weights)
    else:
        file = _first_known(file_names, data_root)
        source, state = str(file), read_weight(file)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()) or not state:
        raise ValueError(f"weights: expected tensors by name in {source}, got {type(state).__name__} of other kinds")
    return state


def _first_known(file_names: tuple[str, ...], data_root: str | Path | None) -> Path:
    for file_name in file_names[:-1]:
        try:
            return find_weight(file_name, data_root=data_root)
        except FileNotFoundError:
            continue
    return find_weight(file_names[-1], data_root=data_root)


def fill(network: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Put a state into a network without weights, freeze it, and return it in evaluation mode.

    Raises:
        ValueError: names are missing or left over, or tensors have other shapes.
    """
    own = network.state_dict()
    wrong = [name for name in own if name not in state] + [name for name in state if name not in own]
    wrong += [name for name in own if name in state and state[name].shape != own[name].shape]
    if wrong:
        raise ValueError(
            f"weights: expected exactly the {len(own)} tensors of this network, got others: {wrong[0]} is missing, "
            f"left over or of another shape, and {len(wrong) - 1} more; use the file made for it"
        )
    network.load_state_dict({name: state[name].detach() for name in own}, assign=True)
    return network.requires_grad_(False).eval()


def torchvision_features(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the feature layers of a torchvision state, named from "0" on; such a part alone is taken too."""
    prefix = "features."
    if any(name.startswith(prefix) for name in state):
        return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    return dict(state)


def prepare_input(network: nn.Module, images: Tensor) -> Images:
    """Move the network to the images' device and a dtype at least as wide, and return images for it.

    The parameters are float32 in the files, so going to float64 and back loses nothing. A gray image becomes
    an image with three equal channels.
    """
    dtype = torch.float64 if images.dtype == torch.float64 else torch.float32
    network.to(device=images.device, dtype=dtype)
    return images.to(dtype).expand(-1, 3, -1, -1)


def check_colors(images: Tensor, name: str) -> None:
    """Raise unless images (N, C, H, W) have three channels, or one, which counts as three equal ones."""
    if images.shape[1] not in (1, 3):
        raise ValueError(
            f"{name}: expected 3 channels (red, green, blue) or 1 (gray), got {images.shape[1]}; drop the others"
        )
