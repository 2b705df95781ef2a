from pathlib import Path

import pytest

from blindspots.reports.claims import claims_folder, judge, load_claims, notebook_claims_table

REPOSITORY = Path(__file__).resolve().parents[2]
GOOD = """\
claims:
  - id: p0-3.1-first
    paper: p0
    part: attacks
    place: "Section 3.1"
    statement: "The step flips the class."
    reported: 0.510
    rule: {kind: at_least, value: 0.95, partly: 0.80}
    record: attacks/one#success
    scale: "digits"
  - id: p0-3.1-second
    paper: p0
    part: attacks
    place: "Section 3.1"
    statement: "The first is the larger."
    reported: "larger"
    rule: {kind: greater}
    records: [attacks/one#success, attacks/two#success]
    scale: "digits"
  - id: p0-3.1-third
    paper: p0
    part: fairness
    place: "Figure 3.1"
    statement: "People agree."
    reported: "they do"
    not_attempted: "needs people"
"""


@pytest.fixture
def load(tmp_path):
    def load(text, name="p0.yml"):
        (tmp_path / name).write_text(text)
        return load_claims(tmp_path)

    return load


def test_claims_are_read_with_their_rules_and_their_lines(load):
    first, second, third = load(GOOD)
    assert first.id == "p0-3.1-first" and first.source.endswith("p0.yml:2")
    assert first.rule_words() == "at least 0.95; partly from 0.8"
    assert first.records == ("attacks/one#success",) and first.notebooks == ("attacks/one",)
    assert second.notebooks == ("attacks/one", "attacks/two")
    assert third.rule is None and third.not_attempted == "needs people" and third.rule_words() == ""


def test_the_reported_value_is_kept_as_it_is_written(load):
    assert load(GOOD)[0].reported == "0.510"


def test_the_claims_of_the_book_are_sound():
    claims = load_claims(REPOSITORY / "book" / "claims")
    assert len({claim.id for claim in claims}) == len(claims) > 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("claims:", "claim:", r"p0\.yml:1: expected one list under 'claims:', got claim"),
        ("    place:", "   place:", r"p0\.yml:5: expected YAML, got"),
        ("    part: attacks\n    place: \"Section 3.1\"\n    statement: \"The step", "    statement: \"The step",
         r"p0\.yml:2: expected the field 'part', got none"),
        ("    scale: \"digits\"\n  - id: p0-3.1-second", "    size: 3\n  - id: p0-3.1-second",
         r"p0\.yml:10: expected fields of id, .*; got 'size'"),
        ("    scale: \"digits\"\n  - id: p0-3.1-second", "  - id: p0-3.1-second",
         "expected the field 'scale', got none"),
        ("kind: at_least", "kind: near", r"p0\.yml:8: rule: expected a kind of .*; got 'near'"),
        ("value: 0.95", "value: 0.95, value: 0.9", r"p0\.yml:8: expected each field once, got 'value' again"),
        ("p0-3.1-second", "p0-3.1-first", r"p0\.yml:11: id: 'p0-3.1-first' is already declared at .*p0\.yml:2"),
        ("p0-3.1-second", "p1-3.1-second", r"p0\.yml:11: id: expected 'p0-' and lower-case"),
        ("id: p0-3.1-second\n    paper: p0", "id: p9-3.1-second\n    paper: p9",
         "paper: expected one of p0, .*; got 'p9'"),
        ("part: fairness", "part: justice", "part: expected one of attacks, .*; got 'justice'"),
        ("record: attacks/one#success", "record: attacks/one", "expected '<part>/<notebook>#<key>', got 'attacks/one'"),
        ("records: [attacks/one#success, attacks/two#success]", "records: [attacks/one#success]",
         r"p0\.yml:17: rule greater: expected 2 records, got 1"),
        ("records: [attacks/one#success, attacks/two#success]", "records: attacks/one#success",
         "expected '<part>/<notebook>#<key>', got ''"),
        ("    not_attempted: \"needs people\"", "    scale: none", "expected a rule with one of record and records"),
        ("    not_attempted:", "    rule: {kind: true}\n    not_attempted:", "expected a rule with one of record"),
        ("record: attacks/one#success", "record: attacks/one#success\n    place: again",
         r"p0\.yml:10: expected each field once, got 'place' again"),
        ("reported: \"larger\"", "reported: [1]", r"p0\.yml:16: reported: expected text"),
        ("reported: \"larger\"", "reported:", r"p0\.yml:16: reported: expected text"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_file_and_line(load, old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match=message):
        load(GOOD.replace(old, new, 1))


def test_an_id_may_not_return_in_another_file(load):
    load(GOOD)
    with pytest.raises(ValueError, match=r"p1\.yml:2: id: 'p0-3.1-first' is already declared at .*p0\.yml:2"):
        load(GOOD, name="p1.yml")


def test_a_folder_without_claims_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected files of claims"):
        load_claims(tmp_path)


def test_the_folder_of_claims_is_found_from_within_the_repository(monkeypatch, tmp_path):
    monkeypatch.delenv("BLINDSPOTS_CLAIMS", raising=False)
    (tmp_path / "book" / "claims").mkdir(parents=True)
    (tmp_path / "notebooks" / "attacks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks" / "attacks")
    assert claims_folder() == tmp_path / "book" / "claims"


def test_the_environment_names_another_folder_of_claims(monkeypatch, tmp_path):
    monkeypatch.setenv("BLINDSPOTS_CLAIMS", str(tmp_path))
    assert claims_folder() == tmp_path
    monkeypatch.setenv("BLINDSPOTS_CLAIMS", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="none: no such folder of claims"):
        claims_folder()


@pytest.mark.parametrize(("value", "verdict"), [(0.97, "reproduced"), (0.9, "partly"), (0.5, "not reproduced")])
def test_a_claim_is_judged_from_the_recorded_value(load, make_record, value, verdict):
    claim = load(GOOD)[0]
    judgement = judge(claim, {"attacks/one": make_record(success=value)})
    assert judgement.verdict == verdict
    assert judgement.recorded == (value,)
    assert judgement.measured == f"{value:.3f} (n = 100)"
    assert judgement.text.endswith(f"Rule: at least 0.95; partly from 0.8. Verdict: {verdict}.")


def test_the_spread_over_seeds_is_part_of_a_judgement(load, make_record):
    entry = {"value": 0.96, "spread": [0.9, 1.0], "spread_kind": "t95", "seeds": [0, 1, 2], "by_seed": [0.9, 0.98, 1.0]}
    judgement = judge(load(GOOD)[0], {"attacks/one": make_record(success=entry)})
    assert judgement.measured == "0.960 (0.900 to 1.000, 95% t interval over seeds; 3 seeds; n = 100)"


def test_two_records_are_compared_in_the_stated_order(load, make_record):
    claim = load(GOOD)[1]
    records = {"attacks/one": make_record(success=0.6), "attacks/two": make_record("attacks/two", success=0.5)}
    assert judge(claim, records).verdict == "reproduced"
    assert judge(claim, records).measured == "0.600 against 0.500 (n = 100)"
    records["attacks/two"]["values"]["success"]["value"] = 0.7
    assert judge(claim, records).verdict == "not reproduced"


def test_what_was_not_attempted_says_why(load):
    judgement = judge(load(GOOD)[2], {})
    assert (judgement.verdict, judgement.text) == ("not attempted", "needs people")


def test_a_value_that_the_run_left_out_leaves_its_claims_unattempted(load, make_record, tmp_path):
    left_out = {"value": "not attempted", "note": "seven faces only", "n": None, "format": ""}
    record = make_record(success=left_out)
    judgement = judge(load(GOOD)[0], {"attacks/one": record})
    assert (judgement.verdict, judgement.text, judgement.recorded) == ("not attempted", "seven faces only", ())
    both = judge(load(GOOD)[1], {"attacks/one": record, "attacks/two": make_record("attacks/two", success=left_out)})
    assert (both.verdict, both.measured) == ("not attempted", "seven faces only")
    row = notebook_claims_table(load(GOOD), record, others=tmp_path).rows[0]
    assert row[2:] == ("seven faces only", "at least 0.95; partly from 0.8", "not attempted")


def test_a_missing_record_or_key_is_named_with_the_claims_line(load, make_record):
    claim = load(GOOD)[0]
    with pytest.raises(LookupError, match=r"p0\.yml:2: claim p0-3.1-first: no record of attacks/one"):
        judge(claim, {})
    with pytest.raises(LookupError, match="attacks/one has no value 'success'; it has rate"):
        judge(claim, {"attacks/one": make_record(rate=0.5)})


def test_a_value_of_the_wrong_kind_is_named_with_the_claims_line(load, make_record):
    entry = {"value": "high", "format": ""}
    with pytest.raises(ValueError, match=r"p0\.yml:2: claim p0-3.1-first: rule at_least: expected numbers, got 'high'"):
        judge(load(GOOD)[0], {"attacks/one": make_record(success=entry)})


def test_a_notebook_shows_its_own_claims_and_what_they_wait_for(load, make_record, write_record, tmp_path):
    claims, record = load(GOOD), make_record(success=0.97)
    rows = notebook_claims_table(claims, record, others=tmp_path / "results" / "quick").rows
    assert [row[4] for row in rows] == ["reproduced", None]
    assert rows[0][:4] == (
        "The step flips the class. (P0, Section 3.1)", "0.510", "0.970 (n = 100)", "at least 0.95; partly from 0.8",
    )  # fmt: skip
    assert rows[1][2] == "needs attacks/two to have run"
    write_record(make_record("attacks/two", success=0.5), tmp_path / "results")
    rows = notebook_claims_table(claims, record, others=tmp_path / "results" / "quick").rows
    assert [row[4] for row in rows] == ["reproduced", "reproduced"]


def test_a_notebook_that_no_claim_names_has_no_claims_table(load, make_record, tmp_path):
    with pytest.raises(ValueError, match="latent/one: expected a claim that names this notebook"):
        notebook_claims_table(load(GOOD), make_record("latent/one"), others=tmp_path)
