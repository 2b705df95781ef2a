"""One classifier of a latent study: accuracy, conventional robustness, latent robustness, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from blindspots.borrowed import judged
from blindspots.cache import cached_tensors
from blindspots.fingerprint import fingerprint
from blindspots.latent import LatentSeverity, adversarial_severity, image_accuracy, noise_accuracy, robust_accuracy
from blindspots.studies.kept_searches import kept_severity
from blindspots.studies.latent_study import LatentStudy

KINDS = ("generation", "reconstruction")


def latent_case(
    study: LatentStudy,
    classifier: str,
    *,
    n: int,
    n_plain: int,
    skip: int = 0,
    name: str = "autoencoder",
    epsilon: float | int = 0.5,
    bound: float | int = 2.5,
    image_bound: float | int = 0.3,
    attack_bound: float | int = 0.1,
    sigma: float | int = 0.4,
    steps: int = 50,
    step_size: float | int = 0.05,
    restarts: int = 12,
    restarts_at_once: int = 12,
    image_restarts: int = 2,
    distances: Mapping[str, Callable[[Tensor, Tensor], Tensor]] | None = None,
    seed: int = 0,
) -> dict[str, Tensor]:
    """Measure one classifier, image by image; conventional measures and searches are kept in the cache.

    Args:
        study: with a judge, the classifier and the generative model.
        classifier: its name, such as "robust 0".
        n: images of every search: test images, their latents, and as many latents of the prior.
        n_plain: test images that accuracy and noise accuracy are measured on, at least n.
        skip: test images passed over.
        name: of the generative model.
        epsilon, bound, steps, step_size, restarts, restarts_at_once: of `latent.latent_severity`.
        image_bound: largest scaled L2 norm of the search for a conventional severity, in [0, 1] units.
        attack_bound: scaled L2 norm of the robust accuracy, in [0, 1] units.
        sigma: of pixel noise, in [0, 1] units.
        image_restarts: of the conventional search.
        distances: (perturbed (N, C, H, W), decayed images) -> (N,), by a name of letters.
        seed: of latents, starts and noise.

    Returns:
        "correct" and "noisy" (n_plain,), "image_severity" and "robust" (n,); for kind generation and reconstruction
        "<kind>.severity" (n,), infinite where nothing was found, "<kind>.image_norm", "<kind>.radius_shift" (n,), NaN
        there, "<kind>.kept" (n,) whether the judge reads the perturbed image as the label, "<kind>.read" (n,) whether
        it so reads the decayed one, "<kind>.joined" (n,) whether it agrees with the misled classifier, and
        "<kind>.<distance>" (n,) for each distance.

    Raises:
        ValueError: no judge, no such classifier or generative model, or too few test images.
    """
    if study.judge is None:
        raise ValueError("study: expected one with a judge, got none; give latent_study the judge's options")
    maker = study.generator(name)
    images, labels = study.real(n, skip=skip, classes=maker.classes)
    latents, drawn = study.prior(n, name=name, seed=seed)
    search = {
        "epsilon": epsilon, "bound": bound, "steps": steps, "step_size": step_size, "restarts": restarts,
        "restarts_at_once": restarts_at_once, "seed": seed,
    }  # fmt: skip
    encoded = study.encodings(images, labels, name=name)
    subjects = {"generation": (latents, drawn), "reconstruction": (encoded, labels)}
    found = {k: kept_severity(study, classifier, *subjects[k], name=name, **search) for k in KINDS}
    model = study.classifiers[classifier].model
    plain = study.real(n_plain, skip=skip, classes=maker.classes)

    def build() -> dict[str, Tensor]:
        walk = {"steps": steps, "step_size": step_size, "restarts": image_restarts, "seed": seed}
        return {
            "correct": image_accuracy(model, *plain).correct,
            "noisy": noise_accuracy(model, *plain, sigma=sigma, seed=seed).by_image,
            "image_severity": adversarial_severity(model, images, labels, bound=image_bound, **walk).severities,
            "robust": robust_accuracy(model, images, labels, bound=attack_bound, seed=seed).robust,
        }

    entry = cached_tensors(
        "conventional-measures", build,
        parameters={"n": n, "bounds": [image_bound, attack_bound], "sigma": sigma, "steps": steps,
                    "step_size": step_size, "restarts": image_restarts, "seed": seed, "device": study.device.type},
        data=[fingerprint(*plain), fingerprint(*model.state_dict().values())],
        sources=[adversarial_severity, noise_accuracy, image_accuracy, type(model)], directory=study.directory,
    )  # fmt: skip
    measured = {key: value.to(study.device) for key, value in entry.tensors.items()}
    for kind, severity in found.items():
        looked = _looked_at(study, model, maker, severity, subjects[kind][1], distances or {})
        measured |= {f"{kind}.{key}": value for key, value in looked.items()}
    return measured


def _looked_at(
    study: LatentStudy, model: torch.nn.Module, maker: torch.nn.Module, severity: LatentSeverity, labels: Tensor,
    distances: Mapping[str, Callable[[Tensor, Tensor], Tensor]],
) -> dict[str, Tensor]:  # fmt: skip
    """Return what was found and how it looks; NaN for sizes of what was not found."""
    with torch.no_grad(), judged(study.judge), judged(model):
        before, after = (maker.decode(v, labels) for v in (severity.search.centers, severity.search.points))
        opinions = [study.judge(x).argmax(1) for x in (before, after)]
        misled = model(after).argmax(1)
        values = {name: distance(after, before) for name, distance in distances.items()}
    lost = severity.search.censored
    return {
        "severity": severity.severities, "image_norm": severity.changes.image_norms,
        "radius_shift": severity.changes.radius_shifts, "read": opinions[0] == labels, "kept": opinions[1] == labels,
        "joined": (opinions[1] == misled) & ~lost,
        **{name: value.masked_fill(lost, torch.nan) for name, value in values.items()},
    }  # fmt: skip
