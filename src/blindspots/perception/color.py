"""Perceptual color differences: sRGB to CIELAB, and CIEDE2000 between two CIELAB images."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.types import Maps

Lab = Float[Tensor, "N 3 H W"]

_RGB_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)  # D65, observer of 2 degrees


def check_color_images(images: Tensor, name: str = "images") -> None:
    """Raise unless images is a finite float tensor (N, 3, H, W)."""
    checks.check_images(images, name, unit_range=False)
    if images.shape[1] != 3:
        raise ValueError(
            f"{name}: expected 3 color channels (N, 3, H, W), got {tuple(images.shape)}; "
            "repeat a gray channel with .expand(-1, 3, -1, -1)"
        )


def rgb_to_lab(images: Tensor) -> Lab:
    r"""Turn sRGB images into CIELAB coordinates.

    The sRGB curve is undone, the linear values are multiplied into XYZ, and with f(t) = t^(1/3) for
    t > (6/29)^3 and t / (3 (6/29)^2) + 4/29 below, and X, Y, Z relative to the white of D65,
        L = 116 f(Y) - 16,     a = 500 (f(X) - f(Y)),     b = 200 (f(Y) - f(Z)).

    Args:
        images: (N, 3, H, W), RGB in [0, 1]; values outside are continued by the same formulas. Differentiable
            with finite gradients, at black too.

    Returns:
        (N, 3, H, W): L in [0, 100], a and b in about [-108, 99], in the dtype of images.

    Raises:
        TypeError, ValueError: not a finite float tensor (N, 3, H, W).

    Source: CIE 15 (2004) and IEC 61966-2-1, with the matrix and white of scikit-image's `rgb2lab`.
    """
    check_color_images(images)
    # The unused branch of a where gets a harmless argument, or its infinite slope would spoil the gradient.
    curved = images > 0.04045
    powered = ((torch.where(curved, images, 1.0) + 0.055) / 1.055).pow(2.4)
    linear = torch.where(curved, powered, images / 12.92)
    matrix = torch.tensor(_RGB_TO_XYZ, dtype=torch.float64) / torch.tensor(_WHITE, dtype=torch.float64)[:, None]
    xyz = torch.einsum("ij,njhw->nihw", matrix.to(images), linear)
    delta = 6.0 / 29.0
    far = xyz > delta**3
    rooted = torch.where(far, xyz, 1.0).pow(1.0 / 3.0)
    x, y, z = torch.where(far, rooted, xyz / (3.0 * delta**2) + 4.0 / 29.0).unbind(1)
    return torch.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], dim=1)


def _root(values: Tensor) -> Tensor:
    """Return the square root, with slope 0 instead of infinity at 0."""
    positive = values > 0
    return torch.where(positive, torch.where(positive, values, 1.0).sqrt(), 0.0)


def _angle(y: Tensor, x: Tensor) -> Tensor:
    """Return atan2(y, x), with value and slope 0 where both are 0."""
    nowhere = (x == 0) & (y == 0)
    return torch.atan2(y, torch.where(nowhere, 1.0, x))


def _seventh(chroma: Tensor) -> Tensor:
    """Return sqrt(C^7 / (C^7 + 25^7)), whose slope at 0 is 0."""
    scaled = chroma / 25.0
    return scaled.pow(3.5) / (scaled.pow(7.0) + 1.0).sqrt()


def ciede2000(lab_a: Tensor, lab_b: Tensor) -> Maps:
    r"""Measure the CIEDE2000 color difference, pixel by pixel.

        dE^2 = (dL / S_L)^2 + (dC / S_C)^2 + (dH / S_H)^2 + R_T (dC / S_C) (dH / S_H)
    in lightness, chroma and hue, each weighed by how well people tell it apart; k_L = k_C = k_H = 1. About 1
    is a difference that is just noticed.

    Args:
        lab_a: (N, 3, H, W), CIELAB as `rgb_to_lab` gives it. Differentiable; the gradient is finite
            everywhere, and 0 where both colors are equal and the difference has no derivative.
        lab_b: (N, 3, H, W), same shape, dtype and device. Differentiable likewise.

    Returns:
        (N, H, W), >= 0; 0 = identical. Symmetric, except for hues exactly opposite.

    Raises:
        TypeError, ValueError: not two finite float tensors (N, 3, H, W) of one shape.

    Source: Sharma, Wu and Dalal (2005), Eqs. 2-22.
    Differs from the paper: the hue difference comes from the cross and dot products of the two chroma
    vectors, which is the same number without the loss of digits for colors close together.
    """
    check_color_images(lab_a, "lab_a")
    check_color_images(lab_b, "lab_b")
    checks.check_same_shape(lab_a, lab_b, "lab_a", "lab_b")
    lightness_1, a_1, b_1 = lab_a.unbind(1)
    lightness_2, a_2, b_2 = lab_b.unbind(1)

    mean_chroma = (_root(a_1 * a_1 + b_1 * b_1) + _root(a_2 * a_2 + b_2 * b_2)) / 2.0
    stretch = 1.5 - 0.5 * _seventh(mean_chroma)
    a_1, a_2 = stretch * a_1, stretch * a_2
    chroma_1, chroma_2 = _root(a_1 * a_1 + b_1 * b_1), _root(a_2 * a_2 + b_2 * b_2)

    gray = (chroma_1 == 0) | (chroma_2 == 0)
    cross, dot = a_1 * (b_2 - b_1) - (a_2 - a_1) * b_1, a_1 * a_2 + b_1 * b_2
    turn = torch.where(gray, 0.0, _angle(torch.where(gray, 0.0, cross), torch.where(gray, 1.0, dot)))
    hue_1, hue_2 = (_angle(b, a).remainder(2.0 * math.pi) for a, b in ((a_1, b_1), (a_2, b_2)))
    across = ((hue_1 - hue_2).abs() > math.pi).to(hue_1.dtype)
    mean_hue = torch.where(gray, hue_1 + hue_2, (hue_1 + hue_2) / 2.0 + math.pi * across)

    d_lightness, d_chroma = lightness_2 - lightness_1, chroma_2 - chroma_1
    d_hue = 2.0 * _root(chroma_1 * chroma_2) * torch.sin(turn / 2.0)
    mean_lightness = (lightness_1 + lightness_2) / 2.0
    mean_chroma = (chroma_1 + chroma_2) / 2.0
    degree = math.pi / 180.0
    hue_weight = (
        1.0
        - 0.17 * torch.cos(mean_hue - 30.0 * degree)
        + 0.24 * torch.cos(2.0 * mean_hue)
        + 0.32 * torch.cos(3.0 * mean_hue + 6.0 * degree)
        - 0.20 * torch.cos(4.0 * mean_hue - 63.0 * degree)
    )
    offset = (mean_lightness - 50.0).square()
    per_lightness = d_lightness / (1.0 + 0.015 * offset / (20.0 + offset).sqrt())
    per_chroma = d_chroma / (1.0 + 0.045 * mean_chroma)
    per_hue = d_hue / (1.0 + 0.015 * mean_chroma * hue_weight)
    blue = (mean_hue.remainder(2.0 * math.pi) / degree - 275.0) / 25.0
    rotation = -2.0 * _seventh(mean_chroma) * torch.sin(60.0 * degree * torch.exp(-blue.square()))
    squared = per_lightness.square() + per_chroma.square() + per_hue.square() + rotation * per_chroma * per_hue
    return _root(squared)
