"""Claims: what a paper states, where, what would count as reproducing it, and which recorded value answers it.

They are declared in YAML, one file per paper below `book/claims/`, so that a rule stands in the history before the run
that it judges. A judgement is computed from records and never typed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from blindspots.reports.display import ShownTable
from blindspots.reports.near_names import near_names
from blindspots.reports.rules import NOT_ATTEMPTED, VERDICTS, Rule, parse_rule
from blindspots.reports.schema import KEY, NOTEBOOK, RecordData, read_records
from blindspots.reports.values import describe_values

__all__ = [
    "PAPERS", "PARTS", "VERDICTS", "Claim", "Judgement", "claims_folder", "judge", "load_claims",
    "notebook_claims_table",
]  # fmt: skip

PAPERS = ("p0", "p1", "p2", "p3", "p4")
PART_TITLES = {
    "attacks": "I · Attacks",
    "fairness": "II · Fairness",
    "purify": "III · Purification",
    "latent": "IV · Latent space",
    "debias": "V · Debiasing",
    "criticism": "VI · Criticism",
    "crossings": "VII · Crossings",
}
PARTS = tuple(PART_TITLES)

_ID = re.compile(r"(p[0-9])-[a-z0-9][a-z0-9.-]*")
_TEXTS = ("id", "paper", "part", "place", "statement", "reported", "scale", "not_attempted")
_ALWAYS = ("id", "paper", "part", "place", "statement", "reported")
_KNOWN = (*_TEXTS, "rule", "record", "records")


@dataclass(frozen=True)
class Claim:
    """One claim of a paper.

    `reported` is what the paper gives, as written in the claim's file; `records` are "<part>/<name>#<key>", in the
    rule's order; `rule` and `records` are empty where `not_attempted` says why nothing was run; `scale` says what ours
    runs on where that is smaller or other than the paper's; `source` is the claim's file and line.
    """

    id: str
    paper: str
    part: str
    place: str
    statement: str
    reported: str
    rule: Rule | None = None
    records: tuple[str, ...] = ()
    scale: str = ""
    not_attempted: str = ""
    source: str = ""

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The notebooks whose records answer the claim, each once."""
        return tuple(dict.fromkeys(reference.split("#")[0] for reference in self.records))

    def rule_words(self) -> str:
        """Return what counts as reproduced, in words."""
        return "" if self.rule is None else self.rule.words()


@dataclass(frozen=True)
class Judgement:
    """What the records say about a claim.

    `verdict` is one of VERDICTS; `measured` the values as printed, with spread, seeds, n and note, or why the run left
    one of them out; `recorded` the values as stored, in the rule's order; `text` one line with all of it, or the reason
    why nothing was attempted; `detail` the end of `measured`, in parentheses there, that holds for all of the values.
    """

    verdict: str
    measured: str
    recorded: tuple[Any, ...]
    text: str
    detail: str = ""


def claims_folder() -> Path:
    """Return the folder of claims: BLINDSPOTS_CLAIMS, or `book/claims` of the repository that holds the working folder.

    Raises:
        FileNotFoundError: there is none.
    """
    named = os.environ.get("BLINDSPOTS_CLAIMS")
    here = Path.cwd()
    above = [here, *here.parents, *Path(__file__).resolve().parents]
    for folder in [Path(named)] if named else [folder / "book" / "claims" for folder in above]:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"{named or 'book/claims'}: no such folder of claims; run inside the repository or set BLINDSPOTS_CLAIMS"
    )


def load_claims(folder: str | Path) -> tuple[Claim, ...]:
    """Return the claims in the `*.yml` files of a folder, in the order of the files and of the lines.

    Raises:
        FileNotFoundError: no such folder, or no claims in it.
        ValueError: bad YAML, an unknown, repeated or missing field, an unknown rule, a repeated id; the message names
            the file and the line.
    """
    folder = Path(folder)
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise FileNotFoundError(f"{folder}: expected files of claims (*.yml), got none; set BLINDSPOTS_CLAIMS")
    claims: dict[str, Claim] = {}
    for file in files:
        for claim in _file_claims(file):
            if claim.id in claims:
                raise ValueError(f"{claim.source}: id: {claim.id!r} is already declared at {claims[claim.id].source}")
            claims[claim.id] = claim
    return tuple(claims.values())


def judge(claim: Claim, records: Mapping[str, RecordData]) -> Judgement:
    """Return the verdict on a claim; a value that the run says it did not attempt leaves the claim not attempted.

    Args:
        claim: the claim.
        records: records by notebook (see `schema.read_records`); other notebooks' records may be among them.

    Raises:
        LookupError: a record or a key that the claim names is not there.
        ValueError: a recorded value of the wrong kind for the rule.
    """
    if claim.rule is None:
        return Judgement(NOT_ATTEMPTED, "", (), claim.not_attempted)
    entries = [_entry(claim, reference, records) for reference in claim.records]
    if reasons := [entry["note"] for entry in entries if entry["value"] == NOT_ATTEMPTED]:
        why = "; ".join(dict.fromkeys(reasons))
        return Judgement(NOT_ATTEMPTED, why, (), why)
    values = tuple(entry["value"] for entry in entries)
    try:
        verdict = claim.rule.verdict(values)
    except ValueError as error:
        raise ValueError(f"{claim.source}: claim {claim.id}: {error}") from error
    measured, detail = describe_values(entries)
    whole = f"{measured} ({detail})" if detail else measured
    words = f"{whole}. Rule: {claim.rule_words()}. Verdict: {verdict}."
    return Judgement(verdict, whole, values, words, detail)


def notebook_claims_table(claims: Sequence[Claim], record: RecordData, *, others: str | Path) -> ShownTable:
    """Return the table of the claims that one notebook answers.

    Args:
        claims: all claims.
        record: the notebook's record so far.
        others: the folder `<results>/<profile>` with other notebooks' records, for claims that compare with them.

    A value that the record lacks, because the notebook ran with other parameters, leaves its claim without a
    verdict; the book's pages and its scorecard refuse such a record.

    Raises:
        ValueError: no claim names the notebook.
    """
    notebook = record["notebook"]
    mine = [claim for claim in claims if notebook in claim.notebooks]
    if not mine:
        raise ValueError(f"{notebook}: expected a claim that names this notebook, got none; declare it in book/claims")
    records = {notebook: record}
    if any(claim.notebooks != (notebook,) for claim in mine):
        records = {**read_records(others), **records}
    rows = []
    for claim in mine:
        waiting = [name for name in claim.notebooks if name not in records]
        judgement, instead = None, f"needs {', '.join(waiting)} to have run"
        if not waiting:
            try:
                judgement = judge(claim, records)
            except LookupError:
                instead = "not measured with these parameters"
        rows.append(
            (
                f"{claim.statement} ({claim.paper.upper()}, {claim.place})",
                claim.reported,
                judgement.measured if judgement else instead,
                claim.rule_words(),
                judgement.verdict if judgement else None,
            )
        )
    columns = ("claim", "paper", "ours", "rule", "verdict")
    caption = f"The claims that this notebook answers, at the scale of the {record['profile']} profile."
    return ShownTable(columns, tuple(rows), caption, ("",) * 5, ("",) * 5)


def _entry(claim: Claim, reference: str, records: Mapping[str, RecordData]) -> dict[str, Any]:
    notebook, key = reference.split("#")
    if notebook not in records:
        raise LookupError(f"{claim.source}: claim {claim.id}: no record of {notebook}; run that notebook")
    values = records[notebook]["values"]
    if key not in values:
        raise LookupError(
            f"{claim.source}: claim {claim.id}: the record of {notebook} has no value {key!r}; it has "
            f"{near_names(key, values)}"
        )
    return values[key]


def _file_claims(file: Path) -> list[Claim]:
    loader = None
    try:
        loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        top = _fields(file, root, loader) if isinstance(root, yaml.MappingNode) else {}
        if set(top) != {"claims"} or not isinstance(top["claims"], yaml.SequenceNode):
            raise ValueError(f"{file}:1: expected one list under 'claims:', got {', '.join(top) or 'no mapping'}")
        return [_claim(file, node, loader) for node in top["claims"].value]
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: expected UTF-8 text, got other bytes at {error.start}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ValueError(f"{file}:{line}: expected YAML, got {getattr(error, 'problem', None) or error}") from error
    finally:
        if loader is not None:
            loader.dispose()


def _claim(file: Path, node: yaml.Node, loader: yaml.SafeLoader) -> Claim:
    source = f"{file}:{node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{source}: expected a claim with an id, got {node.value!r:.80}")
    nodes = _fields(file, node, loader)
    for name, value in nodes.items():
        if name not in _KNOWN:
            line = value.start_mark.line + 1
            raise ValueError(f"{file}:{line}: expected fields of {', '.join(_KNOWN)}; got {name!r}")
    # Scalars are taken as written: a reported 0.510 must not be shown as 0.51.
    given = {name: _text(file, name, nodes[name]) for name in _TEXTS if name in nodes}
    missing = [name for name in _ALWAYS if name not in given]
    if missing:
        raise ValueError(f"{source}: expected the field {missing[0]!r}, got none")
    _check_names(given, source)
    attempted = "not_attempted" not in given
    if attempted != ("rule" in nodes) or attempted != (("record" in nodes) != ("records" in nodes)):
        raise ValueError(f"{source}: expected a rule with one of record and records, or not_attempted alone")
    if not attempted:
        return Claim(**given, source=source)
    if "scale" not in given:
        raise ValueError(f"{source}: expected the field 'scale', got none; say what ours runs on")
    references = loader.construct_object(nodes.get("record", nodes.get("records")), deep=True)
    references = (references,) if "record" in nodes else tuple(references if isinstance(references, list) else ())
    for reference in references or ("",):
        notebook, _, key = str(reference).partition("#")
        if not NOTEBOOK.fullmatch(notebook) or not KEY.fullmatch(key):
            raise ValueError(f"{source}: record: expected '<part>/<notebook>#<key>', got {reference!r}")
    if isinstance(nodes["rule"], yaml.MappingNode):
        _fields(file, nodes["rule"], loader)  # a repeated parameter is an error, not the last one's victory
    try:
        rule = parse_rule(loader.construct_object(nodes["rule"], deep=True), len(references))
    except ValueError as error:
        raise ValueError(f"{file}:{nodes['rule'].start_mark.line + 1}: {error}") from error
    return Claim(**given, rule=rule, records=references, source=source)


def _fields(file: Path, node: yaml.MappingNode, loader: yaml.SafeLoader) -> dict[str, yaml.Node]:
    found: dict[str, yaml.Node] = {}
    for key_node, value_node in node.value:
        name = str(loader.construct_object(key_node, deep=True))
        if name in found:
            raise ValueError(f"{file}:{key_node.start_mark.line + 1}: expected each field once, got {name!r} again")
        found[name] = value_node
    return found


def _text(file: Path, name: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        raise ValueError(f"{file}:{node.start_mark.line + 1}: {name}: expected text, got nothing or a collection")
    return " ".join(node.value.split())


def _check_names(given: Mapping[str, str], source: str) -> None:
    for name, choices in (("paper", PAPERS), ("part", PARTS)):
        if given[name] not in choices:
            raise ValueError(f"{source}: {name}: expected one of {', '.join(choices)}; got {given[name]!r}")
    match = _ID.fullmatch(given["id"])
    if not match or match[1] != given["paper"]:
        wanted = f"'{given['paper']}-' and lower-case letters, digits, . and -"
        raise ValueError(f"{source}: id: expected {wanted}; got {given['id']!r}")
