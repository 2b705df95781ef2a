"""Attention: order, mask, image and share on a planted explanation."""

import pytest
import torch

from blindspots.criticism import attention_image, attention_mask, attention_share, lime_explain, superpixel_order
from blindspots.seeding import generator

SEGMENTS = torch.arange(6).repeat_interleave(4).view(6, 4)
SLOPES = torch.tensor([0.5, -2.0, 0.0, 1.5, 0.25, -0.1], dtype=torch.float64)


@pytest.fixture
def image():
    return torch.rand(3, 6, 4, generator=generator(0), dtype=torch.float64)


@pytest.fixture
def explanation():
    """Explain a classifier whose class 1 adds up rows with known slopes; class 0 has none, class 2 the opposite."""

    def model(images):
        value = images.mean(dim=(1, 3)) @ SLOPES
        return torch.stack([torch.zeros_like(value), value, -value], dim=1)

    white = torch.ones(3, 6, 4, dtype=torch.float64)
    return lime_explain(
        model, white, segments=SEGMENTS, n_samples=60, generator=generator(1), hide=0.0, output="logits", n_features=5
    )


def test_order_is_by_weight_and_leaves_out_what_says_nothing(explanation):
    torch.testing.assert_close(explanation.weights_of(1), SLOPES, rtol=0, atol=1e-9)
    assert superpixel_order(explanation, 1).tolist() == [3, 0, 4]
    assert superpixel_order(explanation, 2).tolist() == [1, 5]
    assert superpixel_order(explanation, 1, positive_only=False).tolist() == [1, 3, 0, 4, 5]
    assert superpixel_order(explanation, 0).tolist() == []


def test_mask_and_image_show_the_top_alone(explanation, image):
    mask = attention_mask(explanation, 1, n_superpixels=2)
    assert mask.any(dim=1).tolist() == [True, False, False, True, False, False]
    found = attention_image(image, explanation, 1, n_superpixels=2)
    assert torch.equal(found[:, mask], image[:, mask]) and not found[:, ~mask].any()
    gray = attention_image(image, explanation, 1, n_superpixels=2, background=0.5)
    assert (gray[:, ~mask] == 0.5).all() and torch.equal(gray[:, mask], image[:, mask])
    signed = attention_mask(explanation, 1, n_superpixels=2, positive_only=False)
    assert signed.any(dim=1).tolist() == [False, True, False, True, False, False]


def test_fewer_superpixels_than_asked_are_no_error(explanation, image):
    assert attention_mask(explanation, 1, n_superpixels=50).sum() == 12
    assert not attention_image(image, explanation, 0).any()


def test_the_share_on_an_object(explanation):
    region = torch.zeros(6, 4, dtype=torch.bool)
    region[3], region[0, :2] = True, True
    assert attention_share(explanation, 1, region, n_superpixels=1) == 1
    assert attention_share(explanation, 1, region, n_superpixels=2) == 0.75
    assert attention_share(explanation, 2, region) == 0
    assert attention_share(explanation, 1, region, n_superpixels=1, positive_only=False) == 0
    assert attention_share(explanation, 0, region) != attention_share(explanation, 0, region)  # NaN


def test_bad_input_is_named(explanation, image):
    with pytest.raises(ValueError, match="explained classes"):
        attention_mask(explanation, 7)
    with pytest.raises(ValueError, match="n_superpixels"):
        attention_mask(explanation, 1, n_superpixels=0)
    with pytest.raises(ValueError, match="segments: expected the image's"):
        attention_image(image[:, 1:], explanation, 1)
    with pytest.raises(ValueError, match="hide"):
        attention_image(image, explanation, 1, background=2.0)
    with pytest.raises(ValueError, match="region: expected a bool tensor"):
        attention_share(explanation, 1, torch.ones(6, 4))
