"""What the pages on latent space share: one data set, its generative models and its classifiers, each trained once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.cache import cached_tensors
from blindspots.checks import check_choice, check_number
from blindspots.data import ImageSet, load
from blindspots.fingerprint import fingerprint
from blindspots.latent.latent_noise import prior_latents
from blindspots.latent_models import (
    ConditionalAutoencoder,
    GanFamily,
    GanTraining,
    RegimeClassifier,
    encode_by_optimization,
    trained_conditional_autoencoder,
    trained_gans,
    trained_regimes,
)
from blindspots.models import trained_classifier

GENERATORS = ("autoencoder", "gans")
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class LatentStudy:
    """One data set with everything trained on it.

    Attributes:
        train, validation, test: the data, on the CPU.
        autoencoder: class-conditional, for all classes; None if not asked for.
        gans: for some classes or all; None if not asked for.
        gan_trainings: one for each of the GANs' classes.
        classifiers: by name, "plain 0" being the plain regime of unit 0; in the order of units, then of regimes.
        judge: a classifier of another architecture that measures generative models and nothing else; None if not
            asked for.
        device: of all models.
        directory: of the cache; None for the usual one.
    """

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    autoencoder: ConditionalAutoencoder | None
    gans: GanFamily | None
    gan_trainings: tuple[GanTraining, ...]
    classifiers: dict[str, RegimeClassifier]
    judge: nn.Module | None
    device: torch.device
    directory: str | Path | None = None

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.train.class_names)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    def generator(self, name: str) -> ConditionalAutoencoder | GanFamily:
        """Return the generative model "autoencoder" or "gans"; ValueError where it was not asked for."""
        check_choice(name, "name", GENERATORS)
        found = getattr(self, name)
        if found is None:
            raise ValueError(f"name: expected a generative model of this study, got {name!r}; give its options")
        return found

    def shares(self, name: str = "autoencoder") -> Tensor:
        """Return the classes' proportions (K,) in the training set, 0 where the generative model knows no class."""
        counts = torch.bincount(self.train.labels, minlength=self.n_classes).float()
        known = torch.zeros(self.n_classes)
        known[list(self.generator(name).classes)] = 1.0
        return (counts * known / (counts * known).sum()).to(self.device)

    def prior(self, n: int, *, name: str = "autoencoder", seed: int) -> tuple[Tensor, Tensor]:
        """Draw latents (n, D) from N(0, I) and classes (n,) in their proportions, on the study's device."""
        return prior_latents(n, self.generator(name).latent_size, class_shares=self.shares(name), seed=seed)

    def real(self, n: int, *, skip: int = 0, classes: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
        """Return the first n test images (n, C, H, W) of some classes after `skip` rows, and their labels (n,).

        Args:
            n: at least 1.
            skip: rows of the test set, of any class, that are passed over; >= 0.
            classes: labels to keep; None for all.

        Raises:
            ValueError: there are fewer; the message says how many.
        """
        check_number(n, "n", at_least=1, integer=True)
        check_number(skip, "skip", at_least=0, integer=True)
        rows = torch.arange(len(self.test))[skip:]
        if classes is not None:
            rows = rows[torch.isin(self.test.labels[rows], torch.tensor(list(classes)))]
        if len(rows) < n:
            raise ValueError(f"n: expected at most {len(rows)}, as many test images there are after {skip}; got {n}")
        return self.test.images[rows[:n]].to(self.device), self.test.labels[rows[:n]].to(self.device)

    def encodings(self, images: Tensor, labels: Tensor, *, name: str = "autoencoder") -> Tensor:
        """Return latents (N, D) of images (N, C, H, W) of classes (N,); those of GANs are kept in the cache."""
        model = self.generator(name)
        if name == "autoencoder":
            with torch.no_grad():
                return model.encode(images, labels)

        def build() -> dict[str, Tensor]:
            with torch.enable_grad():  # the encoder is a descent, wherever it is called
                return {"latents": model.encode(images, labels)}

        entry = cached_tensors(
            "latent-encodings", build,
            parameters={"restarts": model.restarts, "steps": model.steps, "learning_rate": model.learning_rate,
                        "seed": model.seed, "refine": model.refine, "network": model.encoder is not None,
                        "classes": list(model.classes), "device": self.device.type},
            data=[fingerprint(images, labels), fingerprint(*model.state_dict().values())],
            sources=[GanFamily, encode_by_optimization], directory=self.directory,
        )  # fmt: skip
        return entry.tensors["latents"].to(images)


def latent_study(
    data: str,
    *,
    size: int | None = None,
    label: str | None = None,
    limits: Sequence[int | None] = (None, None, None),
    autoencoder: Mapping[str, Any] | None = None,
    gans: Mapping[str, Any] | None = None,
    classifiers: Mapping[str, Any] | None = None,
    judge: Mapping[str, Any] | None = None,
    data_root: str | Path | None = None,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = True,
    directory: str | Path | None = None,
) -> LatentStudy:
    """Load a data set and train what is asked for, or take it from the cache; each model has an entry of its own.

    Pages that give the same options share all trainings; a page that leaves one of the four out shares the others.

    Args:
        data: name of a set of images, see `load`.
        size: side in pixels; None for the set's own.
        label: an attribute that is the class, for faces; None for the set's labels.
        limits: most rows of training, validation and test set; None for all.
        autoencoder: options of `trained_conditional_autoencoder`; None for none.
        gans: options of `trained_gans`; None for none.
        classifiers: options of `trained_regimes`; None for none.
        judge: options of `trained_classifier` for a "small_cnn" with another seed; None for none.
        data_root: folder of official data.
        seed: of all trainings.
        device: where to train and to measure.
        progress: show bars.
        directory: the cache's folder; None for the usual one.

    Returns:
        LatentStudy.

    Raises:
        TypeError, ValueError: an unknown set or attribute, limits that are not three, or options that are refused.
    """
    sets = _load(data, size, label, limits, data_root)
    train, validation, test = sets
    place, k = torch.device(device), len(train.class_names)
    prints = [train.card.sha256]
    common = {"seed": seed, "device": place, "progress": progress, "directory": directory}
    subjects = (train.images, train.labels)
    maker = family = referee = None
    trainings: tuple[GanTraining, ...] = ()
    members: dict[str, RegimeClassifier] = {}
    if classifiers is not None:
        found = trained_regimes(
            *subjects, n_classes=k, validation=(validation.images, validation.labels), data_sha256=prints,
            **classifiers, **common,
        )  # fmt: skip
        members = {f"{regime} {unit}": member for (regime, unit), member in found.items()}
    if autoencoder is not None:
        maker, _ = trained_conditional_autoencoder(
            *subjects, n_classes=k, data_sha256=prints, **autoencoder, **common
        )  # fmt: skip
    if gans is not None:
        family, trainings = trained_gans(*subjects, n_classes=k, data_sha256=prints, **gans, **common)
    if judge is not None:
        spec = {"name": "small_cnn", "in_channels": train.images.shape[1], "n_classes": k}
        referee, _ = trained_classifier(spec, *subjects, data_sha256=prints, **judge, **(common | {"seed": seed + 1}))
    return LatentStudy(train, validation, test, maker, family, trainings, members, referee, place, directory)


def _load(
    data: str, size: int | None, label: str | None, limits: Sequence[int | None], data_root: str | Path | None
) -> list[ImageSet]:
    if len(limits) != len(_SPLITS):
        raise ValueError(f"limits: expected three, of training, validation and test set; got {list(limits)}")
    sets = [
        load(data, split=split, size=size, limit=limit, data_root=data_root)
        for split, limit in zip(_SPLITS, limits, strict=True)
    ]
    if not isinstance(sets[0], ImageSet):
        raise ValueError(f"data: expected a set of images, got {data!r}")
    if label is None:
        return sets
    check_choice(label, "label", tuple(sets[0].groups))
    return [
        replace(
            part, labels=part.groups[label].long(),
            class_names=tuple(part.group_names.get(label, (f"no {label}", label))),
        )
        for part in sets
    ]  # fmt: skip
