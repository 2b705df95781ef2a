"""Which share of the pictures a country has."""

import gzip

import pytest
import torch

from blindspots.data import country_incomes, country_mix


@pytest.fixture
def metadata(tmp_path):
    """Sixty photographs from India, thirty from Kenya, two from Sweden."""
    folder = tmp_path / "country"
    folder.mkdir()
    rows = ["India"] * 60 + ["Kenya"] * 30 + ["Sweden"] * 2
    with gzip.open(folder / "dollarstreet_metadata.csv.gz", "wt") as file:
        file.write("country\n" + "\n".join(rows) + "\n")
    return tmp_path


@pytest.mark.parametrize("kind", ["equal", "income"])
def test_shares_sum_to_one_in_the_order_of_the_table(kind):
    shares = country_mix(kind)
    assert len(shares) == len(country_incomes()) and shares.sum() == pytest.approx(1.0)
    assert (shares.diff() >= 0).all()


def test_income_leans_to_the_rich_by_the_root():
    incomes = country_incomes().set_index("country")["gdp_per_person"]
    poor, rich = country_mix("income", countries=["India", "Sweden"]).tolist()
    assert rich / poor == pytest.approx((incomes["Sweden"] / incomes["India"]) ** 0.5)


def test_photographs_are_counted_and_few_count_as_ten(metadata):
    shares = country_mix("photographs", countries=["Sweden", "India", "Burundi", "Kenya"], data_root=metadata)
    assert shares.tolist() == pytest.approx([10 / 110, 60 / 110, 10 / 110, 30 / 110])
    assert shares.dtype == torch.float64


def test_requests_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(ValueError, match="kind: expected one of equal, photographs, income"):
        country_mix("population")
    with pytest.raises(ValueError, match="data_root: expected a folder with the Dollar Street metadata"):
        country_mix("photographs")
    with pytest.raises(FileNotFoundError, match="expected the Dollar Street metadata"):
        country_mix("photographs", data_root=tmp_path)
    with pytest.raises(ValueError, match="got 'Atlantis'"):
        country_mix("equal", countries=["India", "Atlantis"])
