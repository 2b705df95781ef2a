"""LPIPS against the lpips package, published values, its laws and its errors."""

import os
import warnings
from pathlib import Path

import pytest
import torch
from torchvision.models import alexnet, squeezenet1_1, vgg16

from blindspots.perception import lpips_distance

BUILDERS = {"alex": alexnet, "vgg": vgg16, "squeeze": squeezenet1_1}
SQUEEZE = Path(os.environ.get("BLINDSPOTS_DATA", ""), "weights", "squeezenet1_1-lpips-features.pth")
needs_squeeze = pytest.mark.skipif(not SQUEEZE.is_file(), reason="LPIPS's SqueezeNet is not below BLINDSPOTS_DATA")


def pair(draw, noise, *shape, dtype=torch.float32):
    images = draw(*shape)
    return images.to(dtype), (images + 0.1 * noise(*shape)).clamp(0, 1).to(dtype)


@pytest.fixture
def reference():
    """Return a function that builds the package's own LPIPS around the same feature layers."""
    lpips = pytest.importorskip("lpips")

    def make(net, state):
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
        model.net.load_state_dict({name: state[name.split(".", 1)[1]] for name in model.net.state_dict()})
        return lambda a, b: model(a, b, normalize=True).flatten().detach()

    return make


@pytest.mark.parametrize("net", ["alex", "vgg", "squeeze"])
def test_it_equals_the_package(draw, noise, drawn_state, reference, net):
    state = drawn_state(lambda: BUILDERS[net]().features)
    images, others = pair(draw, noise, 2, 3, 37, 45)
    expected = reference(net, state)(images, others)
    torch.testing.assert_close(lpips_distance(net, weights=state)(images, others), expected, rtol=1e-4, atol=1e-7)


def test_it_obeys_the_contract(draw, noise, drawn_state, obeys_the_contract):
    distance = lpips_distance("squeeze", weights=drawn_state(lambda: squeezenet1_1().features))
    images, others = pair(draw, noise, 3, 3, 33, 40)
    obeys_the_contract(distance, images, others, tolerance=1e-5)
    obeys_the_contract(distance, images.double(), others.double(), tolerance=1e-10)
    torch.testing.assert_close(distance(images, images), torch.zeros(3))
    gray = images[:, :1]
    colored = distance(gray.repeat(1, 3, 1, 1), others[:, :1].repeat(1, 3, 1, 1))
    torch.testing.assert_close(distance(gray, others[:, :1]), colored)


def test_the_gradient_is_finite_where_every_channel_is_silent(drawn_state):
    state = {name: -value.abs() for name, value in drawn_state(lambda: squeezenet1_1().features).items()}
    images = torch.ones(1, 3, 32, 32, requires_grad=True)
    distance = lpips_distance("squeeze", weights=state)
    (gradient,) = torch.autograd.grad(distance(images, torch.zeros(1, 3, 32, 32)).sum(), images)
    assert torch.isfinite(gradient).all()


def test_a_whole_network_and_its_feature_layers_are_the_same(draw, noise, drawn_state, no_weights_anywhere):
    whole = drawn_state(squeezenet1_1)
    torch.save(whole, no_weights_anywhere / "mine.pth")
    part = {name.removeprefix("features."): value for name, value in whole.items() if name.startswith("features.")}
    images, others = pair(draw, noise, 1, 3, 32, 32)
    first = lpips_distance("squeeze", weights=no_weights_anywhere / "mine.pth")(images, others)
    assert torch.equal(first, lpips_distance("squeeze", weights=part)(images, others))


@pytest.mark.parametrize(
    ("net", "file", "size"),
    [
        ("alex", "alexnet-owt-7be5be79.pth", "233.1 MiB"),
        ("vgg", "vgg16-397923af.pth", "527.8 MiB"),
        ("squeeze", "squeezenet1_1-b8a52dc0.pth", "4.7 MiB"),
    ],
)
def test_missing_weights_are_named_with_size_licence_source_and_place(net, file, size, no_weights_anywhere):
    with pytest.raises(FileNotFoundError) as caught:
        lpips_distance(net)
    message = str(caught.value)
    for part in (f"https://download.pytorch.org/models/{file}", size, "BSD-3-Clause", str(no_weights_anywhere / file)):
        assert part in message, message


def test_bad_arguments_are_named(drawn_state):
    state = drawn_state(lambda: squeezenet1_1().features)
    with pytest.raises(ValueError, match="net: expected one of alex, vgg, squeeze; got 'resnet'"):
        lpips_distance("resnet", weights=state)
    with pytest.raises(ValueError, match=r"expected exactly the .* tensors of this network"):
        lpips_distance("vgg", weights=state)
    distance = lpips_distance("squeeze", weights=state)
    with pytest.raises(ValueError, match="images: expected sides of at least 17 pixels"):
        distance(torch.zeros(1, 3, 16, 20), torch.zeros(1, 3, 16, 20))
    with pytest.raises(ValueError, match=r"references: expected 3 channels .* got 4"):
        distance.prepare(torch.zeros(1, 4, 20, 20))


@needs_squeeze
def test_real_squeeze_weights_give_the_value_torchmetrics_publishes():
    generator = torch.Generator().manual_seed(123)
    images = torch.rand(10, 3, 100, 100, generator=generator)
    others = torch.rand(10, 3, 100, 100, generator=generator)
    # The example in its documentation of learned_perceptual_image_patch_similarity(net_type="squeeze").
    assert lpips_distance("squeeze")(images, others).mean().item() == pytest.approx(0.1008, abs=5e-5)


@needs_squeeze
def test_real_squeeze_weights_rank_the_tid2013_pairs_as_published(tid2013):
    images, references, published = tid2013
    distance = lpips_distance("squeeze")
    ours = torch.cat([distance(a, b) for a, b in zip(images, references, strict=True)])
    # The published row is AlexNet's; SqueezeNet's values lie near it, in the same order but for two equal ones.
    torch.testing.assert_close(ours.double(), published["lpips"], rtol=0, atol=0.03)
    assert [int(i) for i in ours.argsort(descending=True)][:3] == [0, 4, 1]
