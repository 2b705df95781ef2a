"""torchvision's image classifiers by name, normalization inside, with weights from a file that is already there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from blindspots.checks import check_choice, check_number
from blindspots.models.split import IMAGENET_MEAN, IMAGENET_STD, SplitClassifier, seeded_construction
from blindspots.models.weights import load_matching, read_weights

OFFICIAL = "official"
LICENCE = "BSD-3-Clause (torchvision); trained on ImageNet, whose images are for non-commercial research"


@dataclass(frozen=True)
class OfficialWeights:
    """Where torchvision publishes an architecture's first ImageNet weights, and how to know the file.

    `megabytes` is in units of 2**20 bytes; `sha256_prefix` are the first digits of the file's SHA-256.
    """

    architecture: str
    file_name: str
    url: str
    megabytes: float
    sha256_prefix: str
    licence: str
    n_classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    min_side: int


class PositionFlatten(nn.Module):
    """Flatten maps (N, C, H, W) to features (N, C H W)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return the features, channel by channel."""
        return maps.flatten(1)


class PositionHead(nn.Module):
    """SqueezeNet's head on flattened maps: dropout, a 1x1 convolution, a ReLU, the mean over positions.

    A 1x1 convolution and a mean do not care where a position lies, so the maps' height and width are not needed.
    """

    def __init__(self, dropout: nn.Module, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.dropout = dropout
        self.convolution = convolution

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (N, K) from features (N, C P) with P positions."""
        positions = features.unflatten(1, (self.convolution.in_channels, -1)).unsqueeze(-1)
        return torch.relu(self.convolution(self.dropout(positions))).mean((-2, -1))


def architecture_names() -> tuple[str, ...]:
    """Return the names of the image classifiers the installed torchvision can build."""
    from torchvision import models

    return tuple(models.list_models(module=models))


def official_weights(name: str) -> OfficialWeights:
    """Describe torchvision's first published weights of an architecture (IMAGENET1K_V1, as papers before 2022 used).

    Raises:
        ValueError: an architecture the installed torchvision does not have.
    """
    check_choice(name, "name", architecture_names())
    from torchvision import models

    first = next(iter(models.get_model_weights(name)))
    file_name = first.url.rsplit("/", 1)[-1]
    preset = first.transforms()
    return OfficialWeights(
        architecture=name,
        file_name=file_name,
        url=first.url,
        megabytes=float(first.meta["_file_size"]),
        sha256_prefix=Path(file_name).stem.rsplit("-", 1)[-1],
        licence=LICENCE,
        n_classes=len(first.meta["categories"]),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        min_side=max(first.meta.get("min_size", (1, 1))),
    )


def find_official_weights(name: str, *, data_root: str | Path | None = None) -> Path:
    """Return the file with an architecture's official weights; nothing is ever downloaded.

    Looks in `weights/` under the data root (the argument, or BLINDSPOTS_DATA), then in torch hub's cache.

    Raises:
        FileNotFoundError: in none of them; the message says what to get, under what terms, and where to put it.
        ValueError: an unknown architecture.
    """
    described = official_weights(name)
    root = data_root or os.environ.get("BLINDSPOTS_DATA")
    folders = [Path(root).expanduser() / "weights"] if root else []
    folders.append(Path(torch.hub.get_dir()) / "checkpoints")
    for folder in folders:
        if (folder / described.file_name).is_file():
            return folder / described.file_name
    looked = " and ".join(str(folder) for folder in folders)
    raise FileNotFoundError(
        f"weights: expected the official weights of {name}, found no {described.file_name} in {looked}; get "
        f"{described.url} ({described.megabytes:.0f} MB, {described.licence}; its SHA-256 begins with "
        f"{described.sha256_prefix}) and put it there"
        + ("" if root else ", or set BLINDSPOTS_DATA to a data root with a weights folder")
        + ", or pass a path to weights; nothing is downloaded by itself"
    )


def torchvision_classifier(
    name: str,
    *,
    weights: str | Path | None = None,
    n_classes: int | None = None,
    seed: int | None = None,
    data_root: str | Path | None = None,
) -> SplitClassifier:
    """Build one of torchvision's classifiers as a FeatureClassifier of images in [0, 1].

    The features are what the last linear layer reads. SqueezeNet has none: its features are the flattened last maps
    (D = 512 H' W', which grows with the image), and its head the 1x1 convolution, ReLU and mean that follow.

    Args:
        name: an architecture (see `architecture_names`), such as "resnet50" or "squeezenet1_1".
        weights: the path of a file with torchvision's keys; "official" for torchvision's own file where it is already
            on this machine (see `find_official_weights`); None for random first weights.
        n_classes: K; None for 1000. With weights, another number than 1000 replaces the head by a fresh one.
        seed: decides what is drawn at random; required where something is.
        data_root: where "official" looks first; None for BLINDSPOTS_DATA.

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32, for images (N, 3, H, W) of any size the architecture
        takes (papers use 224 or 299); normalized by the statistics its published weights expect.

    Raises:
        OSError: the weight file is missing or cannot be read.
        ValueError: an unknown architecture, a missing seed, a damaged file, or one of another architecture.
    """
    described = official_weights(name)
    n_published = described.n_classes
    n_wanted = n_published if n_classes is None else n_classes
    check_number(n_wanted, "n_classes", at_least=2, integer=True)
    if seed is None and (weights is None or n_wanted != n_published):
        raise ValueError(
            "seed: expected an integer, because weights are drawn at random, got None; "
            'pass seed, or weights="official" with all of its classes'
        )
    state, path = {}, Path()
    if weights is not None:
        official = str(weights) == OFFICIAL
        path = find_official_weights(name, data_root=data_root) if official else Path(weights)
        stored = read_weights(path, sha256_prefix=described.sha256_prefix if official else "")
        state = _torchvision_state(name, stored, path)
    with seeded_construction(0 if seed is None else seed):
        network = _construct(name, n_published if state else n_wanted)
        if state:
            load_matching(network, state, path)
        features, classifier = _split(name, network)
        if state and n_wanted != n_published:
            classifier = _fresh_head(classifier, n_wanted)
    mean, std = list(described.mean or IMAGENET_MEAN), list(described.std or IMAGENET_STD)
    spec = {"name": "torchvision_classifier", "architecture": name, "n_classes": n_wanted}
    return SplitClassifier(
        features, classifier, input_shape=(3, None, None), mean=mean, std=std, spec=spec, min_side=described.min_side
    ).eval()


def _construct(name: str, n_classes: int) -> nn.Module:
    from torchvision import models

    options: dict[str, object] = {"num_classes": n_classes}
    if name in ("googlenet", "inception_v3"):  # their published weights expect the older normalization, done inside
        options |= {"aux_logits": False, "init_weights": False, "transform_input": True}
    return models.get_model(name, weights=None, **options)


def _torchvision_state(name: str, stored: object, path: Path) -> dict[str, Tensor]:
    if not isinstance(stored, dict) or not stored or not all(isinstance(v, Tensor) for v in stored.values()):
        raise ValueError(f"weights: expected a dictionary of tensors in {path}, got {type(stored).__name__} of others")
    for key in list(stored):
        renamed = key
        if name.startswith("densenet"):  # old files write norm.1 for norm1
            for part in ("norm", "conv"):
                for number in ("1", "2"):
                    renamed = renamed.replace(f".{part}.{number}.", f".{part}{number}.")
        if name in ("googlenet", "inception_v3") and key.startswith(("aux1.", "aux2.", "AuxLogits.")):
            del stored[key]  # heads used in training only
        elif renamed != key:
            stored[renamed] = stored.pop(key)
    return stored


def _split(name: str, network: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Take the last linear layer (SqueezeNet: the last convolution) out of a network."""
    if name.startswith("squeezenet"):
        dropout, convolution = network.classifier[0], network.classifier[1]
        return nn.Sequential(network.features, PositionFlatten()), PositionHead(dropout, convolution)
    path, last = [(key, module) for key, module in network.named_modules() if isinstance(module, nn.Linear)][-1]
    parent_path, _, child = path.rpartition(".")
    setattr(network.get_submodule(parent_path), child, nn.Identity())
    return network, last


def _fresh_head(classifier: nn.Module, n_classes: int) -> nn.Module:
    if isinstance(classifier, PositionHead):
        convolution = nn.Conv2d(classifier.convolution.in_channels, n_classes, 1)
        nn.init.normal_(convolution.weight, std=0.01)
        nn.init.zeros_(convolution.bias)
        return PositionHead(classifier.dropout, convolution)
    return nn.Linear(classifier.in_features, n_classes)
