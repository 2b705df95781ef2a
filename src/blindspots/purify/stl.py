"""The sparse transformation layer: keep the smooth part of an image and code the rest sparsely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.purify.cbpdn import SparseCodes, cbpdn
from blindspots.purify.tikhonov import tikhonov_split
from blindspots.types import Counts, Images

Dictionary = Float[Tensor, "M C h w"]


@dataclass(frozen=True)
class SparseTransformation:
    """A purifier made by `stl_purifier`: images (N, C, H, W) in [0, 1] -> images.

    Attributes:
        dictionaries: one per stratum.
        lmbda, weight, pad, max_iterations, tolerance: see `stl_purifier`.
        encode: images (N, C, side, side) -> features (N, D); None with one dictionary.
        centers: (S, D), the middle of each stratum's features; None with one dictionary.
        side: of the images that encode is shown, in pixels.
    """

    dictionaries: tuple[Dictionary, ...] = field(repr=False)
    lmbda: float
    weight: float
    pad: int
    max_iterations: int
    tolerance: float
    encode: Callable[[Tensor], Tensor] | None = None
    centers: Float[Tensor, "S D"] | None = field(default=None, repr=False)
    side: int = 64

    def assign(self, images: Tensor) -> Counts:
        """Return the stratum (N,) of each image: that of the nearest center, the first of equally near ones.

        Args:
            images: (N, C, H, W) in [0, 1]; resized to (side, side) for encode.

        Raises:
            TypeError, ValueError: bad images, or features that do not fit the centers.
        """
        checks.check_images(images)
        if self.encode is None:
            return torch.zeros(len(images), dtype=torch.long, device=images.device)
        features = stratum_features(images, self.encode, side=self.side)
        if features.shape[1] != self.centers.shape[1]:
            raise ValueError(
                f"encode: expected {self.centers.shape[1]} features, as the centers have, got {features.shape[1]}; "
                "use the encoder the centers were made with"
            )
        gaps = features.double()[:, None] - self.centers.to(features.device).double()
        return gaps.square().sum(dim=2).argmin(dim=1).to(images.device)

    def codes(self, images: Tensor, stratum: int) -> tuple[Images, SparseCodes]:
        """Return the low-pass part of images and the codes of the rest over one stratum's dictionary."""
        low, high = tikhonov_split(images.detach(), weight=self.weight, pad=self.pad)
        codes = cbpdn(
            high, self.dictionaries[stratum].to(high), self.lmbda,
            max_iterations=self.max_iterations, tolerance=self.tolerance,
        )  # fmt: skip
        return low, codes

    def __call__(self, images: Tensor) -> Images:
        """Return low-pass part plus the sparse reconstruction of the rest, clamped to [0, 1].

        Args:
            images: (N, C, H, W) in [0, 1], no smaller than the filters.

        Returns:
            (N, C, H, W), in the dtype and on the device of images. No gradient flows through.

        Raises:
            TypeError, ValueError: bad images, or images that the dictionaries do not fit.
        """
        strata = self.assign(images)
        purified = torch.empty_like(images, requires_grad=False)
        for stratum in strata.unique().tolist():
            chosen = (strata == stratum).nonzero().flatten()
            low, codes = self.codes(images[chosen], stratum)
            purified[chosen] = low + codes.synthesize()
        return purified.clamp_(0.0, 1.0)


def stratum_features(
    images: Tensor, encode: Callable[[Tensor], Tensor], *, side: int = 64, batch_size: int = 256
) -> Float[Tensor, "N D"]:
    """Return what an encoder says of small copies of images, by which `stl_purifier` tells the strata apart.

    To make the strata, cluster these features of the clean training images (k-means), learn a dictionary on the images
    of each cluster, and pass the dictionaries and the cluster means to `stl_purifier`.

    Args:
        images: (N, C, H, W) in [0, 1], resized bilinearly, with smoothing, to (side, side).
        encode: images (n, C, side, side) -> features (n, D), the encoder of a denoising autoencoder.
        side: in pixels, at least 1; the paper's is 64.
        batch_size: images per pass.

    Returns:
        (N, D), without a gradient; a module is asked in evaluation mode.

    Raises:
        TypeError, ValueError: bad images or options, or features that are not finite (n, D).

    Source: Sun et al. (2019), the stratification.
    """
    checks.check_images(images)
    checks.check_number(side, "side", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    with judged(encode), torch.no_grad():
        parts = []
        for batch in images.detach().split(batch_size):
            if batch.shape[-2:] != (side, side):
                batch = F.interpolate(batch, size=(side, side), mode="bilinear", antialias=True).clamp(0.0, 1.0)
            parts.append(encode(batch))
            if not isinstance(parts[-1], Tensor) or parts[-1].ndim != 2 or len(parts[-1]) != len(batch):
                got = tuple(parts[-1].shape) if isinstance(parts[-1], Tensor) else type(parts[-1]).__name__
                raise ValueError(f"encode: expected features ({len(batch)}, D), got {got}; flatten them")
    features = torch.cat(parts)
    checks.check_finite(features, "encode's features")
    return features


def stl_purifier(
    dictionaries: Tensor | Sequence[Tensor],
    *,
    encode: Callable[[Tensor], Tensor] | None = None,
    centers: Tensor | None = None,
    side: int = 64,
    lmbda: float | int = 0.2,
    weight: float | int = 5.0,
    pad: int = 16,
    max_iterations: int = 200,
    tolerance: float | int = 5e-3,
) -> SparseTransformation:
    r"""Make the sparse transformation layer (STL): a smooth part, and a sparse code of the rest.

        x_low, x_high = tikhonov_split(x),     r = argmin (1/2) ||sum_m d_m * r_m - x_high||^2 + lmbda ||r||_1
        x_purified = clip(x_low + sum_m d_m * r_m)
    Stratified, each image is coded over the dictionary of the stratum whose center is nearest in the features of a
    denoising autoencoder; with one dictionary there are no strata.

    Args:
        dictionaries: (M, C, h, w), filters of unit norm, or one such dictionary per stratum; the paper's have 64
            color filters of 8x8 pixels, learned on clean images with the same lmbda. C = 1 codes each channel
            alone.
        encode: images (N, C, side, side) in [0, 1] -> features (N, D), the encoder of a denoising autoencoder;
            needed with several dictionaries.
        centers: (S, D), the middle of the features of each stratum; needed with several dictionaries.
        side: images are resized to (side, side) pixels for encode, and only for it.
        lmbda: weight of the l1 term, > 0. The code calls 0.1 to 0.3 good and mostly takes 0.2.
        weight, pad: see `tikhonov_split`.
        max_iterations, tolerance: see `cbpdn`. `SparseTransformation.codes` shows whether it converged.

    Returns:
        SparseTransformation, a Callable[[Images], Images] with no randomness.

    Raises:
        TypeError, ValueError: bad dictionaries or options; several dictionaries without encode and one center each.

    Source: Sun et al. (2019), Section 3; all settings are those of its released code, which has none for the strata:
    they are the text's.
    Differs from the paper: two quirks of its code are not copied. It reads images with channels in the order blue,
    green, red, so its dictionaries take that order; ours take red, green, blue. And it divides each result by its own
    maximum before saving, which changes the brightness wherever that is not 1; we clamp to [0, 1].
    """
    several = not isinstance(dictionaries, Tensor)
    listed = tuple(dictionaries) if several else (dictionaries,)
    if not listed:
        raise ValueError("dictionaries: expected at least one dictionary (M, C, h, w), got none")
    for dictionary in listed:
        checks.check_images(dictionary, "dictionaries", unit_range=False)
    checks.check_number(lmbda, "lmbda", above=0.0)
    checks.check_number(weight, "weight", at_least=0.0)
    checks.check_number(pad, "pad", at_least=0, integer=True)
    checks.check_number(side, "side", at_least=1, integer=True)
    checks.check_number(max_iterations, "max_iterations", at_least=1, integer=True)
    checks.check_number(tolerance, "tolerance", above=0.0)
    if len(listed) > 1 and (encode is None or centers is None):
        raise ValueError(
            f"encode, centers: expected both, because {len(listed)} dictionaries need strata, got "
            f"{'no encode' if encode is None else 'no centers'}; pass them, or a single dictionary"
        )
    if (encode is None) != (centers is None):
        raise ValueError("encode, centers: expected both or neither, got one of them")
    if centers is not None:
        if not isinstance(centers, Tensor) or centers.ndim != 2 or len(centers) != len(listed):
            got = tuple(centers.shape) if isinstance(centers, Tensor) else type(centers).__name__
            raise ValueError(f"centers: expected ({len(listed)}, D), one row per dictionary, got {got}")
        checks.check_finite(centers, "centers")
    return SparseTransformation(
        tuple(dictionary.detach() for dictionary in listed), float(lmbda), float(weight), pad, max_iterations,
        float(tolerance), encode, None if centers is None else centers.detach(), side,
    )  # fmt: skip
