"""The measures of one classifier."""

import pytest
import torch

from blindspots.latent import adversarial_severity, image_accuracy, latent_severity
from blindspots.studies.latent_case import KINDS, latent_case
from blindspots.studies.latent_study import latent_study

OPTIONS = {"n": 4, "n_plain": 12, "skip": 3, "steps": 5, "restarts": 2, "restarts_at_once": 2, "seed": 1}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return latent_study(
        "digits", limits=[300, 20, 40], autoencoder={"epochs": 3, "latent_size": 3, "width": 4, "hidden": 16},
        classifiers={"regimes": ["plain"], "units": [1], "epochs": 3, "learning_rate": 0.003}, judge={"epochs": 2},
        seed=0, progress=False, directory=tmp_path_factory.mktemp("cache"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(study):
    distances = {"mean": lambda a, b: (a - b).abs().flatten(1).mean(1)}
    return latent_case(study, "plain 1", distances=distances, **OPTIONS)


def test_measures_are_those_of_the_kernels(study, measured):
    model = study.classifiers["plain 1"].model
    plain, few = study.real(12, skip=3), study.real(4, skip=3)
    assert torch.equal(measured["correct"], image_accuracy(model, *plain).correct)
    walk = {"steps": 5, "step_size": 0.05, "restarts": 2, "seed": 1}
    assert torch.equal(measured["image_severity"], adversarial_severity(model, *few, bound=0.3, **walk).severities)
    pairs = {"generation": study.prior(4, seed=1), "reconstruction": (study.encodings(*few), few[1])}
    for kind in KINDS:
        wanted = latent_severity(
            model, study.autoencoder.decode, *pairs[kind], epsilon=0.5, steps=5, restarts=2, restarts_at_once=2, seed=1
        )
        assert torch.equal(measured[f"{kind}.severity"], wanted.severities)
        lost = wanted.search.censored
        assert torch.equal(measured[f"{kind}.mean"].isnan(), lost)
        assert torch.allclose(measured[f"{kind}.mean"][~lost], wanted.changes.image_means[~lost])


def test_the_judge_speaks_for_every_image_and_joins_only_in_a_mistake(measured):
    for kind in KINDS:
        kept, read, joined = (measured[f"{kind}.{name}"] for name in ("kept", "read", "joined"))
        assert kept.shape == read.shape == (4,) and kept.dtype == torch.bool
        assert not (joined & kept).any()


def test_it_comes_back_from_the_cache(study, measured):
    again = latent_case(study, "plain 1", **OPTIONS)
    assert all(torch.equal(again[key].nan_to_num(), measured[key].nan_to_num()) for key in again)
    assert len(list((study.directory / "conventional-measures").glob("*.pt"))) == 1


def test_a_study_without_a_judge_is_refused(study):
    import dataclasses

    with pytest.raises(ValueError, match="judge"):
        latent_case(dataclasses.replace(study, judge=None), "plain 1", n=2, n_plain=2)
