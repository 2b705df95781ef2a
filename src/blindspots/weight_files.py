"""Trained weights below the data root or in torch hub's cache: found, checked, never downloaded here."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from blindspots.data_root import VARIABLE, find_data_root

FOLDER = "weights"


@dataclass(frozen=True)
class Weight:
    """A file of weights: what it holds, where to get it, and how to tell that it is whole.

    `size` is in bytes; `sha256` may be the whole digest or the first digits that torchvision puts in file
    names; `approximate_mb` (MiB) stands in where only the rounded size is published. None = unknown.
    """

    file_name: str
    title: str
    page: str
    licence: str
    size: int | None = None
    sha256: str | None = None
    approximate_mb: float | None = None


_PIQ = "https://github.com/photosynthesis-team/piq/releases"

KNOWN_WEIGHTS: dict[str, Weight] = {
    weight.file_name: weight
    for weight in (
        Weight(
            "squeezenet1_1-imagenet-onnxzoo.pth",
            "SqueezeNet 1.1 on ImageNet, converted from the ONNX model zoo; for "
            "torchvision.models.squeezenet1_1, not for LPIPS",
            "https://github.com/onnx/models",
            "Apache-2.0",
            4_959_567,
            "3f7d301af080004eb4a06b8f86c7b54a98ef77009bee5de011cc7dfad74789b4",
        ),
        Weight(
            "squeezenet1_1-lpips-features.pth",
            "the feature layers of torchvision's SqueezeNet 1.1, as LPIPS uses them",
            "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
            "BSD-3-Clause",
            2_899_197,
            "435cedb387e95bc8291893f61a3a64f0345b8c23a05139aceef43947efb3d52d",
        ),
        Weight(
            "cifar10_resnet20.th",
            "ResNet-20 on CIFAR-10 with option-A shortcuts; keys under state_dict and module.",
            "https://github.com/akamaster/pytorch_resnet_cifar10",
            "BSD-2-Clause",
            1_099_231,
            "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
        ),
        Weight(
            "cifar10_resnet56.th",
            "ResNet-56 on CIFAR-10 with option-A shortcuts; keys under state_dict and module.",
            "https://github.com/akamaster/pytorch_resnet_cifar10",
            "BSD-2-Clause",
            3_471_733,
            "4bfd97631478d6b638d2764fd2baff3edb1d7d82252d54439343b6596b9b5367",
        ),
        Weight(
            "PieAPPv0.1.pth",
            "PieAPP as in piq",
            f"{_PIQ}/download/v0.5.4/PieAPPv0.1.pth",
            "BSD-2-Clause with a non-commercial clause (PieAPP's authors)",
            approximate_mb=260.8,
        ),
        Weight(
            "dists_weights.pt",
            "the weights of DISTS, as piq uses them (the network vgg16-397923af.pth is needed as well)",
            f"{_PIQ}/download/v0.4.1/dists_weights.pt",
            "MIT (DISTS), Apache-2.0 (piq)",
            approximate_mb=0.011,
        ),
        Weight(
            "lpips_weights.pt",
            "the weights of LPIPS on VGG-16, as piq uses them (vgg16-397923af.pth is needed as well)",
            "https://github.com/photosynthesis-team/photosynthesis.metrics/releases/download/v0.4.0/"
            "lpips_weights.pt",
            "BSD-2-Clause (LPIPS), Apache-2.0 (piq)",
            approximate_mb=0.006,
        ),
    )
}
"""Weights that are not torchvision's; torchvision's own are looked up in its registry by file name."""

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def describe_weight(file_name: str) -> Weight | None:
    """Return what is known about a file of weights, torchvision's included; None if nothing."""
    return KNOWN_WEIGHTS.get(file_name) or _torchvision_weights().get(file_name)


def find_weight(file_name: str, *, data_root: str | Path | None = None) -> Path:
    """Return the path of a file of weights, checked where its size or checksum is known.

    Looked for in `<data root>/weights`, if there is a data root, then in the `checkpoints` folder of torch
    hub.

    Args:
        file_name: the plain name of the file, such as "resnet50-0676ba61.pth".
        data_root: None = the environment variable BLINDSPOTS_DATA, which may be unset.

    Raises:
        FileNotFoundError: it is in neither; the message says what to get, how large it is, under which
            licence, and where to put it.
        ValueError: the name is a path, or the file is not whole.
    """
    if not isinstance(file_name, str) or not _FILE_NAME.fullmatch(file_name):
        raise ValueError(f"file_name: expected a plain file name, got {file_name!r}; leave the folder out")
    folders = _folders(data_root)
    known = describe_weight(file_name)
    for folder in folders:
        file = folder / file_name
        if file.is_file():
            if known is not None:
                _check(file, known)
            return file
    raise FileNotFoundError(_missing(file_name, known, folders))


def load_weight(file_name: str, *, data_root: str | Path | None = None) -> Any:
    """Return what a file of weights holds, on the CPU; only tensors and plain containers are ever loaded.

    Raises:
        ValueError: the file is damaged or holds anything else. See `find_weight` for the rest.
    """
    return read_weight(find_weight(file_name, data_root=data_root))


def read_weight(file: str | Path) -> Any:
    """Return what the file at a path holds, on the CPU; only tensors and plain containers are ever loaded.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds anything else.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"weights: expected a file, got {file}, where there is none; correct the path")
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch raises various kinds for a damaged archive; whichever it is, the file is at fault.
        raise ValueError(
            f"weights: expected tensors in {file}, got a file that does not load as weights only "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__}); replace it"
        ) from error


def _folders(data_root: str | Path | None) -> list[Path]:
    folders = [Path(torch.hub.get_dir()) / "checkpoints"]
    # Without any data root torch hub's cache is enough; a root that was named must exist.
    if data_root is not None or os.environ.get(VARIABLE):
        folders.insert(0, find_data_root(data_root) / FOLDER)
    return folders


def _check(file: Path, known: Weight) -> None:
    size = file.stat().st_size
    if known.size is not None and size != known.size:
        raise ValueError(
            f"weights: expected {known.size} bytes in {file}, got {size}; the file is half-written, "
            f"replace it from {known.page}"
        )
    if known.sha256 is not None:
        with open(file, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if not digest.startswith(known.sha256):
            raise ValueError(
                f"weights: expected SHA-256 {known.sha256} for {file}, got {digest}; the file is damaged or "
                f"another one, replace it from {known.page}"
            )


def _missing(file_name: str, known: Weight | None, folders: list[Path]) -> str:
    looked = " and ".join(str(folder) for folder in folders)
    put = folders[0] / file_name
    no_root = f" (or set {VARIABLE} and put it in its folder {FOLDER})" if len(folders) == 1 else ""
    if known is None:
        return f"weights: expected {file_name} in {looked}, got nothing there; put it at {put}{no_root}"
    size = "size not published"
    if (megabytes := known.approximate_mb if known.size is None else known.size / 2**20) is not None:
        size = f"{megabytes:.1f} MiB" if megabytes >= 1 else f"{1024 * megabytes:.0f} KiB"
    return (
        f"weights: expected {file_name} in {looked}, got nothing there; it is {known.title}: get it from "
        f"{known.page} ({size}, licence {known.licence}) and put it at {put}{no_root}"
    )


def _torchvision_weights() -> dict[str, Weight]:
    """Return all weights in torchvision's registry by file name; importing it is slow, so only when asked."""
    from torchvision.models import get_model_weights, list_models

    found = {}
    for model in list_models():
        for entry in get_model_weights(model):
            file_name = entry.url.rsplit("/", 1)[-1]
            prefix = re.search(r"-([0-9a-f]{8,})\.pth$", file_name)
            found[file_name] = Weight(
                file_name,
                f"torchvision's {model} ({entry.name})",
                entry.url,
                "BSD-3-Clause; trained on data with terms of its own",
                sha256=prefix[1] if prefix else None,
                approximate_mb=entry.meta.get("_file_size"),
            )
    return found
