"""PieAPP: perceptual image-error assessment through pairwise preference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots import checks
from blindspots.perception.encoded import EncodedDistance, Encoding
from blindspots.perception.frozen_network import (
    Weights,
    check_colors,
    fill,
    network_without_weights,
    prepare_input,
    read_state,
)

FILE_NAME = "PieAPPv0.1.pth"
PATCH = 64


@dataclass(frozen=True, eq=False)
class PieAPPDistance(EncodedDistance):
    """PieAPP at one stride; made by `pieapp_distance`.

    Attributes:
        network: the frozen `piq` network.
        stride: pixels between patches.
    """

    network: nn.Module
    stride: int

    @property
    def name(self) -> str:
        """The name of the distance."""
        return "pieapp"

    def check(self, images: Tensor, name: str) -> None:
        """Raise unless images are finite, gray or RGB, and hold a patch."""
        checks.check_images(images, name, unit_range=False, min_side=PATCH)
        check_colors(images, name)

    def encode(self, images: Tensor) -> Encoding:
        """Return, for each of P patches, what the first linear layers of both heads make of it: (N, P, 512) twice.

        Those layers are linear, so the difference that PieAPP takes before them can be taken after them: what
        is kept of a patch is 1,024 numbers instead of 122,880.
        """
        from piq.functional import crop_patches

        inputs = prepare_input(self.network, images)
        patches = crop_patches(255.0 * inputs, size=PATCH, stride=self.stride)
        features, last = self.network(patches)
        scores = F.linear(features, self.network.fc1_score.weight)
        weights = F.linear(last, self.network.fc1_weight.weight)
        return scores.unflatten(0, (images.shape[0], -1)), weights.unflatten(0, (images.shape[0], -1))

    def compare(self, images: Encoding, references: Encoding) -> Tensor:
        """Return the weighted mean over patches of the score of reference minus image."""
        network = self.network
        hidden = torch.relu(references[0] - images[0] + network.fc1_score.bias)
        scores = network.ref_score_subtract(0.01 * network.fc2_score(hidden)).squeeze(-1)
        hidden = torch.relu(references[1] - images[1] + network.fc1_weight.bias)
        weights = network.fc2_weight(hidden).squeeze(-1) + network.EPS
        return (scores * weights).sum(dim=1) / weights.sum(dim=1)


def pieapp_distance(
    *, weights: Weights | None = None, stride: int = 27, data_root: str | Path | None = None
) -> PieAPPDistance:
    """Make the PieAPP distance, P0's second perceptual distance c0; its weights are for non-commercial use.

    Args:
        weights: a path, or tensors by name. None = PieAPPv0.1.pth in `<data root>/weights`, then in torch
            hub's cache; nothing is downloaded.
        stride: pixels between 64 x 64 patches, at least 1: 27 is the authors' sparse, 6 their dense sampling.
            Pixels right of and below the last patch are not seen and get no gradient.
        data_root: None = the environment variable BLINDSPOTS_DATA, which may be unset.

    Returns:
        A distance (images, references) -> (N,) with `prepare`. Images are (N, 3, H, W), RGB, any finite values,
        [0, 1] for the usual reading, or (N, 1, H, W), gray; sides of at least 64 pixels. Lower = closer, but
        values can be negative, the gradient need not be 0 at images equal to their references, and the two
        arguments must not be exchanged.

    Raises:
        FileNotFoundError: no weights; the message says what to get, how large, under which licence, and where
            to put it.
        ValueError: a bad stride, or a file that is damaged or made for another network.

    Source: Prashnani, Cai, Mostofi and Sen (2018); network and weights as in piq. P0 Section 3, item 2.
    Differs from the paper: piq reads RGB, the authors' code BGR; the two give different numbers. P0 does not
    name its stride; 27 is the default of the authors' code.
    """
    checks.check_number(stride, "stride", at_least=1, integer=True)
    state = read_state(weights, (FILE_NAME,), data_root=data_root)
    scale = state.get("ref_score_subtract.weight")
    if scale is not None and scale.ndim == 1:  # the published file stores this 1 x 1 matrix as a vector
        state["ref_score_subtract.weight"] = scale[:, None]
    return PieAPPDistance(fill(network_without_weights(_construct), state), stride)


def _construct() -> nn.Module:
    from piq.pieapp import PieAPPModel

    return PieAPPModel()
