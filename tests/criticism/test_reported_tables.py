"""The transcription of P4's numbers: sums by another hand, and ties between table and text."""

import pytest

from blindspots.criticism.reported_tables import (
    ACCEPTED_ATTACKS,
    ALL_FIVE,
    ATTACKED_ACCURACY,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TOP_5,
)


def test_the_columns_have_their_sums():
    # added up over the lines of the paper's text by another program
    assert sum(row.error for row in TABLE_1) == pytest.approx(102.46)
    assert sum(row.rectified for row in TABLE_1) == pytest.approx(52.64)
    assert sum(place * row.mean for place, row in enumerate(TABLE_3, 1)) == pytest.approx(1455.64)
    assert sum(row.sd for row in TABLE_3) == pytest.approx(22.70)


def test_tables_and_text_speak_of_the_same_network():
    errors = {row.name: row.error for row in TABLE_1}
    assert ATTACKED_ACCURACY[0] == pytest.approx(100 - errors["ResNet-101"])
    assert [row.error for row in TABLE_2] == pytest.approx([100 - ATTACKED_ACCURACY[1]] * 2)
    assert set(ALL_FIVE) <= set(errors) and set(ACCEPTED_ATTACKS) == {row.name for row in TABLE_2}


def test_the_order_of_the_conditions():
    assert [row.method for row in TABLE_3[:3]] == [row.method for row in TABLE_3[3:6]]
    assert [row.criticisms for row in TABLE_3] == [True] * 3 + [False] * 4
    assert [row.rectified for row in TOP_5] == [1.94, 1.37]


def test_the_basketball_shares_overlap():
    from blindspots.criticism.reported_tables import BASKETBALL

    # "At least one person" of each: shares of a set may exceed 100 % together, and its three sets are as printed.
    assert list(BASKETBALL) == ["training images", "prototypes", "criticisms"]
    assert [sum(shares.values()) for shares in BASKETBALL.values()] == [108.0, 122.0, 110.0]
