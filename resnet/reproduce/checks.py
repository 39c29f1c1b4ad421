"""What a claim asserts about records, as data, and whether it holds."""

import functools
import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

import torch

from resnet.measure import count_parameters, multiply_adds
from resnet.nets import cifar_resnet, imagenet_resnet
from resnet.runs import Run
from resnet.tables import PLUS_MINUS

LEVEL = 0.05  # of the one-sided test that an order has to pass
LEAST_SEEDS = 2  # below this there is no deviation to compare with

Quantity = Literal["train_error", "test_error", "response"]
Runs = Mapping[str, Sequence[Run]]  # by row of the claim

WORDS: dict[Quantity, str] = {
    "train_error": "training error (%)",
    "test_error": "test error (%)",
    "response": "mean response",
}


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


def mean_deviation(numbers: Sequence[float]) -> str:
    """Write mean and standard deviation over seeds; one number alone has no deviation."""
    if not numbers:
        return "not run"
    mean = f"{statistics.fmean(numbers):.2f}"
    return mean + (f"{PLUS_MINUS}{statistics.stdev(numbers):.2f}" if len(numbers) > 1 else "")


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

    def __str__(self) -> str:
        return f"{WORDS[self.quantity]}: {self.a} < {self.b}"

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that it needs."""
        return self.a, self.b

    def compared(self, runs: Runs) -> tuple[str, str]:
        """Write what is compared: the means over seeds of both rows."""
        first, second = (mean_deviation(values(runs.get(r, ()), self.quantity)) for r in self.rows)
        return first, second

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

    def __str__(self) -> str:
        return f"{WORDS[self.quantity]}: {self.row} from {self.low:.2f} to {self.high:.2f}"

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that it needs."""
        return (self.row,)

    def compared(self, runs: Runs) -> tuple[str, str]:
        """Write what is compared: the mean over seeds and the range."""
        mean = mean_deviation(values(runs.get(self.row, ()), self.quantity))
        return mean, f"{self.low:.2f} to {self.high:.2f}"

    def outcome(self, runs: Runs) -> Outcome:
        """Say what the records of the row say."""
        if len(runs.get(self.row, ())) < LEAST_SEEDS:
            return Outcome.NOT_RUN
        mean = statistics.fmean(values(runs[self.row], self.quantity))
        return Outcome.HOLDS if self.low <= mean <= self.high else Outcome.OUTSIDE


@dataclass(frozen=True)
class Counted:
    """A network has as many parameters, or multiply-adds, as were published. No run is needed.

    Attributes:
        quantity: what is counted; multiply-adds for one image of 224x224 pixels.
        depth: of the network: ImageNet's for multiply-adds, CIFAR's with option A for parameters.
        published: the number in the paper, in `UNITS`.
        tolerance: in the same unit, from the digits that are printed.

    """

    UNITS: ClassVar = {"parameters": 1e6, "multiply-adds": 1e9}

    quantity: Literal["parameters", "multiply-adds"]
    depth: int
    published: float
    tolerance: float
    rows: ClassVar[tuple[str, ...]] = ()
    needs_full: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"{self.quantity}: ResNet-{self.depth}"

    @property
    def count(self) -> int:
        """Our number."""
        return _count(self.quantity, self.depth)

    def compared(self, runs: Runs) -> tuple[str, str]:
        """Write what is compared: our count and the published one."""
        power = {1e6: "10⁶", 1e9: "10⁹"}[self.UNITS[self.quantity]]
        return f"{self.count:,}", f"{self.published} · {power}"

    def outcome(self, runs: Runs) -> Outcome:
        """Compare the count with the published one."""
        difference = abs(self.count / self.UNITS[self.quantity] - self.published)
        return Outcome.HOLDS if difference <= self.tolerance else Outcome.OUTSIDE


@functools.cache
def _count(quantity: str, depth: int) -> int:
    with torch.device("meta"):  # no numbers are needed in it
        if quantity == "parameters":
            return count_parameters(cifar_resnet(depth))
        net = imagenet_resnet(depth)
    return multiply_adds(net, (1, 3, 224, 224))


Check = Less | Within | Counted
