"""Reproducing the papers: claims, the runs that they need, and the verdicts that follow."""

from resnet.reproduce.claim import Claim
from resnet.reproduce.claims import CLAIMS, LEFT_OUT, ORDER
from resnet.reproduce.ledger import Finding, Verdict, findings, load_records, verdict
from resnet.reproduce.power import power
from resnet.reproduce.tables import checks_table, ledger, rows_table
from resnet.reproduce.why import EXPERIMENTS
from resnet.reproduce.work import plan, records_folder, reproduce

__all__ = [
    "CLAIMS",
    "EXPERIMENTS",
    "LEFT_OUT",
    "ORDER",
    "Claim",
    "Finding",
    "Verdict",
    "checks_table",
    "findings",
    "ledger",
    "load_records",
    "plan",
    "power",
    "records_folder",
    "reproduce",
    "rows_table",
    "verdict",
]
