"""The scorecard: every claim beside what this build, and the recorded larger runs, measured.

The verdict shown is that of the largest scale that attempted the claim: a recorded `paper` run, else a recorded `real`
run, else this build. What the other scales say stays beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from blindspots.reports.claims import PARTS, Claim, Judgement, judge
from blindspots.reports.display import scrolling
from blindspots.reports.rules import NOT_ATTEMPTED, VERDICTS
from blindspots.reports.schema import RecordData

PAPER, REAL, BUILD = "paper", "real", "build"
SCALES = (PAPER, REAL, BUILD)
"""Largest first: the first that answers a claim gives its verdict."""


@dataclass(frozen=True)
class Row:
    """One claim on the scorecard.

    `judgements` holds what each scale says, by the names in SCALES, where it says anything; `verdict_from` is the scale
    whose verdict is shown, "" for a claim that no scale attempted; `outdated` names the recorded scales whose run is
    older than the claim, because it lacks the value that the claim asks for.
    """

    claim: Claim
    judgements: Mapping[str, Judgement]
    verdict: str
    verdict_from: str
    outdated: tuple[str, ...] = ()

    def measured(self, scale: str) -> str:
        """Return the values at a scale as printed, "" where there are none."""
        return self.judgements[scale].measured if scale in self.judgements else ""

    def recorded(self) -> str:
        """Return the values of the recorded runs as printed, each with its profile, the largest first."""
        known = [f"{scale}: {self.measured(scale)}" for scale in (PAPER, REAL) if self.measured(scale)]
        late = [f"{scale}: recorded before this claim" for scale in self.outdated]
        return "; ".join(known + late)


@dataclass(frozen=True)
class Scorecard:
    """All claims with their verdicts, in the order of the parts of the book."""

    rows: tuple[Row, ...]
    profile: str

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many claims of each part have each verdict; parts without claims are left out."""
        table: dict[str, dict[str, int]] = {}
        for row in self.rows:
            counts = table.setdefault(row.claim.part, dict.fromkeys(VERDICTS, 0))
            counts[row.verdict] += 1
        return table

    def totals(self) -> dict[str, int]:
        """Return how many claims have each verdict."""
        return {verdict: sum(row.verdict == verdict for row in self.rows) for verdict in VERDICTS}

    def summary(self) -> str:
        """Return the totals as a phrase: "5 claims: 2 reproduced, 1 partly, 0 not reproduced, 2 not attempted"."""
        named = ", ".join(f"{count} {verdict}" for verdict, count in self.totals().items())
        return f"{len(self.rows)} claim{'s' * (len(self.rows) != 1)}: {named}"

    def to_dict(self) -> dict[str, Any]:
        """Return the scorecard as JSON-able data, for other programs."""
        claims = [_data(row) for row in self.rows]
        return {"profile": self.profile, "totals": self.totals(), "parts": self.counts(), "claims": claims}

    def to_html(self) -> str:
        """Return the scorecard as one table; each row carries its id and, for filters, its part and verdict."""
        headings = ("Claim", "Paper", "Recorded run", f"This build ({self.profile})", "Rule", "Verdict")
        head = "".join(f'<th scope="col">{escape(text)}</th>' for text in headings)
        caption = f"Every claim, with its verdict. {self.summary()}."
        body = "".join(_html_row(row) for row in self.rows)
        return scrolling(
            f'<table class="blindspots-table blindspots-scorecard"><caption>{escape(caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
            label="Scorecard",
        )


def scorecard(
    claims: Sequence[Claim],
    build: Mapping[str, RecordData],
    *,
    real: Mapping[str, RecordData] | None = None,
    paper: Mapping[str, RecordData] | None = None,
) -> Scorecard:
    """Judge every claim at every scale.

    Args:
        claims: the claims.
        build: this build's records by notebook (see `schema.read_records`); it must answer every attempted claim.
        real, paper: the recorded runs of those profiles; what they lack is not an error.

    Raises:
        LookupError: this build lacks records or values that claims ask for; the message lists all of them.
        ValueError: records of several profiles in one mapping, or a value of the wrong kind for a rule.
    """
    profiles = sorted({record["profile"] for record in build.values()})
    if len(profiles) > 1:
        raise ValueError(f"build: expected the records of one profile, got {', '.join(profiles)}")
    rows, missing = [], []
    for claim in sorted(claims, key=lambda claim: PARTS.index(claim.part)):
        try:
            rows.append(_row(claim, {PAPER: paper or {}, REAL: real or {}, BUILD: build}))
        except LookupError as error:
            missing.append(str(error.args[0]))
    if missing:
        raise LookupError("\n".join(missing))
    return Scorecard(tuple(rows), profiles[0] if profiles else "no run")


def _row(claim: Claim, runs: Mapping[str, Mapping[str, RecordData]]) -> Row:
    if claim.rule is None:
        return Row(claim, {}, NOT_ATTEMPTED, "")
    judgements, outdated = {}, []
    for scale in SCALES:
        records = runs[scale]
        if scale == BUILD or all(notebook in records for notebook in claim.notebooks):
            try:
                judgements[scale] = judge(claim, records)
            except LookupError:
                if scale == BUILD:
                    raise
                outdated.append(scale)
    attempted = [scale for scale in SCALES if scale in judgements and judgements[scale].verdict != NOT_ATTEMPTED]
    if not attempted:
        return Row(claim, judgements, NOT_ATTEMPTED, "", tuple(outdated))
    return Row(claim, judgements, judgements[attempted[0]].verdict, attempted[0], tuple(outdated))


def _data(row: Row) -> dict[str, Any]:
    claim = row.claim
    names = ("id", "paper", "part", "place", "statement", "reported", "scale", "not_attempted")
    return {
        **{name: getattr(claim, name) for name in names},
        "records": list(claim.records),
        "rule": claim.rule_words(),
        "verdict": row.verdict,
        "verdict_from": row.verdict_from,
        "measured": {
            scale: {"text": one.measured, "values": list(one.recorded), "verdict": one.verdict}
            for scale, one in row.judgements.items()
        },
    }


def _html_row(row: Row) -> str:
    claim = row.claim
    remark = claim.not_attempted or f"Ours: {claim.scale}"
    heading = (
        f'<span class="blindspots-statement">{escape(claim.statement)}</span> '
        f'<span class="blindspots-place">{escape(claim.paper.upper())}, {escape(claim.place)}.</span> '
        f'<span class="blindspots-scale">{escape(remark)}</span>'
    )
    measured = row.measured(BUILD)
    verdict = row.verdict if row.verdict_from in ("", BUILD) else f"{row.verdict} ({row.verdict_from} run)"
    if BUILD in row.judgements and row.judgements[BUILD].verdict != row.verdict:
        measured += f": {row.judgements[BUILD].verdict} at this scale"
    cells = (claim.reported, row.recorded(), measured, claim.rule_words())
    slug = row.verdict.replace(" ", "-")
    return (
        f'<tr id="claim-{escape(claim.id, quote=True)}" data-part="{escape(claim.part, quote=True)}" '
        f'data-verdict="{slug}"><th scope="row">{heading}</th>'
        + "".join(f"<td>{escape(cell) or '–'}</td>" for cell in cells)
        + f'<td class="blindspots-verdict verdict-{slug}">{escape(verdict)}</td></tr>'
    )
