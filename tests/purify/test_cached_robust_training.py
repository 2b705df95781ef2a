"""Robust models from the cache: the same without training, a new one where something differs, none lost midway."""

import pytest
import torch

from blindspots.models import small_cnn
from blindspots.purify import TrainingAttack, cached_robust_training, robust_run, trained_robust_classifier
from blindspots.seeding import generator

MODEL = small_cnn(1, 2, width=4, norm="none", seed=0)
IMAGES = torch.rand(16, 1, 6, 6, generator=generator(0))
LABELS = (IMAGES.mean((1, 2, 3)) > 0.5).long()


class Centers:
    """The least that stands for semantic clusters."""

    def __init__(self, centers):
        self.centers = centers

    def mahalanobis(self, features):
        return ((features[:, None] - self.centers).square().sum(2) + 1e-6).sqrt()


CLUSTERS = Centers(torch.rand(3, 64, generator=generator(1)))


def flipped(images, draws):
    return images.flip(-1)


@pytest.fixture
def trainings(monkeypatch):
    """Count how often a model is really trained."""
    calls, train = [], cached_robust_training.robust_semantic_training

    def counted(*arguments, **options):
        calls.append(options)
        return train(*arguments, **options)

    counted.__wrapped__ = train  # the cache's key reads the source of what is wrapped
    monkeypatch.setattr(cached_robust_training, "robust_semantic_training", counted)
    return calls


def trained(directory, **options):
    settings = dict(
        model=MODEL, images=IMAGES, labels=LABELS, cluster_index=LABELS, clusters=CLUSTERS, alpha=0.1, epochs=1,
        attack=TrainingAttack(steps=1), seed=0, progress=False,
    ) | options  # fmt: skip
    subjects = [settings.pop(name) for name in ("model", "images", "labels", "cluster_index", "clusters")]
    return trained_robust_classifier(*subjects, directory=directory, **settings)


def test_the_second_call_loads_the_same_model_and_result(tmp_path, trainings):
    model, result = trained(tmp_path)
    again, repeated = trained(tmp_path)
    assert len(trainings) == 1
    assert torch.equal(model(IMAGES), again(IMAGES)) and not torch.equal(model(IMAGES), MODEL(IMAGES))
    assert repeated == result and len(result.history) == 1
    assert not again.training and again.spec == MODEL.spec
    assert not list(tmp_path.rglob("*.progress"))


@pytest.mark.parametrize(
    "options",
    [
        {"model": small_cnn(1, 2, width=4, norm="none", seed=1)}, {"images": IMAGES.flip(0)}, {"labels": 1 - LABELS},
        {"cluster_index": LABELS + 1}, {"clusters": Centers(CLUSTERS.centers + 1)}, {"data_sha256": "00ff"},
        {"alpha": 0.2}, {"semantic": False, "cluster_index": None, "clusters": None, "alpha": None},
        {"attack": TrainingAttack(steps=2)}, {"include_distance_in_attack": True}, {"objective": "trades"},
        {"objective": "trades", "beta": 1.0}, {"epochs": 2}, {"batch_size": 4}, {"learning_rate": 0.01},
        {"weight_decay": 0.0}, {"augment": flipped}, {"seed": 1},
    ],
)  # fmt: skip
def test_whatever_differs_is_trained_anew(options, tmp_path, trainings):
    trained(tmp_path)
    trained(tmp_path, **options)
    assert len(trainings) == 2


def test_an_interrupted_training_goes_on_from_its_last_epoch(tmp_path, monkeypatch):
    whole, _ = trained(tmp_path / "whole", epochs=3)
    epoch, ran = robust_run.RobustRun._epoch, []

    def interrupted(self, number, *arguments):
        if number == 2 and 2 not in ran:
            ran.append(number)
            raise KeyboardInterrupt
        ran.append(number)
        return epoch(self, number, *arguments)

    monkeypatch.setattr(robust_run.RobustRun, "_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, epochs=3)
    assert len(list(tmp_path.rglob("*.progress"))) == 1
    model, result = trained(tmp_path, epochs=3)
    assert ran == [0, 1, 2, 2] and len(result.history) == 3
    assert torch.equal(model(IMAGES), whole(IMAGES))
    assert not list(tmp_path.rglob("*.progress"))


def test_bad_input_is_refused_before_the_cache_is_touched(tmp_path):
    with pytest.raises(ValueError, match="alpha: expected a finite number >= 0"):
        trained(tmp_path, alpha=-1)
    with pytest.raises(TypeError, match="augment: expected a named function"):
        trained(tmp_path, augment=lambda images, draws: images)
    bare = type("Bare", (), {"mahalanobis": lambda self, features: features[:, :2]})()
    with pytest.raises(TypeError, match="clusters: expected an object that holds its tensors"):
        trained(tmp_path, clusters=bare)
    assert list(tmp_path.iterdir()) == []
