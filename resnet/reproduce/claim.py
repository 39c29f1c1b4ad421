"""What a claim is: networks, what must hold of them, and how they are trained under a budget."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from resnet.reproduce.checks import Check
from resnet.reproduce.settings import Setting


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim of a paper.

    Attributes:
        title: a few words.
        source: the paper, and where in it.
        statement: what it says, a sentence or two.
        rows: the networks by row of the published table; `{n}` stands for the depth.
        published: the published column whose rows these are, if there is one.
        published_for: what the published numbers are, in a table's header.
        checks: what must hold.
        settings: by budget; empty for a claim that needs no training.
        depths: by budget, what `{n}` is.
        only: by budget, the rows that are run where these are not all.

    """

    title: str
    source: str
    statement: str
    rows: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)
    published_for: str = ""
    checks: tuple[Check, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def networks(self, budget: str) -> dict[str, str]:
        """Return the rows that a budget runs and the names of their networks."""
        depth = self.depths.get(budget)
        rows = self.only.get(budget, tuple(self.rows))
        return {row: self.rows[row].format(n=depth) for row in rows}

    def checked(self, budget: str, *, full: bool) -> list[Check]:
        """Return the checks that can be made of a budget's rows, at the papers' scale or below."""
        rows = self.networks(budget)
        return [
            check
            for check in self.checks
            if all(row in rows for row in check.rows) and (full or not check.needs_full)
        ]
