import math

import numpy as np
import pytest
import torch

from blindspots.reports.values import (
    check_format,
    describe_value,
    describe_values,
    format_value,
    is_number,
    plain_value,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (3, 3), (0.5, 0.5), (True, True), ("cat", "cat"), (np.float64(0.5), 0.5), (np.float32(0.5), 0.5),
        (np.int64(3), 3), (np.bool_(True), True), (np.array(2.0), 2.0), (torch.tensor(0.25), 0.25),
        (torch.tensor(4), 4), (torch.tensor(True), True), (torch.tensor(0.5, requires_grad=True), 0.5),
    ],
)  # fmt: skip
def test_scalars_of_every_library_become_plain_python_values(given, expected):
    found = plain_value(given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf, np.float32("nan"), torch.tensor(math.nan)])
def test_a_number_that_is_not_finite_is_refused(given):
    with pytest.raises(ValueError, match="loss: expected a finite number, got"):
        plain_value(given, "loss")


@pytest.mark.parametrize("given", [np.ones(3), torch.ones(1), np.zeros((2, 2))])
def test_an_array_is_refused_with_its_shape(given):
    with pytest.raises(ValueError, match=r"expected one number, got an array of shape \("):
        plain_value(given)


@pytest.mark.parametrize("given", [None, [1.0], {"a": 1}, 1j, np.complex128(1), torch.tensor(1j)])
def test_what_is_not_a_number_is_refused(given):
    with pytest.raises(TypeError, match=r"expected a (real )?number"):
        plain_value(given)


def test_empty_text_is_refused():
    with pytest.raises(ValueError, match="expected text"):
        plain_value("  ")


def test_a_truth_value_is_not_a_number():
    assert is_number(1) and is_number(0.5)
    assert not is_number(True) and not is_number("1")


def test_a_format_must_be_able_to_print_the_value():
    assert check_format(".1%", 0.5) == ".1%"
    assert check_format(".3f", "text") == ""
    with pytest.raises(ValueError, match=r"expected a number's format such as '.3f', got 'd'"):
        check_format("d", 0.5)


def entry(value, **fields):
    return {"value": value, "unit": "", "n": None, "seeds": [], "spread": None, "note": "", "format": ".3f", **fields}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (entry(0.51), "0.510"),
        (entry(12.345, unit="ms", format=".1f"), "12.3 ms"),
        (entry(95.0, unit="%", format=".1f"), "95.0%"),
        (entry(0.95, format=".1%"), "95.0%"),
        (entry(7, format="d"), "7"),
        (entry(True, format=""), "yes"),
        (entry(False, format=""), "no"),
        (entry("horse", format=""), "horse"),
    ],
)
def test_a_value_is_printed_in_its_format_with_its_unit(given, text):
    assert format_value(given) == text


def test_a_description_names_spread_seeds_n_and_note():
    given = entry(0.51, spread=[0.48, 0.53], spread_kind="range", seeds=[0, 1, 2], n=1200, note="planted data")
    expected = "0.510 (0.480 to 0.530, range over seeds; 3 seeds; n = 1,200; planted data)"
    assert describe_value(given) == expected
    assert describe_value(entry(0.51, seeds=[0])) == "0.510"


def test_the_spread_of_a_whole_number_is_printed_without_forced_digits():
    assert describe_value(entry(3, format="d", spread=[2.5, 4.0])) == "3 (2.5 to 4)"


def test_one_of_several_values_is_described_as_alone():
    given = entry(0.51, spread=[0.48, 0.53], spread_kind="range", seeds=[0, 1, 2], n=1200, note="planted data")
    assert "{} ({})".format(*describe_values([given])) == describe_value(given)


def test_two_values_share_their_remarks_and_keep_their_spreads():
    seeds = {"spread_kind": "range", "seeds": [0, 1], "n": 39}
    first, second = entry(0.5, spread=[0.4, 0.6], **seeds), entry(0.7, spread=[0.6, 0.8], note="PGD", **seeds)
    text, common = describe_values([first, second])
    assert text == "0.500 (0.400 to 0.600) against 0.700 (0.600 to 0.800; PGD)"
    assert common == "range over seeds; 2 seeds; n = 39"


def test_what_two_values_do_not_share_stands_beside_each():
    first, second = entry(0.5, n=20), entry(0.7, n=30, spread=[0.6, 0.8], spread_kind="t95", seeds=[0, 1])
    text, common = describe_values([first, second])
    assert text == "0.500 (n = 20) against 0.700 (0.600 to 0.800; 2 seeds; n = 30)"
    assert common == "95% t interval over seeds"


def test_two_kinds_of_spread_are_told_apart():
    first, second = (entry(0.5, spread=[0.4, 0.6], spread_kind=kind, n=9) for kind in ("range", "t95"))
    text, common = describe_values([first, second])
    assert text == (
        "0.500 (0.400 to 0.600, range over seeds) against 0.500 (0.400 to 0.600, 95% t interval over seeds)"
    )
    assert common == "n = 9"


def test_a_list_of_values_is_short():
    seeds = {"spread": [0.4, 0.6], "spread_kind": "range", "seeds": [0, 1], "n": 39}
    assert describe_values([entry(value, **seeds) for value in (0.5, 0.6, 0.7)]) == (
        "0.500; 0.600; 0.700",
        "2 seeds; n = 39",
    )
