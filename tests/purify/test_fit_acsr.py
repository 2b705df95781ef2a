"""Stages I and II in one call: planted kinds of images become clusters, each with its own dictionary; all is cached."""

import sys

import pytest
import torch

from blindspots.models import compute_features, small_cnn
from blindspots.purify import (
    TrainingAttack,
    acsr_purifier,
    cbpdn,
    fit_acsr,
    fit_cluster_dictionaries,
    robust_semantic_training,
    tikhonov_split,
)
from blindspots.seeding import generator

MODEL = small_cnn(1, 2, width=4, norm="none", seed=0)


def planted():
    """Return 24 images: class 0 has two kinds (stripes along and across), class 1 bright noise."""
    along = (torch.arange(12) // 2 % 2).float().expand(1, 12, 12)
    kinds = [0.2 + 0.4 * along, 0.2 + 0.4 * along.mT, torch.full((1, 12, 12), 0.7)]
    images = torch.cat([kind.expand(8, 1, 12, 12) for kind in kinds])
    noise = 0.05 * torch.rand(images.shape, generator=generator(0))
    images = images + noise * torch.arange(1, 4).repeat_interleave(8).view(-1, 1, 1, 1)
    return images, torch.tensor([0, 0, 1]).repeat_interleave(8)


IMAGES, LABELS = planted()
KINDS = torch.arange(3).repeat_interleave(8)


def contrasts(model, images):
    """Features in which the three kinds are far apart: how much rows differ, how much columns do, brightness."""
    return torch.stack(
        [images.mean(2).std(2).flatten(), images.mean(3).std(2).flatten(), images.mean((1, 2, 3))], dim=1
    )


@pytest.fixture
def fit(tmp_path):
    def run(**options):
        call = dict(
            baseline=MODEL, images=IMAGES, labels=LABELS, features=compute_features, max_clusters=3, n_filters=4,
            filter_size=3, lmbda=0.02, dictionary_iterations=10, attack=TrainingAttack(steps=1), epochs=1, seed=0,
            progress=False, directory=tmp_path,
        ) | options  # fmt: skip
        return fit_acsr(call.pop("baseline"), call.pop("images"), call.pop("labels"), **call)

    return run


def test_the_planted_kinds_become_clusters_whose_dictionaries_code_them_best(tmp_path):
    # The robust training needs features that its model has; the planted ones are given to clustering alone.
    asked = []

    def features(model, images):
        asked.append(model)
        return contrasts(model, images)

    class Planted(type(MODEL)):
        def encode(self, images):
            return contrasts(self, images)

    model = small_cnn(1, 2, width=4, norm="none", seed=0)
    model.__class__ = Planted
    with torch.random.fork_rng():
        model.classifier = torch.nn.Linear(3, 2)
    stages = fit_acsr(
        model, IMAGES, LABELS, features=features, max_clusters=4, n_filters=4, filter_size=5, lmbda=0.02,
        dictionary_iterations=40, attack=TrainingAttack(steps=1), epochs=1, seed=0, progress=False, directory=tmp_path,
    )  # fmt: skip
    assert asked == [model]
    of_kind = [stages.clusters.members[kind == KINDS].unique().tolist() for kind in range(2)]
    assert not set(of_kind[0]) & set(of_kind[1])
    high = tikhonov_split(IMAGES)[1]
    for kind in range(2):
        own, other = (stages.dictionaries[of_kind[k][0]] for k in (kind, 1 - kind))
        mine = high[kind == KINDS]
        assert cbpdn(mine, own, 0.02).objective.mean() < 0.9 * cbpdn(mine, other, 0.02).objective.mean()


def test_the_pieces_are_those_of_the_stages(fit):
    stages = fit()
    clusters = stages.clusters
    assert torch.equal(clusters.classes[clusters.members], LABELS)
    expected = fit_cluster_dictionaries(
        IMAGES, clusters.members, 4, 3, 0.02, generator=generator(0, "cluster dictionaries"), max_iterations=10,
        images_per_cluster=100,
    )  # fmt: skip
    assert torch.equal(stages.dictionaries, expected.dictionaries)
    assert torch.equal(stages.n_images, expected.n_images) and stages.n_images.sum() == len(IMAGES)
    robust, _ = robust_semantic_training(
        MODEL, IMAGES, LABELS, clusters.members, clusters, alpha=0.01, attack=TrainingAttack(steps=1), epochs=1, seed=0,
        progress=False,
    )  # fmt: skip
    assert torch.equal(stages.robust(IMAGES), robust(IMAGES))
    assert not torch.equal(stages.robust(IMAGES), MODEL(IMAGES)) and len(stages.training.history) == 1
    by_hand = acsr_purifier(robust.encode, clusters, list(expected.dictionaries), lmbda=0.02)
    assert torch.equal(stages.purifier(IMAGES), by_hand(IMAGES))


def test_the_global_dictionary_is_learned_on_as_many_images_as_all_others(fit):
    stages = fit(images_per_cluster=2)
    n = int(stages.n_images.sum())
    assert n == 2 * len(stages.clusters)
    expected = fit_cluster_dictionaries(
        IMAGES, torch.zeros_like(LABELS), 4, 3, 0.02, generator=generator(0, "cluster dictionaries"),
        images_per_cluster=n, max_iterations=10,
    )  # fmt: skip
    assert torch.equal(stages.global_dictionary, expected.dictionaries[0])


def test_the_second_call_learns_nothing_anew(fit, monkeypatch):
    first = fit()
    module = sys.modules["blindspots.purify.fit_acsr"]
    learn = module.fit_cluster_dictionaries

    def never(*arguments, **options):
        raise AssertionError("learned again")

    never.__wrapped__ = learn  # the cache's key reads the source of what is wrapped
    monkeypatch.setattr(module, "fit_cluster_dictionaries", never)
    again = fit()
    assert torch.equal(again.dictionaries, first.dictionaries)
    assert torch.equal(again.global_dictionary, first.global_dictionary)
    assert torch.equal(again.robust(IMAGES), first.robust(IMAGES)) and again.training == first.training
    with pytest.raises(AssertionError, match="learned again"):
        fit(n_filters=5)


@pytest.mark.parametrize(
    "options",
    [
        dict(n_filters=5), dict(filter_size=4), dict(lmbda=0.03), dict(images_per_cluster=2),
        dict(covariance="euclidean"),
        dict(dictionary_iterations=2), dict(alpha=1.0), dict(attack=TrainingAttack(steps=2)), dict(epochs=2),
        dict(batch_size=8), dict(learning_rate=0.01), dict(coding_iterations=2), dict(seed=1),
    ],
)  # fmt: skip
def test_every_option_reaches_its_stage(fit, options):
    base, other = fit(), fit(**options)
    same = [
        base.dictionaries.shape == other.dictionaries.shape and torch.equal(base.dictionaries, other.dictionaries),
        torch.equal(base.robust(IMAGES), other.robust(IMAGES)),
        torch.equal(base.purifier(IMAGES), other.purifier(IMAGES)),
    ]
    assert not all(same)


def test_one_cluster_for_each_class_where_no_elbow_can_be_seen(fit):
    assert fit(max_clusters=1).clusters.classes.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(features=lambda model, images: images[:2].flatten(1)), "features: expected one row for each"),
        (dict(labels=LABELS[:3]), r"labels: expected shape \(24,\)"),
        (dict(images=IMAGES + 1), r"images: expected values in \[0, 1\]"),
        (dict(epochs=0), "epochs: expected"),
        (dict(alpha=-1), "alpha: expected"),
        (dict(coding_iterations=0), "coding_iterations: expected"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_learned(fit, change, message, monkeypatch):
    monkeypatch.setattr(sys.modules["blindspots.purify.fit_acsr"], "fit_semantic_clusters", None)
    with pytest.raises(ValueError, match=message):
        fit(**change)
