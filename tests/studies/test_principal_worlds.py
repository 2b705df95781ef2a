"""A linear world of pictures."""

import pytest
import torch

from blindspots.latent import latent_pgd, margin_over_norm
from blindspots.studies.principal_worlds import linear_reader, principal_generator


@pytest.fixture(scope="module")
def pictures():
    """Three classes of 6 by 6 pictures: a bright column each, and shades."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(150) % 3
    images = 0.3 + 0.1 * torch.randn(150, 1, 6, 6, generator=draw, dtype=torch.float64)
    images[torch.arange(150), 0, :, 2 * labels] += 0.2
    return images.clamp(0, 1), labels


def test_latents_follow_mean_and_variance_of_their_class(pictures):
    images, labels = pictures
    made = principal_generator(images, labels, n_classes=3, latent_size=4)
    own = images[labels == 1].flatten(1)
    center = made.decode(torch.zeros(1, 4, dtype=torch.float64), torch.tensor([1]))
    assert torch.allclose(center.flatten(), own.mean(0))
    first = made.components[1][0]
    variances = torch.linalg.eigvalsh(own.T.cov())
    assert first.norm() ** 2 == pytest.approx(variances[-1].item())


def test_at_low_contrast_the_world_is_linear_and_the_search_exact(pictures):
    images, labels = pictures
    made = principal_generator(images, labels, n_classes=3, latent_size=4, contrast=0.01)
    model = linear_reader(images, labels, contrast=0.01)
    latents = torch.randn(12, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    own = torch.arange(12) % 3
    options = {"epsilon": 0.5}
    exact = margin_over_norm(model, made, latents, own, **options)
    found = latent_pgd(model, made, latents, own, bound=20.0, **options).norms
    inside = (exact > 0) & (exact < 20)
    assert inside.sum() >= 6
    ratios = found[inside] / exact[inside]
    assert ratios.min() >= 1 - 1e-6 and ratios.median() < 1.01


def test_contrast_is_undone_by_the_reader(pictures):
    images, labels = pictures
    low = linear_reader(images, labels, contrast=0.1)
    assert torch.allclose(low(0.5 + 0.1 * (images - 0.5)), linear_reader(images, labels)(images))
    assert (low(0.5 + 0.1 * (images - 0.5)).argmax(1) == labels).double().mean() > 0.9


def test_bad_arguments_are_refused(pictures):
    images, labels = pictures
    with pytest.raises(ValueError, match="labels: expected more than 50 images"):
        principal_generator(images, labels, n_classes=3, latent_size=50)
    with pytest.raises(ValueError, match="contrast: expected at most 1"):
        linear_reader(images, labels, contrast=2.0)
    with pytest.raises(ValueError, match="labels: expected all of 0 to K - 1"):
        linear_reader(images, labels % 2)
