"""The table of rivals: each is the kernel it is named after, with the settings it says."""

import pytest
import torch

from blindspots.purify import (
    DEFENSES,
    acsr_purifier,
    bit_depth,
    crop_ensemble,
    deflection_ensemble,
    fit_quilting,
    jpeg,
    pixel_defend,
    rival_defenses,
    stl_purifier,
    tikhonov_split,
    total_variation,
    train_magnet,
    train_pixel_cnn,
)
from blindspots.seeding import generator

IMAGES = torch.rand(4, 3, 8, 8, generator=generator(0))
FILTERS = torch.nn.functional.normalize(torch.randn(3, 3, 4, 4, generator=generator(1)).flatten(1)).view(3, 3, 4, 4)


def model(images):
    return images[..., :4, :4].mean(dim=(2, 3))


@pytest.fixture(scope="module")
def parts():
    density, _ = train_pixel_cnn(IMAGES, levels=8, seed=0, width=4, layers=1, epochs=1)
    return dict(
        magnet=train_magnet(IMAGES, seed=0, epochs=1), density=density,
        quilting=fit_quilting(IMAGES, generator=generator(2)), stl=stl_purifier(FILTERS, lmbda=0.1),
        acsr=acsr_purifier(None, None, [FILTERS], lmbda=0.3),
    )  # fmt: skip


def test_each_purifier_is_its_kernel_with_its_published_settings(parts):
    made = rival_defenses(DEFENSES, **parts)
    wanted = {
        "none": IMAGES, "MagNet": parts["magnet"](IMAGES),
        "PixelDefend": pixel_defend(IMAGES, parts["density"], epsilon=16 / 255),
        "TVM": total_variation(IMAGES, weight=0.03, generator=generator(5)), "Quilting": parts["quilting"](IMAGES),
        "STL": parts["stl"](IMAGES), "ACSR": parts["acsr"](IMAGES), "low-pass": tikhonov_split(IMAGES)[0].clamp(0, 1),
        "JPEG": jpeg(IMAGES, quality=60), "bit depth": bit_depth(IMAGES, bits=4),
    }  # fmt: skip
    assert list(made) == list(DEFENSES) and {*wanted, "Crop-Ens", "PD-Ens"} == set(DEFENSES)
    for name, images in wanted.items():
        torch.testing.assert_close(made[name].purify(IMAGES, generator(5)), images, msg=name)


def test_each_ensemble_is_its_kernel(parts):
    made = rival_defenses(["Crop-Ens", "PD-Ens"], n_crops=3, crop_share=0.5, n_runs=2, deflections=9, window=3)
    torch.testing.assert_close(
        made["Crop-Ens"].ensemble(IMAGES, model, generator(5)),
        crop_ensemble(IMAGES, model, n_crops=3, crop_share=0.5, generator=generator(5)),
    )
    torch.testing.assert_close(
        made["PD-Ens"].ensemble(IMAGES, model, generator(5)),
        deflection_ensemble(IMAGES, model, n_runs=2, deflections=9, window=3, generator=generator(5)),
    )


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("PixelDefend", {"epsilon": 0.5}),
        ("TVM", {"tv_weight": 0.5}),
        ("JPEG", {"quality": 10}),
        ("bit depth", {"bits": 1}),
    ],
)
def test_an_option_changes_what_comes_out_and_what_is_said(parts, name, option):
    usual, other = (rival_defenses([name], **parts, **options)[name] for options in ({}, option))
    assert not usual.purify(IMAGES, generator(5)).equal(other.purify(IMAGES, generator(5)))
    assert usual.here != other.here


def test_every_defense_but_none_says_its_source_and_settings(parts):
    for name, defense in rival_defenses(DEFENSES, **parts).items():
        assert name == "none" or (defense.source and defense.published and defense.here), name
    assert "lambda 0.3" in rival_defenses(["ACSR"], **parts)["ACSR"].here


def test_unknown_names_and_missing_parts_are_refused():
    with pytest.raises(ValueError, match="names: expected"):
        rival_defenses(["Median"])
    with pytest.raises(ValueError, match="fitted part of STL beside its name, got None"):
        rival_defenses(["none", "STL"])
