"""The claims of the papers, as data: what they say, and what would count as reproduced.

A claim has rows, which stand for networks; `{n}` in a network's name is the depth under a budget.
It is reproduced if all its checks hold. All of this was written before the runs it is applied to.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from resnet import papers
from resnet.papers import Published
from resnet.reproduce import settings
from resnet.reproduce.checks import Check, Less, Within
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
        checks: what must hold.
        settings: by budget; empty for a claim that needs no training.
        depths: by budget, what `{n}` is.
        only: by budget, the rows that are run where these are not all.

    """

    title: str
    source: str
    statement: str
    rows: Mapping[str, str]
    published: Mapping[str, float] = field(default_factory=dict)
    checks: tuple[Check, ...]
    settings: Mapping[str, Setting]
    depths: Mapping[str, int] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def networks(self, budget: str) -> dict[str, str]:
        """Return the rows that a budget runs and the names of their networks."""
        depth = self.depths.get(budget)
        rows = self.only.get(budget, tuple(self.rows))
        return {row: self.rows[row].format(n=depth) for row in rows}

    def checked(self, budget: str) -> list[Check]:
        """Return the checks that can be made under a budget."""
        rows, full = self.networks(budget), self.settings[budget].full
        return [
            check
            for check in self.checks
            if all(row in rows for row in check.rows) and (full or not check.needs_full)
        ]


DEPTHS = (20, 32, 44, 56, 110)
PLAIN = {f"plain-{d}": f"plain-{d}" for d in DEPTHS}
RESIDUAL = {f"ResNet-{d}": f"ResNet-{d}" for d in DEPTHS}
ENDS = ("plain-20", "plain-56", "ResNet-20", "ResNet-56")  # what a small budget runs of them
SMALL = {"smoke": ENDS, "cpu": ENDS}
DEPTH_SETTINGS = {"smoke": settings.SMOKE, "cpu": settings.CPU, "gpu": settings.GPU}
UNIT_SETTINGS = DEPTH_SETTINGS | {"cpu": settings.CPU_UNITS}
UNIT_DEPTHS = {"smoke": 8, "cpu": 20, "gpu": 110}


def near(published: Mapping[str, float], tolerance: float) -> tuple[Within, ...]:
    """Check that the mean test errors are the published ones, up to a tolerance in points."""
    return tuple(
        Within("test_error", row, error - tolerance, error + tolerance)
        for row, error in published.items()
    )


def in_order(*rows: str) -> tuple[Less, ...]:
    """Check that the test error of each row is less than that of the next."""
    return tuple(Less("test_error", a, b) for a, b in itertools.pairwise(rows))


def named(column: Published, depths: tuple[int, ...], form: str = "ResNet") -> dict[str, float]:
    """Return some rows of a column by depth, under their networks' names."""
    return {f"{form}-{d}": column[d] for d in depths}


KINDS = {
    "identity": "ResNet-{n}",
    **{
        name: f"ResNet-{{n}}, {name}"
        for name in ("constant scaling", "exclusive gating", "shortcut-only gating")
    },
    "1×1 convolution": "ResNet-{n}, option C",
    "dropout": "ResNet-{n}, dropout",
}
PLACES = {
    "original": "ResNet-{n}",
    **{name: f"ResNet-{{n}}, {name}" for name in papers.PLACES[1:4]},
    "full pre-activation": "pre-activation ResNet-{n}",
}

CLAIMS = {
    "degradation": Claim(
        title="Degradation",
        source=f"{papers.HE_2016A}, Fig. 1 and 6",
        statement="A plain network of 56 layers has a higher training error than one of 20. With "
        "shortcuts the order is reversed.",
        rows=PLAIN | RESIDUAL,
        published=named(papers.CIFAR_PLAIN, (20, 32, 44, 56), "plain")
        | named(papers.CIFAR_RESIDUAL, DEPTHS),
        checks=(
            Less("train_error", "plain-20", "plain-56"),
            Less("train_error", "ResNet-56", "ResNet-20"),
            Less("train_error", "plain-56", "plain-110"),
            Less("train_error", "ResNet-110", "ResNet-20"),
        ),
        settings=DEPTH_SETTINGS,
        only=SMALL,
    ),
    "depth": Claim(
        title="Error by depth",
        source=f"{papers.HE_2016A}, Table 6",
        statement="On CIFAR-10 the test error of residual networks falls from 20 to 110 layers.",
        rows=RESIDUAL,
        published=named(papers.CIFAR_RESIDUAL, DEPTHS) | {"ResNet-110": 6.61},
        checks=(
            Less("test_error", "ResNet-56", "ResNet-20"),
            Less("test_error", "ResNet-110", "ResNet-20"),
            *near(named(papers.CIFAR_RESIDUAL, DEPTHS) | {"ResNet-110": 6.61}, 0.5),
        ),
        settings=DEPTH_SETTINGS,
        only={"smoke": ENDS[2:], "cpu": ENDS[2:]},
    ),
    "responses": Claim(
        title="Layer responses",
        source=f"{papers.HE_2016A}, Fig. 7",
        statement="The layers of residual networks respond with smaller standard deviations than "
        "those of plain networks, and those of deeper residual networks with smaller ones still.",
        rows={name: name for name in (*ENDS, "ResNet-110")},
        checks=(
            Less("response", "ResNet-20", "plain-20"),
            Less("response", "ResNet-56", "plain-56"),
            Less("response", "ResNet-56", "ResNet-20"),
            Less("response", "ResNet-110", "ResNet-56"),
        ),
        settings=DEPTH_SETTINGS,
        only=SMALL,
    ),
    "options": Claim(
        title="Shortcut options",
        source=f"{papers.HE_2016A}, Table 3, there ResNet-34 on ImageNet",
        statement="Projections where the shape changes (B) are slightly better than zero padding "
        "(A), projections everywhere (C) slightly better than B.",
        rows={"A": "ResNet-{n}", "B": "ResNet-{n}, option B", "C": "ResNet-{n}, option C"},
        published=papers.SHORTCUTS.values,  # type: ignore[arg-type]
        checks=in_order("C", "B", "A"),
        settings=UNIT_SETTINGS
        | {
            "gpu": dataclasses.replace(
                settings.GPU, full=False, note="20 layers on CIFAR-10 instead of 34 on ImageNet"
            )
        },
        depths=UNIT_DEPTHS | {"gpu": 20},
    ),
    "shortcuts": Claim(
        title="Six kinds of shortcut",
        source=f"{papers.HE_2016B}, Table 1",
        statement="Nothing that was tried on the shortcut is as good as the identity.",
        rows=KINDS,
        published=papers.SHORTCUT_KINDS.values,  # type: ignore[arg-type]
        checks=tuple(Less("test_error", "identity", name) for name in KINDS if name != "identity"),
        settings=UNIT_SETTINGS,
        depths=UNIT_DEPTHS,
    ),
    "placements": Claim(
        title="Five places for the activation",
        source=f"{papers.HE_2016B}, Table 2",
        statement="Full pre-activation is better than the original; a BN or a ReLU that is moved "
        "alone, around the addition, makes it worse.",
        rows=PLACES,
        published=papers.PLACEMENTS_110.values,  # type: ignore[arg-type]
        checks=(
            *in_order("full pre-activation", "original", "BN after addition"),
            *in_order("original", "ReLU before addition"),
        ),
        settings=UNIT_SETTINGS,
        depths=UNIT_DEPTHS,
    ),
    "preact": Claim(
        title="Pre-activation by depth",
        source=f"{papers.HE_2016B}, Table 3",
        statement="Pre-activation lowers the error at every depth that was tried.",
        rows={
            f"{form}-{d}": f"{form}-{d}"
            for d in (20, 56, 110, 164)
            for form in ("ResNet", "pre-activation ResNet")
        },
        published=named(papers.CIFAR_ORIGINAL_DEEP, (110, 164))
        | named(papers.CIFAR_PREACT, (110, 164), "pre-activation ResNet"),
        checks=tuple(
            Less("test_error", f"pre-activation ResNet-{d}", f"ResNet-{d}")
            for d in (20, 56, 110, 164)
        ),
        settings=DEPTH_SETTINGS,
        only={
            budget: tuple(
                f"{form}-{d}" for d in (20, 56) for form in ("ResNet", "pre-activation ResNet")
            )
            for budget in ("smoke", "cpu")
        }
        | {
            "gpu": tuple(
                f"{form}-{d}" for d in (110, 164) for form in ("ResNet", "pre-activation ResNet")
            )
        },
    ),
    "d2l": Claim(
        title="D2L's ResNet-18",
        source=f"{papers.D2L_BOOK}, Residual Networks (ResNet)",
        statement="Ten epochs on Fashion-MNIST end with a test error between those of the worst "
        "and of the best of 106 public copies.",
        rows={"ResNet-18": "ResNet-18"},
        checks=(Within("test_error", "ResNet-18", 7.3, 19.4, needs_full=False),),
        settings={"smoke": settings.SMOKE_D2L, "cpu": settings.CPU_D2L, "gpu": settings.GPU_D2L},
    ),
}
