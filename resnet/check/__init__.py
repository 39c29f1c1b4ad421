"""Checks of the exercises: each says whether an answer is right, and if not, where to look.

They test what an answer does, not how it is written, and return a `Feedback` whatever they get.
Every exercise's check is here under its name; the names come from the chapters' modules.
"""

from typing import TYPE_CHECKING

# each makes its checks known to `CHECKS`
from resnet.check import (  # noqa: F401
    chapter1,
    chapter2,
    chapter3,
    chapter4,
    chapter5,
    chapter6,
    chapter7,
    chapter8,
)
from resnet.check.asking import Question
from resnet.check.curves import losses
from resnet.check.feedback import CHECKS, Feedback, summary
from resnet.check.reports import report

if TYPE_CHECKING:
    from resnet.check.feedback import Check

    def __getattr__(name: str) -> Check:
        """Return the check of an exercise."""


__all__ = ["Feedback", "Question", "losses", "report", "summary"]
__all__ += CHECKS
globals().update(CHECKS)
