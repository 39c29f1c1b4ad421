"""Reproducing the papers: claims, the runs that they need, and the verdicts that follow."""

from resnet.reproduce.claims import CLAIMS, Claim
from resnet.reproduce.ledger import (
    Finding,
    Verdict,
    checks_table,
    findings,
    ledger,
    load_records,
    rows_table,
    verdict,
)
from resnet.reproduce.work import plan, records_folder, reproduce

__all__ = [
    "CLAIMS",
    "Claim",
    "Finding",
    "Verdict",
    "checks_table",
    "findings",
    "ledger",
    "load_records",
    "plan",
    "records_folder",
    "reproduce",
    "rows_table",
    "verdict",
]
