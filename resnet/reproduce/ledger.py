"""Records to verdicts: for each claim what was run, on what, and whether it holds.

A verdict is computed from records and from nothing else. A record counts for a claim at a scale if
its network, its recipe, its seed and its precision are those of the scale's setting; the folder it
lies in does not matter. Records of different data are never taken together.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from resnet.reproduce.checks import Check, Counted, Estimate, Less, Outcome, combined, values
from resnet.reproduce.claim import Claim
from resnet.reproduce.settings import Setting
from resnet.reproduce.work import records_folder
from resnet.training.records import Run
from resnet.translation import _

JUDGED = ("papers", "gpu", "cpu")  # the larger scale first; a smoke run says nothing about a claim
CANONICAL = {"cifar10": "CIFAR-10", "fashion-mnist": "Fashion-MNIST"}  # names in `Run.data`


class Verdict(StrEnum):
    """What has become of a claim."""

    REPRODUCED = _("reproduced")
    DIRECTION = _("direction reproduced at reduced scale")
    OPPOSITE = _("opposite at reduced scale")
    UNDECIDED = _("undecided")
    NOT_REPRODUCED = _("not reproduced")
    NOT_RUN = _("not run")
    NOT_ASKED = _("not asked here")


@dataclass
class Finding:
    """A claim, the records of one scale on one data set, and what follows.

    Attributes:
        claim: see `CLAIMS`.
        scale: one of `JUDGED`; "" for a claim that needs no training.
        runs: by row of the scale, in the order of the seeds; all on the same data.
        full: whether this is the paper's training on the paper's data.

    """

    claim: Claim
    scale: str = ""
    runs: dict[str, list[Run]] = field(default_factory=dict)
    full: bool = True

    @property
    def planned(self) -> tuple[int, ...]:
        """The seeds that are judged."""
        return self.claim.settings[self.scale].seeds if self.scale else ()

    @functools.cached_property
    def outcomes(self) -> list[tuple[Check, Outcome]]:
        """Each check that is asked at this scale, and what the records say about it."""
        return [(c, self._outcome(c)) for c in self.claim.asked(self.scale, full=self.full)]

    def _outcome(self, check: Check) -> Outcome:
        numbers = self.numbers(check)
        if any(len(numbers[row]) < len(self.planned) for row in check.rows):
            return Outcome.NOT_RUN
        return check.outcome(numbers)

    def numbers(self, check: Check) -> dict[str, list[float]]:
        """Return a check's quantity of each run of its rows."""
        if isinstance(check, Counted):
            return {}
        return {row: values(self.runs.get(row, ()), check.quantity) for row in check.rows}

    def estimate(self, check: Check) -> Estimate | None:
        """Return the difference that an order is about, or a mean; None without the records."""
        if isinstance(check, Counted) or self._outcome(check) is Outcome.NOT_RUN:
            return None
        weights = check.weights if isinstance(check, Less) else {check.row: 1.0}
        return combined(weights, self.numbers(check))

    @functools.cached_property
    def adjusted(self) -> dict[Check, float]:
        """The p of each order, by Holm's method: for whoever reads one order of a claim's several.

        Orders that are still to be run count among the several.
        """
        several = sum(isinstance(check, Less) for check, _ in self.outcomes)
        orders = [
            (check, check.p_value(self.numbers(check)))
            for check, outcome in self.outcomes
            if isinstance(check, Less) and outcome is not Outcome.NOT_RUN
        ]
        found: dict[Check, float] = {}
        least = 0.0
        for i, (check, p) in enumerate(sorted(orders, key=lambda pair: pair[1])):
            least = found[check] = max(least, min(1.0, p * (several - i)))
        return found

    @property
    def verdict(self) -> Verdict:
        """Return what follows from the outcomes: all that is asked must hold."""
        found = {outcome for _, outcome in self.outcomes}
        if not found:
            return Verdict.NOT_ASKED
        if Outcome.NOT_RUN in found:
            return Verdict.NOT_RUN
        if found == {Outcome.HOLDS}:
            return Verdict.REPRODUCED if self.full else Verdict.DIRECTION
        if found & {Outcome.OPPOSITE, Outcome.OUTSIDE}:
            return Verdict.NOT_REPRODUCED if self.full else Verdict.OPPOSITE
        return Verdict.UNDECIDED

    @property
    def reason(self) -> str:
        """Say in a few words what the verdict rests on."""
        if self.verdict is Verdict.NOT_ASKED:
            return self.claim.not_asked
        outcomes = [outcome for _, outcome in self.outcomes]
        if self.verdict is Verdict.NOT_RUN:
            if not self.all_runs:
                return self.claim.not_asked
            rows = dict.fromkeys(row for check, _ in self.outcomes for row in check.rows)
            done = min(len(self.runs.get(row, ())) for row in rows)
            failed = any("failed" in run.measured for run in self.all_runs)
            complete = _("{n} of {planned} seeds are complete", n=done, planned=len(self.planned))
            return _("{complete}; a training run failed", complete=complete) if failed else complete
        counts = [(o, outcomes.count(o)) for o in Outcome if o in outcomes]
        of = len(outcomes)
        return ", ".join(_("{outcome}: {n} of {of}", outcome=o, n=n, of=of) for o, n in counts)

    @property
    def all_runs(self) -> list[Run]:
        """The runs of all rows."""
        return [run for runs in self.runs.values() for run in runs]

    @property
    def conditions(self) -> str:
        """Say what was run: data, and how it differs from the paper."""
        if not self.scale:
            return _("counted, nothing to train")
        if not self.all_runs:
            return _("nothing yet")
        return f"{self.all_runs[0].data_name}; {self.claim.settings[self.scale].note}"

    @property
    def seeds(self) -> str:
        """Say how many seeds each network has."""
        counts = sorted({len(runs) for runs in self.runs.values()})
        return _(" to ").join(map(str, dict.fromkeys([counts[0], counts[-1]]))) if counts else ""


def load_records(folder: str | Path | None = None) -> list[Run]:
    """Read all records below a folder, by name; default: `records_folder`.

    Raises:
        ValueError: naming the file, if it is no record of this schema.

    """
    root = Path(folder) if folder is not None else records_folder()
    return [Run.load(path) for path in sorted(root.rglob("*.json"))]


def findings(claim: Claim, records: Iterable[Run]) -> list[Finding]:
    """Sort records into findings, the larger scale first; a single one without runs if none fits.

    At one scale the paper's own data come before others.

    Args:
        claim: one of `CLAIMS`.
        records: any runs; those that are not the claim's are passed over, and of two with one
            network, data and seed the first counts.

    """
    records = list(records)
    scales = [scale for scale in JUDGED if scale in claim.settings]
    if not scales:  # nothing to train
        return [Finding(claim)]
    found = [f for scale in scales for f in _at(claim, scale, records)]
    last = scales[-1]
    return found or [Finding(claim, last, no_runs(claim, last), claim.settings[last].full)]


def no_runs(claim: Claim, scale: str) -> dict[str, list[Run]]:
    """Return the rows that a scale runs, each with an empty list."""
    return {row: [] for row in claim.trained(scale)}


def _at(claim: Claim, scale: str, records: Sequence[Run]) -> list[Finding]:
    setting = claim.settings[scale]
    by_data: dict[tuple[object, ...], Finding] = {}
    for row, (network, recipe) in claim.trained(scale).items():
        wanted = network, recipe.describe(), setting.precision
        for run in sorted(records, key=lambda run: run.seed):
            if (run.network, run.recipe, run.settings.get("precision")) != wanted:
                continue
            if run.seed not in setting.seeds:
                continue
            data = (run.data["name"], run.data["sha256"], run.data["sample"])
            key = (not is_canonical(run, setting), *data)
            if key not in by_data:
                full = setting.full and is_canonical(run, setting)
                by_data[key] = Finding(claim, scale, no_runs(claim, scale), full)
            runs = by_data[key].runs[row]
            if all(run.seed != other.seed for other in runs):
                runs.append(run)
    return [by_data[key] for key in sorted(by_data)]


def is_canonical(run: Run, setting: Setting) -> bool:
    """Say whether a run's data are the whole set that the paper used, not a copy or a sample."""
    return (
        run.data["name"] == CANONICAL[setting.data]
        and not run.data["sample"]
        and bool(run.data["canonical"])
    )


def verdict(claim: Claim, records: Iterable[Run]) -> Finding:
    """Return the finding that decides: of the largest scale that has been run."""
    found = findings(claim, records)
    return next((f for f in found if f.verdict is not Verdict.NOT_RUN), found[0])
