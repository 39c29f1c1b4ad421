"""What a claim asserts about records, as data, and whether it holds."""

import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from resnet.runs import Run

LEVEL = 0.05  # of the one-sided test that an order has to pass
LEAST_SEEDS = 2  # below this there is no deviation to compare with

Quantity = Literal["train_error", "test_error", "response"]
Runs = Mapping[str, Sequence[Run]]  # by row of the claim


class Outcome(StrEnum):
    """What the records say about a check."""

    HOLDS = "holds"
    OPPOSITE = "the opposite holds"
    NOT_SEPARABLE = "not separable"
    OUTSIDE = "outside the tolerance"
    NOT_RUN = "not run"


def value(run: Run, quantity: Quantity) -> float:
    """Return what a run came to in its last row.

    "train_error" and "test_error" are in percent; a training that failed has that of guessing.
    "response" is the mean over the layers of the deviations that `layer_responses` gives.

    Raises:
        ValueError: if the record has no such measurement.

    """
    if quantity == "response":
        if not run.measured.get("responses"):
            raise ValueError(f"the record of {run.network}, seed {run.seed}, has no responses")
        return statistics.fmean(run.measured["responses"])
    if "failed" in run.measured:
        return 90.0  # ten classes
    return 100 * (1 - run.rows[-1][quantity.replace("error", "accuracy")])


def values(runs: Sequence[Run], quantity: Quantity) -> list[float]:
    """Return the last values of several runs."""
    return [value(run, quantity) for run in runs]


@dataclass(frozen=True)
class Less:
    """Row `a` has a smaller `quantity` than row `b`: Welch's one-sided t-test over seeds.

    Attributes:
        quantity: see `value`.
        a: the row that should have less.
        b: the row that should have more.
        needs_full: whether the check makes sense at the papers' scale only.

    """

    quantity: Quantity
    a: str
    b: str
    needs_full: bool = False

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that it needs."""
        return self.a, self.b

    def p_value(self, runs: Runs) -> float:
        """Return how probable such a difference, or a larger one, is if there is none."""
        from scipy.stats import ttest_ind  # takes long to import

        first, second = (values(runs[row], self.quantity) for row in self.rows)
        if len({*first}) == len({*second}) == 1:  # no deviation at all: nothing to estimate
            difference = first[0] - second[0]
            return 0.5 if not difference else float(difference > 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # nearly equal values
            return float(ttest_ind(first, second, equal_var=False, alternative="less").pvalue)

    def outcome(self, runs: Runs) -> Outcome:
        """Say what the records of the rows say."""
        if any(len(runs.get(row, ())) < LEAST_SEEDS for row in self.rows):
            return Outcome.NOT_RUN
        p = self.p_value(runs)
        if p < LEVEL:
            return Outcome.HOLDS
        return Outcome.OPPOSITE if p > 1 - LEVEL else Outcome.NOT_SEPARABLE


@dataclass(frozen=True)
class Within:
    """The mean `quantity` of a row lies between `low` and `high`.

    Attributes:
        quantity: see `value`.
        row: the row.
        low: the smallest mean allowed.
        high: the largest.
        needs_full: whether the check makes sense at the papers' scale only.

    """

    quantity: Quantity
    row: str
    low: float
    high: float
    needs_full: bool = True

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that it needs."""
        return (self.row,)

    def outcome(self, runs: Runs) -> Outcome:
        """Say what the records of the row say."""
        if len(runs.get(self.row, ())) < LEAST_SEEDS:
            return Outcome.NOT_RUN
        mean = statistics.fmean(values(runs[self.row], self.quantity))
        return Outcome.HOLDS if self.low <= mean <= self.high else Outcome.OUTSIDE


Check = Less | Within
