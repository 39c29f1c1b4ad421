"""Findings as tables: a row a claim, a row of the paper's table, a row a check."""

from collections.abc import Iterable, Sequence

from resnet.reproduce.checks import WORDS, Less, Outcome, Quantity, mean_deviation, values
from resnet.reproduce.claims import CLAIMS
from resnet.reproduce.ledger import Finding, verdict
from resnet.runs import Run
from resnet.tables import Table


def ledger(records: Iterable[Run]) -> Table:
    """Return a row a claim: what was run, on what, and the verdict."""
    records = list(records)
    found = [verdict(claim, records) for claim in CLAIMS.values()]
    return Table(
        ["claim", "in", "run here", "seeds", "verdict", "because"],
        [(f.claim.title, f.claim.source, f.where, f.seeds, f.verdict, f.reason) for f in found],
    )


def rows_table(
    finding: Finding, quantities: Sequence[Quantity] = ("train_error", "test_error")
) -> Table:
    """Return a row of the paper's table each: the published number, and ours over the seeds."""
    claim = finding.claim
    columns = [list(claim.rows)]
    header = ["network"]
    if claim.published:
        header.append(claim.published_for)
        columns.append(
            [f"{claim.published[row]:.2f}" if row in claim.published else "" for row in claim.rows]
        )
    of_row = [finding.runs.get(row, []) for row in claim.rows]
    for quantity in quantities:
        header.append(f"here: {WORDS[quantity]}")
        columns.append([mean_deviation(values(runs, quantity)) for runs in of_row])
    header.append("seeds")
    columns.append([str(len(runs)) for runs in of_row])
    return Table(header, zip(*columns, strict=True))


def checks_table(finding: Finding) -> Table:
    """Return a row a check: what should be, what the records say, and how sure that is."""
    rows = []
    for check, outcome in finding.outcomes:
        p = ""
        if isinstance(check, Less) and outcome is not Outcome.NOT_RUN:
            p = f"{check.p_value(finding.runs):.3f}"
        rows.append((str(check), *check.compared(finding.runs), p, outcome))
    return Table(["what should be", "left", "right", "p", "found"], rows)
