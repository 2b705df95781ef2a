"""Distances told by noise: those of planes where all is linear, and nothing where noise tells nothing."""

import pytest
import torch

from blindspots.studies.noise_planes import noise_planes


class HalfSpace(torch.nn.Module):
    """Class 1 where the mean of the pixels exceeds an edge."""

    def __init__(self, edge):
        super().__init__()
        self.edge = edge

    def forward(self, images):
        lead = images.flatten(1).mean(1) - self.edge
        return torch.stack([-lead, lead], dim=1)


IMAGES = torch.linspace(0.2, 0.6, 9, dtype=torch.float64)[:, None, None, None].expand(9, 1, 4, 4)
LABELS = torch.zeros(9, dtype=torch.long)
OPTIONS = dict(sigma=0.4, draws=4000, seed=0)


def test_where_the_boundary_is_a_plane_noise_tells_its_distance():
    # The scaled distance to a mean of 0.5 is 0.5 minus the mean; noise of the mean has a deviation of 0.1.
    severities = torch.where(IMAGES[:, 0, 0, 0] < 0.5, 0.5 - IMAGES[:, 0, 0, 0], 0.0)
    pairs = noise_planes({"plane": HalfSpace(0.5)}, IMAGES, LABELS, {"plane": severities}, **OPTIONS)["plane"]
    assert 4 <= len(pairs) <= 6  # misread pictures and those that noise never reaches are left out
    torch.testing.assert_close(pairs[:, 1], pairs[:, 0], rtol=0.1, atol=0.004)


def test_what_was_not_found_is_left_out():
    severities = torch.full((9,), torch.inf)
    pairs = noise_planes({"plane": HalfSpace(0.5)}, IMAGES, LABELS, {"plane": severities}, **OPTIONS | {"draws": 20})
    assert pairs["plane"].shape == (0, 2)


def test_other_names_and_lengths_are_refused():
    with pytest.raises(ValueError, match="severities: expected those of plane; got none"):
        noise_planes({"plane": HalfSpace(0.5)}, IMAGES, LABELS, {}, **OPTIONS)
    with pytest.raises(ValueError, match="severities"):
        noise_planes({"plane": HalfSpace(0.5)}, IMAGES, LABELS, {"plane": torch.zeros(3)}, **OPTIONS)
