"""What a claim is: networks, what must hold of them, and how they are trained at each scale."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from resnet.reproduce.checks import Check
from resnet.reproduce.settings import Row, Setting
from resnet.training.recipes import Recipe


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim of a paper.

    Attributes:
        title: a few words.
        source: the paper, and where in it.
        statement: what it says, a sentence or two.
        rows: what is trained, by row of the published table; a network's name, or a `Row`.
        published: the published column whose rows these are, if there is one.
        published_for: what the published numbers are, in a table's header.
        checks: what must hold.
        settings: by scale; empty for a claim that needs no training.
        depths: by scale, what `{n}` in a network's name is.
        only: by scale, the rows that are run where these are not all.
        seen: what was known from other runs when the claim was written.
        not_asked: why it is not asked below the papers' scale, or at all.

    """

    title: str
    source: str
    statement: str
    rows: Mapping[str, str | Row] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)
    published_for: str = ""
    checks: tuple[Check, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen: str = ""
    not_asked: str = ""

    def trained(self, scale: str) -> dict[str, tuple[str, Recipe]]:
        """Return what a scale trains: by row, the name of the network, and the recipe."""
        setting, found = self.settings[scale], {}
        for row in self.only.get(scale, tuple(self.rows)):
            entry = self.rows[row]
            what = entry if isinstance(entry, Row) else Row(entry)
            name = setting.network(what.network.format(n=self.depths.get(scale)))
            found[row] = name, what.recipe(setting.recipe)
        return found

    def asked(self, scale: str, *, full: bool) -> list[Check]:
        """Return the checks that are made of a scale's rows, at the papers' scale or below."""
        rows = self.trained(scale) if self.settings else {}
        return [
            check
            for check in self.checks
            if all(row in rows for row in check.rows) and (full or not check.needs_full)
        ]
