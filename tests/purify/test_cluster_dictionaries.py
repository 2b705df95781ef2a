"""Dictionaries by cluster: each is that of its own images, and codes its own kind best."""

import pytest
import torch

from blindspots.data.planted import planted_signals
from blindspots.purify import cbpdn, fit_cluster_dictionaries, learn_dictionary, tikhonov_split
from blindspots.seeding import generator


@pytest.fixture
def kinds():
    """Return images (24, 1, 20, 20) in [0, 1] of two kinds, made of different filters, and which kind each is."""
    waves = planted_signals(1, seed=0, n_filters=8, filter_size=5).dictionary
    images = [
        planted_signals(12, seed=1 + kind, size=20, density=0.005, dictionary=waves[kind::2]).signals for kind in (0, 1)
    ]
    images = torch.cat(images).double()
    order = torch.randperm(24, generator=generator(3))
    return (0.5 + 0.5 * images / images.abs().max())[order], (order >= 12).long()


@pytest.fixture
def fit(kinds):
    def run(**options):
        call = dict(images=kinds[0], assignments=kinds[1], generator=generator(0), max_iterations=10) | options
        shape = call.pop("n_filters", 5), call.pop("filter_size", 5), call.pop("lmbda", 0.02)
        return fit_cluster_dictionaries(call.pop("images"), call.pop("assignments"), *shape, **call)

    return run


def objective(images, dictionary):
    return cbpdn(tikhonov_split(images)[1], dictionary, 0.02, max_iterations=500).objective.mean()


def test_each_dictionary_codes_unseen_images_of_its_own_kind_best(fit, kinds):
    images, kind = kinds
    unseen = torch.arange(24) % 3 == 0
    dictionaries = fit(images=images[~unseen], assignments=kind[~unseen], max_iterations=60).dictionaries
    assert dictionaries.shape == (2, 5, 1, 5, 5)
    for own in (0, 1):
        mine = images[unseen & (kind == own)]
        assert objective(mine, dictionaries[own]) < 0.9 * objective(mine, dictionaries[1 - own])


@pytest.mark.parametrize("dictionary_input", ["high", "raw"])
def test_a_dictionary_is_that_of_the_clusters_images(fit, kinds, dictionary_input):
    images, kind = kinds
    found = fit(dictionary_input=dictionary_input)
    seed = torch.randint(2**62, (2,), generator=generator(0)).tolist()[1]
    mine = images[kind == 1]
    mine = tikhonov_split(mine)[1] if dictionary_input == "high" else mine
    alone = learn_dictionary(mine, 5, 5, 0.02, generator=torch.Generator().manual_seed(seed), max_iterations=10)
    assert torch.equal(found.dictionaries[1], alone.dictionary)
    assert found.n_images.tolist() == [12, 12] and len(found.fits) == 2
    assert torch.equal(found.fits[1].objectives, alone.objectives)


def test_a_dictionary_does_not_depend_on_other_clusters(fit, kinds):
    images = kinds[0].clone()
    images[kinds[1] == 0] = images[kinds[1] == 0].flip(3)
    one, other = fit().dictionaries, fit(images=images).dictionaries
    assert torch.equal(one[1], other[1]) and not torch.equal(one[0], other[0])


def test_a_cluster_gives_as_many_images_as_asked_or_all_it_has(fit, kinds):
    images, kind = kinds
    small = (kind == 0).nonzero().flatten()[:3]
    keep = torch.cat([small, (kind == 1).nonzero().flatten()])
    found = fit(images=images[keep], assignments=kind[keep], images_per_cluster=5)
    assert found.n_images.tolist() == [3, 5]
    assert torch.equal(found.dictionaries[0], fit(images=images[keep], assignments=kind[keep]).dictionaries[0])
    one = torch.cat([small[:1], keep[3:]])
    found = fit(images=images[one], assignments=kind[one])
    assert found.n_images.tolist() == [1, 12] and found.dictionaries.isfinite().all()


@pytest.mark.parametrize(
    "options",
    [
        dict(images_per_cluster=6),
        dict(dictionary_input="raw"),
        dict(batch_size=4),
        dict(max_iterations=20),
        dict(tolerance=2.0),
        dict(generator=generator(1)),
        dict(lmbda=0.1),
        dict(initial=torch.eye(25, dtype=torch.float64)[:5].view(5, 1, 5, 5)),
    ],
)
def test_every_option_changes_the_result(fit, options):
    assert not torch.equal(fit(**options).dictionaries, fit().dictionaries)


def test_channels_can_be_alone(fit, kinds):
    colored = kinds[0].expand(-1, 3, -1, -1)
    assert fit(images=colored).dictionaries.shape == (2, 5, 3, 5, 5)
    assert fit(images=colored, per_channel=True).dictionaries.shape == (2, 5, 1, 5, 5)


def test_dtype_and_inputs_are_kept(fit, kinds):
    images = kinds[0].float()
    before = images.clone()
    assert fit(images=images).dictionaries.dtype == torch.float32
    assert torch.equal(images, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            dict(assignments=torch.arange(24) // 12 * 2),
            "assignments: expected images in each of 3 clusters, got none in ",
        ),
        (dict(n_clusters=3), "got none in cluster 2"),
        (dict(n_clusters=1), "assignments: expected classes from 0 to 0"),
        (dict(assignments=torch.zeros(3, dtype=torch.long)), r"assignments: expected shape \(24,\)"),
        (dict(images=torch.full((24, 1, 9, 9), 2.0)), r"images: expected values in \[0, 1\]"),
        (dict(images=torch.full((24, 1, 9, 9), 0.3)), "images: expected something to learn from in cluster 0"),
        (dict(dictionary_input="low"), "dictionary_input: expected one of high, raw"),
        (dict(images_per_cluster=0), "images_per_cluster: expected a finite number >= 1"),
        (dict(filter_size=21), "filter_size: expected filters no larger"),
    ],
)
def test_bad_arguments_are_named(fit, change, message):
    with pytest.raises(ValueError, match=message):
        fit(**change)
