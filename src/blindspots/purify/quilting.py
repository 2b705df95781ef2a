"""Image quilting: rebuild an image from small patches of clean images, cut together along the best seams."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from blindspots import checks
from blindspots.types import Images

_QUERIES = 1024
_PATCHES = 16384


def _windows(images: Images, patch: int, step: int) -> Float[Tensor, "N R S C p p"]:
    """Return the patches of images on a grid."""
    return images.unfold(2, patch, step).unfold(3, patch, step).permute(0, 2, 3, 1, 4, 5)


def _nearest(queries: Float[Tensor, "Q D"], patches: Float[Tensor, "P D"]) -> Float[Tensor, "Q D"]:
    """Return the patch closest to each query in L2; the first of equally close ones."""
    halves = 0.5 * patches.square().sum(dim=1)
    found = []
    for chunk in queries.split(_QUERIES):
        best = index = None
        for start in range(0, len(patches), _PATCHES):
            part = slice(start, start + _PATCHES)
            distance, place = torch.addmm(halves[None, part], chunk, patches[part].mT, alpha=-1.0).min(dim=1)
            if best is None:
                best, index = distance, place
            else:
                closer = distance < best
                best, index = torch.where(closer, distance, best), torch.where(closer, place + start, index)
        found.append(index)
    return patches[torch.cat(found)]


def _seam(errors: Float[Tensor, "B L T"]) -> Bool[Tensor, "B L T"]:
    """Return what lies on the near side of the cheapest cut through each error map, the cut included.

    A cut has one place of T in each of the L lines, and moves by at most one place from line to line.
    """
    lines = errors.shape[1]
    totals = [errors[:, 0]]
    for line in range(1, lines):
        around = F.pad(totals[-1], (1, 1), value=float("inf")).unfold(1, 3, 1)
        totals.append(errors[:, line] + around.amin(dim=2))
    place = totals[-1].argmin(dim=1)
    spots = torch.arange(errors.shape[2], device=errors.device)
    cuts = [place]
    for line in range(lines - 2, -1, -1):
        reachable = (spots - place[:, None]).abs() <= 1
        place = totals[line].masked_fill(~reachable, float("inf")).argmin(dim=1)
        cuts.append(place)
    return spots <= torch.stack(cuts[::-1], dim=1)[..., None]


def _joined(pieces: Float[Tensor, "B K L w C"], overlap: int) -> Float[Tensor, "B L S C"]:
    """Return K pieces side by side, each overlapping the one before along the best seam.

    An overlap is at most half a piece, so no two seams touch and all are found at once.
    """
    n, count, lines, width, channels = pieces.shape
    step = width - overlap
    joined = pieces.new_empty(n, lines, step * (count - 1) + width, channels)
    joined[:, :, step * (count - 1) :] = pieces[:, -1]
    if count == 1:
        return joined
    fresh = pieces[:, :-1, :, :step].permute(0, 2, 1, 3, 4).reshape(n, lines, step * (count - 1), channels)
    joined[:, :, : step * (count - 1)] = fresh
    if overlap == 0:
        return joined
    before, after = pieces[:, :-1, :, step:], pieces[:, 1:, :, :overlap]
    errors = (before - after).square().sum(dim=-1)
    near = _seam(errors.flatten(0, 1)).view(n, count - 1, lines, overlap, 1)
    blended = torch.where(near, before, after)
    for index in range(count - 1):
        start = step * (index + 1)
        joined[:, :, start : start + overlap] = blended[:, index]
    return joined


@dataclass(frozen=True)
class Quilting:
    """A purifier fitted by `fit_quilting`: images (N, C, H, W) in [0, 1] -> images.

    Attributes:
        patches: (P, C, patch, patch), from clean images.
        overlap: how many pixels neighboring patches share.
    """

    patches: Float[Tensor, "P C p p"] = field(repr=False)
    overlap: int

    def __call__(self, images: Tensor) -> Images:
        """Return images rebuilt from the patches.

        The image is covered by a grid of patches; each is replaced by the closest clean one. Neighbors in a
        row are cut together where they differ least, then row strips are. An image that the grid does not fit
        is extended by its last row and column first.

        Args:
            images: (N, C, H, W) in [0, 1], with as many channels as the patches.

        Returns:
            (N, C, H, W), every pixel taken from a patch, in the dtype and on the device of images. No
            gradient flows through.

        Raises:
            TypeError, ValueError: not such images.
        """
        checks.check_images(images)
        count, channels, patch, _ = self.patches.shape
        if images.shape[1] != channels:
            raise ValueError(
                f"images: expected {channels} channels, as the patches have, got {images.shape[1]}; "
                "fit on images of the same kind"
            )
        dtype = torch.promote_types(images.dtype, torch.float32)
        step = patch - self.overlap
        height, width = images.shape[-2:]
        missing = [max(patch - side, -(side - patch) % step) for side in (height, width)]
        covered = F.pad(images.detach().to(dtype), (0, missing[1], 0, missing[0]), mode="replicate")
        grid = _windows(covered, patch, step)
        n, rows, columns = grid.shape[:3]
        known = self.patches.to(device=images.device, dtype=dtype).reshape(count, -1)
        chosen = _nearest(grid.reshape(n * rows * columns, -1), known).view(n * rows, columns, channels, patch, patch)
        strips = _joined(chosen.permute(0, 1, 3, 4, 2), self.overlap)
        strips = strips.view(n, rows, patch, -1, channels).transpose(2, 3)
        whole = _joined(strips, self.overlap)
        return whole.permute(0, 3, 2, 1)[:, :, :height, :width].contiguous().to(images.dtype)


def fit_quilting(
    images: Tensor,
    *,
    patch: int = 5,
    overlap: int = 2,
    n_patches: int = 100_000,
    generator: torch.Generator,
) -> Quilting:
    """Collect patches of clean images from which `Quilting` rebuilds others.

    Args:
        images: (N, C, H, W) in [0, 1], clean, not the ones to be purified.
        patch: side of a patch in pixels, at least 2 and at most the images' side.
        overlap: pixels that neighboring patches share, 0 to patch / 2.
        n_patches: how many patches to keep, at least 1, at random and without repetition; all if there are
            fewer.
        generator: CPU generator for the choice of patches.

    Returns:
        Quilting, a Callable[[Images], Images] with no randomness left.

    Raises:
        TypeError, ValueError: bad images or options; a generator that is not on the CPU.

    Source: Guo et al. (2018), Section 4.4, with the patch size 5, overlap 2, single nearest neighbor and up to
    1,000,000 patches of its code; seams as in Efros and Freeman (2001).
    Differs from the paper: it draws one of several nearest neighbors and cuts all borders of a patch by a graph
    cut; we take the nearest, and cut by dynamic programming, first within the rows and then between them. The
    nearest patch is found exactly, among fewer patches by default.
    """
    checks.check_images(images)
    checks.check_number(patch, "patch", at_least=2, at_most=min(images.shape[-2:]), integer=True)
    checks.check_number(overlap, "overlap", at_least=0, at_most=patch // 2, integer=True)
    checks.check_number(n_patches, "n_patches", at_least=1, integer=True)
    checks.check_generator(generator)
    n, _, height, width = images.shape
    across, down = width - patch + 1, height - patch + 1
    count = n * down * across
    if n_patches < count:
        places = torch.randperm(count, generator=generator)[:n_patches].sort().values
    else:
        places = torch.arange(count)
    windows = images.detach().unfold(2, patch, 1).unfold(3, patch, 1)
    image, corner = places // (down * across), places % (down * across)
    chosen = windows[image, :, corner // across, corner % across]
    return Quilting(patches=chosen.clone(), overlap=overlap)
