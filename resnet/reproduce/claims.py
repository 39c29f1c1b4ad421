"""The claims of the papers, as data: what they say, and what would count as reproduced.

A claim has rows, which stand for networks; `{n}` in a network's name is the depth under a budget.
It is reproduced if all its checks hold. All of this was written before the runs it is applied to.
"""

import dataclasses
import itertools
from collections.abc import Mapping

from resnet import papers
from resnet.papers import Published
from resnet.reproduce import settings
from resnet.reproduce.checks import Counted, Less, Within
from resnet.reproduce.claim import Claim

DEPTHS = (20, 32, 44, 56, 110)
PLAIN = {f"plain-{d}": f"plain-{d}" for d in DEPTHS}
RESIDUAL = {f"ResNet-{d}": f"ResNet-{d}" for d in DEPTHS}
ENDS = ("plain-20", "plain-56", "ResNet-20", "ResNet-56")  # what a small budget runs of them
SMALL = {"smoke": ENDS, "cpu": ENDS, "long": ENDS}
SETTINGS = {"smoke": settings.SMOKE, "cpu": settings.CPU, "gpu": settings.GPU}
DEPTH_SETTINGS = SETTINGS | {"long": settings.LONG}
UNIT_SETTINGS = SETTINGS | {"cpu": settings.CPU_UNITS}
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


def by_name(column: Published) -> dict[str, float]:
    """Return a column whose rows are names."""
    return {str(row): value for row, value in column.values.items()}


CIFAR_ERROR = "paper: CIFAR-10, test error (%)"
# Of 110 layers the mean, which 2016b gives; Table 6 has the best of five there.
TABLE_6 = named(papers.CIFAR_RESIDUAL, DEPTHS) | named(papers.CIFAR_ORIGINAL_DEEP, (110,))
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
        source=f"{papers.HE_2016A}, Figs. 1 and 6",
        statement="A plain network of 56 layers has a higher training error than one of 20. With "
        "shortcuts the order is reversed.",
        rows=PLAIN | RESIDUAL,
        published=named(papers.CIFAR_PLAIN, (20, 32, 44, 56), "plain") | TABLE_6,
        published_for=CIFAR_ERROR,
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
        published=TABLE_6,
        published_for=CIFAR_ERROR,
        checks=(
            Less("test_error", "ResNet-56", "ResNet-20"),
            Less("test_error", "ResNet-110", "ResNet-20"),
            *near(TABLE_6, 0.5),
        ),
        settings=DEPTH_SETTINGS,
        only=dict.fromkeys(SMALL, ENDS[2:]),
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
        published=by_name(papers.SHORTCUTS),
        published_for="paper: ResNet-34, ImageNet, top-1 error (%)",
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
        published=by_name(papers.SHORTCUT_KINDS),
        published_for="paper: ResNet-110, CIFAR-10, test error (%)",
        checks=(
            *(Less("test_error", "identity", name) for name in KINDS if name != "identity"),
            *near(by_name(papers.SHORTCUT_KINDS), 1.0),
            Within("test_error", "dropout", 20, 100),  # the paper: "fail", above 20%
        ),
        settings=UNIT_SETTINGS,
        depths=UNIT_DEPTHS,
    ),
    "placements": Claim(
        title="Five places for the activation",
        source=f"{papers.HE_2016B}, Table 2",
        statement="Full pre-activation is better than the original; a BN or a ReLU that is moved "
        "alone, around the addition, makes it worse.",
        rows=PLACES,
        published=by_name(papers.PLACEMENTS_110),
        published_for="paper: ResNet-110, CIFAR-10, test error (%)",
        checks=(
            *in_order("full pre-activation", "original", "BN after addition"),
            *in_order("original", "ReLU before addition"),
            *near(by_name(papers.PLACEMENTS_110), 0.5),
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
        published_for=CIFAR_ERROR,
        checks=(
            *(
                Less("test_error", f"pre-activation ResNet-{d}", f"ResNet-{d}")
                for d in (20, 56, 110, 164)
            ),
            *near(
                named(papers.CIFAR_ORIGINAL_DEEP, (110, 164))
                | named(papers.CIFAR_PREACT, (110, 164), "pre-activation ResNet"),
                0.5,
            ),
        ),
        settings=SETTINGS,
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
        checks=(
            Within(
                "test_error",
                "ResNet-18",
                100 * (1 - papers.D2L_COPIES["best"]),
                100 * (1 - papers.D2L_COPIES["worst"]),
                needs_full=False,
            ),
        ),
        settings={"smoke": settings.SMOKE_D2L, "cpu": settings.CPU_D2L, "gpu": settings.GPU_D2L},
    ),
    "costs": Claim(
        title="Costs",
        source=f"{papers.HE_2016A}, Tables 1 and 6",
        statement="What the networks cost: multiply-adds for an image of 224×224 pixels, and the "
        "parameters of the CIFAR networks.",
        checks=(
            *(
                Counted("multiply-adds", int(d), n, 0.1)
                for d, n in papers.MULTIPLY_ADDS.values.items()
            ),
            *(
                Counted("parameters", int(d), n, 0.005 if n < 1 else 0.05)
                for d, n in papers.CIFAR_PARAMETERS.values.items()
            ),
        ),
    ),
}
