import pytest

from blindspots.reports.claims import Claim
from blindspots.reports.rules import parse_rule
from blindspots.reports.scorecard import scorecard
from blindspots.reports.summary import write_summary


def claim(name, part="attacks", **fields):
    return Claim(f"p0-{name}", "p0", part, "here", "It holds.", "yes", **fields)


@pytest.fixture
def card(make_record):
    rule = parse_rule({"kind": "at_least", "value": 0.9}, 1)
    claims = [
        claim("a", rule=rule, records=("attacks/one#success",)),
        claim("b", not_attempted="needs people"),
        claim("c", part="latent", not_attempted="needs a GPU"),
    ]
    return scorecard(claims, {"attacks/one": make_record(success=0.95)})


def test_both_variants_are_written_with_an_alt_text_that_holds_the_numbers(card, tmp_path):
    summary = write_summary(card, tmp_path / "pictures", titles={"latent": "IV Robustness in latent space"})
    assert (summary.light.name, summary.dark.name) == ("scorecard.svg", "scorecard-dark.svg")
    assert summary.light.read_bytes() != summary.dark.read_bytes()
    assert summary.alt == (
        "Stacked bars of verdicts. 3 claims: 1 reproduced, 0 partly, 0 not reproduced, 2 not attempted. "
        "By part: attacks: 1 reproduced, 1 not attempted; IV Robustness in latent space: 1 not attempted."
    )


def test_the_picture_needs_no_font_and_is_small_and_reproducible(card, tmp_path):
    first, second = (write_summary(card, tmp_path, name=name).light.read_bytes() for name in ("one", "two"))
    assert first == second
    assert b"<text" not in first and len(first) < 60_000


def test_a_scorecard_without_claims_has_no_picture(tmp_path):
    with pytest.raises(ValueError, match="got no parts"):
        write_summary(scorecard([], {}), tmp_path)
