"""The table of incomes by country."""

import pandas as pd
import pytest

from blindspots.data.embedded import country_incomes


def test_the_table_spans_poor_and_rich_in_ascending_order():
    table = country_incomes()
    assert list(table.columns) == ["country", "iso3", "gdp_per_person", "photos"]
    assert len(table) == 41
    assert table["gdp_per_person"].is_monotonic_increasing
    assert table["gdp_per_person"].iloc[0] < 500 and table["gdp_per_person"].iloc[-1] > 50_000
    assert (
        table["iso3"].str.fullmatch("[A-Z]{3}").all()
        and table["iso3"].is_unique
        and table["country"].is_unique
    )


def test_photographs_are_missing_without_a_data_root():
    assert country_incomes()["photos"].isna().all()


def test_photographs_are_counted_where_a_data_root_has_them(tmp_path):
    (tmp_path / "country").mkdir()
    rows = pd.DataFrame({"country": ["India", "India", "Brazil", "Atlantis"], "income": [1, 2, 3, 4]})
    rows.to_csv(tmp_path / "country" / "dollarstreet_metadata.csv.gz", index=False)
    photos = country_incomes(data_root=tmp_path).set_index("country")["photos"]
    assert photos["India"] == 2 and photos["Brazil"] == 1 and photos["Kenya"] == 0
    assert photos.sum() == 3


def test_a_data_root_without_the_metadata_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="data_root: expected the Dollar Street metadata"):
        country_incomes(data_root=tmp_path)


def test_metadata_without_countries_is_refused(tmp_path):
    (tmp_path / "country").mkdir()
    pd.DataFrame({"income": [1]}).to_csv(tmp_path / "country" / "dollarstreet_metadata.csv.gz", index=False)
    with pytest.raises(ValueError, match="data_root: expected a column 'country'"):
        country_incomes(data_root=tmp_path)
