"""What chapter 6 asks: suspects, as claims whose outcome could convict or clear them.

The networks are those of the claims about depth, and so are their runs; a changed one stops after
a fifth of their steps and is compared with what the others had come to by then. All of this was
written before the runs of the changed networks: "both" when those of the other trials were half
done, "layers" and "sum" when the trials before them had been read. Of the unchanged, seed 10 of
plain-20, plain-56, ResNet-20 and ResNet-56 and seed 11 of plain-20 had been run and seen, and all
three seeds before "layers" and "sum"; what else was known is told by `Claim.seen`.
"""

from resnet.reproduce import papers
from resnet.reproduce.checks import Less
from resnet.reproduce.claim import Claim
from resnet.reproduce.claims import BELOW
from resnet.reproduce.settings import Row
from resnet.translation import _

SHARE = 0.2  # of the steps
PILOT = _(
    "One run of plain-56 with the grown start, at half width, seed 0, of 1,200 steps: 68% at the "
    "end of the warm-up, 78% in the next 100 steps, 69% at the end."
)
# in place of the recipe's: a tenth of the rate; a clipped gradient; Adam
REPAIRS: dict[str, dict[str, object]] = {
    "rate 0.01": {"lr": 0.01},
    "clipped": {"clip": 1.0},
    "Adam": {"optimizer": "adam", "momentum": 0.0, "lr": 0.001},
}


def _short(network: str, **changes: object) -> Row:
    return Row(network, changes, SHARE)


def _cost(kind: str = "") -> tuple[str, str]:
    """Return two rows, whose difference is what 36 more layers cost."""
    return f"ResNet-56{kind}", f"ResNet-20{kind}"


EXPERIMENTS = {
    "size": Claim(
        title=_("Is it the gradient's size?"),
        source=_("Pascanu et al. 2013 (clipping); Kingma and Ba 2015 (Adam)"),
        statement=_(
            "What repairs the size of the updates does not repair the depth: plain-56 stays "
            "behind plain-20 at a tenth of the rate, with a clipped gradient, and with Adam, which "
            "divides each gradient by its own running size."
        ),
        rows={
            "plain-20": "plain-20",
            "plain-56": "plain-56",
            **{
                f"plain-{depth}, {words}": _short(f"plain-{depth}", **changes)
                for words, changes in REPAIRS.items()
                for depth in (20, 56)
            },
        },
        checks=(
            Less("later_error", "plain-20", "plain-56"),
            *(Less("later_error", f"plain-20, {words}", f"plain-56, {words}") for words in REPAIRS),
        ),
        settings=BELOW,
    ),
    "layers": Claim(
        title=_("Is it the size of each layer's steps?"),
        source=_("You et al. 2017 (LARS)"),
        statement=_(
            "Steps that move every kernel by the same share of its norm do not repair the "
            "depth either: plain-56 stays behind plain-20."
        ),
        rows={
            f"plain-{depth}, LARS": _short(f"plain-{depth}", optimizer="lars") for depth in (20, 56)
        },
        checks=(Less("later_error", "plain-20, LARS", "plain-56, LARS"),),
        settings=BELOW,
        seen=_(
            "The other repairs of the size, which leave plain-56 18 points behind or more. How "
            "large a share of its norm a kernel moves by was taken from one run of plain-20 with "
            "SGD, on Fashion-MNIST, seed 0: half a percent per step at a rate of 0.1."
        ),
    ),
    "point": Claim(
        title=_("Is it the starting point?"),
        source=_("chapter 1 (the grown network); Zagoruyko and Komodakis 2017 (Dirac kernels)"),
        statement=_(
            "Started as the grown plain-20, or with Dirac kernels added, plain-56 trains better; "
            "during the warm-up the grown network is not behind plain-20, at the full rate it is."
        ),
        rows={
            "plain-20": "plain-20",
            "plain-56": "plain-56",
            "grown": _short("plain-56, grown start"),
            "Dirac": _short("plain-56, Dirac start"),
        },
        checks=(
            Less("later_error", "grown", "plain-56"),
            Less("later_error", "Dirac", "plain-56"),
            Less("warm_up_error", "grown", "plain-20", margin=2.0),
            Less("later_error", "plain-20", "grown"),
        ),
        settings=BELOW,
        seen=PILOT,
    ),
    "both": Claim(
        title=_("Is it the start and the rate together?"),
        source=_("follows from the two trials before it"),
        statement=_(
            "From the grown start and at a tenth of the rate, plain-56 trains as plain-20 "
            "does at that rate, and better than from the same start at the full rate."
        ),
        rows={
            "plain-20, rate 0.01": _short("plain-20", lr=0.01),
            "grown": _short("plain-56, grown start"),
            "grown, rate 0.01": _short("plain-56, grown start", lr=0.01),
        },
        checks=(
            Less("later_error", "grown, rate 0.01", "plain-20, rate 0.01", margin=2.0),
            Less("later_error", "grown, rate 0.01", "grown"),
        ),
        settings=BELOW,
        seen=_(
            "The trials of seeds 10 and 11: in the warm-up, at this rate, the grown network is "
            "level with plain-20; when the rate rises it falls behind."
        ),
    ),
    "zero": Claim(
        title=_("Does a residual network start better from nothing?"),
        source=_("Goyal et al. 2017, Sec. 5.1; Bachlechner et al. 2021"),
        statement=_(
            "With branches that start at zero, by the scale of their last BN or by one "
            "factor, ResNet-56 is ahead of the usual start, and depth costs less at the beginning. "
            "(The zero scale leaves out the two units that change the shape.)"
        ),
        rows={
            "ResNet-20": "ResNet-20",
            "ResNet-56": "ResNet-56",
            "ResNet-20, zero": _short("ResNet-20, zero last scale"),
            "ResNet-56, zero": _short("ResNet-56, zero last scale"),
            "ResNet-56, ReZero": _short("ResNet-56, ReZero"),
        },
        checks=(
            Less("early_error", "ResNet-56, zero", "ResNet-56"),
            Less("early_error", "ResNet-56, ReZero", "ResNet-56"),
            Less("early_error", _cost(", zero"), _cost()),
        ),
        settings=BELOW,
        seen=_(
            "In the first edition, one seed at another setting, after 600 steps, the zero scale "
            "helped 56 layers by 6 points and cost 20 layers 4."
        ),
    ),
    "sum": Claim(
        title=_("Does depth hurt a residual network whose sum is kept at one size?"),
        source=_(
            "{paper}, Tables 1 and 2, there the test errors of 110 layers", paper=papers.HE_2016B
        ),
        statement=_(
            "What stands on the line brings back what depth costs, in the order of the growth: "
            "from 20 to 56 layers the training error rises more with a BN after the addition than "
            "with the identity, and more still with half of the sum (constant scaling), of which "
            "56 layers are behind 20."
        ),
        rows={
            f"ResNet-{depth}{kind}": _short(f"ResNet-{depth}{kind}") if kind else f"ResNet-{depth}"
            for kind in ("", ", BN after addition", ", constant scaling")
            for depth in (20, 56)
        },
        checks=(
            Less("later_error", "ResNet-20, constant scaling", "ResNet-56, constant scaling"),
            Less("later_error", _cost(), _cost(", BN after addition")),
            Less("later_error", _cost(", BN after addition"), _cost(", constant scaling")),
        ),
        settings=BELOW,
        seen=_(
            "The growth of the untrained networks, per unit 1.28 with constant scaling and 1.15 "
            "with a BN after the addition, and the paper's errors. Of the claim about placements, "
            "whose rate falls within its 1,600 steps, seed 10 had come in: ResNet-56 with a BN "
            "after the addition ends at 64.1%, with the identity at 49.0%."
        ),
    ),
}
