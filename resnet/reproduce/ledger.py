"""Records to verdicts: for each claim what was run, on what, and whether it holds.

A verdict is computed from records and from nothing else. A record counts for a claim under a budget
if its network and its recipe are those of the budget's setting; the folder it lies in does not
matter. Records of different data are never taken together.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from resnet.reproduce.checks import LEAST_SEEDS, Check, Outcome
from resnet.reproduce.claim import Claim
from resnet.reproduce.settings import Setting
from resnet.reproduce.work import records_folder
from resnet.runs import Run

JUDGED = ("gpu", "long", "cpu")  # the larger scale first; a smoke run says nothing about a claim
CANONICAL = {"cifar10": "CIFAR-10", "fashion-mnist": "Fashion-MNIST"}  # names in `Run.data`


class Verdict(StrEnum):
    """What has become of a claim."""

    REPRODUCED = "reproduced"
    DIRECTION = "direction reproduced at reduced scale"
    NOT_REPRODUCED = "not reproduced"
    NOT_RUN = "not run"


@dataclass
class Finding:
    """A claim, the records of one budget on one data set, and what follows.

    Attributes:
        claim: see `CLAIMS`.
        budget: one of `JUDGED`; "" for a claim that needs no training.
        runs: by row of the budget, in the order of the seeds; all on the same data.
        full: whether this is the paper's scale on the paper's data.

    """

    claim: Claim
    budget: str = ""
    runs: dict[str, list[Run]] = field(default_factory=dict)
    full: bool = True

    @functools.cached_property
    def outcomes(self) -> list[tuple[Check, Outcome]]:
        """Each check that can be made at this scale, and what the records say about it."""
        checks = self.claim.checked(self.budget, full=self.full)
        return [(check, check.outcome(self.runs)) for check in checks]

    @property
    def verdict(self) -> Verdict:
        """Return what follows from the outcomes: all checks must hold, and all must be made."""
        found = {outcome for _, outcome in self.outcomes}
        if not found or Outcome.NOT_RUN in found:
            return Verdict.NOT_RUN
        if found != {Outcome.HOLDS}:
            return Verdict.NOT_REPRODUCED
        return Verdict.REPRODUCED if self.full else Verdict.DIRECTION

    @property
    def reason(self) -> str:
        """Say in a few words what the verdict rests on."""
        outcomes = [outcome for _, outcome in self.outcomes]
        if self.verdict is Verdict.NOT_RUN:
            few = [
                f"{row}: {len(self.runs.get(row, ()))}"
                for row in dict.fromkeys(row for check, _ in self.outcomes for row in check.rows)
                if len(self.runs.get(row, ())) < LEAST_SEEDS
            ]
            return f"seeds, of {LEAST_SEEDS} at least: {', '.join(few)}" if self.all_runs else ""
        counts = [(o, outcomes.count(o)) for o in Outcome if o in outcomes]
        return ", ".join(f"{o}: {n} of {len(outcomes)}" for o, n in counts)

    @property
    def all_runs(self) -> list[Run]:
        """The runs of all rows."""
        return [run for runs in self.runs.values() for run in runs]

    @property
    def scale(self) -> str:
        """Say what was run: data, and how it differs from the paper."""
        if not self.budget:
            return "counted, nothing to train"
        if not self.all_runs:
            return "nothing yet"
        return f"{self.data_name}; {self.claim.settings[self.budget].note}"

    @property
    def where(self) -> str:
        """Say the same in a few words: budget and data."""
        return f"{self.budget.upper()}: {self.data_name}" if self.all_runs else self.scale

    @property
    def data_name(self) -> str:
        """Name the data of the records; a sample and a copy are called so."""
        data = self.all_runs[0].data
        copy = "" if data["canonical"] else ", a copy"
        return f"{'sample of ' * data['sample']}{data['name']}{copy}"

    @property
    def seeds(self) -> str:
        """Say how many seeds each network has."""
        counts = sorted({len(runs) for runs in self.runs.values()})
        return " to ".join(map(str, dict.fromkeys([counts[0], counts[-1]]))) if counts else ""


def load_records(folder: str | Path | None = None) -> list[Run]:
    """Read all records below a folder, by name; default: `records_folder`.

    Raises:
        ValueError: naming the file, if it is no record of this schema.

    """
    root = Path(folder) if folder is not None else records_folder()
    return [Run.load(path) for path in sorted(root.rglob("*.json"))]


def findings(claim: Claim, records: Iterable[Run]) -> list[Finding]:
    """Sort records into findings, the larger scale first; a single one without runs if none fits.

    Args:
        claim: one of `CLAIMS`.
        records: any runs; those that are not the claim's are passed over, and of two with one
            network, data and seed the first counts.

    """
    if not claim.settings:  # nothing to train
        return [Finding(claim)]
    records = list(records)
    found = [f for budget in JUDGED for f in _under(claim, budget, records)]
    found.sort(key=lambda f: (JUDGED.index(f.budget), not f.full))
    return found or [Finding(claim, JUDGED[-1], no_runs(claim, JUDGED[-1]), full=False)]


def no_runs(claim: Claim, budget: str) -> dict[str, list[Run]]:
    """Return the rows that a budget runs, each with an empty list."""
    return {row: [] for row in claim.networks(budget)}


def _under(claim: Claim, budget: str, records: Sequence[Run]) -> Iterable[Finding]:
    if not (setting := claim.settings.get(budget)):
        return ()
    by_data: dict[tuple[object, ...], Finding] = {}
    for row, network in claim.networks(budget).items():
        recipe = setting.recipe_for(network).describe()
        for run in sorted(records, key=lambda run: run.seed):
            if (run.network, run.recipe) != (network, recipe):
                continue
            key = (run.data["name"], run.data["sha256"], run.data["sample"])
            if key not in by_data:
                full = setting.full and is_canonical(run, setting)
                by_data[key] = Finding(claim, budget, no_runs(claim, budget), full)
            runs = by_data[key].runs[row]
            if all(run.seed != other.seed for other in runs):
                runs.append(run)
    return by_data.values()


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
