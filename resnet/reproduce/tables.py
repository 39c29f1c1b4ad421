"""Findings as tables: one row per claim, per row of the paper's table, or per check."""

from collections.abc import Iterable, Sequence

from resnet.reproduce.checks import (
    WORDS,
    Check,
    Counted,
    EachWithin,
    Less,
    Outcome,
    Quantity,
    mean_deviation,
    values,
)
from resnet.reproduce.claims import CLAIMS
from resnet.reproduce.ledger import Finding, verdict
from resnet.tables import Table
from resnet.training.records import Run


def ledger(records: Iterable[Run]) -> Table:
    """Return a row per claim: the verdict and why; three columns, which fit a phone."""
    records = list(records)
    found = [verdict(claim, records) for claim in CLAIMS.values()]
    return Table(
        ["claim", "verdict", "because"], [(f.claim.title, f.verdict, f.reason) for f in found]
    )


def rows_table(
    finding: Finding, quantities: Sequence[Quantity] = ("train_error", "test_error")
) -> Table:
    """Return a row of the paper's table each: the published number, and ours over the seeds."""
    claim = finding.claim
    header, columns = ["network"], [list(finding.runs)]
    for quantity in quantities:
        header.append(f"here: {WORDS[quantity]}")
        columns.append([mean_deviation(values(runs, quantity)) for runs in finding.runs.values()])
    header.append("seeds")
    columns.append([str(len(runs)) for runs in finding.runs.values()])
    if claim.published:
        header.append(claim.published_for)
        columns.append(
            [f"{claim.published[row]:.2f}" if row in claim.published else ""
             for row in finding.runs]
        )  # fmt: skip
    return Table(header, zip(*columns, strict=True))


def small(p: float) -> str:
    """Write a probability; one that rounds to 0 is below a bound."""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def found_for(finding: Finding, check: Check) -> str:
    """Write what the records gave for a check: a difference or a mean and its interval; a count."""
    if isinstance(check, Counted):
        power = {1e6: "10⁶", 1e9: "10⁹"}[check.UNITS[check.quantity]]
        return f"{check.count:,}, published {check.published} · {power}"
    if not (estimate := finding.estimate(check)):
        return ""
    if isinstance(check, EachWithin):
        numbers = finding.numbers(check)[check.row]
        return f"{min(numbers):.2f} to {max(numbers):.2f}"
    low, high = estimate.interval()
    sign = "+" if isinstance(check, Less) else ""
    return f"{estimate.mean:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def checks_table(finding: Finding) -> Table:
    """Return one row per check: what should be, what was found, how sure that is."""
    rows = []
    for check, outcome in finding.outcomes:
        p = ("", "")
        if isinstance(check, Less) and outcome is not Outcome.NOT_RUN:
            p = small(check.p_value(finding.numbers(check))), small(finding.adjusted[check])
        rows.append((str(check), outcome, found_for(finding, check), *p))
    return Table(
        ["what should be", "outcome", "left minus right, or mean [90%]", "p", "p (Holm)"], rows
    )
