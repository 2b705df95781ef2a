"""Strata of images: found where they are plain, one dictionary each, from the cache the second time."""

import pytest
import torch

from blindspots.purify import fit_stl, stl_purifier
from blindspots.seeding import generator

SMALL = dict(n_filters=2, filter_size=3, lmbda=0.05, images_per_stratum=3, dictionary_iterations=2, side=6, seed=0)


def two_kinds():
    """Six images, dark with vertical and light with horizontal stripes in turn."""
    images = 0.02 * torch.rand(6, 1, 6, 6, generator=generator(0), dtype=torch.float64)
    images[::2, ..., ::2] += 0.2
    images[1::2, ..., ::2, :] += 0.2
    images[1::2] += 0.5
    return images


def brightness(images):
    return images.mean(dim=(2, 3))


def test_strata_are_those_of_the_features(tmp_path):
    images = two_kinds()
    made = fit_stl(images, brightness, n_strata=2, directory=tmp_path, **SMALL)
    strata = made.assign(images).tolist()
    assert strata[::2] == 3 * [strata[0]] and strata[1::2] == 3 * [1 - strata[0]]
    assert len(made.dictionaries) == 2 and made.lmbda == 0.05


def test_each_stratum_is_coded_with_its_own_dictionary(tmp_path):
    images = two_kinds()
    made = fit_stl(images, brightness, n_strata=2, directory=tmp_path, **SMALL)
    own = int(made.assign(images[:1]))
    alone = stl_purifier(made.dictionaries[own], lmbda=0.05)(images[:1])
    torch.testing.assert_close(made(images[:1]), alone)
    assert not stl_purifier(made.dictionaries[1 - own], lmbda=0.05)(images[:1]).allclose(alone)


def test_the_second_time_comes_from_the_cache(tmp_path):
    images = two_kinds()
    first = fit_stl(images, brightness, n_strata=2, directory=tmp_path, **SMALL)
    (entry,) = (tmp_path / "stratum-dictionaries").glob("*.pt")
    stamp = entry.stat().st_mtime_ns
    second = fit_stl(images, brightness, n_strata=2, directory=tmp_path, **SMALL)
    assert entry.stat().st_mtime_ns == stamp
    for one, other in zip(first.dictionaries, second.dictionaries, strict=True):
        assert one.equal(other)
    fit_stl(images, brightness, n_strata=2, directory=tmp_path, **(SMALL | {"seed": 1}))
    assert len(list((tmp_path / "stratum-dictionaries").glob("*.pt"))) == 2


def test_one_stratum_needs_no_encoder(tmp_path):
    made = fit_stl(two_kinds(), directory=tmp_path, **SMALL)
    assert len(made.dictionaries) == 1 and made.encode is None


def test_several_strata_without_an_encoder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="encode: expected an encoder, because 2 strata need features, got None"):
        fit_stl(two_kinds(), n_strata=2, directory=tmp_path, **SMALL)
    with pytest.raises(ValueError, match="n_strata"):
        fit_stl(two_kinds(), brightness, n_strata=7, directory=tmp_path, **SMALL)
    with pytest.raises(ValueError, match="lmbda"):
        fit_stl(two_kinds(), directory=tmp_path, **(SMALL | {"lmbda": 0}))
