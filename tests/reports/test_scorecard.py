import json

import pytest

from blindspots.reports.claims import load_claims
from blindspots.reports.scorecard import scorecard

CLAIMS = """\
claims:
- {id: p0-b, paper: p0, part: fairness, place: Figure 4, statement: 'It helps <much>.', reported: '87', scale: planted,
   rule: {kind: at_least, value: 0.5}, record: 'fairness/dro#gain'}
- {id: p0-a, paper: p0, part: attacks, place: Table 1, statement: It flips., reported: 100 %, scale: '5,000 digits',
   rule: {kind: at_least, value: 0.9, partly: 0.5}, record: 'attacks/one#success'}
- {id: p0-c, paper: p0, part: attacks, place: Figure 1, statement: People agree., reported: 'yes',
   not_attempted: needs people}
"""


@pytest.fixture
def claims(tmp_path):
    (tmp_path / "p0.yml").write_text(CLAIMS)
    return load_claims(tmp_path)


@pytest.fixture
def runs(make_record):
    """Return a function that makes the two records that the claims need, at a profile."""

    def make(profile, success, gain):
        return {
            "attacks/one": make_record("attacks/one", profile, success=success),
            "fairness/dro": make_record("fairness/dro", profile, gain=gain),
        }

    return make


def test_this_build_alone_gives_the_verdicts_in_the_order_of_the_parts(claims, runs):
    card = scorecard(claims, runs("quick", 0.6, 0.7))
    assert [(row.claim.id, row.verdict, row.verdict_from) for row in card.rows] == [
        ("p0-a", "partly", "build"), ("p0-c", "not attempted", ""), ("p0-b", "reproduced", "build"),
    ]  # fmt: skip
    assert card.profile == "quick"


def test_the_largest_recorded_scale_decides_and_the_others_are_kept(claims, runs):
    build, real, paper = runs("quick", 0.6, 0.7), runs("real", 0.95, 0.1), runs("paper", 0.4, 0.6)
    assert scorecard(claims, build, real=real).rows[0].verdict == "reproduced"
    card = scorecard(claims, build, real=real, paper=paper)
    row = card.rows[0]
    assert (row.verdict, row.verdict_from) == ("not reproduced", "paper")
    assert [row.judgements[scale].verdict for scale in ("build", "real", "paper")] == [
        "partly", "reproduced", "not reproduced",
    ]  # fmt: skip
    assert row.recorded() == "paper: 0.400 (n = 100); real: 0.950 (n = 100)"
    assert row.measured("build") == "0.600 (n = 100)"


def test_a_part_that_was_not_recorded_keeps_this_builds_verdict(claims, runs):
    real = {"attacks/one": runs("real", 0.95, 0)["attacks/one"]}
    card = scorecard(claims, runs("quick", 0.6, 0.7), real=real)
    assert [row.verdict_from for row in card.rows] == ["real", "", "build"]


def test_the_largest_scale_that_attempted_a_claim_decides(claims, runs):
    left_out = {"value": "not attempted", "note": "too few faces", "n": None, "format": ""}
    card = scorecard(claims, runs("quick", 0.6, left_out), real=runs("real", left_out, left_out))
    first, _, last = card.rows
    assert (first.verdict, first.verdict_from) == ("partly", "build")
    assert first.recorded() == "real: too few faces"
    assert (last.verdict, last.verdict_from, last.measured("build")) == ("not attempted", "", "too few faces")
    assert card.totals()["not attempted"] == 2
    assert "too few faces" in card.to_html()
    card = scorecard(claims, runs("quick", left_out, 0.7), real=runs("real", 0.95, 0.7))
    assert (card.rows[0].verdict, card.rows[0].verdict_from) == ("reproduced", "real")


def test_a_recorded_run_older_than_its_claim_is_said_to_be(claims, runs):
    real = runs("real", 0.95, 0.7)
    del real["attacks/one"]["values"]["success"]
    row = scorecard(claims, runs("quick", 0.6, 0.7), real=real).rows[0]
    assert (row.verdict, row.verdict_from, row.outdated) == ("partly", "build", ("real",))
    assert row.recorded() == "real: recorded before this claim"


def test_whatever_this_build_lacks_is_listed_at_once(claims, runs):
    build = runs("quick", 0.6, 0.7)
    del build["attacks/one"]["values"]["success"], build["fairness/dro"]
    with pytest.raises(LookupError) as caught:
        scorecard(claims, build, real=runs("real", 0.95, 0.7))
    assert "claim p0-a: the record of attacks/one has no value 'success'" in str(caught.value)
    assert "claim p0-b: no record of fairness/dro" in str(caught.value)


def test_records_of_two_profiles_are_not_one_build(claims, runs):
    build = runs("quick", 0.6, 0.7)
    build["attacks/one"]["profile"] = "smoke"
    with pytest.raises(ValueError, match="build: expected the records of one profile, got quick, smoke"):
        scorecard(claims, build)


def test_counts_add_up_by_part_and_in_total(claims, runs):
    card = scorecard(claims, runs("quick", 0.6, 0.7))
    assert card.counts() == {
        "attacks": {"reproduced": 0, "partly": 1, "not reproduced": 0, "not attempted": 1},
        "fairness": {"reproduced": 1, "partly": 0, "not reproduced": 0, "not attempted": 0},
    }
    assert card.totals() == {"reproduced": 1, "partly": 1, "not reproduced": 0, "not attempted": 1}
    assert card.summary() == "3 claims: 1 reproduced, 1 partly, 0 not reproduced, 1 not attempted"


def test_the_data_form_goes_through_json(claims, runs):
    card = scorecard(claims, runs("quick", 0.6, 0.7), real=runs("real", 0.95, 0.1))
    data = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    first = data["claims"][0]
    assert first["measured"]["real"] == {"text": "0.950 (n = 100)", "values": [0.95], "verdict": "reproduced"}
    assert first["rule"] == "at least 0.9; partly from 0.5" and first["verdict_from"] == "real"
    assert data["totals"]["not attempted"] == 1


def test_the_table_has_headings_a_caption_and_what_filters_need(claims, runs):
    html = scorecard(claims, runs("quick", 0.6, 0.7), real=runs("real", 0.95, 0.7)).to_html()
    assert html.count('<th scope="col">') == 6 and html.count('<th scope="row">') == 3
    assert "<caption>Every claim, with its verdict. 3 claims: 2 reproduced" in html
    assert '<tr id="claim-p0-a" data-part="attacks" data-verdict="reproduced">' in html
    assert '<tr id="claim-p0-c" data-part="attacks" data-verdict="not-attempted">' in html
    assert "It helps &lt;much&gt;." in html and "<much>" not in html


def test_the_verdict_is_said_in_words_with_its_scale(claims, runs):
    html = scorecard(claims, runs("quick", 0.6, 0.7), real=runs("real", 0.95, 0.7)).to_html()
    assert ">reproduced (real run)</td>" in html
    assert "0.600 (n = 100): partly at this scale" in html
    assert "Ours: 5,000 digits" in html and "needs people" in html


def test_a_book_without_claims_that_need_runs_has_a_scorecard(claims):
    card = scorecard(claims[2:], {})
    assert card.summary().startswith("1 claim: 0 reproduced") and card.profile == "no run"
