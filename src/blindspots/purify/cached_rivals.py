"""MagNet and PixelDefend's density through the content-addressed cache: trained once, loaded afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from blindspots import checks
from blindspots.cache import cached_tensors
from blindspots.fingerprint import fingerprint
from blindspots.purify.batch_descent import drawn
from blindspots.purify.gated_pixel_cnn import GatedPixelCNN, train_pixel_cnn
from blindspots.purify.magnet import MagNet, train_magnet
from blindspots.purify.magnet_autoencoder import MagNetAutoencoder


def trained_magnet(
    images: Tensor,
    *,
    seed: int,
    epochs: int = 100,
    noise: float | int = 0.1,
    batch_size: int = 256,
    learning_rate: float | int = 1e-3,
    data_sha256: str | Sequence[str] = (),
    directory: str | Path | None = None,
) -> MagNet:
    """Run `train_magnet` with the layout of the images, or load what it came to where the same was trained before.

    Args:
        images, seed, epochs, noise, batch_size, learning_rate: as in `train_magnet`.
        data_sha256: fingerprints of the sets the images come from, kept in the cache's key beside their own.
        directory: the cache's folder; None for the usual one.

    Returns:
        MagNet without thresholds, on the images' device.

    Raises:
        TypeError, ValueError: as `train_magnet`.
        OSError: the cache's folder cannot be written to.
    """
    checks.check_images(images)
    options = dict(seed=seed, epochs=epochs, noise=noise, batch_size=batch_size, learning_rate=learning_rate)

    def build() -> tuple[dict[str, Tensor], dict[str, object]]:
        made = train_magnet(images, **options)
        tensors = {
            f"{index}/{name}": value
            for index, model in enumerate(made.autoencoders)
            for name, value in model.state_dict().items()
        }
        return tensors, {
            "structures": [model.structure for model in made.autoencoders], "errors": made.errors,
            "temperatures": made.temperatures, "losses": made.losses,
        }  # fmt: skip

    entry = cached_tensors(
        "magnet", build, parameters=options | {"device": images.device.type},
        data=_prints(images, data_sha256), sources=[train_magnet], directory=directory,
    )  # fmt: skip
    about = entry.metadata
    models = []
    for index, structure in enumerate(about["structures"]):
        model = drawn(lambda layers=structure: MagNetAutoencoder(images.shape[1], layers), seed)
        start = f"{index}/"
        state = {name[len(start) :]: value for name, value in entry.tensors.items() if name.startswith(start)}
        model.to(next(iter(state.values())).dtype).load_state_dict(state)
        models.append(model.to(images.device).eval().requires_grad_(False))
    return MagNet(
        tuple(models), tuple(tuple(pair) for pair in about["errors"]), tuple(about["temperatures"]), None,
        tuple(tuple(losses) for losses in about["losses"]),
    )  # fmt: skip


def trained_pixel_cnn(
    images: Tensor,
    *,
    levels: int = 256,
    seed: int,
    width: int = 32,
    layers: int = 4,
    reach: int = 2,
    epochs: int = 30,
    batch_size: int = 32,
    learning_rate: float | int = 1e-3,
    data_sha256: str | Sequence[str] = (),
    directory: str | Path | None = None,
) -> tuple[GatedPixelCNN, tuple[float, ...]]:
    """Run `train_pixel_cnn`, or load what it came to where the same was trained before.

    Args:
        images, levels, seed, width, layers, reach, epochs, batch_size, learning_rate: as in `train_pixel_cnn`.
        data_sha256, directory: as in `trained_magnet`.

    Returns:
        The density in evaluation mode, on the images' device, and the mean loss of each epoch in bits per dimension.

    Raises:
        TypeError, ValueError: as `train_pixel_cnn`.
        OSError: the cache's folder cannot be written to.
    """
    checks.check_images(images)
    options = dict(
        levels=levels, seed=seed, width=width, layers=layers, reach=reach, epochs=epochs, batch_size=batch_size,
        learning_rate=learning_rate,
    )  # fmt: skip

    def build() -> tuple[dict[str, Tensor], dict[str, object]]:
        density, history = train_pixel_cnn(images, **options)
        return density.state_dict(), {"history": history}

    entry = cached_tensors(
        "pixel-cnn", build, parameters=options | {"device": images.device.type}, data=_prints(images, data_sha256),
        sources=[train_pixel_cnn], directory=directory,
    )  # fmt: skip
    density = drawn(lambda: GatedPixelCNN(images.shape[1], levels, width=width, layers=layers, reach=reach), seed)
    density.to(next(iter(entry.tensors.values())).dtype).load_state_dict(entry.tensors)
    return density.to(images.device).eval().requires_grad_(False), tuple(entry.metadata["history"])


def _prints(images: Tensor, data_sha256: str | Sequence[str]) -> list[str]:
    return [*([data_sha256] if isinstance(data_sha256, str) else data_sha256), fingerprint(images)]
