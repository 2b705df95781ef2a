"""The health table that comes with statsmodels."""

import pandas as pd
import torch

from blindspots.data import load
from blindspots.data.embedded.health import visit_threshold

SPLITS = ("train", "validation", "test")


def rows_of(split, columns):
    table = load("health", split=split)
    return set(map(tuple, table.frame[columns].itertuples(index=False)))


def test_the_threshold_cuts_nearest_to_the_median():
    assert visit_threshold(pd.Series([0, 0, 1, 2, 3, 9])) == 1
    assert visit_threshold(pd.Series([0, 5, 5, 5])) == 0


def test_labels_are_visits_above_the_threshold_that_halves_the_people():
    from statsmodels.datasets import randhie

    visits = randhie.load_pandas().data["mdvis"]
    threshold = visit_threshold(visits)
    shares = [abs((visits > other).mean() - 0.5) for other in range(10)]
    assert shares[threshold] == min(shares)
    table = load("health", split="train")
    assert table.labels.tolist() == (table.frame["mdvis"] > threshold).astype(int).tolist()
    assert "mdvis" not in table.columns


def test_no_feature_row_is_in_two_splits():
    columns = list(load("health", split="test", limit=1).columns)
    found = [rows_of(split, columns) for split in SPLITS]
    assert not (found[0] & found[1] or found[0] & found[2] or found[1] & found[2])


def test_no_row_without_its_bias_column_is_in_two_splits():
    columns = [column for column in load("health", split="test", limit=1).columns if column != "physlm"]
    found = [rows_of(split, columns) for split in SPLITS]
    assert not (found[0] & found[1] or found[0] & found[2] or found[1] & found[2])


def test_every_person_is_in_one_split_and_the_shares_are_near_60_20_20():
    counts = [len(load("health", split=split)) for split in SPLITS]
    assert sum(counts) == 20190
    # whole blocks of up to 260 rows move together, so a share is off by about 1 %
    for count, share in zip(counts, (0.6, 0.2, 0.2), strict=True):
        assert abs(count / 20190 - share) < 0.02


def test_the_bias_group_cuts_imputed_fractions_at_one_half():
    table = load("health", split="train")
    limitation = torch.tensor(table.frame["physlm"].to_numpy())
    assert ((limitation > 0) & (limitation < 1)).any(), "the column is expected to hold imputed fractions"
    assert torch.equal(table.groups["physlm"], (limitation > 0.5).long())


def test_features_are_the_columns_of_the_frame():
    table = load("health", split="validation")
    assert table.features.shape == (len(table), 9)
    torch.testing.assert_close(
        table.features, torch.tensor(table.frame[list(table.columns)].to_numpy(), dtype=torch.float32)
    )
