"""The transcription of P1's tables: shapes, spot checks, and the lists that the granularity test was tried on."""

from collections import Counter

import pytest

from blindspots.purify import reported_cells


def test_each_table_has_its_number_of_cells():
    assert Counter(cell.table for cell in reported_cells()) == {1: 30, 2: 24, 3: 30, 4: 42, 5: 16}


@pytest.mark.parametrize(
    ("table", "own", "total"),
    [
        (1, None, 31017.49),
        (2, None, 25653.2),
        (3, True, 1728.09),
        (3, False, 21065.98),
        (4, True, 1749.95),
        (4, False, 49784.68),
        (5, None, 10005.94),
    ],
)
def test_a_second_transcription_has_the_same_weighted_sums(table, own, total):
    # sums of place times value over the lists of test_grim.py (Table 1: over the paper's text), which were typed apart
    values = [cell.value for cell in reported_cells(table) if own is None or (cell.defense == "ACSR") == own]
    assert sum(place * value for place, value in enumerate(values, 1)) == pytest.approx(total, abs=1e-6)


def test_cells_carry_their_names_and_their_decimals():
    (cell,) = (c for c in reported_cells(2) if (c.model, c.attack) == ("GoogLeNet", "DeepFool"))
    assert (cell.data, cell.defense, cell.printed, cell.value) == ("CIFAR-10", "ACSR", "88.5", 88.5)
    (cell,) = (c for c in reported_cells(5) if (c.model, c.defense, c.attack) == ("NSFW-AlexNet", "none", "DeepFool"))
    assert cell.printed == "5.76"
    (cell,) = (c for c in reported_cells(1) if (c.defense, c.attack) == ("PGDAT+RST (TRADES)", "clean"))
    assert cell.value == 87.56


def test_all_cells_come_in_reading_order():
    assert reported_cells() == sum((reported_cells(table) for table in range(1, 6)), ())


def test_a_table_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="tables: expected numbers of 1, 2, 3, 4, 5; got 6"):
        reported_cells(6)
