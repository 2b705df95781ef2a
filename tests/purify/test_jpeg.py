"""JPEG: the file that Pillow writes, and nothing else."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from blindspots.purify import jpeg, to_eight_bit


def by_hand(image, quality, subsampling):
    pixels = (255 * image).round().to(torch.uint8).permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(file, format="jpeg", quality=quality, subsampling=subsampling)
    return torch.from_numpy(np.asarray(Image.open(io.BytesIO(file.getvalue()))).copy()).permute(2, 0, 1) / 255


@pytest.mark.parametrize("gray", [0, 77, 128, 255])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_constant_gray_image_survives_exactly_at_full_quality(gray, channels):
    image = torch.full((1, channels, 16, 16), gray / 255)
    assert torch.equal(jpeg(image, quality=100), image)


@pytest.mark.parametrize(("quality", "subsampling", "code"), [(90, "4:4:4", 0), (60, "4:2:2", 1), (30, "4:2:0", 2)])
def test_it_is_the_file_of_the_encoder(photograph, quality, subsampling, code):
    image = photograph(37, dtype=torch.float32)
    assert torch.equal(jpeg(image, quality=quality, subsampling=subsampling)[0], by_hand(image[0], quality, code))


def test_the_default_subsampling_is_the_encoders(photograph):
    image = photograph(40, dtype=torch.float32)
    assert torch.equal(jpeg(image, quality=75)[0], by_hand(image[0], 75, -1))


def test_lower_quality_is_further_away(photograph):
    image = photograph(64)
    errors = [(jpeg(image, quality=q) - image).norm().item() for q in (100, 90, 70, 50, 30, 10)]
    assert errors == sorted(errors) and errors[0] > 0


def test_subsampling_costs_color_and_leaves_gray_alone(photograph):
    color, gray = photograph(64), photograph(64, channels=1)
    errors = [(jpeg(color, quality=90, subsampling=s) - color).norm().item() for s in ("4:4:4", "4:2:2", "4:2:0")]
    assert errors == sorted(errors) and len(set(errors)) == 3
    assert torch.equal(jpeg(gray, quality=90, subsampling="4:4:4"), jpeg(gray, quality=90))


def test_an_image_alone_is_the_same_image_in_a_batch(draw):
    images = draw(4, 3, 17, 23)
    together = jpeg(images, quality=50)
    assert together.shape == images.shape
    for index in range(4):
        assert torch.equal(together[index : index + 1], jpeg(images[index : index + 1], quality=50))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_levels_and_input_are_kept(draw, dtype):
    images = draw(1, 1, 8, 8, dtype=dtype)
    before = images.clone()
    result = jpeg(images, quality=80)
    assert result.dtype == dtype and torch.equal(images, before)
    assert torch.equal(to_eight_bit(result), result)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(quality=0), "quality: expected a finite number >= 1 and <= 100, got 0"),
        (dict(quality=101), "quality: expected a finite number >= 1 and <= 100, got 101"),
        (dict(quality=50, subsampling="4:1:1"), "subsampling: expected one of 4:4:4, 4:2:2, 4:2:0; got '4:1:1'"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        jpeg(draw(1, 3, 8, 8), **options)


def test_two_channels_are_refused(draw):
    with pytest.raises(ValueError, match=r"images: expected 1 \(gray\) or 3 \(RGB\) channels, got 2"):
        jpeg(draw(1, 2, 8, 8), quality=50)
