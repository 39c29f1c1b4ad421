"""What a claim asserts about records, as data, and whether it holds."""

import functools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal, NamedTuple

import torch

from resnet.measure import count_parameters, multiply_adds
from resnet.reproduce.settings import WINDOW
from resnet.tables import PLUS_MINUS
from resnet.training.records import Run
from resnet.translation import _
from resnet.variants import network

LEVEL = 0.05  # of the one-sided test that an order has to pass
EARLY = 800
FAILED = 90.0  # percent: the error of guessing among ten classes

Quantity = Literal[
    "train_error",
    "warm_up_error",
    "early_error",
    "later_error",
    "train_error_mean",
    "test_error",
    "response",
]
# errors before the end: the step that their window ends with
ENDS: dict[Quantity, int] = {
    "warm_up_error": WINDOW,
    "early_error": EARLY,
    "later_error": 2 * EARLY,
}
Runs = Mapping[str, Sequence[Run]]  # by row of the claim
Values = Mapping[str, Sequence[float]]  # likewise, a number for each seed

WORDS: dict[Quantity, str] = {
    "train_error": _("training error (%)"),
    **{
        name: _("training error, steps {first} to {last} (%)", first=end - WINDOW + 1, last=end)
        for name, end in ENDS.items()
    },
    "train_error_mean": _("training error, mean over all steps (%)"),
    "test_error": _("test error (%)"),
    "response": _("median response"),
}


class Outcome(StrEnum):
    """What the records say about a check."""

    HOLDS = _("holds")
    OPPOSITE = _("the opposite holds")
    NOT_SEPARABLE = _("not separable")
    OUTSIDE = _("outside the tolerance")
    NOT_RUN = _("not run")


def value(run: Run, quantity: Quantity) -> float | None:
    """Return what a run came to; None if it has no such number.

    Errors are in percent, those of the last row where nothing else is said. A training that failed
    has that of guessing. "response" is the median over the layers of what `layer_responses` gives.
    """
    if quantity == "response":
        responses = run.measured.get("responses")
        return statistics.median(responses) if responses else None
    if "failed" in run.measured:
        return FAILED
    if quantity == "train_error_mean":
        weights = run.column("images")
        pairs = zip(run.column("train_accuracy"), weights, strict=True)
        return 100 * (1 - sum(a * n for a, n in pairs) / sum(weights))
    if end := ENDS.get(quantity):
        window = [row for row in run.rows if row["step"] == end]
        if run.rows[-1]["step"] < end:  # a smoke run
            window = run.rows[:1]
        return 100 * (1 - window[0]["train_accuracy"]) if window else None
    return 100 * (1 - run.rows[-1][quantity.replace("error", "accuracy")])


def values(runs: Sequence[Run], quantity: Quantity) -> list[float]:
    """Return what several runs came to, those that have such a number."""
    found = [value(run, quantity) for run in runs]
    return [number for number in found if number is not None]


def mean_deviation(numbers: Sequence[float]) -> str:
    """Write mean and standard deviation over seeds; one number alone has no deviation."""
    if not numbers:
        return _("not run")
    mean = f"{statistics.fmean(numbers):.2f}"
    return mean + (f"{PLUS_MINUS}{statistics.stdev(numbers):.2f}" if len(numbers) > 1 else "")


class Estimate(NamedTuple):
    """A combination of means over seeds: its value, standard error, and degrees of freedom."""

    mean: float
    error: float
    freedom: float

    def below(self, bound: float = 0.0) -> float:
        """Return the p of "the true value is below the bound", Student's one-sided test."""
        from scipy.special import stdtr

        if not self.error:  # all seeds alike: nothing to estimate
            return 0.5 if self.mean == bound else float(self.mean > bound)
        return float(stdtr(self.freedom, (self.mean - bound) / self.error))

    def interval(self, level: float = 1 - 2 * LEVEL) -> tuple[float, float]:
        """Return an interval by a rule that covers the true value with this probability.

        At the default, 90%, an order holds if and only if the whole interval is on its side.
        """
        from scipy.special import stdtrit

        half = self.error and self.error * float(stdtrit(self.freedom, (1 + level) / 2))
        return self.mean - half, self.mean + half


def combined(weights: Mapping[str, float], values: Values) -> Estimate:
    """Estimate the weighted sum of rows' means; Welch's error, Satterthwaite's freedom."""
    mean, parts = 0.0, []
    for row, weight in weights.items():
        numbers = values[row]
        mean += weight * statistics.fmean(numbers)
        parts.append((weight**2 * statistics.variance(numbers) / len(numbers), len(numbers) - 1))
    variance = sum(v for v, _ in parts)
    freedom = variance**2 / sum(v**2 / n for v, n in parts) if variance else float("inf")
    return Estimate(mean, variance**0.5, freedom)


@dataclass(frozen=True)
class Less:
    """Side `a` has less of a quantity than side `b`: Welch's one-sided t-test over seeds.

    Attributes:
        quantity: see `value`.
        a: the side that should have less: a row, or two rows of which the second is subtracted.
        b: the side that should have more.
        margin: how much more than `b` the side `a` may have.
        needs_full: whether the check makes sense at the papers' scale only.

    """

    quantity: Quantity
    a: str | tuple[str, str]
    b: str | tuple[str, str]
    margin: float = 0.0
    needs_full: bool = False

    def __str__(self) -> str:
        a, b = (side if isinstance(side, str) else " − ".join(side) for side in (self.a, self.b))
        more = f" + {self.margin:g}" if self.margin else ""
        return f"{WORDS[self.quantity]}: {a} < {b}{more}"

    @property
    def weights(self) -> dict[str, float]:
        """The rows, with the factors of their means in the difference of the sides."""
        found: dict[str, float] = {}
        for sign, side in ((1.0, self.a), (-1.0, self.b)):
            for i, row in enumerate((side,) if isinstance(side, str) else side):
                found[row] = found.get(row, 0.0) + sign * (-1) ** i
        return found

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that it needs."""
        return tuple(self.weights)

    def difference(self, values: Values) -> Estimate:
        """Estimate side `a` minus side `b`."""
        return combined(self.weights, values)

    def p_value(self, values: Values) -> float:
        """Return how probable such a difference, or a smaller one, is if there is none."""
        return self.difference(values).below(self.margin)

    def outcome(self, values: Values) -> Outcome:
        """Say what the numbers of the rows say."""
        p = self.p_value(values)
        if p < LEVEL:
            return Outcome.HOLDS
        return Outcome.OPPOSITE if p > 1 - LEVEL else Outcome.NOT_SEPARABLE


@dataclass(frozen=True)
class Within:
    """The mean `quantity` of a row is a published one, up to a tolerance: a test of equivalence.

    It holds if the whole 90% interval of the mean lies between the bounds (two one-sided tests at
    5%), and fails if the whole interval lies outside.

    Attributes:
        quantity: see `value`.
        row: the row.
        low: the lower bound.
        high: the upper one.
        needs_full: whether the check makes sense at the papers' scale only.

    """

    quantity: Quantity
    row: str
    low: float
    high: float
    needs_full: bool = True

    def __str__(self) -> str:
        low, high = f"{self.low:.2f}", f"{self.high:.2f}"
        where = _("{row} from {low} to {high}", row=self.row, low=low, high=high)
        return f"{WORDS[self.quantity]}: {where}"

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that it needs."""
        return (self.row,)

    def outcome(self, values: Values) -> Outcome:
        """Say what the numbers of the row say."""
        low, high = combined({self.row: 1.0}, values).interval()
        if self.low <= low and high <= self.high:
            return Outcome.HOLDS
        outside = high < self.low or low > self.high
        return Outcome.OUTSIDE if outside else Outcome.NOT_SEPARABLE


@dataclass(frozen=True)
class EachWithin(Within):
    """Every run's `quantity` lies between the bounds: the range of other people's single runs."""

    def __str__(self) -> str:
        return _("{bounds}, each run", bounds=super().__str__())

    def outcome(self, values: Values) -> Outcome:
        """Say whether all runs do."""
        inside = all(self.low <= number <= self.high for number in values[self.row])
        return Outcome.HOLDS if inside else Outcome.OUTSIDE


@dataclass(frozen=True)
class Counted:
    """A network has as many parameters, or multiply-adds, as were published. No run is needed.

    Attributes:
        quantity: what is counted; multiply-adds for one image of 224x224 pixels.
        network: its name; multiply-adds are ImageNet's, with 1000 classes.
        published: the number in the paper, in `UNITS`.
        tolerance: in the same unit, from the digits that are printed.
        without_bn: whether the count leaves out BN's scales and shifts.

    """

    UNITS: ClassVar = {"parameters": 1e6, "multiply-adds": 1e9}
    WORDS: ClassVar = {"parameters": _("parameters"), "multiply-adds": _("multiply-adds")}

    quantity: Literal["parameters", "multiply-adds"]
    network: str
    published: float
    tolerance: float
    without_bn: bool = False
    rows: ClassVar[tuple[str, ...]] = ()
    needs_full: ClassVar[bool] = False

    def __str__(self) -> str:
        what = self.WORDS[self.quantity]
        if self.without_bn:
            what = _("{parameters} without those of BN", parameters=what)
        return f"{what}: {self.network}"

    @property
    def count(self) -> int:
        """Our number."""
        return _count(self.quantity, self.network, without_bn=self.without_bn)

    def outcome(self, values: Values) -> Outcome:
        """Compare the count with the published one."""
        difference = abs(self.count / self.UNITS[self.quantity] - self.published)
        return Outcome.HOLDS if difference <= self.tolerance else Outcome.OUTSIDE


@functools.cache
def _count(quantity: str, name: str, *, without_bn: bool) -> int:
    with torch.device("meta"):  # no numbers are needed in it
        if quantity == "multiply-adds":
            return multiply_adds(network(name), (1, 3, 224, 224))
        net = network(name)
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    return count_parameters(net) - without_bn * sum(map(count_parameters, norms))


Check = Less | Within | Counted
