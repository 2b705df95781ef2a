"""Shares that are met, counterparts that differ where they should, other attributes left alone."""

import pytest
import torch

from blindspots.data import Card, ImageSet
from blindspots.studies.biased_pictures import biased_faces, stamped_pictures


@pytest.fixture
def gray():
    """Return 200 gray pictures of four classes."""
    card = Card("gray", "gray", "drawn", "none", "none", "planted")
    return ImageSet(torch.full((200, 3, 10, 10), 0.5), torch.arange(200) % 4, tuple("abcd"), card)


def test_faces_meet_the_shares_in_the_class_and_elsewhere():
    made = biased_faces(400, {"hat": (0.5, 0.1), "glasses": (0.8, 0.8)}, size=16, seed=0)
    assert made.share("hat", 1) == pytest.approx(0.5, abs=0.006)
    assert made.share("hat", 1, elsewhere=True) == made.share("hat", 0) == pytest.approx(0.1, abs=0.006)
    for target in (0, 1):
        assert made.share("glasses", target) == pytest.approx(0.8, abs=0.006)
        assert 0.35 < made.share("beard", target) < 0.65
    assert list(made.attributes)[:2] == ["hat", "glasses"] and "smile" not in made.attributes
    assert made.counterparts == {} and made.planted["hat"] == (0.5, 0.1)


def test_a_face_and_its_counterpart_share_everything_but_the_attribute():
    made = biased_faces(40, {"hat": (0.5, 0.5)}, size=32, noise=0.05, counterparts=True, seed=1)
    change = (made.counterparts["hat"] - made.images).abs().amax(1)
    assert (change[:, -8:] < 1e-5).all()  # no hat reaches the shoulders, and the noise is the same
    assert (change[:, :16].flatten(1).amax(1) > 0.2).all()
    other = biased_faces(40, {"hat": (0.5, 0.5)}, size=32, noise=0.05, seed=2)
    assert not torch.equal(other.images, made.images)
    again = biased_faces(40, {"hat": (0.5, 0.5)}, size=32, noise=0.05, seed=1)
    assert torch.equal(again.images, made.images)
    clean = biased_faces(40, {"hat": (0.5, 0.5)}, size=32, seed=1)
    assert 0.02 < (clean.images - made.images).std() < 0.06


def test_patches_meet_their_shares_and_lie_in_their_corner(gray):
    made = stamped_pictures(gray, 200, {"red": (0.8, 0.2)}, target=1, counterparts=True, seed=0)
    assert made.share("red", 1) == pytest.approx(0.8) and made.share("red", 1, elsewhere=True) == pytest.approx(0.2)
    assert made.share("blue", 1) == pytest.approx(0.5, abs=0.021)
    has = made.attributes["red"]
    corner = made.images[:, :, :2, :2]
    assert torch.allclose(corner[has], torch.tensor([0.85, 0.15, 0.15]).view(1, 3, 1, 1).expand_as(corner[has]))
    assert (corner[~has] == 0.5).all()
    assert torch.equal(made.images[:, :, 2:], made.counterparts["red"][:, :, 2:])
    assert (made.counterparts["red"][has][:, :, :2, :2] == 0.5).all()
    # Who carries one patch says nothing of who carries another.
    both = (made.attributes["blue"] & made.attributes["green"]).double().mean()
    assert 0.15 < both < 0.35


def test_opacity_and_seed_matter(gray):
    options = {"target": 1, "seed": 0}
    full, half = (stamped_pictures(gray, 50, {"red": (0.5, 0.5)}, opacity=o, **options).images for o in (1.0, 0.5))
    assert torch.allclose(full - 0.5, 2 * (half - 0.5), atol=1e-6)
    other = stamped_pictures(gray, 50, {"red": (0.5, 0.5)}, target=1, seed=1)
    assert not torch.equal(full, other.images)
    assert (gray.images == 0.5).all()


def test_bad_arguments_are_named(gray):
    with pytest.raises(ValueError, match="shares: expected attributes other than the label"):
        biased_faces(10, {"smile": (0.5, 0.5)}, seed=0)
    with pytest.raises(ValueError, match="share_elsewhere: expected a finite number > 0"):
        biased_faces(10, {"hat": (0.5, 0.0)}, seed=0)
    with pytest.raises(ValueError, match="shares: expected one of"):
        stamped_pictures(gray, 10, {"pink": (0.5, 0.5)}, target=0, seed=0)
    with pytest.raises(ValueError, match="target: expected pictures of class 7 and of others"):
        stamped_pictures(gray, 10, {"red": (0.5, 0.5)}, target=7, seed=0)
    with pytest.raises(ValueError, match="n: expected"):
        stamped_pictures(gray, 201, {"red": (0.5, 0.5)}, target=0, seed=0)
