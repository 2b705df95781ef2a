"""The ImageNet errors that torchvision publishes with its weights, by architecture and year."""

from __future__ import annotations

import math

import pandas as pd

from blindspots.models.torchvision_models import architecture_names

# The year in which each family was first made public (preprint or proceedings, whichever was earlier).
_YEARS = {
    "alexnet": 2012,
    "vgg": 2014,
    "googlenet": 2014,
    "inception_v3": 2015,
    "resnet": 2015,
    "squeezenet": 2016,
    "densenet": 2016,
    "resnext": 2016,
    "wide_resnet": 2016,
    "shufflenet_v2": 2018,
    "mobilenet_v2": 2018,
    "mnasnet": 2018,
    "mobilenet_v3": 2019,
    "efficientnet_b": 2019,
    "regnet": 2020,
    "vit": 2020,
    "swin_t": 2021,
    "swin_s": 2021,
    "swin_b": 2021,
    "efficientnet_v2": 2021,
    "swin_v2": 2021,
    "convnext": 2022,
    "maxvit": 2022,
}


def published_errors() -> pd.DataFrame:
    """Return the errors on the ImageNet validation images that torchvision states for each of its weights.

    Returns:
        A row for each weights file with a stated accuracy: architecture, year (its family's first appearance; None
        for a family not known here), weights (their name), first (whether they are the architecture's first), recipe
        (address of how they were trained; a few old designs got their first weights by a recipe of 2022), size (side
        of the crop in pixels), error and top5_error in percent. Nothing is downloaded.

    Source: the metadata of torchvision's weights. P4 Fig. 1 plots such a history without a table. The year is that of
    the design: most weights were trained later, and newer training recipes lower the errors of old designs.
    """
    from torchvision import models

    rows = []
    for name in architecture_names():
        for index, weights in enumerate(models.get_model_weights(name)):
            metrics = weights.meta["_metrics"].get("ImageNet-1K", {})
            accuracy, top5 = metrics.get("acc@1", math.nan), metrics.get("acc@5", math.nan)
            if math.isnan(accuracy):  # weights for features only state none
                continue
            preset = weights.transforms()
            rows.append(
                {
                    "architecture": name,
                    "year": _year(name),
                    "weights": weights.name,
                    "first": index == 0,
                    "recipe": weights.meta.get("recipe") or "",
                    "size": int(preset.crop_size[0]),
                    "error": 100 - accuracy,
                    "top5_error": 100 - top5,
                }
            )
    return pd.DataFrame(rows)


def _year(name: str) -> int | None:
    """Return the year of the family with the longest matching name."""
    fitting = [family for family in _YEARS if name.startswith(family)]
    return _YEARS[max(fitting, key=len)] if fitting else None
