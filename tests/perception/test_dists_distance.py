"""DISTS against piq on drawn weights, its laws and its errors."""

import pytest
import torch
from torchvision.models import vgg16

from blindspots.perception import dists_distance


@pytest.fixture
def own():
    """Weights alpha and beta that sum to one."""
    generator = torch.Generator().manual_seed(1)
    both = torch.rand(2, 1, 1475, 1, 1, generator=generator)
    return dict(zip(("alpha", "beta"), both / both.sum(), strict=True))


@pytest.fixture
def backbone(drawn_state):
    return drawn_state(lambda: vgg16().features)


def pair(draw, noise, *shape, dtype=torch.float32):
    images = draw(*shape)
    return images.to(dtype), (images + 0.1 * noise(*shape)).clamp(0, 1).to(dtype)


@pytest.mark.parametrize("sides", [(32, 40), (258, 300)])
def test_it_equals_piq(draw, noise, own, backbone, sides, monkeypatch):
    piq = pytest.importorskip("piq")
    full = {f"features.{name}": value for name, value in backbone.items()}
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        network = vgg16()
    network.features.load_state_dict(backbone, assign=True)
    monkeypatch.setattr("piq.perceptual.vgg16", lambda **options: network)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *args, **kwargs: own)
    images, references = pair(draw, noise, 1, 3, *sides)
    expected = piq.DISTS(reduction="none")(images, references).detach()
    ours = dists_distance(weights=own, backbone=full)(images, references)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6)


def test_it_obeys_the_contract(draw, noise, own, backbone, obeys_the_contract):
    distance = dists_distance(weights=own, backbone=backbone)
    images, references = pair(draw, noise, 3, 3, 20, 24)
    obeys_the_contract(distance, images, references, tolerance=1e-5)
    obeys_the_contract(distance, images.double(), references.double(), tolerance=1e-10)
    obeys_the_contract(distance, images, references, tolerance=1e-5)
    torch.testing.assert_close(distance(images, images), torch.zeros(3), rtol=0, atol=1e-5)


def test_weights_are_read_from_the_data_root(draw, noise, own, backbone, no_weights_anywhere):
    torch.save(own, no_weights_anywhere / "dists_weights.pt")
    images, references = pair(draw, noise, 1, 3, 20, 24)
    assert torch.equal(
        dists_distance(backbone=backbone)(images, references),
        dists_distance(weights=own, backbone=backbone)(images, references),
    )
    with pytest.raises(FileNotFoundError, match=r"vgg16-397923af\.pth .*527\.8 MiB, licence BSD-3-Clause"):
        dists_distance()


def test_missing_or_wrong_weights_are_named(own, no_weights_anywhere):
    with pytest.raises(FileNotFoundError, match=r"dists_weights\.pt .* licence MIT"):
        dists_distance()
    with pytest.raises(ValueError, match=r"expected beta of shape \(1, 1475, 1, 1\), got none"):
        dists_distance(weights={"alpha": own["alpha"]})
    with pytest.raises(ValueError, match=r"expected alpha of shape \(1, 1475, 1, 1\), got \(1475,\)"):
        dists_distance(weights={"alpha": own["alpha"].flatten(), "beta": own["beta"]})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_network_follows_the_images_to_a_gpu_and_back(draw, noise, own, backbone):
    distance = dists_distance(weights=own, backbone=backbone)
    images, references = pair(draw, noise, 2, 3, 20, 24, dtype=torch.float64)
    here = distance(images, references)
    there = distance.prepare(references.cuda())(images.cuda())
    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-9)
    assert torch.equal(distance(images, references), here)
