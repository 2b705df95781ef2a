import pytest

from blindspots.reports.rules import KINDS, NOT_REPRODUCED, PARTLY, REPRODUCED, parse_rule

CASES = [
    ({"kind": "within", "value": 0.51, "tolerance": 0.02, "partly": 0.05}, [0.53], [0.56], [0.57]),
    ({"kind": "within", "value": 200, "tolerance": 0.05, "relative": True, "partly": 0.1}, [190], [180], [179]),
    ({"kind": "within", "value": -2.0, "tolerance": 0.1, "relative": True, "partly": 0.2}, [-2.2], [-1.6], [2.0]),
    ({"kind": "at_least", "value": 0.95, "partly": 0.8}, [0.95], [0.8], [0.79]),
    ({"kind": "at_most", "value": 0.05, "partly": 0.1}, [0.05], [0.1], [0.11]),
    ({"kind": "between", "low": 0.4, "high": 0.6, "partly": [0.3, 0.7]}, [0.4], [0.7], [0.29]),
    ({"kind": "greater", "margin": 0.1, "partly": 0.0}, [0.5, 0.3], [0.5, 0.45], [0.5, 0.5]),
    ({"kind": "ordering", "partly": 2}, [3, 2, 1], [3, 1, 2], [1, 2, 3]),
]


@pytest.mark.parametrize(("rule", "reproduced", "partly", "failed"), CASES)
def test_a_rule_tells_reproduced_from_partly_from_not(rule, reproduced, partly, failed):
    parsed = parse_rule(rule, len(reproduced))
    assert parsed.verdict(reproduced) == REPRODUCED
    assert parsed.verdict(partly) == PARTLY
    assert parsed.verdict(failed) == NOT_REPRODUCED


@pytest.mark.parametrize(("rule", "reproduced", "partly", "failed"), CASES)
def test_without_a_looser_bound_nothing_is_partly(rule, reproduced, partly, failed):
    parsed = parse_rule({name: value for name, value in rule.items() if name != "partly"}, len(reproduced))
    assert parsed.verdict(reproduced) == REPRODUCED
    assert parsed.verdict(partly) == NOT_REPRODUCED
    assert "partly" not in parsed.words()


@pytest.mark.parametrize(
    ("rule", "n", "words"),
    [
        (CASES[0][0], 1, "within 0.02 of 0.51; partly within 0.05"),
        (CASES[1][0], 1, "within 5% of 200; partly within 10%"),
        (CASES[3][0], 1, "at least 0.95; partly from 0.8"),
        (CASES[4][0], 1, "at most 0.05; partly up to 0.1"),
        (CASES[5][0], 1, "between 0.4 and 0.6; partly between 0.3 and 0.7"),
        (CASES[6][0], 2, "the first greater than the second by more than 0.1; partly by more than 0"),
        ({"kind": "greater"}, 2, "the first greater than the second"),
        (CASES[7][0], 3, "all 3 in the stated order, greatest first; partly with 2 of the 3 pairs in order"),
        ({"kind": "true"}, 1, "holds"),
    ],
)
def test_the_words_of_a_rule_are_made_from_its_numbers(rule, n, words):
    assert parse_rule(rule, n).words() == words


def test_every_kind_has_a_case_here():
    assert {case[0]["kind"] for case in CASES} | {"true"} == set(KINDS)


def test_decimal_rounding_does_not_decide_a_verdict():
    # 0.53 - 0.51 is 2e-17 above 0.02 in floating point; the bound is meant to be inclusive.
    assert 0.53 - 0.51 > 0.02
    assert parse_rule({"kind": "within", "value": 0.51, "tolerance": 0.02}, 1).verdict([0.53]) == REPRODUCED
    assert parse_rule({"kind": "within", "value": 0.51, "tolerance": 0.02}, 1).verdict([0.53001]) == NOT_REPRODUCED


def test_small_bounds_are_not_forgiven():
    assert parse_rule({"kind": "at_least", "value": 1e-12}, 1).verdict([0.9e-12]) == NOT_REPRODUCED
    assert parse_rule({"kind": "at_most", "value": 1e-12}, 1).verdict([1.1e-12]) == NOT_REPRODUCED


def test_equal_values_are_neither_greater_nor_in_order():
    assert parse_rule({"kind": "greater"}, 2).verdict([0.5, 0.5]) == NOT_REPRODUCED
    assert parse_rule({"kind": "ordering"}, 2).verdict([0.5, 0.5]) == NOT_REPRODUCED


@pytest.mark.parametrize("kind", [True, "true"])
def test_the_yaml_word_true_is_the_rule_true(kind):
    rule = parse_rule({"kind": kind}, 1)
    assert rule.verdict([True]) == REPRODUCED
    assert rule.verdict([False]) == NOT_REPRODUCED


@pytest.mark.parametrize(
    ("rule", "n", "message"),
    [
        ("at_least", 1, "expected a mapping with a kind"),
        ({"value": 1}, 1, "expected a mapping with a kind"),
        ({"kind": "near", "value": 1}, 1, "expected a kind of within, .*; got 'near'"),
        ({"kind": "within", "value": 1}, 1, "got no tolerance"),
        ({"kind": "true", "value": 1}, 1, "expected parameters of none; got the unknown value"),
        ({"kind": "at_least", "value": 1, "margin": 2}, 1, "got the unknown margin"),
        ({"kind": "at_least", "value": "high"}, 1, "value: expected a finite number, got 'high'"),
        ({"kind": "at_least", "value": True}, 1, "value: expected a finite number"),
        ({"kind": "at_least", "value": float("nan")}, 1, "value: expected a finite number"),
        ({"kind": "within", "value": 1, "tolerance": -1}, 1, "tolerance: expected >= 0"),
        ({"kind": "within", "value": 0, "tolerance": 0.1, "relative": True}, 1, "give an absolute one"),
        ({"kind": "within", "value": 1, "tolerance": 0.1, "relative": "yes"}, 1, "relative: expected true or false"),
        ({"kind": "between", "low": 2, "high": 1}, 1, "expected low < high"),
        ({"kind": "between", "low": 1, "high": 2, "partly": 3}, 1, r"partly: expected \[low, high\]"),
        ({"kind": "at_least", "value": 1}, 2, "expected 1 record, got 2"),
        ({"kind": "greater"}, 1, "expected 2 records, got 1"),
        ({"kind": "ordering"}, 1, "expected 2 or more records, got 1"),
        ({"kind": "within", "value": 1, "tolerance": 0.1, "partly": 0.05}, 1, "expected a looser bound"),
        ({"kind": "at_least", "value": 1, "partly": 2}, 1, "expected a looser bound"),
        ({"kind": "at_most", "value": 1, "partly": 0}, 1, "expected a looser bound"),
        ({"kind": "between", "low": 1, "high": 2, "partly": [1.5, 3]}, 1, "expected a looser bound"),
        ({"kind": "greater", "margin": 0.1, "partly": 0.2}, 2, "expected a looser bound"),
        ({"kind": "ordering", "partly": 3}, 3, "expected a looser bound"),
        ({"kind": "ordering", "partly": 1.5}, 3, "expected a number of pairs"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule, n, message):
    with pytest.raises(ValueError, match=message):
        parse_rule(rule, n)


def test_values_of_the_wrong_kind_or_number_are_refused():
    with pytest.raises(ValueError, match="rule true: expected a truth value, got 1"):
        parse_rule({"kind": "true"}, 1).verdict([1])
    with pytest.raises(ValueError, match="rule at_least: expected numbers, got True"):
        parse_rule({"kind": "at_least", "value": 0}, 1).verdict([True])
    with pytest.raises(ValueError, match="expected 2 values, got 1"):
        parse_rule({"kind": "greater"}, 2).verdict([1])
