"""The record of one notebook run: its numbers, figures and tables, and where they come from.

A notebook makes one `Record`, puts into it what the page will quote, and writes it at the end. Nothing reaches the disk
before `write`, so a run that fails leaves the last complete record as it was.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindspots.reports.display import ShownFigure, ShownTable, check_texts, shown_table
from blindspots.reports.rules import NOT_ATTEMPTED
from blindspots.reports.schema import KEY, NOTEBOOK, PROFILE, SCHEMA, RecordData, check_record, read_record
from blindspots.reports.values import SPREADS, Plain, check_format, describe_value, is_number, plain_value
from blindspots.reports.writing import LARGEST_FILE, write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Record", "read_record", "results_folder"]


def results_folder() -> tuple[Path, str]:
    """Return the folder for results and the profile: what the runner set, or `_build/results` and "local".

    Raises:
        ValueError: only one of BLINDSPOTS_RESULTS and BLINDSPOTS_PROFILE is set, or the profile is not a name.
    """
    root, profile = os.environ.get("BLINDSPOTS_RESULTS"), os.environ.get("BLINDSPOTS_PROFILE")
    if not root and not profile:
        return Path("_build/results").absolute(), "local"
    if not root or not profile:
        missing = "BLINDSPOTS_PROFILE" if root else "BLINDSPOTS_RESULTS"
        raise ValueError(f"{missing}: expected a value beside its partner, got none; set both or neither")
    if not PROFILE.fullmatch(profile):
        raise ValueError(f"BLINDSPOTS_PROFILE: expected lower-case letters, digits and _, got {profile!r}")
    return Path(root).absolute(), profile


class Record:
    """Collects what one notebook run measured.

    Args:
        notebook: "<part>/<name>", the notebook's path below `notebooks/` without its ending.
        parameters: the run's parameters, JSON-able.
        seed: the run's seed, None where nothing is random; the default for every value and figure.
        device: where the run computes, "cpu" or "cuda".

    Raises:
        ValueError: a name or environment variable that does not fit.
        TypeError: parameters that JSON cannot hold, or a seed that is not an integer.
    """

    def __init__(
        self, notebook: str, *, parameters: Mapping[str, Any], seed: int | None, device: object = "cpu"
    ) -> None:
        from blindspots import provenance

        if not isinstance(notebook, str) or not NOTEBOOK.fullmatch(notebook):
            raise ValueError(f"notebook: expected '<part>/<name>' in lower case, got {notebook!r}")
        if seed is not None:
            _check_count(seed, "seed", at_least=None)
        self.notebook = notebook
        self.seed = seed
        self._root, self._profile = results_folder()
        self._clock = time.perf_counter()
        self._figures: dict[str, ShownFigure] = {}
        self._tables: dict[str, ShownTable] = {}
        self._values: dict[str, dict[str, Any]] = {}
        self._provenance: dict[str, Any] = {
            "parameters": _json_able(parameters),
            "seed": seed,
            "data": [],
            "git": provenance.git_state(provenance.PACKAGE_DIRECTORY),
            "versions": provenance.versions(),
            **provenance.device_info(device),
            "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    @property
    def path(self) -> Path:
        """Where `write` puts the record."""
        return self._root / self._profile / f"{self.notebook}.json"

    def add_data(self, data: Any, *, n: int | None = None) -> None:
        """Note a data set that the run used.

        Args:
            data: a loaded set (whatever has a `card` and a length), or a card alone.
            n: how many of its rows were used; None means all of a loaded set.

        Raises:
            TypeError: neither a set nor a card.
            ValueError: a card without fingerprint, or no n beside a card alone.
        """
        card = getattr(data, "card", data)
        if not all(hasattr(card, name) for name in ("name", "split", "sha256", "origin", "licence")):
            raise TypeError(f"data: expected a loaded set or its card, got {type(data).__name__}")
        if not card.sha256:
            raise ValueError(f"data: expected a card with a fingerprint, got none for {card.name!r}; use data.load")
        if n is None and card is data:
            raise ValueError("n: expected how many rows were used, got None beside a card alone")
        n = len(data) if n is None else n
        _check_count(n, "n")
        names = ("name", "split", "sha256", "origin", "licence", "version", "differs")
        entry = {"n": n, **{name: getattr(card, name, "") for name in names}}
        if entry not in self._provenance["data"]:
            self._provenance["data"].append(entry)

    def value(
        self,
        key: str,
        value: Any,
        *,
        n: int | None,
        unit: str = "",
        seeds: Sequence[int] | None = None,
        spread: tuple[float, float] | None = None,
        spread_kind: str | None = None,
        by_seed: Sequence[Any] | None = None,
        note: str = "",
        format: str | None = None,
    ) -> Plain:
        """Record one number, truth value or text, and return it as a plain Python value.

        Args:
            key: lower-case name, unique among the run's values.
            value: what was measured; a scalar of Python, numpy or torch.
            n: how many cases it was measured on; None where nothing was counted.
            unit: printed after it, "" for a plain number, "%" only if the number is in percent.
            seeds: the seeds it was measured with; None means the run's seed.
            spread: (low, high) that hold the value.
            spread_kind: what the spread is, "range" or "t95"; None where the note says it.
            by_seed: one number for each of the seeds, in their order.
            note: what a reader must know to weigh it, for example "planted data".
            format: how it is printed, as for `format`; None means ".3f" for a float, "d" for an integer.

        Raises:
            ValueError: NaN, infinity, a key in use, a spread that does not hold the value, a list of the wrong length.
            TypeError: something that is not one number, truth value or text.
        """
        where = f"value {key!r}"
        _check_key(key, self._values, "value")
        plain = plain_value(value, where)
        if n is not None:
            _check_count(n, f"{where}: n")
        seeds = ([] if self.seed is None else [self.seed]) if seeds is None else list(seeds)
        for seed in seeds:
            _check_count(seed, f"{where}: seeds", at_least=None)
        if by_seed is not None:
            by_seed = [plain_value(one, f"{where}: by_seed") for one in by_seed]
            if len(by_seed) != len(seeds) or not all(is_number(one) for one in by_seed):
                raise ValueError(f"{where}: by_seed: expected {len(seeds)} numbers, one per seed, got {by_seed}")
        if spread_kind is not None and (spread_kind not in SPREADS or spread is None):
            raise ValueError(f"{where}: spread_kind: expected one of {', '.join(SPREADS)} beside a spread")
        self._values[key] = {
            "value": plain,
            "unit": unit,
            "n": n,
            "seeds": seeds,
            "spread": None if spread is None else _spread(spread, plain, where),
            "spread_kind": spread_kind,
            "by_seed": by_seed,
            "note": note,
            "format": check_format(format or ("d" if isinstance(plain, int) else ".3f"), plain, f"{where}: format"),
        }
        return plain

    def not_attempted(self, key: str, reason: str) -> None:
        """Record that this run does not measure a value, so that the claims it would answer say why at this scale.

        Args:
            key: lower-case name, unique among the run's values.
            reason: why, as a phrase: "faces with gray hair are too rare among 3000".

        Raises:
            ValueError: an empty reason, or a key in use.
        """
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"value {key!r}: reason: expected why it is not attempted, got {reason!r}")
        self.value(key, NOT_ATTEMPTED, n=None, seeds=(), note=" ".join(reason.split()))

    def by_seed(
        self,
        key: str,
        values: Mapping[int, Any],
        *,
        n: int | None,
        spread: str = "range",
        unit: str = "",
        note: str = "",
        format: str | None = None,
    ) -> float:
        """Record the mean of one number measured with several seeds, with its spread, and return the mean.

        Args:
            key, n, unit, note, format: as for `value`; n counts the cases of one seed.
            values: the number measured with each seed.
            spread: "range" from the smallest to the largest; "t95" the two-sided 95 % interval of the mean by
                Student's t, which takes the seeds for a sample from a normal distribution. One seed has no spread.

        Raises:
            ValueError: no seed, or an unknown spread.
        """
        if not isinstance(values, Mapping) or not values:
            raise ValueError(f"value {key!r}: expected a number for each seed, got {values!r}")
        if spread not in SPREADS:
            raise ValueError(f"value {key!r}: spread: expected one of {', '.join(SPREADS)}; got {spread!r}")
        numbers = [float(plain_value(one, f"value {key!r}: seed {seed}")) for seed, one in values.items()]
        mean = math.fsum(numbers) / len(numbers)
        bounds = None
        if len(numbers) > 1:
            bounds = (min(numbers), max(numbers)) if spread == "range" else _t_interval(numbers, mean)
        self.value(
            key, mean, n=n, unit=unit, seeds=tuple(values), spread=bounds, spread_kind=spread if bounds else None,
            by_seed=numbers, note=note, format=format,
        )  # fmt: skip
        return mean

    def figure(
        self, figure: Figure, key: str, *, caption: str, alt: str, n: int | None = None, seed: int | None = None
    ) -> ShownFigure:
        """Record a figure in its light and dark variants, and return what shows it.

        Args:
            figure: a matplotlib figure, best made by `reports.figures` or `reports.images`.
            key: lower-case name, unique among the run's figures; its file name.
            caption: what is plotted and the one thing to see; n and seed are added to it.
            alt: the content for someone who cannot see it, with numbers; at least 40 characters.
            n: how many cases it shows or summarizes; None where nothing was counted.
            seed: None means the run's seed.

        Raises:
            ValueError: a missing, short or repeated text, a key in use, or an SVG above 1 MB.
            TypeError: not a matplotlib figure.
        """
        from blindspots.reports.style import svg_pair

        _check_key(key, self._figures, "figure")
        if key.endswith("-dark"):
            raise ValueError(f"figure {key!r}: expected a key that does not end in -dark, the dark variant's ending")
        check_texts(caption, alt)
        if n is not None:
            _check_count(n, f"figure {key!r}: n")
        light, dark = svg_pair(figure)
        if max(len(light), len(dark)) > LARGEST_FILE:
            raise ValueError(
                f"figure {key!r}: expected at most {LARGEST_FILE:,} bytes, got {len(light):,}; "
                "show fewer images, lower max_side, or draw fewer points"
            )
        _close(figure)
        name = self.notebook.split("/")[1]
        shown = ShownFigure(
            notebook=self.notebook, key=key, file=f"{name}/{key}.svg", dark=f"{name}/{key}-dark.svg",
            caption=caption.strip(), alt=alt.strip(), n=n, seed=self.seed if seed is None else seed,
            light_svg=light, dark_svg=dark,
        )  # fmt: skip
        self._figures[key] = shown
        return shown

    def table(
        self,
        key: str,
        rows: Any,
        *,
        caption: str,
        units: Sequence[str] | Mapping[str, str] | None = None,
        formats: Mapping[str, str] | None = None,
    ) -> ShownTable:
        """Record a table and return what shows it.

        Args:
            key: lower-case name, unique among the run's tables.
            rows: a pandas DataFrame (its index is left out), or a sequence of mappings with the same keys.
            caption: what the table holds.
            units: one per column in order, or by column; None means none has a unit.
            formats: how a column's numbers are printed; the default is three significant digits.

        Raises:
            ValueError: no rows, unlike rows, NaN or infinity (use None for "not measured"), an unknown column.
            TypeError: a cell that is not a number, a truth value, text or None.
        """
        _check_key(key, self._tables, "table")
        shown = shown_table(f"table {key!r}", rows, caption, units or {}, formats or {})
        self._tables[key] = shown
        return shown

    def summary(self, names: Mapping[str, str]) -> ShownTable:
        """Return a table of values recorded so far, to show below a cell.

        Args:
            names: what each value is, in words, and its key: {"accuracy on clean digits": "classifier.accuracy"}.

        Raises:
            KeyError: a key that has not been recorded.
        """
        missing = [key for key in names.values() if key not in self._values]
        if missing:
            raise KeyError(f"summary: expected keys recorded before, got {', '.join(missing)}")
        rows = [{"measured": words, "value": describe_value(self._values[key])} for words, key in names.items()]
        return shown_table("summary", rows, "Measured in this run.", {}, {})

    def data(self) -> RecordData:
        """Return the record so far, as `write` would store it."""
        record = {
            "schema": SCHEMA,
            "notebook": self.notebook,
            "profile": self._profile,
            "provenance": {**self._provenance, "duration_s": round(time.perf_counter() - self._clock, 3)},
            "values": self._values,
            "figures": {key: shown.entry() for key, shown in self._figures.items()},
            "tables": {key: shown.entry() for key, shown in self._tables.items()},
        }
        check_record(record, source=self.notebook)
        return record

    def claims_table(self) -> ShownTable:
        """Return the table of the claims that this notebook answers, judged from the values recorded so far.

        Other notebooks' values, where a claim compares with them, come from the same folder of results.

        Raises:
            LookupError: a claim asks for a value that this notebook has not recorded.
            FileNotFoundError: no folder of claims (see `claims.claims_folder`).
        """
        from blindspots.reports.claims import claims_folder, load_claims, notebook_claims_table

        return notebook_claims_table(load_claims(claims_folder()), self.data(), others=self._root / self._profile)

    def write(self) -> Path:
        """Write the record and its figures, and return the record's path.

        Figures of an earlier run that this one does not have are removed.

        Raises:
            OSError: the folder cannot be written to; the earlier record is still there.
        """
        content = json.dumps(self.data(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        folder = self.path.parent
        for shown in self._figures.values():
            write_atomically(folder / shown.file, shown.light_svg)
            write_atomically(folder / shown.dark, shown.dark_svg)
        write_atomically(self.path, content.encode())
        kept = {name for shown in self._figures.values() for name in (shown.file, shown.dark)}
        for path in self.path.with_suffix("").glob("*.svg"):
            if f"{path.parent.name}/{path.name}" not in kept:
                path.unlink()
        return self.path


def _check_key(key: str, used: Mapping[str, object], kind: str) -> None:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise ValueError(f"{kind}: expected a key of lower-case letters, digits and _ . -, got {key!r}")
    if key in used:
        raise ValueError(f"{kind} {key!r}: this key is in use; choose another, or make the record anew")


def _check_count(number: object, name: str, *, at_least: int | None = 1) -> None:
    from blindspots.checks import check_number

    check_number(number, name, at_least=at_least, integer=True)


def _json_able(parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(dict(parameters), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"parameters: expected a dictionary of JSON values, got {parameters!r}: {error}") from error


def _spread(spread: Sequence[Any], value: Plain, where: str) -> list[float]:
    low, high = (float(plain_value(bound, f"{where}: spread")) for bound in spread)
    slack = 1e-9 * max(1.0, abs(low), abs(high))  # a mean of equal numbers may differ from them by rounding
    if not is_number(value) or not low - slack <= value <= high + slack:
        raise ValueError(f"{where}: spread: expected low <= {value} <= high, got [{low}, {high}]")
    return [low, high]


def _t_interval(numbers: Sequence[float], mean: float) -> tuple[float, float]:
    from scipy import stats

    deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in numbers) / (len(numbers) - 1))
    half = float(stats.t.ppf(0.975, len(numbers) - 1)) * deviation / math.sqrt(len(numbers))
    return mean - half, mean + half


def _close(figure: Figure) -> None:
    """Keep a notebook from showing the figure a second time by itself, if it was opened through pyplot."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
