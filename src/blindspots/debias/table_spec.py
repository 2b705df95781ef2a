"""The perceptron of the tables, and its teacher with one input more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def table_spec(rows: Tensor, *, n_classes: int = 2, hidden: Sequence[int] = (512, 512)) -> dict[str, Any]:
    """Return the spec of a perceptron that standardizes its inputs by the means and deviations of training rows.

    Args:
        rows: (N, D) finite floats; a column that never changes gets deviation 1.
        n_classes: K.
        hidden: units of each hidden layer.

    Source: P3, Sec. 5.1.3: a perceptron of three layers and 512 units; we count two hidden layers and the output.
    """
    mean, deviation = rows.double().mean(0), rows.double().std(0, correction=0)
    deviation = torch.where(deviation > 0, deviation, 1.0)
    return {
        "name": "mlp", "n_features": rows.shape[1], "n_classes": n_classes, "hidden": list(hidden),
        "mean": mean.tolist(), "std": deviation.tolist(),
    }  # fmt: skip


def spec_of_teacher(spec: Mapping[str, Any], trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of a BaDe teacher: a table's trigger is one input more, an image's is part of the image.

    Args:
        spec: of the student.
        trigger: {"kind": "column"} for tables, or options of `stamp_triggers`.

    Raises:
        ValueError: a column for a model that is no perceptron.

    Source: P3, Sec. 5.2.2.
    """
    if trigger.get("kind") != "column":
        return dict(spec)
    if spec.get("name") != "mlp":
        raise ValueError(f'trigger: expected a perceptron for a trigger of kind "column", got {spec.get("name")!r}')
    wide = {**spec, "n_features": spec["n_features"] + 1}
    for name, added in (("mean", 0.0), ("std", 1.0)):
        if name in spec and len(spec[name]) > 1:
            wide[name] = [*spec[name], added]
    return wide
