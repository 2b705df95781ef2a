"""Searches of a latent study through the cache, so that an interrupted page goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from torch import Tensor

from blindspots.cache import cached_tensors
from blindspots.fingerprint import fingerprint
from blindspots.latent.latent_pgd import LatentSearch
from blindspots.latent.latent_severity import LatentSeverity, latent_severity
from blindspots.latent.perturbation_changes import PerturbationChanges
from blindspots.studies.latent_study import LatentStudy
from blindspots.studies.search_ladder import METHODS, SearchOutcome, search_ladder


def kept_severity(
    study: LatentStudy, classifier: str, latents: Tensor, labels: Tensor, *, name: str = "autoencoder", **options: Any
) -> LatentSeverity:
    """Return `latent_severity` of a study's classifier through its generative model, kept in the cache.

    Args:
        study: with both models.
        classifier: its name, such as "plain 0".
        latents: (N, D).
        labels: (N,).
        name: of the generative model, "autoencoder" or "gans".
        options: of `latent_severity`; numbers and strings.

    Raises:
        ValueError: no such classifier or generative model, or what `latent_severity` refuses.
    """
    maker, model = _networks(study, classifier, name)

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        found = latent_severity(model, maker.decode, latents, labels, **options)
        kept = {f"{part}.{field.name}": getattr(getattr(found, part), field.name)
                for part, kind in _PARTS.items() for field in fields(kind) if field.name != "bound"}  # fmt: skip
        return kept, {"bound": found.search.bound}

    entry = cached_tensors(
        "latent-severities", build,
        parameters={"options": options, "name": name, "device": study.device.type},
        data=[fingerprint(latents, labels), *(fingerprint(*m.state_dict().values()) for m in (maker, model))],
        sources=[latent_severity, type(maker), type(model)], directory=study.directory,
    )  # fmt: skip
    tensors = {key: value.to(latents.device) for key, value in entry.tensors.items()}
    made = {
        part: kind(
            **{key.split(".")[1]: value for key, value in tensors.items() if key.startswith(f"{part}.")}, **extra
        )
        for (part, kind), extra in zip(_PARTS.items(), ({"bound": entry.metadata["bound"]}, {}), strict=True)
    }
    return LatentSeverity(made["search"], made["changes"])


def kept_ladder(
    study: LatentStudy, classifier: str, latents: Tensor, labels: Tensor, *, name: str = "autoencoder",
    methods: Sequence[str] = METHODS, **options: Any,
) -> dict[str, SearchOutcome]:  # fmt: skip
    """Return `search_ladder` of a study's classifier through its generative model, each method kept in the cache.

    Args:
        study, classifier, latents, labels, name: of `kept_severity`.
        methods: of `search_ladder`, at least one.
        options: of `search_ladder`; numbers.

    Returns:
        SearchOutcome by method; seconds are those of the run that made it.

    Raises:
        ValueError: no such classifier or generative model, or what `search_ladder` refuses.
    """
    maker, model = _networks(study, classifier, name)
    data = [fingerprint(latents, labels), *(fingerprint(*m.state_dict().values()) for m in (maker, model))]
    outcomes = {}
    for method in methods:

        def build(method: str = method) -> tuple[dict[str, Tensor], dict[str, Any]]:
            found = search_ladder(model, maker.decode, latents, labels, methods=[method], **options)[method]
            return {key: getattr(found, key) for key in _OUTCOME}, {"seconds": found.seconds}

        entry = cached_tensors(
            "latent-ladders", build,
            parameters={"method": method, "options": options, "name": name, "device": study.device.type}, data=data,
            sources=[search_ladder, type(maker), type(model)], directory=study.directory,
        )  # fmt: skip
        outcomes[method] = SearchOutcome(
            **{key: value.to(latents.device) for key, value in entry.tensors.items()}, seconds=entry.metadata["seconds"]
        )
    return outcomes


def _networks(study: LatentStudy, classifier: str, name: str) -> tuple[Any, Any]:
    if classifier not in study.classifiers:
        raise ValueError(f"classifier: expected one of {', '.join(study.classifiers)}; got {classifier!r}")
    return study.generator(name), study.classifiers[classifier].model


_OUTCOME = ("norms", "returned", "gradients")
_PARTS = {"search": LatentSearch, "changes": PerturbationChanges}
