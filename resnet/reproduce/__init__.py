"""Reproducing the papers: claims, the runs that they need, and the verdicts that follow."""

from resnet.reproduce.claims import CLAIMS, Claim
from resnet.reproduce.work import plan, records_folder, reproduce

__all__ = ["CLAIMS", "Claim", "plan", "records_folder", "reproduce"]
