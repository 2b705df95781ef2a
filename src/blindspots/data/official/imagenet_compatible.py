"""The ImageNet-compatible development set of the NIPS 2017 competition on adversarial examples."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch

from blindspots.data.official.origin import origin_of
from blindspots.data.official.pixels import read_images
from blindspots.data.official.splits import check_request
from blindspots.data.published import PUBLISHED
from blindspots.data.root import check_folder, find_set, half_written, require_files
from blindspots.data.sets import Card, ImageSet, Source, fingerprint

N_CLASSES = 1000
_NEEDED = ("ImageId", "TrueLabel", "TargetClass", "License", "Author", "OriginalLandingURL")


def read_imagenet_compatible(
    split: str, size: int | None, limit: int | None, data_root: Path | None
) -> ImageSet:
    """Return photographs (N, 3, S, S) in [0, 1] with labels 0 to 999; S = 299 unless a size is given.

    The published classes count from 1; here they count from 0, as ImageNet classifiers do. The images stand
    in the order of `images.csv`. Where only some of its images are there, those are read and the card says
    how many. Extras by row: `target` (N,), the class that targeted attacks aim at, and `row` (N,), the place
    in the extra `credits`, a table that names author, licence and page of each photograph: show an image with
    them.

    Raises:
        FileNotFoundError: the table or all images are missing. ValueError: a damaged table or image.

    Source: Kurakin et al. (2018).
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("imagenet_compatible", data_root=data_root)
    (table_file,) = require_files("imagenet_compatible", folder, ["images.csv"])
    check_folder(folder / "images", "imagenet_compatible")
    table = _read_table(table_file)
    here = [row for row, name in enumerate(table["ImageId"]) if (folder / "images" / f"{name}.png").is_file()]
    if not here:
        raise FileNotFoundError(
            f"imagenet_compatible: expected images <ImageId>.png in {folder / 'images'}, got none of the "
            f"{len(table)} that images.csv lists; {PUBLISHED['imagenet_compatible'].remedy()}"
        )
    rows = here[:limit]
    files = [folder / "images" / f"{table['ImageId'][row]}.png" for row in rows]
    images = read_images("imagenet_compatible", files, size)
    chosen = table.iloc[rows]
    labels = torch.tensor(chosen["TrueLabel"].tolist(), dtype=torch.long) - 1
    target = torch.tensor(chosen["TargetClass"].tolist(), dtype=torch.long) - 1
    differs = origin_of("imagenet_compatible", folder, ["images.csv"])[1]
    if len(here) < len(table):
        differs = "; ".join(part for part in (differs, f"{len(here)} of {len(table)} images") if part)
    card = Card(
        "imagenet_compatible",
        SOURCE.title,
        PUBLISHED["imagenet_compatible"].page,
        SOURCE.licence,
        "Kurakin et al.: Adversarial attacks and defences competition. The NIPS '17 Competition: Building "
        "Intelligent Systems, 2018",
        "mirror" if differs else "official",
        split=split,
        sha256=fingerprint(images, labels),
        differs=differs,
        notes=("published classes count from 1, these from 0", "images carry no published checksum"),
    )
    return ImageSet(
        images,
        labels,
        imagenet_class_names(),
        card,
        extras={"target": target, "row": torch.tensor(rows), "credits": table[list(_NEEDED)]},
    )


def imagenet_class_names() -> tuple[str, ...]:
    """Return the 1000 ImageNet class names in the order of the labels, as torchvision lists them."""
    from torchvision.models import SqueezeNet1_1_Weights

    return tuple(SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"])


def _read_table(file: Path) -> pd.DataFrame:
    name = "imagenet_compatible"
    try:
        table = pd.read_csv(file)
    except (ValueError, UnicodeDecodeError) as error:
        raise half_written(name, file, "a table of comma-separated values", str(error)) from error
    missing = [column for column in _NEEDED if column not in table.columns]
    if missing:
        raise half_written(name, file, f"the columns {', '.join(missing)}", ", ".join(table.columns[:8]))
    for column in ("TrueLabel", "TargetClass"):
        values = pd.to_numeric(table[column], errors="coerce")
        bad = table.index[~((values >= 1) & (values <= N_CLASSES) & (values % 1 == 0))]
        if len(bad):
            got = f"{table[column][bad[0]]!r} in line {bad[0] + 2}"
            raise half_written(name, file, f"{column} from 1 to {N_CLASSES}", got)
        table[column] = values.astype(int)
    odd = [text for text in table["ImageId"].astype(str) if not text.isalnum()]
    if odd:
        raise half_written(name, file, "image ids of letters and digits", repr(odd[0]))
    return table.astype({"ImageId": str})


SOURCE = Source(
    "imagenet_compatible",
    "official",
    "ImageNet-compatible images (NIPS 2017)",
    "1,000 photographs of 299x299 pixels labeled with ImageNet classes, free licences",
    PUBLISHED["imagenet_compatible"].licence,
    ("test",),
    None,
    read_imagenet_compatible,
)
