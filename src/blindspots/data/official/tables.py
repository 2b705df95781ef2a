"""From published columns to features: one-hot categories and standardized numbers, fitted on train."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor


@dataclass(frozen=True)
class Encoding:
    """How columns become features: mean and standard deviation of numbers, known values of categories."""

    numbers: dict[str, tuple[float, float]]
    categories: dict[str, tuple[str, ...]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the features: each number, then `column=value` for each category."""
        pairs = [f"{column}={value}" for column, values in self.categories.items() for value in values]
        return (*self.numbers, *pairs)


def fit_encoding(train: pd.DataFrame, numbers: tuple[str, ...], categories: tuple[str, ...]) -> Encoding:
    """Return the encoding of the training rows; a column of numbers that never changes gets deviation 1."""
    fitted = {}
    for column in numbers:
        values = train[column].to_numpy(dtype=np.float64)
        fitted[column] = (float(values.mean()), float(values.std()) or 1.0)
    known = {column: tuple(sorted({str(value) for value in train[column]})) for column in categories}
    return Encoding(fitted, known)


def encode(frame: pd.DataFrame, encoding: Encoding) -> Tensor:
    """Return features (N, D) in float32; a category that train did not have gives zeros in its columns."""
    parts = []
    for column, (mean, deviation) in encoding.numbers.items():
        parts.append(((frame[column].to_numpy(dtype=np.float64) - mean) / deviation)[:, None])
    for column, values in encoding.categories.items():
        parts.append(frame[column].astype(str).to_numpy()[:, None] == np.array(values, dtype=object)[None])
    return torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32))
