"""Searches through the cache: the same as without it, kept once, and another for every option."""

from dataclasses import fields

import pytest
import torch

from blindspots.latent import latent_severity
from blindspots.studies.kept_searches import kept_ladder, kept_severity
from blindspots.studies.latent_study import latent_study
from blindspots.studies.search_ladder import METHODS, search_ladder

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
    with pytest.raises(ValueError, match="classifier: expected one of plain 1; got 'robust 1'"):
        kept_ladder(study, "robust 1", latents, labels, **SEARCH)


def test_a_ladder_is_kept_rung_by_rung(study):
    latents, labels = study.prior(4, seed=1)
    options = SEARCH | {"directions": 5}
    folder = study.directory / "latent-ladders"
    kept_ladder(study, "plain 1", latents, labels, methods=METHODS[:2], **options)
    assert len(list(folder.glob("*.pt"))) == 2
    first = kept_ladder(study, "plain 1", latents, labels, **options)
    again = kept_ladder(study, "plain 1", latents, labels, **options)
    wanted = search_ladder(study.classifiers["plain 1"].model, study.autoencoder.decode, latents, labels, **options)
    assert tuple(first) == METHODS and len(list(folder.glob("*.pt"))) == len(METHODS)
    for method in METHODS:
        assert first[method].seconds == again[method].seconds
        for key in ("norms", "returned", "gradients"):
            assert torch.equal(getattr(first[method], key), getattr(wanted[method], key)), (method, key)
