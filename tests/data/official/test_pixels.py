"""Decoding and resizing."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from blindspots.data.official.pixels import read_image, read_images, to_images


def test_without_a_size_pixels_are_only_divided_by_255():
    pixels = np.arange(2 * 3 * 5 * 4, dtype=np.uint8).reshape(2, 3, 5, 4)
    assert torch.equal(to_images(pixels, None), torch.from_numpy(pixels).float() / 255)


def test_shrinking_does_not_alias():
    # A checkerboard has mean one half; without antialiasing some pixels would come out black or white.
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)[None, None]
    small = to_images(board, 16)
    assert small.shape == (1, 1, 16, 16)
    assert (small - 0.5).abs().max() < 0.05


def test_a_constant_image_stays_constant_at_any_size():
    image = np.full((1, 3, 20, 30), 255, np.uint8)
    for size in (7, 20, 41):
        assert torch.allclose(to_images(image, size), torch.ones(1, 3, size, size))
        assert to_images(image, size).max() <= 1


def test_gray_and_transparent_files_become_three_channels(tmp_path):
    Image.new("L", (4, 5), 7).save(tmp_path / "gray.png")
    Image.new("RGBA", (4, 5), (1, 2, 3, 4)).save(tmp_path / "alpha.png")
    assert read_image("x", tmp_path / "gray.png").shape == (3, 5, 4)
    assert read_image("x", tmp_path / "alpha.png")[:, 0, 0].tolist() == [1, 2, 3]


def test_images_of_different_shape_need_a_size(tmp_path):
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    Image.new("RGB", (4, 5)).save(files[0])
    Image.new("RGB", (6, 5)).save(files[1])
    with pytest.raises(ValueError, match=r"5x4 pixels, got 5x6 in .*b\.png; choose a size"):
        read_images("x", files, None)
    assert read_images("x", files, 3).shape == (2, 3, 3, 3)


@pytest.mark.parametrize("kind", ["png", "jpg"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
def test_a_truncated_file_is_named_and_never_half_decoded(kind, share, tmp_path):
    file = tmp_path / f"cut.{kind}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(file)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=rf"expected an image in .*cut\.{kind}, got a truncated or damaged"):
        read_image("x", file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected the image .*none\.png"):
        read_image("x", tmp_path / "none.png")


def test_images_that_cannot_fit_into_memory_are_refused_before_they_are_read(monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: 1 if name == "SC_PAGE_SIZE" else 1000)
    with pytest.raises(ValueError, match="choose a smaller size or a limit"):
        to_images(np.zeros((1, 3, 32, 32), np.uint8), None)


def test_no_image_at_all_is_an_error():
    with pytest.raises(ValueError, match="expected at least one, got none"):
        to_images(np.zeros((0, 3, 4, 4), np.uint8), None)
