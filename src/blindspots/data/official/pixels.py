"""From stored pixels to images (N, C, H, W) in [0, 1]: decoding files, cropping and resizing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

_BATCH = 512


def to_images(pixels: np.ndarray, size: int | None) -> Tensor:
    """Return images (N, C, S, S) in [0, 1] from 8-bit pixels (N, C, H, W); size None keeps H and W.

    Resizing takes the largest central square and is bilinear with antialiasing, so that shrinking does not
    alias.
    """
    return _assemble(len(pixels), lambda row: pixels[row], size)


def read_images(
    name: str, files: list[Path], size: int | None, *, cut: Callable[[Image.Image], Image.Image] | None = None
) -> Tensor:
    """Return image files as one tensor (N, 3, S, S) in [0, 1], after `cut`, where a set has its own crop.

    Raises:
        ValueError: a file is truncated or no image, or, without a size, has another shape than the first.
    """
    first: list[tuple[int, ...]] = []

    def read(row: int) -> np.ndarray:
        pixels = read_image(name, files[row], cut=cut)
        if not first:
            first.append(pixels.shape)
        if size is None and pixels.shape != first[0]:
            raise ValueError(
                f"{name}: expected every image to have {first[0][1]}x{first[0][2]} pixels, got "
                f"{pixels.shape[1]}x{pixels.shape[2]} in {files[row]}; choose a size"
            )
        return pixels

    return _assemble(len(files), read, size)


def read_image(
    name: str, file: Path, *, cut: Callable[[Image.Image], Image.Image] | None = None
) -> np.ndarray:
    """Return one image file as 8-bit pixels (3, H, W), after `cut`.

    Raises:
        ValueError: the file is truncated or no image; the message names it.
    """
    try:
        with Image.open(file) as image:
            whole = image.convert("RGB")
            pixels = np.asarray(whole if cut is None else cut(whole))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name}: expected the image {file}, got nothing there") from error
    except PermissionError as error:
        raise PermissionError(f"{name}: expected to read {file}, got no permission") from error
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{name}: expected an image in {file}, got a truncated or damaged file ({error}); replace it"
        ) from error
    return pixels.transpose(2, 0, 1)


def _assemble(n: int, read: Callable[[int], np.ndarray], size: int | None) -> Tensor:
    if n == 0:
        raise ValueError("images: expected at least one, got none; choose another split or a larger limit")
    channels, height, width = read(0).shape
    side = (height, width) if size is None else (size, size)
    _check_memory(n, channels, *side)
    images = torch.empty(n, channels, *side)
    for start in range(0, n, _BATCH):
        rows = range(start, min(start + _BATCH, n))
        if size is None:
            batch = torch.from_numpy(np.stack([read(row) for row in rows]))
            images[rows.start : rows.stop] = batch.float().div_(255)
        else:
            for row in rows:
                images[row] = _resize(read(row), size)
    return images


def _resize(pixels: np.ndarray, size: int) -> Tensor:
    height, width = pixels.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(pixels[:, top : top + side, left : left + side])
    image = torch.from_numpy(square).float().div_(255)
    if side == size:
        return image
    resized = torch.nn.functional.interpolate(
        image[None], size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
    return resized[0].clamp_(0, 1)


def _check_memory(n: int, channels: int, height: int, width: int) -> None:
    wanted = 4 * n * channels * height * width
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return
    if wanted > 0.8 * memory:
        raise ValueError(
            f"images: expected them to fit into memory ({memory / 2**30:.0f} GiB), got {n} of "
            f"{channels}x{height}x{width}, {wanted / 2**30:.0f} GiB; choose a smaller size or a limit"
        )
