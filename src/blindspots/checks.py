"""The only validators: what a public function asks of its arguments.

Every message names the argument, what was expected, what was got and what to do. Checks run once, at the public
door, because reading a minimum or maximum makes a GPU wait.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def _kind(value: object) -> str:
    return type(value).__name__


def check_images(
    images: Tensor, name: str = "images", *, unit_range: bool = True, min_side: int = 1
) -> None:
    """Raise unless images is a finite, non-empty float tensor (N, C, H, W), in [0, 1] if unit_range."""
    if not isinstance(images, Tensor):
        raise TypeError(f"{name}: expected a torch tensor (N, C, H, W), got {_kind(images)}; use torch.as_tensor")
    if images.ndim != 4:
        raise ValueError(
            f"{name}: expected shape (N, C, H, W), got {tuple(images.shape)}; add a batch axis with [None]"
        )
    if not images.is_floating_point():
        raise TypeError(
            f"{name}: expected a float tensor, got {images.dtype}; convert with .float() and divide 8-bit images by 255"
        )
    if images.numel() == 0:
        raise ValueError(f"{name}: expected at least one image, got an empty batch of shape {tuple(images.shape)}")
    if min(images.shape[-2:]) < min_side:
        raise ValueError(
            f"{name}: expected sides of at least {min_side} pixels, got {images.shape[-2]}x{images.shape[-1]}; "
            "use larger images or a smaller window"
        )
    low, high = (bound.item() for bound in torch.aminmax(images.detach()))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name}: expected finite values, got NaN or infinity; look for it with torch.isfinite")
    if unit_range and (low < 0.0 or high > 1.0):
        raise ValueError(
            f"{name}: expected values in [0, 1], got [{low:.3g}, {high:.3g}]; "
            + ("divide 8-bit images by 255" if high > 2.0 else "clamp to [0, 1]; models normalize by themselves")
        )


def check_same_shape(first: Tensor, second: Tensor, first_name: str, second_name: str) -> None:
    """Raise unless both tensors have one shape, dtype and device."""
    if not isinstance(second, Tensor):
        raise TypeError(f"{second_name}: expected a torch tensor, got {_kind(second)}; use torch.as_tensor")
    if first.shape != second.shape:
        raise ValueError(
            f"{second_name}: expected the shape of {first_name} {tuple(first.shape)}, got {tuple(second.shape)}; "
            "expand it explicitly"
        )
    if first.dtype != second.dtype:
        raise ValueError(
            f"{second_name}: expected the dtype of {first_name} ({first.dtype}), got {second.dtype}; convert with .to"
        )
    if first.device != second.device:
        raise ValueError(
            f"{second_name}: expected the device of {first_name} ({first.device}), got {second.device}; "
            "move it with .to"
        )


def check_finite(tensor: Tensor, name: str) -> None:
    """Raise unless every value of a tensor is finite."""
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{name}: expected finite values, got NaN or infinity; look for it with torch.isfinite")


def check_labels(labels: Tensor, n_images: int, *, n_classes: int | None = None, name: str = "labels") -> None:
    """Raise unless labels is an integer tensor (N,) with values in [0, n_classes)."""
    if not isinstance(labels, Tensor):
        raise TypeError(f"{name}: expected an integer tensor (N,), got {_kind(labels)}; use torch.as_tensor")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f"{name}: expected an integer tensor, got {labels.dtype}; convert with .long()")
    if labels.shape != (n_images,):
        raise ValueError(f"{name}: expected shape ({n_images},), one per image, got {tuple(labels.shape)}")
    low, high = (bound.item() for bound in torch.aminmax(labels))
    if low < 0 or (n_classes is not None and high >= n_classes):
        top = "K - 1" if n_classes is None else str(n_classes - 1)
        raise ValueError(
            f"{name}: expected classes from 0 to {top}, got values from {low} to {high}; "
            "labels are 0-based, subtract 1 from 1-based ones"
        )


def check_logits(logits: Tensor, n_images: int) -> None:
    """Raise unless a model returned finite float logits (N, K) with at least two classes."""
    if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[0] != n_images or logits.shape[1] < 2:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else _kind(logits)
        raise ValueError(f"model: expected logits ({n_images}, K) with K >= 2, got {got}; wrap it to return them")
    if not torch.isfinite(logits.detach()).all():
        raise ValueError("model: expected finite logits, got NaN or infinity; check its weights")


def check_number(
    value: float,
    name: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    integer: bool = False,
) -> None:
    """Raise unless value is a finite number (an integer if asked) inside the given bounds."""
    kinds = (int,) if integer else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise TypeError(f"{name}: expected {'an integer' if integer else 'a number'}, got {_kind(value)} {value!r}")
    wanted = []
    if above is not None:
        wanted.append(f"> {above:g}")
    if at_least is not None:
        wanted.append(f">= {at_least:g}")
    if at_most is not None:
        wanted.append(f"<= {at_most:g}")
    outside = (
        not math.isfinite(value)
        or (above is not None and value <= above)
        or (at_least is not None and value < at_least)
        or (at_most is not None and value > at_most)
    )
    if outside:
        bounds = f" {' and '.join(wanted)}" if wanted else ""
        raise ValueError(f"{name}: expected a finite number{bounds}, got {value!r}")


def check_odd(value: int, name: str, *, at_least: int = 1) -> None:
    """Raise unless value is an odd integer, as a window with a middle pixel needs."""
    check_number(value, name, at_least=at_least, integer=True)
    if value % 2 == 0:
        raise ValueError(
            f"{name}: expected an odd number, so that a window has a middle pixel, got {value}; "
            f"use {value - 1} or {value + 1}"
        )


def check_choice(value: str, name: str, choices: tuple[str, ...] | list[str]) -> None:
    """Raise unless value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}; got {value!r}")


def check_generator(generator: torch.Generator, name: str = "generator") -> None:
    """Raise unless generator is a CPU generator: randomness is drawn on the CPU, so every device starts alike."""
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"{name}: expected a torch.Generator, got {_kind(generator)}; use seeding.generator(seed)")
    if generator.device.type != "cpu":
        raise ValueError(
            f"{name}: expected a CPU generator, got one on {generator.device}; "
            "randomness is drawn on the CPU and then moved, so that every device starts alike"
        )
