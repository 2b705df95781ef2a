"""Fine-tuning: where it starts, what it leaves alone, what it refuses, and that the cache gives the same back."""

import pytest
import torch

from blindspots.models import build_model, finetuned_classifier, trained_classifier
from blindspots.seeding import generator

SPEC = {"name": "small_cnn", "in_channels": 1, "n_classes": 2, "width": 4}
IMAGES = torch.rand(24, 1, 6, 6, generator=generator(0))
LABELS = torch.arange(24) % 3


def tuned(start, directory, **options):
    settings = {"n_classes": 3, "epochs": 1, "batch_size": 8, "seed": 0, "progress": False} | options
    return finetuned_classifier(start, IMAGES, LABELS, directory=directory, **settings)[0]


def test_it_starts_from_the_features_and_with_a_new_head(tmp_path):
    start = build_model(SPEC, seed=7)
    still = tuned(start, tmp_path, learning_rate=1e-12, weight_decay=0.0)
    for name, value in start.features.named_parameters():
        torch.testing.assert_close(dict(still.features.named_parameters())[name], value)
    assert still(IMAGES).shape == (24, 3) and still.spec["n_classes"] == 3


def test_it_learns_and_leaves_the_start_as_it_was(tmp_path):
    start, _ = trained_classifier(SPEC, IMAGES, LABELS % 2, epochs=1, seed=0, progress=False, directory=tmp_path)
    before = {name: value.clone() for name, value in start.state_dict().items()}
    model = tuned(start, tmp_path, epochs=3)
    assert all(torch.equal(value, before[name]) for name, value in start.state_dict().items())
    assert any(
        not torch.equal(value, dict(start.features.named_parameters())[name])
        for name, value in model.features.named_parameters()
    )
    assert not model.training


def test_the_second_call_loads_the_same_and_another_start_does_not(tmp_path):
    start = build_model(SPEC, seed=7)
    first = tuned(start, tmp_path)
    entries = len(list(tmp_path.rglob("*.pt")))
    torch.testing.assert_close(tuned(start, tmp_path)(IMAGES), first(IMAGES), rtol=0, atol=0)
    assert len(list(tmp_path.rglob("*.pt"))) == entries
    other = tuned(build_model(SPEC, seed=8), tmp_path)
    assert len(list(tmp_path.rglob("*.pt"))) == entries + 1
    assert not torch.equal(other(IMAGES), first(IMAGES))


def test_bad_input_is_refused_before_the_cache_is_touched(tmp_path):
    start = build_model(SPEC, seed=7)
    with pytest.raises(TypeError, match="start: expected a SplitClassifier"):
        tuned(torch.nn.Flatten(), tmp_path)
    with pytest.raises(ValueError, match="n_classes"):
        tuned(start, tmp_path, n_classes=1)
    with pytest.raises(ValueError, match="labels: expected shape"):
        finetuned_classifier(start, IMAGES, LABELS[:3], n_classes=3, epochs=1, seed=0, directory=tmp_path)
    assert list(tmp_path.iterdir()) == []
