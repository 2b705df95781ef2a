"""A reader without gradients: the class of the nearest clean image, in place of a person who looks at it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from blindspots import checks
from blindspots.types import Features, Images, Labels, Scores


class NearestReader:
    """Read an image as the class of the nearest of some clean images.

    Args:
        images: clean images (M, C, H, W) in [0, 1].
        labels: their classes (M,).
        features: images (N, C, H, W) -> (N, D), the space in which distances are taken; pixels by default.
        chunk: images compared at a time.

    Raises:
        ValueError: images out of range, or labels that do not fit them.

    The reader stands in for people where there are none: it sees what an attack was not made for, and it has none of
    the gradients an attack follows. It is no model of human vision, and a page that uses it says so.
    """

    def __init__(
        self,
        images: Images,
        labels: Labels,
        *,
        features: Callable[[Tensor], Tensor] | None = None,
        chunk: int = 512,
    ):
        checks.check_images(images)
        checks.check_labels(labels, len(images))
        checks.check_number(chunk, "chunk", at_least=1, integer=True)
        self._features = features or _pixels
        self._chunk = chunk
        self._known = self._features(images)
        self._labels = labels

    def read(self, images: Images) -> Labels:
        """Return the class (N,) of the nearest clean image."""
        return torch.cat([self._labels[distances.argmin(dim=1)] for distances in self._distances(images)])

    def distance_to_class(self, images: Images, labels: Labels) -> Scores:
        """Return the distance (N,) to the nearest clean image of the class given for each image.

        Raises:
            ValueError: a class of which there is no clean image.
        """
        checks.check_labels(labels, len(images))
        missing = sorted(set(labels.tolist()) - set(self._labels.tolist()))
        if missing:
            raise ValueError(f"labels: expected classes with a clean image to compare with, got {missing}")
        nearest, start = [], 0
        for distances in self._distances(images):
            wanted = labels[start : start + len(distances), None]
            nearest.append(distances.masked_fill(self._labels[None] != wanted, torch.inf).amin(dim=1))
            start += len(distances)
        return torch.cat(nearest)

    def _distances(self, images: Images):
        checks.check_images(images)
        for part in images.split(self._chunk):
            yield torch.cdist(self._features(part), self._known)


def stroke_orientations(images: Images) -> Features:
    """Describe images (N, C, H, W) by local histograms of edge orientation (HOG, Dalal and Triggs 2005), (N, D).

    Cells of a quarter of the shorter side, blocks of two by two cells, nine orientations: strokes count, their
    brightness hardly does. Computed on the CPU by scikit-image, on the mean over channels, and returned on the
    device and in the dtype of the images.
    """
    from skimage.feature import hog

    checks.check_images(images, min_side=8)
    cell = min(images.shape[-2:]) // 4
    gray = images.detach().mean(dim=1).cpu().numpy()
    rows = [hog(image, orientations=9, pixels_per_cell=(cell, cell), cells_per_block=(2, 2)) for image in gray]
    return torch.stack([torch.from_numpy(row) for row in rows]).to(images)


def _pixels(images: Images) -> Features:
    return images.flatten(start_dim=1)
