"""From a publisher's table to images by country."""

import pandas as pd
import pytest
import torch
from PIL import Image

from blindspots.data.official.country_rows import DEFAULT_SIDE, country_rows, read_table
from blindspots.data.official.geode import SOURCE

from .conftest import noise


@pytest.fixture
def table(tmp_path):
    """Four photographs from three countries, the third one twice."""
    for n in range(4):
        Image.fromarray(noise(n, 10 + n, 12, 3)).save(tmp_path / f"{n}.png")
    return pd.DataFrame(
        {
            "path": [f"{n}.png" for n in range(4)],
            "label": ["b", "a", "b", "a"],
            "country": ["Sweden", "India", "Burundi", "Burundi"],
            "region": ["north", "south", "south", "south"],
        }
    )


def rows_of(table, folder, **options):
    chosen = {"whole": table, "split": "train", "size": 8, "limit": None, "notes": (), "extras": {}, **options}
    return country_rows(table, SOURCE, folder=folder, data_root=folder, citation="c", **chosen)


def test_countries_go_from_poor_to_rich_and_numbers_come_from_the_whole(table, tmp_path):
    loaded = rows_of(table.iloc[:2], tmp_path, whole=table)
    assert loaded.group_names == {"country": ("Burundi", "India", "Sweden"), "region": ("north", "south")}
    assert loaded.groups["country"].tolist() == [2, 1]
    assert loaded.groups["region"].tolist() == [0, 1]
    assert loaded.labels.tolist() == [1, 0]


def test_extras_follow_the_rows_that_are_kept(table, tmp_path):
    table.loc[1, "country"] = "Atlantis"
    loaded = rows_of(table, tmp_path, extras={"number": torch.arange(4)}, limit=2)
    assert loaded.extras["number"].tolist() == [0, 2]
    assert "1 rows left out, no income known for Atlantis" in loaded.card.notes


def test_without_a_size_the_default_side_is_taken(table, tmp_path):
    assert rows_of(table, tmp_path, size=None).images.shape == (4, 3, DEFAULT_SIDE, DEFAULT_SIDE)


def test_tables_that_are_none_are_refused(tmp_path):
    file = tmp_path / "index.csv"
    file.write_text('a,b\n"1,2\n')
    with pytest.raises(ValueError, match="geode: expected a table with commas"):
        read_table("geode", file, ("a",))
    file.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"expected the columns a, c .*got a, b"):
        read_table("geode", file, ("a", "c"))
    assert read_table("geode", file, ("a",))["b"].tolist() == ["2"]
