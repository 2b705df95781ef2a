"""Searches through the cache: the same as without it, kept once, and another for every option."""

from dataclasses import fields

import pytest
import torch

from blindspots.latent import latent_severity
from blindspots.studies.kept_searches import kept_severity
from blindspots.studies.latent_study import latent_study

SEARCH = {"epsilon": 0.5, "bound": 1.5, "steps": 5, "restarts": 2, "seed": 3}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return latent_study(
        "digits", limits=[60, 20, 20], autoencoder={"epochs": 1, "latent_size": 3, "width": 4, "hidden": 8},
        classifiers={"regimes": ["plain"], "units": [1], "epochs": 1}, seed=0, progress=False,
        directory=tmp_path_factory.mktemp("cache"),
    )  # fmt: skip


def test_it_is_the_search_and_comes_back_from_the_cache_bit_for_bit(study):
    latents, labels = study.prior(4, seed=1)
    wanted = latent_severity(study.classifiers["plain 1"].model, study.autoencoder.decode, latents, labels, **SEARCH)
    for _ in range(2):
        found = kept_severity(study, "plain 1", latents, labels, **SEARCH)
        for part in ("search", "changes"):
            for field in fields(getattr(found, part)):
                pair = [getattr(getattr(one, part), field.name) for one in (found, wanted)]
                same = pair[0] == pair[1] if field.name == "bound" else torch.equal(*map(torch.nan_to_num, pair))
                assert same, field.name
    assert len(list((study.directory / "latent-severities").glob("*.pt"))) == 1


def test_options_and_subjects_count(study):
    latents, labels = study.prior(4, seed=2)
    folder = study.directory / "latent-severities"
    before = len(list(folder.glob("*.pt")))
    for changed in (SEARCH, SEARCH | {"bound": 0.5}, SEARCH | {"seed": 4}):
        kept_severity(study, "plain 1", latents, labels, **changed)
    kept_severity(study, "plain 1", -latents, labels, **SEARCH)
    assert len(list(folder.glob("*.pt"))) == before + 4


def test_an_unknown_classifier_is_named(study):
    latents, labels = study.prior(2, seed=2)
    with pytest.raises(ValueError, match="classifier: expected one of plain 1; got 'robust 1'"):
        kept_severity(study, "robust 1", latents, labels, **SEARCH)
