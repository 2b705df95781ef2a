"""Health: the RAND Health Insurance Experiment that comes with statsmodels, as a fairness table."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from blindspots.data.sets import Card, Source, TableSet
from blindspots.seeding import generator

SPLITS = ("train", "validation", "test")
_SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}
TARGET = "mdvis"
BIAS = "physlm"

CARD = Card(
    name="health",
    title="RAND Health Insurance Experiment",
    source="statsmodels.datasets.randhie, from http://cameron.econ.ucdavis.edu/mmabook/mmadata.html",
    licence="public domain, as stated by statsmodels",
    citation="Cameron, A. C. and Trivedi, P. K. (2005). Microeconometrics: Methods and Applications. "
    "Cambridge University Press.",
    origin="embedded",
    differs="made a binary task: more outpatient visits than the threshold that cuts nearest to the median",
    notes=(
        "the bias variable is physlm > 0.5: the column holds imputed fractions beside 0 and 1",
        "most rows repeat, so whole groups of rows alike in every feature but physlm go to one split",
        "physlm is also the feature of that name; drop its column to hide the bias variable from a model",
    ),
)


@lru_cache(maxsize=1)
def _frame() -> pd.DataFrame:
    from statsmodels.datasets import randhie

    return randhie.load_pandas().data.reset_index(drop=True)


def visit_threshold(visits: pd.Series) -> int:
    """Return the whole number t whose share of rows with visits > t is nearest to one half."""
    candidates = range(int(visits.max()))
    return min(candidates, key=lambda threshold: abs(float((visits > threshold).mean()) - 0.5))


@lru_cache(maxsize=1)
def _split_indices() -> dict[str, Tensor]:
    """Return the rows of each split; rows alike in every feature but the bias variable stay together."""
    frame = _frame()
    keys = [column for column in frame.columns if column not in (TARGET, BIAS)]
    blocks = torch.from_numpy(frame.groupby(keys, sort=True).ngroup().to_numpy().copy())
    n_blocks = int(blocks.max()) + 1
    draws = generator(0, "health", "split")
    order = torch.randperm(n_blocks, generator=draws)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(n_blocks)
    place = rank[blocks].double() / n_blocks
    rows, low = {}, 0.0
    for split in SPLITS:
        high = low + _SHARES[split]
        part = ((place >= low) & (place < (high if split != SPLITS[-1] else 2.0))).nonzero().squeeze(1)
        rows[split] = part[torch.randperm(len(part), generator=draws)]
        low = high
    return rows


def _read(split: str, size: int | None, limit: int | None, data_root: Path | None) -> TableSet:
    everything = _frame()
    threshold = visit_threshold(everything[TARGET])
    frame = everything.iloc[_split_indices()[split][:limit].numpy()].reset_index(drop=True)
    columns = tuple(column for column in frame.columns if column != TARGET)
    features = torch.tensor(frame[list(columns)].to_numpy(), dtype=torch.float32)
    return TableSet(
        features=features,
        labels=torch.tensor((frame[TARGET] > threshold).to_numpy(), dtype=torch.long),
        columns=columns,
        class_names=(f"at most {threshold} visits", f"more than {threshold}"),
        card=CARD,
        groups={BIAS: torch.tensor((frame[BIAS] > 0.5).to_numpy(), dtype=torch.long)},
        group_names={BIAS: ("no physical limitation", "physical limitation")},
        frame=frame,
    )


SOURCE = Source(
    name="health",
    tier="embedded",
    title=CARD.title,
    summary="more outpatient visits than half of the people? Nine features; bias: physical limitation",
    licence=CARD.licence,
    splits=SPLITS,
    sizes=(),
    read=_read,
)
