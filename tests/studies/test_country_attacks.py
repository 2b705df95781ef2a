"""Each attack is the kernel of its name with the options given, and its settings tell every option."""

import pytest
import torch

from blindspots.attacks.attack_to_strength import attack_to_strength
from blindspots.attacks.perceptual_attack import perceptual_attack
from blindspots.attacks.pgd_l2 import pgd_l2_until_flipped
from blindspots.attacks.ssim_one_step import ssim_one_step
from blindspots.models import build_model
from blindspots.perception import SSIMDistance
from blindspots.studies.country_attacks import COUNTRY_ATTACKS, MATCHED_ATTACKS, country_attack, matched_attack


@pytest.fixture(scope="module")
def attacked():
    model = build_model({"name": "small_cnn", "in_channels": 3, "n_classes": 4, "width": 4, "norm": "group"}, seed=0)
    images = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return model, images, model(images).argmax(1)


@pytest.mark.parametrize("name", COUNTRY_ATTACKS)
def test_an_attack_is_its_kernel(name, attacked):
    kernels = {
        "pgd": lambda *given: pgd_l2_until_flipped(*given, step_size=0.02, steps=20, confidence=0.5),
        "perceptual": lambda *given: perceptual_attack(
            *given, SSIMDistance(window_size=5), step_size=0.02, steps=20, confidence=0.5, weight=0.3
        ),
        "ssim": lambda *given: ssim_one_step(*given, epsilon=0.4, window_size=5),
    }
    made = country_attack(name, step_size=0.02, steps=20, confidence=0.5, weight=0.3, epsilon=0.4, window_size=5).run(
        *attacked
    )
    assert torch.equal(made.images, kernels[name](*attacked).images)
    assert not torch.equal(made.images, attacked[1])


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("pgd", "step_size"),
        ("pgd", "confidence"),
        ("perceptual", "weight"),
        ("perceptual", "steps"),
        ("ssim", "epsilon"),
    ],
)
def test_settings_tell_what_an_option_changes(name, option):
    assert country_attack(name).settings != country_attack(name, **{option: 3}).settings


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="expected one of pgd, perceptual, ssim, got 'fgsm'"):
        country_attack("fgsm")


@pytest.mark.parametrize("name", MATCHED_ATTACKS)
def test_a_matched_attack_is_its_kernel_and_repeats_its_noise(name, attacked):
    options = {"strength": 0.1, "measure": "distance", "step_size": 0.05, "steps": 50, "weight": 0.3}
    made = matched_attack(name, **options, window_size=5)
    first, again = (made.run(*attacked) for _ in range(2))
    assert torch.equal(first.images, again.images)
    other = matched_attack(name, **options, window_size=5, seed=1).run(*attacked)
    assert torch.equal(first.images, other.images) == (name != "noise")
    if name != "noise":
        direct = attack_to_strength(name, *attacked, **options, distance=SSIMDistance(window_size=5), window_size=5)
        assert torch.equal(first.images, direct.images)


@pytest.mark.parametrize("option", ["strength", "measure", "step_size", "steps", "weight", "window_size"])
def test_matched_settings_tell_what_an_option_changes(option):
    other = {option: "margin" if option == "measure" else 5}
    first, second = (matched_attack("pgd", **{"strength": 0.1, **given}).settings for given in ({}, other))
    assert first != second


def test_noise_is_kept_by_its_seed_and_a_distance_by_its_name():
    first, second = (matched_attack("noise", strength=0.1, seed=seed).settings for seed in (0, 1))
    assert first != second
    own = matched_attack("perceptual", strength=0.1, distance=SSIMDistance(window_size=5), distance_name="another")
    assert own.settings != matched_attack("perceptual", strength=0.1).settings
    with pytest.raises(ValueError, match="distance_name: expected a name of its own"):
        matched_attack("perceptual", strength=0.1, distance=SSIMDistance())
