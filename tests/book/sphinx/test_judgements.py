"""What a claim's row says, from this build, from recorded runs, and when a record is missing."""

import pytest

from blindspots.book.sphinx.judgements import NO_RECORD, judged
from blindspots.book.sphinx.results import Store


@pytest.fixture
def store(book):
    book.record()
    root = book.root
    return Store("quick", root / "_build/results/quick", root / "results", root / "book/claims", root / "_build")


def test_a_claim_is_judged_from_this_build(store):
    success, people = judged(store)
    assert (success.verdict, success.measured, success.detail) == ("reproduced", "0.970", "n = 100")
    assert success.recorded == "" and success.remark == ""
    assert (people.verdict, people.remark) == ("not attempted", "needs people")


def test_a_recorded_run_gives_the_verdict_and_this_builds_stays_beside_it(store, book, record):
    record["profile"], record["values"]["success"]["value"] = "real", 0.6
    book.record(record, folder="results/real")
    success = judged(store)[0]
    assert success.verdict == "partly"
    assert success.recorded == "real: 0.600 (n = 100)"
    assert success.remark == "from the real run; at this scale: reproduced"


def test_a_claim_without_its_record_has_a_problem_and_the_others_are_judged(store):
    (store.build / "attacks" / "step.json").unlink()
    success, people = judged(store)
    assert success.verdict == NO_RECORD and "no record of attacks/step" in success.problem
    assert people.verdict == "not attempted" and not people.problem


def test_a_bad_file_of_claims_is_an_error_with_its_line(store):
    (store.claims / "p0.yml").write_text("claims:\n  - id: x\n    colour: red\n")
    with pytest.raises(ValueError, match=r"p0\.yml:3"):
        judged(store)
