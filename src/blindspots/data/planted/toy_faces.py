"""Toy faces: drawn portraits with twelve independent binary attributes and chosen correlations.

The point of drawing them is that the answer is known: which attribute decides the label, how strongly another
one goes with it, and what the very same face looks like with that attribute changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_number
from blindspots.data.planted.attributes import correlated_attributes
from blindspots.data.planted.face_drawing import ATTRIBUTES, CHUNK, VARIATIONS, draw_faces
from blindspots.data.sets import Card, ImageSet, Source, sealed
from blindspots.seeding import derive_seed, generator

SPLITS = ("train", "validation", "test")
SIZES = (32, 64, 128)
_ROWS = {"train": 2000, "validation": 500, "test": 1000}

CARD = Card(
    name="toy_faces",
    title="Toy faces with planted attributes",
    source="drawn by this package",
    licence="BSD-3-Clause, as the package",
    citation="this package",
    origin="planted",
    version="1",
    notes=(
        "no real person is shown; a dark skin or a beard is a drawing's attribute and says nothing of people",
    ),
)


def planted_faces(
    n: int,
    *,
    seed: int,
    size: int = 64,
    correlations: Mapping[tuple[str, str], float] | None = None,
    prevalences: Mapping[str, float] | None = None,
    label: str = "smile",
) -> ImageSet:
    """Draw toy faces whose attributes correlate as chosen.

    Args:
        n: faces, >= 1.
        seed: the same seed gives the same faces. Poses, lights and shades depend on seed and n alone, so two
            calls that differ in correlations only show the same people with other attributes.
        size: image side in pixels, 16 to 512.
        correlations: phi by pair of attributes, e.g. {("glasses", "smile"): 0.6}; met exactly up to rounding
            of counts. All other pairs are independent. The pairs must form no loop.
        prevalences: share of faces with an attribute, in (0, 1); 0.5 where none is given.
        label: the attribute that is the class.

    Returns:
        ImageSet with images (n, 3, size, size) in [0, 1], labels (n,) = the label attribute, groups = every
        attribute (0 or 1), extras: attributes (n, A) bool in the order of `ATTRIBUTES`, variations (n, V).

    Raises:
        ValueError: an unknown attribute, or prevalences and correlations that contradict each other.
    """
    return sealed(_faces(n, seed, size, correlations, prevalences, label, None))


def flip_attribute(faces: ImageSet, name: str) -> ImageSet:
    """Return the same toy faces with one attribute changed to its opposite, everything else as it was.

    Args:
        faces: from `planted_faces` or `load("toy_faces", ...)`, or rows selected from them.
        name: one of `ATTRIBUTES`.

    Returns:
        ImageSet of the same length; labels follow if the attribute is the label. Images differ from the
        originals only where the attribute shows (and elsewhere by rounding, about 1e-6).

    Raises:
        ValueError: an unknown attribute, or images that are not toy faces.
    """
    check_choice(name, "name", ATTRIBUTES)
    if not {"attributes", "variations", "label"} <= set(faces.extras):
        raise ValueError(
            f"faces: expected toy faces with their attributes, got {faces.card.name!r}; draw some first"
        )
    attributes = faces.extras["attributes"].clone()
    attributes[:, ATTRIBUTES.index(name)] ^= True
    images = draw_faces(attributes, faces.extras["variations"], faces.images.shape[-1])
    card = replace(faces.card, sha256="", notes=(*faces.card.notes, f"{name} flipped on every face"))
    return sealed(_image_set(images, attributes, faces.extras["variations"], faces.extras["label"], card))


def _faces(
    n: int,
    seed: int,
    size: int,
    correlations: Mapping[tuple[str, str], float] | None,
    prevalences: Mapping[str, float] | None,
    label: str,
    limit: int | None,
) -> ImageSet:
    check_number(n, "n", at_least=1, integer=True)
    check_number(size, "size", at_least=16, at_most=512, integer=True)
    check_choice(label, "label", ATTRIBUTES)
    attributes = correlated_attributes(
        n,
        ATTRIBUTES,
        generator=generator(seed, "toy_faces", "attributes"),
        prevalences=prevalences,
        correlations=correlations,
    )
    variations = torch.rand(n, VARIATIONS, generator=generator(seed, "toy_faces", "variations"))
    shown = n if limit is None else min(limit, n)
    whole_chunks = -(-shown // CHUNK) * CHUNK  # so that a face is the same whatever the limit
    images = draw_faces(attributes[:whole_chunks], variations[:whole_chunks], size)[:shown]
    notes = (*CARD.notes, f"n = {n}, seed = {seed}, size = {size}, label = {label}")
    notes += tuple(f"phi({a}, {b}) = {phi:g}" for (a, b), phi in (correlations or {}).items())
    notes += tuple(f"prevalence of {name} = {share:g}" for name, share in (prevalences or {}).items())
    return _image_set(images, attributes[:shown], variations[:shown], label, replace(CARD, notes=notes))


def _image_set(images: Tensor, attributes: Tensor, variations: Tensor, label: str, card: Card) -> ImageSet:
    groups = {name: attributes[:, column].long() for column, name in enumerate(ATTRIBUTES)}
    words = {name: name.replace("_", " ") for name in ATTRIBUTES}
    return ImageSet(
        images=images.clone(),
        labels=groups[label].clone(),
        class_names=(f"no {words[label]}", words[label]),
        card=card,
        groups=groups,
        group_names={name: (f"no {words[name]}", words[name]) for name in ATTRIBUTES},
        extras={"attributes": attributes.clone(), "variations": variations.clone(), "label": label},
    )


def _read(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    seed = derive_seed(0, "toy_faces", split)
    return _faces(_ROWS[split], seed, 64 if size is None else size, None, None, "smile", limit)


SOURCE = Source(
    name="toy_faces",
    tier="planted",
    title=CARD.title,
    summary="drawn portraits, twelve independent attributes; planted_faces(...) chooses their correlations",
    licence=CARD.licence,
    splits=SPLITS,
    sizes=SIZES,
    read=_read,
)
