"""Trained models from the cache: the same model without training, and a new one whenever something differs."""

import pytest
import torch

from blindspots.models import cached
from blindspots.models.cached import trained_classifier
from blindspots.seeding import generator

SPEC = {"name": "small_cnn", "in_channels": 1, "n_classes": 2, "width": 4}
IMAGES = torch.rand(16, 1, 6, 6, generator=generator(0))
LABELS = (IMAGES.mean((1, 2, 3)) > 0.5).long()


@pytest.fixture
def trainings(monkeypatch):
    """Count how often a model is really trained."""
    calls, train = [], cached.train_classifier

    def counted(*arguments, **options):
        calls.append(options)
        return train(*arguments, **options)

    counted.__wrapped__ = train  # the cache's key reads the source of what is wrapped
    monkeypatch.setattr(cached, "train_classifier", counted)
    return calls


def trained(directory, **options):
    settings = {
        "spec": SPEC,
        "images": IMAGES,
        "labels": LABELS,
        "epochs": 1,
        "seed": 0,
        "progress": False,
    } | options
    spec, images, labels = (settings.pop(name) for name in ("spec", "images", "labels"))
    return trained_classifier(spec, images, labels, directory=directory, **settings)


def test_the_second_call_loads_the_same_model_and_result(tmp_path, trainings):
    model, result = trained(tmp_path, validation=(IMAGES, LABELS))
    again, repeated = trained(tmp_path, validation=(IMAGES, LABELS))
    assert len(trainings) == 1
    assert torch.equal(model(IMAGES), again(IMAGES))
    assert repeated == result
    assert not again.training
    assert again.spec == model.spec


def test_defaults_of_the_architecture_do_not_make_another_entry(tmp_path, trainings):
    trained(tmp_path)
    trained(tmp_path, spec=SPEC | {"norm": "batch"})
    assert len(trainings) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"spec": SPEC | {"width": 8}}, {"images": IMAGES[:8], "labels": LABELS[:8]}, {"labels": 1 - LABELS},
        {"epochs": 2}, {"batch_size": 4}, {"learning_rate": 0.01}, {"weight_decay": 0.0}, {"seed": 1},
        {"validation": (IMAGES, LABELS)}, {"augment": ("flip",)}, {"augment": ("shift",), "max_shift": 1},
        {"optimizer": "adam"}, {"schedule": "constant"}, {"data_sha256": "00ff"},
    ],
)  # fmt: skip
def test_whatever_differs_is_trained_anew(options, tmp_path, trainings):
    trained(tmp_path)
    trained(tmp_path, **options)
    assert len(trainings) == 2


def test_bad_input_is_refused_before_the_cache_is_touched(tmp_path):
    with pytest.raises(ValueError, match="spec: expected a name"):
        trained(tmp_path, spec={"name": "none"})
    with pytest.raises(ValueError, match="labels: expected shape"):
        trained(tmp_path, labels=LABELS[:3])
    with pytest.raises(ValueError, match=r"images: expected values in \[0, 1\]"):
        trained(tmp_path, images=IMAGES + 1)
    assert list(tmp_path.iterdir()) == []
