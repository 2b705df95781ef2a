"""The scorecard at a glance: one small picture, light and dark, for the README and the landing page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from blindspots.reports.scorecard import Scorecard
from blindspots.reports.writing import write_atomically


@dataclass(frozen=True)
class Summary:
    """Where the picture's two variants were written, and its alt text."""

    light: Path
    dark: Path
    alt: str


def write_summary(
    scorecard: Scorecard, folder: str | Path, *, name: str = "scorecard", titles: Mapping[str, str] | None = None
) -> Summary:
    """Write `<name>.svg` and `<name>-dark.svg`: stacked bars of verdicts by part, text as outlines.

    Args:
        scorecard: what `scorecard` returned; at least one claim.
        folder: where to write; made if it is not there.
        name: the files' stem.
        titles: the parts' names as printed.

    Raises:
        ValueError: a scorecard without claims.
        OSError: the folder cannot be written to.
    """
    from blindspots.reports.figures import verdict_bars
    from blindspots.reports.style import svg_pair

    counts = scorecard.counts()
    light, dark = svg_pair(verdict_bars(counts, titles=titles))
    folder = Path(folder)
    return Summary(
        light=write_atomically(folder / f"{name}.svg", light),
        dark=write_atomically(folder / f"{name}-dark.svg", dark),
        alt=_alt(scorecard, counts, titles or {}),
    )


def _alt(scorecard: Scorecard, counts: Mapping[str, Mapping[str, int]], titles: Mapping[str, str]) -> str:
    parts = []
    for part, numbers in counts.items():
        named = ", ".join(f"{number} {verdict}" for verdict, number in numbers.items() if number)
        parts.append(f"{titles.get(part, part)}: {named}")
    return f"Stacked bars of verdicts. {scorecard.summary()}. By part: {'; '.join(parts)}."
