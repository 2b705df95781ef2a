"""Color as people see it: CIE Lab and the CIEDE2000 difference, differentiable everywhere."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blindspots import checks
from blindspots.types import Images, Maps, Scores

REDUCTIONS = ("l2", "mean")
_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
_CORNER = 6.0 / 29.0


def check_color_images(images: Tensor, name: str = "images") -> None:
    """Raise unless images is a finite float tensor (N, 3, H, W): red, green, blue, or L*, a*, b*."""
    checks.check_images(images, name, unit_range=False)
    if images.shape[1] != 3:
        raise ValueError(
            f"{name}: expected three channels (red, green, blue, or L*, a*, b*), got {images.shape[1]}; "
            "repeat a gray channel three times"
        )


def rgb_to_lab(images: Tensor) -> Images:
    r"""Convert sRGB images to CIE L*a*b* for the standard observer (2 degrees) under daylight D65.

    sRGB is made linear, v / 12.92 below 0.04045 and ((v + 0.055) / 1.055)^2.4 above, multiplied by the matrix
    of ITU-R BT.709, divided by the white point and passed through f(t) = t^(1/3), a straight line below (6 /
    29)^3:
        L* = 116 f(Y) - 16,     a* = 500 (f(X) - f(Y)),     b* = 200 (f(Y) - f(Z)).

    Args:
        images: (N, 3, H, W), sRGB, [0, 1] for the usual reading; values outside follow the same formulas.
            Differentiable.

    Returns:
        (N, 3, H, W): L* in [0, 100], a* and b* about [-110, 110], in the dtype of images.

    Raises:
        TypeError, ValueError: not finite float images, or not three channels.

    Source: IEC 61966-2-1 (sRGB), CIE 15 (Lab).
    """
    check_color_images(images)
    linear = torch.where(
        images > 0.04045, ((images.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, images / 12.92
    )
    matrix = images.new_tensor(_TO_XYZ) / images.new_tensor(_WHITE)[:, None]
    relative = torch.einsum("ij,njhw->nihw", matrix, linear)
    straight = relative / (3.0 * _CORNER**2) + 4.0 / 29.0
    x, y, z = torch.where(
        relative > _CORNER**3, relative.clamp_min(_CORNER**3) ** (1.0 / 3.0), straight
    ).unbind(1)
    return torch.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], dim=1)


def ciede2000(lab_a: Tensor, lab_b: Tensor) -> Maps:
    r"""Return the CIEDE2000 color difference of every pixel, with all parametric factors 1.

        dE^2 = (dL / S_L)^2 + (dC / S_C)^2 + (dH / S_H)^2 + R_T (dC / S_C) (dH / S_H)
    Where the formula has a corner its gradient is taken as 0: at equal colors, where dE rises from 0 like a
    cone, and for the hue of a gray, which does not exist.

    Args:
        lab_a: (N, 3, H, W), L*a*b* from `rgb_to_lab`. Differentiable.
        lab_b: the same shape, dtype and device. Differentiable.

    Returns:
        (N, H, W), at least 0; 0 = identical, about 1 = just noticeable side by side.

    Raises:
        TypeError, ValueError: not finite float images of one shape, or not three channels.

    Source: Sharma, Wu and Dalal (2005), whose notation this follows.
    """
    check_color_images(lab_a, "lab_a")
    check_color_images(lab_b, "lab_b")
    checks.check_same_shape(lab_a, lab_b, "lab_a", "lab_b")
    return _root(ciede2000_squared(lab_a, lab_b))


def ciede2000_distance(images: Tensor, references: Tensor, *, reduction: str = "l2") -> Scores:
    """Return the CIEDE2000 difference between sRGB images, summed up over the pixels.

    Args:
        images: (N, 3, H, W), any finite values, [0, 1] for the usual reading. Differentiable; the gradient at
            images equal to their references is 0.
        references: the same shape, dtype and device.
        reduction: "l2", the Euclidean norm of the map, which PerC-AL minimizes; or "mean", the mean over
            pixels, in units of one just noticeable difference and independent of the size.

    Returns:
        (N,), at least 0; 0 = identical, lower = closer.

    Raises:
        TypeError, ValueError: not finite float images of one shape, not three channels, unknown reduction.

    Source: Sharma, Wu and Dalal (2005); Zhao, Liu and Larson (2020) for the norm.
    """
    checks.check_choice(reduction, "reduction", REDUCTIONS)
    checks.check_images(images, unit_range=False)
    checks.check_images(references, "references", unit_range=False)
    checks.check_same_shape(images, references, "images", "references")
    squares = ciede2000_squared(rgb_to_lab(images), rgb_to_lab(references))
    if reduction == "mean":
        return _root(squares).mean(dim=(1, 2))
    return _root(squares.sum(dim=(1, 2)))


def ciede2000_squared(lab_a: Images, lab_b: Images) -> Maps:
    """Return dE^2 (N, H, W) for checked inputs; its gradient is finite at equal colors too."""
    light_a, a_a, b_a = lab_a.unbind(1)
    light_b, a_b, b_b = lab_b.unbind(1)

    chroma = (_length(a_a, b_a) + _length(a_b, b_b)) / 2.0
    stretch = 1.0 + 0.5 * (1.0 - _seventh_share(chroma))
    a_a, a_b = a_a * stretch, a_b * stretch
    chroma_a, chroma_b = _length(a_a, b_a), _length(a_b, b_b)
    hue_a, hue_b = _angle(a_a, b_a), _angle(a_b, b_b)
    colored = (chroma_a * chroma_b) > 0

    turn = hue_b - hue_a
    turn = torch.where(turn > math.pi, turn - 2.0 * math.pi, turn)
    turn = torch.where(turn < -math.pi, turn + 2.0 * math.pi, turn)
    turn = torch.where(colored, turn, 0.0)
    delta_light, delta_chroma = light_b - light_a, chroma_b - chroma_a
    product = torch.where(colored, chroma_a * chroma_b, 1.0)
    delta_hue = 2.0 * torch.where(colored, product.sqrt(), 0.0) * torch.sin(turn / 2.0)

    light, chroma = (light_a + light_b) / 2.0, (chroma_a + chroma_b) / 2.0
    total = hue_a + hue_b
    apart = (hue_a - hue_b).abs() > math.pi
    wrapped = torch.where(total < 2.0 * math.pi, total + 2.0 * math.pi, total - 2.0 * math.pi)
    hue = torch.where(colored, torch.where(apart, wrapped, total) / 2.0, total)

    offset = (light - 50.0) ** 2
    scale_light = 1.0 + 0.015 * offset / torch.sqrt(20.0 + offset)
    scale_chroma = 1.0 + 0.045 * chroma
    scale_hue = 1.0 + 0.015 * chroma * _hue_weight(hue)
    blue = torch.exp(-(((torch.rad2deg(hue) - 275.0) / 25.0) ** 2))
    rotation = -2.0 * _seventh_share(chroma) * torch.sin(math.radians(60.0) * blue)

    part_light, part_chroma = delta_light / scale_light, delta_chroma / scale_chroma
    part_hue = delta_hue / scale_hue
    squared = part_light**2 + part_chroma**2 + part_hue**2 + rotation * part_chroma * part_hue
    return squared.clamp_min(0.0)


def _root(squares: Tensor) -> Tensor:
    """Return sqrt with a gradient of 0, not infinity, at 0."""
    positive = squares > 0
    return torch.where(positive, torch.where(positive, squares, 1.0).sqrt(), 0.0)


def _length(first: Tensor, second: Tensor) -> Tensor:
    return _root(first * first + second * second)


def _angle(first: Tensor, second: Tensor) -> Tensor:
    """Return the hue in [0, 2 pi); 0, with a gradient of 0, for a gray."""
    gray = (first == 0) & (second == 0)
    angle = torch.atan2(second, torch.where(gray, 1.0, first))
    return torch.where(angle < 0, angle + 2.0 * math.pi, angle)


def _seventh_share(chroma: Tensor) -> Tensor:
    """Return sqrt(C^7 / (C^7 + 25^7)), written in C / 25 so that float32 does not overflow."""
    ratio = (chroma / 25.0).clamp_max(1e4) ** 7
    return _root(ratio / (ratio + 1.0))


def _hue_weight(hue: Tensor) -> Tensor:
    return (
        1.0
        - 0.17 * torch.cos(hue - math.radians(30.0))
        + 0.24 * torch.cos(2.0 * hue)
        + 0.32 * torch.cos(3.0 * hue + math.radians(6.0))
        - 0.20 * torch.cos(4.0 * hue - math.radians(63.0))
    )
