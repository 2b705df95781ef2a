"""MEPS: codes become categories, equal people share a split."""

import pytest

from blindspots.data import load
from blindspots.data.official.meps import read_meps


def test_splits_part_the_rows_and_equal_features_share_one(meps):
    parts = {split: load("meps", split=split, data_root=meps) for split in ("train", "validation", "test")}
    people = {weight: split for split, part in parts.items() for weight in part.frame["PERWT16F"]}
    assert len(people) == 80
    assert all(people[1000.5 + n] == people[1070.5 + n] for n in range(10))
    assert len(set(people.values())) == 3


def test_labels_groups_and_features_are_those_of_the_rows(meps):
    train = read_meps("train", None, None, meps)
    assert train.labels.tolist() == train.frame["UTILIZATION"].tolist()
    assert train.groups["race"].tolist() == train.frame["RACE"].tolist()
    assert train.groups["gender"].tolist() == (train.frame["SEX"] - 1).tolist()
    assert train.features[:, train.columns.index("HIBPDX=-1")].tolist() == [
        float(value == -1) for value in train.frame["HIBPDX"]
    ]
    scores = train.features[:, train.columns.index("MCS42")]
    assert scores.mean().item() == pytest.approx(0, abs=1e-5)
    assert not any(column.startswith(("PERWT", "RACE", "UTILIZATION")) for column in train.columns)


def test_it_is_never_called_official(meps):
    card = read_meps("train", None, None, meps).card
    assert card.origin == "mirror"
    assert "80 people" in card.differs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("RACE", "RASSE"), "the column RACE"),
        (lambda text: text.splitlines()[0] + "\n", "at least one row"),
        (lambda text: text[: text.rindex(",")] + ",\n", "an empty one in line 81"),
        (lambda text: text[: text.rindex(",")] + ",5\n", r"RACE in \[0, 1\]"),
        (lambda text: text.replace("50.00", "good", 1), "text in MCS42"),
    ],
    ids=["column", "rows", "empty", "code", "text"],
)
def test_a_damaged_table_says_what_is_wrong(change, message, meps):
    file = meps / "meps/meps_panel21_fy2016.csv"
    file.write_text(change(file.read_text()))
    with pytest.raises(ValueError, match=message):
        read_meps("train", None, None, meps)
