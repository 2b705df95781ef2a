"""What the claims tables show of each claim: the scorecard of `blindspots.reports`, put into words row by row."""

from __future__ import annotations

from dataclasses import dataclass

from blindspots.book.sphinx.results import Store
from blindspots.reports.claims import PARTS, Claim, load_claims
from blindspots.reports.schema import read_records
from blindspots.reports.scorecard import BUILD, Row, scorecard

NO_RECORD = "no record"


@dataclass(frozen=True)
class ShownClaim:
    """One claim in words, so that a table only has to lay it out; `problem` says what keeps it from being judged."""

    claim: Claim
    recorded: str
    measured: str
    detail: str
    verdict: str
    remark: str
    problem: str = ""


def judged(store: Store) -> list[ShownClaim]:
    """Judge every claim against this build and the recorded runs; a claim without its record has a problem.

    Raises:
        ValueError: a file of claims or a record is not what it should be.
        FileNotFoundError: there is no folder of claims.
    """
    claims = load_claims(store.claims)
    build = read_records(store.build)
    runs = {profile: read_records(store.folder(profile)) for profile in ("real", "paper") if profile != store.profile}
    shown = []
    for claim in claims:
        try:
            card = scorecard([claim], build, **runs)
        except LookupError as error:
            shown.append(ShownClaim(claim, "", "", "", NO_RECORD, "", problem=str(error.args[0])))
        else:
            shown.append(in_words(card.rows[0]))
    return sorted(shown, key=lambda row: PARTS.index(row.claim.part))


def in_words(row: Row) -> ShownClaim:
    """Write a judged claim as text: values apart from their small print, and where the verdict comes from."""
    detail = row.judgements[BUILD].detail if BUILD in row.judgements else ""
    measured = row.measured(BUILD).removesuffix(f" ({detail})")
    remark = row.claim.not_attempted
    if row.verdict_from not in ("", BUILD):
        remark = f"from the {row.verdict_from} run"
        if BUILD in row.judgements and row.judgements[BUILD].verdict != row.verdict:
            remark += f"; at this scale: {row.judgements[BUILD].verdict}"
    return ShownClaim(row.claim, row.recorded(), measured, detail, row.verdict, remark)
