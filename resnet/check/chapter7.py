"""Checks of chapter 7: what a check is worth, and how many runs it needs."""

import itertools
import math
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist

from resnet.check.answers import as_number, judge_numbers, slip
from resnet.check.feedback import exercise
from resnet.check.running import Missing, Wrong, call, counted, function, kind
from resnet.reproduce.checks import EARLY, ENDS, WORDS, Check, Less, Outcome, Within
from resnet.reproduce.claim import Claim
from resnet.reproduce.ledger import Finding
from resnet.training.records import Run
from resnet.translation import _

NORMAL = NormalDist()
ROUNDED = 1e-3  # what 1.64 instead of 1.645 changes in a probability


def _pair(given: object, shown: str, names: tuple[str, str]) -> list[tuple[str, object]]:
    """Return the two parts of an answer, each with its name."""
    try:
        return list(zip(names, given, strict=True))  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise Wrong(
            "{shown} returns {kind}; expected a pair ({names}).",
            shown=shown,
            kind=kind(given),
            names=", ".join(names),
        ) from None


@exercise
def how_many_seeds(answers: object) -> str:
    """Check how many seeds Welch's one-sided test needs for three differences."""
    cases = {
        f"difference {d}, deviation {s}": (d, s) for d, s in ((0.2, 0.16), (0.1, 0.16), (0.2, 0.08))
    }
    expected: dict[str, float] = {}
    slips: dict[str, dict[object, str]] = {}
    known = _(
        "this takes the deviation for known. "
        "With few seeds t must be larger than a normal variable: use `probability`."
    )
    two_sided = _("the test is one-sided: p itself must be below 0.05, not its double.")
    for key, (difference, deviation) in cases.items():
        expected[key] = n = _fewest(difference, deviation, 0.05)
        normal = math.ceil(2 * (NORMAL.inv_cdf(0.95) * deviation / difference) ** 2)
        slips[key] = {
            n - 1: _("p is not below the level there; see what `probability` gives."),
            normal: known,
            _fewest(difference, deviation, 0.025): two_sided,
            2 * n: _("this counts both networks; the question is about each."),
        }
        slips[key].pop(n, None)
    judge_numbers(answers, expected, slips)
    return _("all three")


def _fewest(difference: float, deviation: float, level: float) -> int:
    """Return the smallest number of seeds of each of two networks at which p is below a level."""
    from scipy.stats import ttest_ind_from_stats  # takes long to import

    def p(seeds: int) -> float:
        one, other = (0.0, deviation, seeds), (difference, deviation, seeds)
        test = ttest_ind_from_stats(*one, *other, equal_var=False, alternative="less")
        return float(test.pvalue)

    return next(n for n in itertools.count(2) if p(n) < level)


@exercise
def best_of_five(smallest: object, left: object) -> str:
    """Check `smallest(k, mean, deviation)`, and what is left of a difference on equal terms."""
    ask = function(smallest, "smallest")
    for k, mean, deviation in ((5, 6.61, 0.16), (1, 7.0, 0.5), (3, 0.0, 1.0), (20, 20.0, 2.0)):
        shown = f"smallest({k}, {mean}, {deviation})"
        given = as_number(call(ask, k, mean, deviation, shown=shown), shown)
        below = _below(k)
        off = (mean - given) / deviation  # what was taken off, in deviations
        if abs(off - below) <= 0.05:
            continue
        again = as_number(call(ask, k, mean, deviation, shown=shown), shown)
        if abs(again - given) > 0.05 * deviation:
            raise Wrong(
                "{shown} is {given:g} once and {again:g} another time. One smallest is a draw: "
                "take the mean of very many. Or do your draws vary by more than the deviation?",
                shown=shown,
                given=given,
                again=again,
            )
        otherwise = _("What is the smallest of each row of draws, and what is their mean?")
        error = _("The error of a mean of k runs is something else: nothing is chosen there.")
        square = _("Is it the deviation, or its square, that you give to the random numbers?")
        slips = (
            (-below, _("This is what the largest is on average.")),
            (0.0, _("This is the mean itself. The smallest of several lies below it.")),
            (1 / math.sqrt(k), error),
            (below / deviation, _("Does the deviation count?")),
            (below / math.sqrt(deviation), square),
            (below * deviation, square),
        )
        raise Wrong(
            "{shown} is {given:g}, which is not right. {advice}",
            shown=shown,
            given=given,
            advice=slip(slips, off, otherwise, absolute=0.05),
        )
    if left is ...:
        raise Wrong("smallest is right. Nothing is written yet for left.")
    difference = as_number(left, "left")
    right, taken = 6.97 - 6.61, 0.16 * _below(5)
    if abs(difference - right) > 0.02:
        about_left = (
            (right + taken, _("This is one run against the best of five: not equal terms.")),
            (6.97 - 6.43, _("This is what is printed, one run against the best of five.")),
            (right - taken, _("This takes the best of five for 56 layers only.")),
            (-right, _("Subtract the other way round: by how much is the deeper one lower?")),
        )
        otherwise = _("What is taken off the one mean, and what off the other?")
        raise Wrong(
            "smallest is right, but left = {left:g} is not. {advice}",
            left=difference,
            advice=slip(about_left, difference, otherwise, absolute=0.01),
        )
    return _("the smallest of up to 20 draws; on equal terms {n:.2f} points are left", n=right)


def _below(k: int) -> float:
    """Return by how much the smallest of k standard normal draws is below 0 on average."""
    step = 1e-3
    points = (step * i for i in range(-8000, 8001))
    return step * sum(x * k * NORMAL.pdf(x) * NORMAL.cdf(x) ** (k - 1) for x in points)


@exercise
def check_cannot_fail(bounds: object) -> str:
    """Check `bounds(mean, deviation, runs, worse)`: what passes, and what does not."""
    ask = function(bounds, "bounds")
    for mean, deviation, runs, worse in (
        (6.6, 0.16, 4, 0.4),
        (15.6, 1.8, 9, 2.01),  # just enough
        (7.0, 0.1, 1, 1.0),
        (6.6, 0.16, 1, 0.51),  # just too little; from here on there are none
        (6.6, 0.16, 5, 0.2),
        (20.0, 4.0, 3, 0.5),
    ):
        shown = f"bounds({mean}, {deviation}, {runs}, {worse})"
        given = call(ask, mean, deviation, runs, worse, shown=shown)
        error = deviation / math.sqrt(runs)  # of the mean that the check looks at
        possible = worse >= 2 * NORMAL.inv_cdf(0.95) * error
        if given is None:
            if possible:
                two_sided = worse < (NORMAL.inv_cdf(0.95) + NORMAL.inv_cdf(0.975)) * error
                sides = _("Bounds as far below the mean as above it do not do it here; others do.")
                raise Wrong(
                    "{shown} is None, but there are such bounds. "
                    "The deviation of what the check looks at is {error:.3g} here.",
                    *([sides] if two_sided else []),
                    shown=shown,
                    error=error,
                )
            continue
        low, high = (
            value if value in (math.inf, -math.inf) else as_number(value, f"{shown}: {name}")
            for name, value in _pair(given, shown, ("low", "high"))
        )
        if low > high:
            raise Wrong(
                "{shown} is ({low:g}, {high:g}): low is above high.",
                shown=shown,
                low=low,
                high=high,
            )
        of_claimed, of_worse = (
            NormalDist(true, error).cdf(high) - NormalDist(true, error).cdf(low)
            for true in (mean, mean + worse)
        )
        if of_claimed >= 0.95 - ROUNDED and of_worse <= 0.05 + ROUNDED:
            continue
        if not possible:
            advice = _("Are there two numbers that do both?")
        elif of_claimed < 0.95 - ROUNDED:
            advice = _("It fails too many that are as good as claimed.")
        elif 0.94 <= NormalDist(mean, deviation).cdf(high) <= 0.99:
            advice = _("The check looks at the mean of the runs; how far does that vary?")
        else:
            advice = _("It lets too many pass that are worse.")
        raise Wrong(
            "{shown} is ({low:g}, {high:g}). A network as claimed passes with a probability of "
            "{of_claimed:.3f}, a worse one with {of_worse:.3f}. {advice}",
            shown=shown,
            low=low,
            high=high,
            of_claimed=of_claimed,
            of_worse=of_worse,
            advice=advice,
        )
    return _("three cases that have bounds, and three that have none")


PARTS = ("t", "degrees of freedom")


@exercise
def paired_seeds(paired: object) -> str:
    """Check `paired(a, b)`: t and the degrees of freedom of the differences."""
    ask = function(paired, "paired")
    rng = random.Random(0)
    for n, share in ((3, 0.9), (2, 0.5), (8, 0.0), (5, 0.97)):
        common = [rng.gauss(7, 0.5) for _ in range(n)]
        a, b = ([share * c + (1 - share) * rng.gauss(8, 1) for c in common] for _ in "ab")
        shown = _("paired for {n} seeds", n=n)
        given = call(ask, list(a), list(b), shown=shown)
        t, freedom = (
            as_number(value, f"{shown}, {name}") for name, value in _pair(given, shown, PARTS)
        )
        differences = [x - y for x, y in zip(a, b, strict=True)]
        right = statistics.fmean(differences) / (statistics.stdev(differences) / math.sqrt(n))
        if not math.isclose(t, right, rel_tol=1e-3):
            message = _about_t(t, right, a, b)
            if math.isclose(t, -right, rel_tol=1e-3):
                swapped, _freedom = _pair(call(ask, list(b), list(a), shown=shown), shown, PARTS)
                if swapped[1] == t:
                    message = _("It is the same for b and a swapped. Has t a sign?")
            raise Wrong(
                "{shown}: t = {t:.4g} is not right. {message}", shown=shown, t=t, message=message
            )
        if freedom != n - 1:
            raise Wrong(
                "{shown}: {freedom:g} degrees of freedom are not right. "
                "How many differences are there, and what does their mean take?",
                shown=shown,
                freedom=freedom,
            )
    return _("four pairs of lists, of two to eight seeds")


def _about_t(t: float, right: float, a: Sequence[float], b: Sequence[float]) -> str:
    """Say what a wrong t comes from."""
    n = len(a)
    spread = math.sqrt((statistics.variance(a) + statistics.variance(b)) / n)
    welch = (statistics.fmean(a) - statistics.fmean(b)) / spread
    slips = (
        (-right, _("The differences are a - b, in this order.")),
        (right / math.sqrt(n), _("Divide by the error of the mean, not by the deviation.")),
        (right * math.sqrt(n / (n - 1)), _("The deviation is that of a sample: with n - 1 below.")),
        (welch, _("This is Welch's t: it knows of no pairs. Look at the differences alone.")),
    )
    otherwise = _("It is the mean of the differences, divided by the standard error of that mean.")
    return slip(slips, t, otherwise, relative=1e-3)


# depths from small training error to large
DEPTHS = {"plain": (20, 32, 44, 56), "ResNet": (56, 44, 32, 20)}


@exercise
def missing_depths(claim: object) -> str:
    """Check a claim about four depths: whether its checks tell the paper's order from others."""
    if claim is ...:
        raise Missing("Nothing is written here yet: claim.")
    if not isinstance(claim, Claim):
        raise Wrong(
            "Hand over a Claim, made with dataclasses.replace; this is {kind}.", kind=kind(claim)
        )
    if not isinstance(claim.only, Mapping):
        raise Wrong(
            "`only` is {kind}; expected a dictionary, from a scale to its rows.",
            kind=kind(claim.only),
        )
    if isinstance(claim.checks, Iterator):  # it gives them once, and the reader wants them, too
        object.__setattr__(claim, "checks", tuple(claim.checks))
    if any(isinstance(rows, Iterator) for rows in claim.only.values()):
        only = {scale: tuple(rows) for scale, rows in claim.only.items()}
        object.__setattr__(claim, "only", only)
    orders = {form: [f"{form}-{depth}" for depth in depths] for form, depths in DEPTHS.items()}
    wanted = [row for rows in orders.values() for row in rows]
    if claim.only and "cpu" not in claim.only:
        raise Wrong(
            "`only` has no entry 'cpu'; it has {only}.", only=", ".join(map(repr, claim.only))
        )
    names = (row for check in claim.checks for row in check.rows)
    if strange := [row for row in names if row not in claim.rows]:
        raise Wrong("A check names {strange!r}, which is no row of the claim.", strange=strange[0])
    if "cpu" not in claim.settings:
        raise Wrong("The claim has no settings for the scale cpu: keep those that are there.")
    try:
        rows = claim.trained("cpu")
    except KeyError as error:
        raise Wrong("At the scale cpu there is no row {error}.", error=error) from None
    if missing := [row for row in wanted if row not in rows or claim.rows[row] != row]:
        raise Wrong(
            "At the scale cpu there is no {missing}. Which rows does `only` name?",
            missing=", ".join(missing),
        )
    if more := [row for row in rows if row not in wanted]:
        raise Wrong("At the scale cpu {more} would be trained, too.", more=", ".join(more))
    quantities = {c.quantity for c in claim.checks if isinstance(c, Less | Within)}
    if strange := sorted(quantities - {*WORDS}):
        raise Wrong(
            "There is no quantity {strange!r}; there are {words}.",
            strange=strange[0],
            words=", ".join(map(repr, WORDS)),
        )
    made = claim.asked("cpu", full=False)
    if not made:
        raise Wrong("No check of the claim is about rows that are run.")
    if odd := [c for c in made if isinstance(c, Less) and c.margin]:
        raise Wrong(
            "{check} has a margin of {margin:g}: with one, how far apart the values are decides, "
            "and not the order alone.",
            check=odd[0],
            margin=odd[0].margin,
        )
    for low, step in ((5.0, 1.5), (30.0, 4.0)):
        failing = _failing(claim, orders, low, step)
        if failing:
            advice = _("The claim is about training errors, at the end of a run.")
            if isinstance(failing[0], Less) and failing[0].quantity == "train_error":
                advice = _("Which way round?")
            elif isinstance(failing[0], Within):
                advice = _("Values cannot be compared at this scale.")
            raise Wrong(
                "With training errors in the paper's order, from {low:g}% on, this does not hold: "
                "{check}. {advice}",
                low=low,
                check=failing[0],
                advice=advice,
            )
    for form, rows_in_order in orders.items():
        for i in range(len(rows_in_order) - 1):
            swapped = list(rows_in_order)
            swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
            if not _failing(claim, {**orders, form: swapped}, 5.0, 1.5):
                raise Wrong(
                    "If {one} and {other} change places, everything still holds. "
                    "Which check should notice?",
                    one=swapped[i],
                    other=swapped[i + 1],
                )
    checks = counted(len(made), _("check"))
    holds = _("which hold in the paper's order, and fail if two neighbours change places")
    return f"{checks}, {holds}"


def _failing(claim: Claim, orders: dict[str, list[str]], low: float, step: float) -> list[Check]:
    """Return the checks that do not hold if the training errors are in the order given.

    Nothing else differs between the records that are made up for it.
    """
    runs = {
        row: [_run(row, seed, low + step * i + 0.1 * seed) for seed in claim.settings["cpu"].seeds]
        for rows in orders.values()
        for i, row in enumerate(rows)
    }
    outcomes = Finding(claim, "cpu", runs, full=False).outcomes
    return [check for check, outcome in outcomes if outcome is not Outcome.HOLDS]


def _run(row: str, seed: int, error: float) -> Run:
    """Make up the record of a training run with this training error in percent."""
    alike = {"images": 1.0, "train_accuracy": 0.5, "test_accuracy": 0.9 - 0.001 * seed}
    rows = [{"step": end, **alike} for end in ENDS.values()]
    # no images, so that it does not count in the mean over all steps
    last = {"step": 9 * EARLY, **alike, "images": 0.0, "train_accuracy": 1 - error / 100}
    measured = {"responses": [1.0]}
    return Run(row, {}, {}, seed, [*rows, last], commit="", machine={}, measured=measured)
