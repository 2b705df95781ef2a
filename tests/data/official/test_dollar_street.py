"""Dollar Street in the layout of its release, drawn by the test."""

import pytest
import torch
from PIL import Image

from blindspots.data import country_incomes, load

from .conftest import noise

HEADER = (
    "id,country.name,country.id,region.id,type,imageRelPath,topics,place,income,imageFullPath,"
    "imagenet_synonyms,imagenet_sysnet_id"
)
COUNTRIES = ["India", "Sweden", "Burundi", "Taiwan"]
TOPICS = ["Beds", "Toys", "Toilets"]


def row(n):
    listed = f"\"['{TOPICS[n % 3]}', 'Homes']\""
    classes = f'"[{n % 3 + 500}, 7]"' if n % 5 else ""
    return (
        f"id{n},{COUNTRIES[n % 4]},xx,{('as', 'eu', 'af')[n % 3]},image,assets/id{n}/id{n}.jpg,{listed},home,"
        f'{100 + n}.5,http://x,"[]",{classes}'
    )


@pytest.fixture
def dollar_street(tmp_path):
    """Twelve photographs of different shapes; eight are in the training part, four in the test part."""
    folder = tmp_path / "dollar_street"
    for n in range(12):
        (folder / "assets" / f"id{n}").mkdir(parents=True)
        Image.fromarray(noise(n, 20 + n, 30, 3)).save(folder / "assets" / f"id{n}" / f"id{n}.jpg")
    rows = [row(n) for n in range(12)]
    for name, part in (("_imagenet_train", rows[:8]), ("_imagenet_test", rows[8:]), ("", rows)):
        (folder / f"images_v2{name}.csv").write_text("\n".join([HEADER, *part]) + "\n")
    return tmp_path


def test_photographs_come_with_country_income_and_topic(dollar_street):
    loaded = load("dollar_street", split="all", size=16, data_root=dollar_street)
    # Taiwan has no income, so three of twelve photographs are left out.
    assert loaded.images.shape == (9, 3, 16, 16)
    assert loaded.class_names == ("Beds", "Toilets", "Toys")
    assert loaded.group_names["country"] == ("Burundi", "India", "Sweden")
    kept = [n for n in range(12) if n % 4 != 3]
    names = [loaded.group_names["country"][index] for index in loaded.groups["country"].tolist()]
    assert names == [COUNTRIES[n % 4] for n in kept]
    assert [loaded.class_names[label] for label in loaded.labels.tolist()] == [TOPICS[n % 3] for n in kept]
    incomes = country_incomes().set_index("country")["gdp_per_person"]
    assert loaded.extras["income"].tolist() == [incomes[name] for name in names]
    assert loaded.extras["household_income"].tolist() == [100.5 + n for n in kept]
    assert loaded.extras["imagenet"].tolist() == [n % 3 + 500 if n % 5 else -1 for n in kept]
    assert "3 rows left out, no income known for Taiwan" in loaded.card.notes
    assert loaded.card.origin == "mirror"


def test_numbers_mean_the_same_in_every_split(dollar_street):
    train, test = (load("dollar_street", split=split, data_root=dollar_street) for split in ("train", "test"))
    assert train.class_names == test.class_names and train.group_names == test.group_names
    assert len(train) == 6 and len(test) == 3


def test_a_limit_is_the_start(dollar_street):
    few, more = (load("dollar_street", split="all", size=8, limit=limit, data_root=dollar_street) for limit in (4, 8))
    assert torch.equal(few.images, more.images[:4])
    assert torch.equal(few.extras["household_income"], more.extras["household_income"][:4])


def test_another_layout_is_explained(dollar_street):
    file = dollar_street / "dollar_street" / "images_v2.csv"
    file.write_text(file.read_text().replace("country.name", "country"))
    with pytest.raises(ValueError, match=r"dollar_street: expected the columns id, country.name.*mlcommons"):
        load("dollar_street", split="all", data_root=dollar_street)


def test_a_missing_photograph_is_named(dollar_street):
    (dollar_street / "dollar_street/assets/id5/id5.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"got 1 fewer, for instance no .*id5\.jpg; get it from https"):
        load("dollar_street", split="all", data_root=dollar_street)


def test_a_missing_table_is_named(dollar_street):
    (dollar_street / "dollar_street/images_v2_imagenet_test.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"expected images_v2_imagenet_test\.csv"):
        load("dollar_street", split="test", data_root=dollar_street)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("['Beds', 'Homes']", "Beds", "expected lists in the column topics"),
        ("['Beds', 'Homes']", "[]", "expected a topic for every photograph"),
        ("100.5", "much", "expected numbers in the column income"),
    ],
)
def test_text_that_cannot_be_read_is_named(dollar_street, old, new, message):
    file = dollar_street / "dollar_street" / "images_v2.csv"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        load("dollar_street", split="all", data_root=dollar_street)


def test_countries_without_any_income_are_an_error(dollar_street):
    file = dollar_street / "dollar_street" / "images_v2.csv"
    for name in ("images_v2", "images_v2_imagenet_train", "images_v2_imagenet_test"):
        file = dollar_street / "dollar_street" / f"{name}.csv"
        text = file.read_text()
        for country in COUNTRIES:
            text = text.replace(country, "Atlantis")
        file.write_text(text)
    with pytest.raises(ValueError, match="expected countries with an income, got Atlantis"):
        load("dollar_street", split="all", data_root=dollar_street)
