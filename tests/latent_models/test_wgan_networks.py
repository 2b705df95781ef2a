"""Generator and critic: published sizes, ranges, general shapes, spectral norms."""

import pytest
import torch

from blindspots.latent_models.wgan_networks import strided_critic, wgan_critic, wgan_generator
from blindspots.seeding import generator


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_networks_for_digits_have_the_published_numbers_of_parameters():
    assert size(wgan_generator(1, side=28, seed=0)) == 42_051
    assert size(wgan_critic(1, side=28, seed=0)) == 41_221


@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 28), (3, 32), (1, 64), (3, 64), (3, 128)])
def test_latents_become_images_and_images_scores(channels, side):
    maker = wgan_generator(channels, side=side, latent_size=5, seed=0)
    images = maker(10 * torch.randn(2, 5, generator=generator(0)))
    assert images.shape == (2, channels, side, side)
    assert maker.image_shape == (channels, side, side)
    assert images.min() >= 0 and images.max() <= 1
    assert wgan_critic(channels, side=side, seed=0)(images).shape == (2,)
    assert strided_critic(channels, side=side, width=4, seed=0)(images).shape == (2,)


def test_a_batch_equals_its_images_one_at_a_time():
    latents = torch.randn(4, 5, generator=generator(0), dtype=torch.float64)
    maker = wgan_generator(1, side=12, latent_size=5, widths=(4, 4), seed=0).double()
    critic = wgan_critic(1, side=12, widths=(4, 4), seed=0).double()
    images = maker(latents)
    torch.testing.assert_close(images, torch.cat([maker(one[None]) for one in latents]), rtol=0, atol=1e-12)
    torch.testing.assert_close(critic(images), torch.cat([critic(one[None]) for one in images]), rtol=0, atol=1e-12)


def test_the_strided_critic_has_norms_too_and_its_spec_rebuilds_it():
    critic = strided_critic(1, side=28, width=4, seed=0)
    images = torch.rand(3, 1, 28, 28, generator=generator(0))
    assert sum(hasattr(layer, "parametrizations") for layer in critic.layers) == 4
    options = {name: value for name, value in critic.spec.items() if name != "name"}
    assert torch.equal(strided_critic(**options, seed=0)(images), critic(images))
    assert not torch.equal(strided_critic(**options, seed=1)(images), critic(images))
    assert size(strided_critic(1, side=28, width=8, seed=0)) > size(critic)
    with pytest.raises(ValueError, match="side: expected an even number"):
        strided_critic(1, side=27, seed=0)


def test_the_crop_keeps_the_middle():
    latents = torch.randn(1, 64, generator=generator(0))
    whole, middle = wgan_generator(1, side=32, seed=0), wgan_generator(1, side=28, seed=0)
    assert torch.equal(whole(latents)[..., 2:-2, 2:-2], middle(latents))


def test_weights_of_the_critic_have_spectral_norm_one_after_some_passes():
    with torch.random.fork_rng(devices=[]):
        critic = wgan_critic(1, side=8, widths=(4,), seed=0).train()
        for _ in range(100):  # each pass in training mode is one step of the power iteration
            critic(torch.zeros(1, 1, 8, 8))
    weights = [layer.weight for layer in critic.layers if hasattr(layer, "parametrizations")]
    assert len(weights) == 3
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1.0, abs=1e-3)


def test_the_critic_pads_with_black():
    critic = wgan_critic(1, side=8, widths=(4, 4), seed=0)
    inside = torch.zeros(1, 1, 8, 8)
    seen = []
    hook = critic.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    critic(inside)
    hook.remove()
    assert seen[0].shape == (1, 1, 16, 16)
    assert torch.equal(seen[0], torch.full((1, 1, 16, 16), -1.0))


def test_the_spec_rebuilds_the_same_networks_and_another_seed_does_not():
    latents = torch.randn(2, 6, generator=generator(0))
    for build, first in (
        (wgan_generator, wgan_generator(2, side=8, latent_size=6, widths=(4,  4), seed=1)),
        (wgan_critic, wgan_critic(2, side=8, widths=(4, 4), seed=1)),
    ):  # fmt: skip
        options = {name: value for name, value in first.spec.items() if name != "name"}
        given = latents if build is wgan_generator else torch.rand(2, 2, 8, 8, generator=generator(0))
        assert torch.equal(build(**options, seed=1)(given), first(given))
        assert not torch.equal(build(**options, seed=2)(given), first(given))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"side": 27}, "side: expected an even number"), ({"side": 256}, "side: expected at most 128 pixels"),
     ({"side": 28, "widths": (8, 8)}, "widths: expected enough to reach 28"),
     ({"side": 28, "widths": (8, 8, 0)}, "widths"), ({"side": 28, "widths": ()}, "widths: expected enough")],
)  # fmt: skip
@pytest.mark.parametrize("build", [wgan_generator, wgan_critic])
def test_options_out_of_range_are_refused(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(1, **options, seed=0)
