"""Records, claims, the scorecard; figures live in `reports.figures` and `reports.images`, which import matplotlib."""

from blindspots.reports.claims import PAPERS, PARTS, Claim, Judgement, claims_folder, judge, load_claims
from blindspots.reports.record import Record
from blindspots.reports.recorded import record_run
from blindspots.reports.rules import VERDICTS
from blindspots.reports.schema import read_record, read_records
from blindspots.reports.scorecard import Scorecard, scorecard
from blindspots.reports.values import describe_value, format_value

__all__ = [
    "PAPERS",
    "PARTS",
    "VERDICTS",
    "Claim",
    "Judgement",
    "Record",
    "Scorecard",
    "claims_folder",
    "describe_value",
    "format_value",
    "judge",
    "load_claims",
    "read_record",
    "read_records",
    "record_run",
    "scorecard",
]
