"""Adult: rows, encoding fitted on train, and lines that are not as published."""

import pytest
import torch

from blindspots.data import load
from blindspots.data.official.adult import read_adult


def test_labels_and_groups_are_those_of_the_rows(adult):
    test = load("adult", split="test", data_root=adult)
    assert test.labels.tolist() == [0, 0, 1, 0]
    assert test.groups["gender"].tolist() == [1, 0, 1, 0]
    assert [test.group_names["race"][k] for k in test.groups["race"]] == ["White", "Black", "Other", "White"]
    assert test.frame["fnlwgt"].tolist() == [1000, 1001, 1002, 1003]
    assert test.class_names == ("<=50K", ">50K")


def test_train_and_validation_part_the_published_rows(adult):
    train, validation = (read_adult(split, None, None, adult) for split in ("train", "validation"))
    weights = [*train.frame["fnlwgt"], *validation.frame["fnlwgt"]]
    assert (len(train), len(validation)) == (36, 4)
    assert sorted(weights) == list(range(1000, 1040))


def test_numbers_are_standardized_on_the_whole_train_split(adult):
    train = read_adult("train", None, None, adult)
    ages = train.features[:, train.columns.index("age")]
    assert ages.mean().item() == pytest.approx(0, abs=1e-6)
    assert ages.std(unbiased=False).item() == pytest.approx(1, abs=1e-6)
    # A column that never changes stays at zero instead of dividing by zero.
    assert torch.equal(train.features[:, train.columns.index("hours-per-week")], torch.zeros(36))
    some = read_adult("train", None, 5, adult)
    assert torch.equal(some.features, train.features[:5])


def test_unknown_is_a_category_and_the_weight_no_feature(adult):
    train = read_adult("train", None, None, adult)
    unknown = train.features[:, train.columns.index("workclass=?")]
    assert unknown.tolist() == [float(value == "?") for value in train.frame["workclass"]]
    assert 0 < unknown.sum() < 36
    assert not any(column.startswith("fnlwgt") for column in train.columns)
    assert len(train.columns) == train.features.shape[1]


def test_a_category_train_did_not_have_gives_zeros(adult):
    test = read_adult("test", None, None, adult)
    country = [n for n, column in enumerate(test.columns) if column.startswith("native-country=")]
    assert test.features[:, country].sum(dim=1).tolist() == [1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", United-States, <=50K", ", <=50K", "15 fields in line 1"),
        ("<=50K", "50K", "income in <=50K, >50K in line 1"),
        ("20, ", "twenty, ", "a whole number for age in line 1"),
        ("Male", "M", "sex in Female, Male in line 1"),
    ],
)
def test_a_line_that_is_not_as_published_is_named(old, new, message, adult):
    file = adult / "adult/adult.data"
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        read_adult("train", None, None, adult)


def test_a_file_cut_in_a_line_is_half_written(adult):
    file = adult / "adult/adult.test"
    file.write_text(file.read_text()[:-60])
    with pytest.raises(ValueError, match=r"15 fields in line 5 in .*adult.test.*half-written"):
        read_adult("test", None, None, adult)


def test_a_file_without_rows_is_an_error(adult):
    (adult / "adult/adult.data").write_text("\n\n")
    with pytest.raises(ValueError, match="expected at least one row"):
        read_adult("train", None, None, adult)
