"""Incomes under the names that data sets use."""

import numpy as np
import pytest

from blindspots.data import country_incomes
from blindspots.data.official.world_incomes import world_incomes


def write_bank(root, text):
    (root / "country").mkdir()
    (root / "country" / "gdp_per_capita_2020.csv").write_text(text)


def test_without_a_table_the_embedded_countries_are_known(tmp_path):
    incomes, source = world_incomes(["India", "SOUTH_korea", "Atlantis"], data_root=tmp_path)
    known = country_incomes().set_index("country")["gdp_per_person"]
    assert incomes[:2].tolist() == [known["India"], known["South Korea"]]
    assert np.isnan(incomes[2]) and "41 countries" in source


def test_the_banks_names_and_the_data_sets_names_meet(tmp_path):
    write_bank(
        tmp_path,
        'Country Name,Country Code,gdp_pc\n"Korea, Rep.",KOR,31000\n"Hong Kong SAR, China",HKG,46000\n'
        "Serbia,SRB,7700\nTurkiye,TUR,8600\n",
    )
    incomes, source = world_incomes(["South_Korea", "Hong_Kong", "Serbia", "Turkey"], data_root=tmp_path)
    assert incomes.tolist() == [31000, 46000, 7700, 8600]
    assert "gdp_per_capita_2020.csv" in source


def test_a_table_without_the_column_is_refused(tmp_path):
    write_bank(tmp_path, "Country Name,Country Code\nIndia,IND\n")
    with pytest.raises(ValueError, match="got none named 'gdp_pc'"):
        world_incomes(["India"], data_root=tmp_path)
