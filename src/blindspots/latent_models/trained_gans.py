"""A family of GANs through the cache: each class trained once, resumed when interrupted, tried again when dead."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blindspots.cache import cached_tensors, entry_path
from blindspots.checks import check_choice, check_images, check_labels, check_number
from blindspots.fingerprint import fingerprint
from blindspots.latent_models.encoder_network import LatentEncoder, latent_encoder, train_encoder
from blindspots.latent_models.gan_family import GanFamily
from blindspots.latent_models.train_wgan import WganTraining, train_wgan
from blindspots.latent_models.wgan_networks import strided_critic, wgan_critic, wgan_generator
from blindspots.models.weights import load_matching
from blindspots.seeding import derive_seed

CRITICS = ("paper", "strided")
ENCODERS = ("optimization", "network", "refined")


@dataclass(frozen=True)
class GanTraining:
    """The training that was kept for one class, and how many were needed: dead ones are tried again."""

    label: int
    attempts: int
    training: WganTraining


def trained_gans(
    images: Tensor,
    labels: Tensor,
    *,
    n_classes: int,
    classes: Sequence[int] | None = None,
    data_sha256: str | Sequence[str] = (),
    latent_size: int = 64,
    widths: Sequence[int] | None = None,
    critic: str = "paper",
    critic_width: int = 16,
    steps: int,
    critic_steps: int = 5,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    averaging: float = 0.0,
    attempts: int = 8,
    encoder: str = "optimization",
    encoder_pairs: int = 4096,
    encoder_epochs: int = 10,
    encode_steps: int = 40,
    encode_restarts: int = 4,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = True,
    directory: str | Path | None = None,
) -> tuple[GanFamily, tuple[GanTraining, ...]]:
    """Train a GAN on the images of each class, or load those that were trained before.

    Args:
        images, labels: (N, C, side, side) in [0, 1] and (N,) in [0, K).
        n_classes: K.
        classes: those to train, each with at least two images; None for all that occur.
        data_sha256: fingerprints of the sets the images come from, kept in the key beside the tensors' own.
        latent_size, widths: as in `wgan_generator`.
        critic: "paper" (`wgan_critic`) or "strided" (`strided_critic`, many more steps in the same time).
        critic_width: of the strided one.
        steps, critic_steps, batch_size, learning_rate, averaging: as in `train_wgan`.
        attempts: trainings at most for one class, each with another seed, until one is not dead.
        encoder: "optimization"; "network": one for all classes, trained on generated pairs; or "refined": the network's
            answer as one more start of the optimization.
        encoder_pairs, encoder_epochs: as in `train_encoder`.
        encode_steps, encode_restarts: as in `encode_by_optimization`.
        seed: decides everything drawn.
        device: where to train and where the models are returned.
        progress: show bars.
        directory: the cache's folder; None for the usual one.

    Returns:
        (GanFamily in evaluation mode whose parameters require no gradients, one GanTraining per class). A class whose
        attempts all died keeps the last, says so with a warning, and has `training.dead`.

    Raises:
        TypeError, ValueError: bad images, labels or options.
        OSError: the cache's folder cannot be written to.
    """
    check_images(images)
    check_labels(labels, len(images), n_classes=n_classes)
    check_choice(critic, "critic", CRITICS)
    check_choice(encoder, "encoder", ENCODERS)
    check_number(attempts, "attempts", at_least=1, integer=True)
    if images.shape[2] != images.shape[3]:
        raise ValueError(f"images: expected square images, got {tuple(images.shape[2:])}; crop them")
    wanted = sorted(labels.unique().tolist()) if classes is None else list(classes)
    counts = torch.bincount(labels, minlength=n_classes)
    for label in wanted:
        if not 0 <= label < n_classes or counts[label] < 2:
            raise ValueError(f"classes: expected labels with at least 2 images each, got {label}")
    options = {
        "steps": steps, "critic_steps": critic_steps, "batch_size": batch_size, "learning_rate": learning_rate,
        "averaging": averaging,
    }  # fmt: skip
    prints = [*([data_sha256] if isinstance(data_sha256, str) else data_sha256)]
    shape = {"side": images.shape[-1], "latent_size": latent_size, "widths": None if widths is None else list(widths)}
    chosen = {"critic": critic, **({"critic_width": critic_width} if critic == "strided" else {})}
    generators, reports = {}, []
    for label in wanted:
        own = images[labels == label]
        parameters = {
            "channels": images.shape[1], **shape, **chosen, "training": options, "attempts": attempts,
            "seed": seed, "label": label, "device": torch.device(device).type,
        }  # fmt: skip
        network, report = _trained(label, own, parameters, [*prints, fingerprint(own)], device, progress, directory)
        generators[label] = network
        reports.append(report)
        if report.training.dead:
            warnings.warn(
                f"class {label}: {attempts} attempts gave dead generators; its images are all alike: raise attempts, "
                "or leave the class out",
                stacklevel=2,
            )
    family = GanFamily(
        generators, n_classes=n_classes, restarts=encode_restarts, steps=encode_steps, seed=seed
    ).to(device)  # fmt: skip
    family.eval().requires_grad_(False)
    if encoder != "optimization":
        family.refine = encoder == "refined"
        family.encoder = _trained_encoder(family, encoder_pairs, encoder_epochs, seed, device, progress, directory)
    return family, tuple(reports)


def _trained(
    label: int, images: Tensor, parameters: dict[str, Any], prints: list[str], device: str | torch.device,
    progress: bool, directory: str | Path | None,
) -> tuple[torch.nn.Module, GanTraining]:  # fmt: skip
    """Return the generator of one class and its report."""
    entry_of = {
        "parameters": parameters, "data": prints, "sources": [wgan_generator, train_wgan], "directory": directory,
    }  # fmt: skip
    kept = entry_path("gan", **entry_of)
    shape = {name: parameters[name] for name in ("side", "latent_size", "widths")}

    def generator(attempt: int) -> torch.nn.Module:
        seed = derive_seed(parameters["seed"], "gan", label, attempt)
        return wgan_generator(parameters["channels"], **shape, seed=seed).to(device)

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        for attempt in range(parameters["attempts"]):
            seed = derive_seed(parameters["seed"], "gan", label, attempt)
            network = generator(attempt)
            given = {"in_channels": parameters["channels"], "side": parameters["side"], "seed": seed}
            opponent = (
                wgan_critic(**given)
                if parameters["critic"] == "paper"
                else strided_critic(width=parameters["critic_width"], **given)
            ).to(device)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # another attempt follows; the last is said by the caller
                training = train_wgan(
                    network, opponent, images, seed=seed, progress=progress,
                    progress_file=kept.with_name(f"{kept.stem}-{attempt}.progress"), digest=kept.stem,
                    **parameters["training"],
                )  # fmt: skip
            if not training.dead:
                break
        return network.state_dict(), {"attempts": attempt + 1, "training": training.as_dict()}

    entry = cached_tensors("gan", build, **entry_of)
    network = generator(entry.metadata["attempts"] - 1)
    load_matching(network, entry.tensors, f"cache entry {entry.key[:12]}")
    training = WganTraining.from_dict(entry.metadata["training"])
    return network, GanTraining(label, entry.metadata["attempts"], training)


def _trained_encoder(
    family: GanFamily, n_pairs: int, epochs: int, seed: int, device: str | torch.device, progress: bool,
    directory: str | Path | None,
) -> LatentEncoder:  # fmt: skip
    network = latent_encoder(
        family.image_shape[0], family.n_classes, side=family.image_shape[-1], latent_size=family.latent_size, seed=seed
    ).to(device)
    options = {"classes": list(family.classes), "n_pairs": n_pairs, "epochs": epochs, "seed": seed}

    def build() -> dict[str, Tensor]:
        train_encoder(network, family.decode, progress=progress, **options)
        return network.state_dict()

    entry = cached_tensors(
        "gan-encoder", build,
        parameters={"spec": network.spec, "training": options, "device": torch.device(device).type},
        data=[fingerprint(*family.generators.state_dict().values())],
        sources=[latent_encoder, train_encoder, GanFamily], directory=directory,
    )  # fmt: skip
    load_matching(network, entry.tensors, f"cache entry {entry.key[:12]}")
    return network.eval().requires_grad_(False)
