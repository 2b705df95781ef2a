"""The cached rivals are the trained ones, to the bit, the first and the second time."""

import pytest
import torch

from blindspots.purify import pixel_defend, train_magnet, train_pixel_cnn, trained_magnet, trained_pixel_cnn
from blindspots.seeding import generator


def images(channels):
    return torch.rand(6, channels, 8, 8, generator=generator(0))


@pytest.mark.parametrize("channels", [1, 3])
def test_magnet_is_the_trained_one_from_the_cache_too(tmp_path, channels):
    clean, options = images(channels), dict(epochs=2, noise=0.05, batch_size=2, learning_rate=0.01)
    plain = train_magnet(clean, seed=1, **options)
    for _ in range(2):
        before = torch.get_rng_state()
        found = trained_magnet(clean, seed=1, directory=tmp_path, **options)
        assert torch.get_rng_state().equal(before)
        assert found(clean).equal(plain(clean))
        assert (found.errors, found.temperatures, found.losses) == (plain.errors, plain.temperatures, plain.losses)
        assert len(found.autoencoders) == len(plain.autoencoders)
    assert len(list((tmp_path / "magnet").glob("*.pt"))) == 1
    assert not trained_magnet(clean, seed=2, directory=tmp_path, **options)(clean).equal(plain(clean))


def test_the_density_is_the_trained_one_from_the_cache_too(tmp_path):
    clean, options = images(1), dict(levels=8, width=4, layers=1, reach=1, epochs=2, batch_size=2, learning_rate=0.01)
    plain, history = train_pixel_cnn(clean, seed=1, **options)
    for _ in range(2):
        found, losses = trained_pixel_cnn(clean, seed=1, directory=tmp_path, **options)
        assert losses == history
        assert pixel_defend(clean, found, epsilon=0.3).equal(pixel_defend(clean, plain, epsilon=0.3))
    assert len(list((tmp_path / "pixel-cnn").glob("*.pt"))) == 1


def test_other_images_and_other_sets_have_entries_of_their_own(tmp_path):
    options = dict(seed=1, epochs=1, directory=tmp_path)
    trained_magnet(images(1), **options)
    trained_magnet(images(1) / 2, **options)
    trained_magnet(images(1), data_sha256="abc", **options)
    assert len(list((tmp_path / "magnet").glob("*.pt"))) == 3
    with pytest.raises(ValueError, match="images"):
        trained_magnet(images(1) + 1, **options)
