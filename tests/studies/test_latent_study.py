"""The study's parts: what is trained, what is shared through the cache, and which images are asked about."""

import warnings

import pytest
import torch

from blindspots.studies.latent_study import latent_study

OPTIONS = {
    "data": "digits",
    "limits": [60, 20, 60],
    "autoencoder": {"epochs": 1, "latent_size": 3, "width": 4, "hidden": 8},
    "gans": {
        "classes": [3, 8], "latent_size": 3, "critic": "strided", "critic_width": 4, "steps": 2, "critic_steps": 1,
        "batch_size": 4, "attempts": 1, "encode_steps": 2, "encode_restarts": 1,
    },
    "classifiers": {"regimes": ["plain", "robust"], "units": [1], "epochs": 1},
    "judge": {"epochs": 1},
    "seed": 0,
    "progress": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def study(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # two steps may leave a generator dead
        return latent_study(**OPTIONS, directory=folder)


def test_everything_that_is_asked_for_is_there_and_works_together(study):
    assert [len(part) for part in (study.train, study.validation, study.test)] == [60, 20, 60]
    assert list(study.classifiers) == ["plain 1", "robust 1"]
    assert study.n_classes == 10 and study.image_shape == (1, 28, 28)
    assert study.gans.classes == (3, 8) and [one.label for one in study.gan_trainings] == [3, 8]
    for name in ("autoencoder", "gans"):
        latents, labels = study.prior(6, name=name, seed=1)
        images = study.generator(name).decode(latents, labels)
        for model in (study.judge, study.classifiers["robust 1"].model):
            assert model(images).shape == (6, 10)


def test_a_part_that_is_left_out_is_none_and_the_others_are_shared(study, folder):
    kept = sorted(folder.rglob("*.pt"))
    alone = latent_study(**(OPTIONS | {"gans": None, "classifiers": None, "judge": None}), directory=folder)
    assert sorted(folder.rglob("*.pt")) == kept  # nothing was trained
    assert alone.gans is None and alone.classifiers == {} and alone.judge is None and alone.gan_trainings == ()
    latents, labels = study.prior(4, seed=2)
    assert torch.equal(alone.autoencoder.decode(latents, labels), study.autoencoder.decode(latents, labels))
    with pytest.raises(ValueError, match="got 'gans'; give its options"):
        alone.generator("gans")


def test_the_prior_keeps_to_the_classes_of_the_generative_model(study):
    latents, labels = study.prior(40, name="gans", seed=3)
    assert set(labels.tolist()) == {3, 8} and latents.shape == (40, 3)
    assert study.shares("gans").sum() == pytest.approx(1.0) and study.shares("gans").count_nonzero() == 2
    counts = torch.bincount(study.train.labels, minlength=10) / 60
    assert torch.allclose(study.shares(), counts)
    assert not torch.equal(study.prior(40, name="gans", seed=4)[0], latents)


def test_real_images_are_test_images_after_those_passed_over(study):
    images, labels = study.real(5, skip=7)
    assert torch.equal(images, study.test.images[7:12]) and torch.equal(labels, study.test.labels[7:12])
    images, labels = study.real(4, skip=7, classes=[3, 8])
    assert set(labels.tolist()) <= {3, 8}
    wanted = [row for row in range(7, 60) if study.test.labels[row] in (3, 8)][:4]
    assert torch.equal(images, study.test.images[wanted])
    with pytest.raises(ValueError, match="n: expected at most 53"):
        study.real(54, skip=7)


def test_encodings_are_the_models_and_those_of_gans_are_kept(study, monkeypatch):
    images, labels = study.real(3, classes=[3, 8])
    assert torch.equal(study.encodings(images, labels), study.autoencoder.encode(images, labels))
    with torch.no_grad():
        first = study.encodings(images, labels, name="gans")
    assert torch.equal(first, study.gans.encode(images, labels))
    monkeypatch.setattr(type(study.gans), "encode", None)
    assert torch.equal(study.encodings(images, labels, name="gans"), first)


def test_an_attribute_can_be_the_class(folder):
    options = {"data": "toy_faces", "size": 32, "limits": [20, 5, 5], "seed": 0, "directory": folder}
    hats, smiles = latent_study(label="hat", **options), latent_study(**options)
    assert torch.equal(hats.train.labels, smiles.train.groups["hat"]) and hats.n_classes == 2
    assert "hat" in hats.train.class_names[1]
    with pytest.raises(ValueError, match="label: expected one of"):
        latent_study(label="crown", **options)


def test_what_cannot_be_loaded_is_said():
    with pytest.raises(ValueError, match="limits: expected three"):
        latent_study("digits", limits=[10], seed=0)
