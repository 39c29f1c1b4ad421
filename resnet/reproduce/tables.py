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
from resnet.translation import _


def ledger(records: Iterable[Run]) -> Table:
    """Return a row per claim: the verdict and why; three columns, which fit a phone."""
    records = list(records)
    found = [verdict(claim, records) for claim in CLAIMS.values()]
    rows = [(f.claim.title, f.verdict, f.reason) for f in found]
    return Table([_("claim"), _("verdict"), _("because")], rows)


def rows_table(
    finding: Finding, quantities: Sequence[Quantity] = ("train_error", "test_error")
) -> Table:
    """Return a row of the paper's table each: the published number, and ours over the seeds."""
    claim = finding.claim
    header, columns = [_("network")], [list(finding.runs)]
    for quantity in quantities:
        header.append(_("here: {quantity}", quantity=WORDS[quantity]))
        columns.append([mean_deviation(values(runs, quantity)) for runs in finding.runs.values()])
    header.append(_("seeds"))
    columns.append([str(len(runs)) for runs in finding.runs.values()])
    if claim.published:
        header.append(claim.published_for)
        numbers = (claim.published.get(row) for row in finding.runs)
        columns.append(["" if number is None else f"{number:.2f}" for number in numbers])
    return Table(header, zip(*columns, strict=True))


def small(p: float) -> str:
    """Write a probability; one that rounds to 0 is below a bound."""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def found_for(finding: Finding, check: Check) -> str:
    """Write what the records gave for a check: a difference or a mean and its interval; a count."""
    if isinstance(check, Counted):
        power = {1e6: "10⁶", 1e9: "10⁹"}[check.UNITS[check.quantity]]
        published = f"{check.published} · {power}"
        return _("{count:,}, published {published}", count=check.count, published=published)
    if not (estimate := finding.estimate(check)):
        return ""
    if isinstance(check, EachWithin):
        numbers = finding.numbers(check)[check.row]
        return _("{low:.2f} to {high:.2f}", low=min(numbers), high=max(numbers))
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
    left_right = _("left minus right, or mean [90%]")
    return Table([_("what should be"), _("outcome"), left_right, "p", _("p (Holm)")], rows)
