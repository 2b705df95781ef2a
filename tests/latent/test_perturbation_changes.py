"""Sizes of what a search found, from their definitions; nothing where it found nothing."""

import pytest
import torch

from blindspots.latent import latent_pgd, margin_over_norm, perturbation_changes


def test_sizes_by_their_definitions(network_world):
    model, decode, latents, labels = network_world(n=12)
    search = latent_pgd(model, decode, latents, labels, epsilon=0.5, bound=2.5, restarts=3)
    found = perturbation_changes(decode, search, labels, batch_size=5)
    change = (decode(search.points, labels) - decode(search.centers, labels)).detach()
    known = search.success
    assert known.any()
    rms = lambda values: values.flatten(1).square().mean(1).sqrt()  # noqa: E731
    for name, expected in {
        "latent_norms": rms(search.perturbations),
        "radius_shifts": rms(search.points) - rms(search.centers),
        "image_norms": rms(change),
        "image_means": change.abs().mean(dim=(1, 2, 3)),
    }.items():
        torch.testing.assert_close(getattr(found, name)[known], expected[known])
        assert getattr(found, name)[~known].isnan().all()
    assert (found.image_means[known] <= found.image_norms[known] + 1e-12).all()


def test_a_failed_search_has_no_sizes(linear_world):
    world = linear_world(n=20, n_classes=2)
    exact = margin_over_norm(*world, epsilon=0.5)
    search = latent_pgd(*world, epsilon=0.5, bound=exact[exact > 0].min().item() * 0.9, restarts=1)
    found = perturbation_changes(world[1], search, world[3])
    for values in (found.latent_norms, found.radius_shifts, found.image_norms, found.image_means):
        assert values[exact > 0].isnan().all() and (values[exact == 0] == 0).all()


def test_labels_must_fit(linear_world):
    model, decode, latents, labels = linear_world()
    search = latent_pgd(model, decode, latents, labels, epsilon=0.5, bound=1.0, restarts=1)
    with pytest.raises(ValueError, match="labels: expected shape"):
        perturbation_changes(decode, search, labels[:2])
