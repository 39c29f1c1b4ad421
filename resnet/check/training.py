"""Checks of what the reader trains: records of runs, and how many of them it takes."""

import math
from collections.abc import Mapping
from itertools import groupby
from statistics import fmean, stdev

from resnet.check.answers import as_number, slip
from resnet.check.running import Wrong, call, function, kind
from resnet.check.verdict import exercise
from resnet.training.records import Run

SOLVE = "The error of a mean falls with the root of n; solve for n."


@exercise
def seeds(runs_needed: object) -> str:
    """Check `runs_needed(difference, deviation)`: runs of each recipe to tell two apart."""
    ask = function(runs_needed, "runs_needed")
    for difference, deviation in (
        (0.5, 0.5), (0.5, 0.3), (0.5, 0.4), (0.1, 0.5), (5.0, 0.2), (0.7, 1.3),
    ):  # fmt: skip
        shown = f"runs_needed({difference}, {deviation})"
        given = as_number(call(ask, difference, deviation, shown=shown), shown)
        exact = 8 * (deviation / difference) ** 2
        # where n is exact, another order of the same sums may end just above it
        if given in {max(2, math.ceil(exact * (1 + off))) for off in (-1e-9, 1e-9)}:
            continue
        slips = (
            (math.ceil(exact), "A deviation cannot be taken from one run: at least 2."),
            (exact, "A number of runs is whole, and at least 2."),
            (math.floor(exact), "Round so that the difference is large enough."),
            (round(exact), "Round so that the difference is large enough."),
            (exact / 2, "The difference of two means has the errors of both."),
            (math.ceil(exact / 2), "The difference of two means has the errors of both."),
            (math.ceil(exact / 4), "Two errors are asked for, not one."),
            (math.ceil(math.sqrt(exact)), SOLVE),
            (math.ceil(8 * deviation / difference), SOLVE),
        )
        how = f"With n runs of each, how large is the error of the difference for n = {given:g}?"
        told = slip(slips, given, how, 1e-9)
        raise Wrong(f"{shown} is {given:g}, which is not right. {told}")
    return "six pairs of difference and deviation"


NETWORKS = ("plain-20", "plain-56", "ResNet-20", "ResNet-56")


@exercise
def rerun(runs: object, conclusions: object) -> str:
    """Check the records of a claim that was run again, and what is concluded from them."""
    by_network = _records(runs)
    losses = {name: [run.rows[-1]["train_loss"] for run in by_network[name]] for name in NETWORKS}
    if not isinstance(conclusions, Mapping) or set(conclusions) != {"plain", "ResNet"}:
        raise Wrong('Hand over conclusions as {"plain": …, "ResNet": …}.')
    if gaps := [key for key, value in conclusions.items() if value is ...]:
        raise Wrong(f"The runs are fine. Nothing is written yet for {' and '.join(gaps)}.")
    words = ("worse", "better", "undecided")
    said = []
    for family, conclusion in conclusions.items():
        if conclusion not in words:
            raise Wrong(f"{family}: expected one of {', '.join(words)}, not {conclusion!r}.")
        shallow, deep = losses[f"{family}-20"], losses[f"{family}-56"]
        difference = fmean(deep) - fmean(shallow)
        error = math.sqrt(stdev(deep) ** 2 / len(deep) + stdev(shallow) ** 2 / len(shallow))
        decided = abs(difference) >= 2 * error
        right = ("worse" if difference > 0 else "better") if decided else "undecided"
        if conclusion != right:
            said.append(
                f'{family}: "{conclusion}" is not what the runs say. Compare the difference of '
                "the means, with its sign, with twice its standard error."
            )
    if said:
        raise Wrong(*said)
    return "the runs can be compared, and the conclusions are what they say: " + ", ".join(
        f"{family} {word}" for family, word in conclusions.items()
    )


def _records(runs: object) -> dict[str, list[Run]]:
    """Return the runs by network, if they can be compared; otherwise say what differs."""
    if runs is ... or (isinstance(runs, list | tuple) and not runs):
        raise Wrong("Nothing is written here yet: fill the list runs.")
    if not isinstance(runs, list | tuple) or not all(isinstance(run, Run) for run in runs):
        raise Wrong(f"Hand over a list of what resnet.fit returns; this is {kind(runs)}.")
    ordered = sorted(runs, key=lambda run: run.network)
    by_network = {name: list(group) for name, group in groupby(ordered, key=lambda r: r.network)}
    if strange := [name for name in by_network if name not in NETWORKS]:
        base, _, option = strange[0].partition(", ")
        told = f": {base} has no {option} in the text" * (base in NETWORKS)
        raise Wrong(f"{strange[0]} does not belong to this claim{told}.")
    if missing := [name for name in NETWORKS if name not in by_network]:
        raise Wrong(f"There is no run of {', '.join(missing)}; there are {', '.join(by_network)}.")
    first = ordered[0]
    for run in ordered:
        if not run.rows or not math.isfinite(run.rows[-1]["train_loss"]):
            raise Wrong(f"A run of {run.network} has no finite training loss.")
        for what in ("recipe", "data"):
            if getattr(run, what) != getattr(first, what):
                raise Wrong(f"{run.network} and {first.network} differ in the {what}: nothing "
                            "can be concluded about depth.")  # fmt: skip
    for name, group in by_network.items():
        if len({run.seed for run in group}) < 2:
            raise Wrong(f"{name} was run with one seed only: there is no telling how far two "
                        "runs of it would differ. Is `seed=` passed to resnet.fit?")  # fmt: skip
        if len({run.rows[-1]["train_loss"] for run in group}) < len(group):
            raise Wrong(f"Two runs of {name} are the same run. Is the seed passed to resnet.fit, "
                        "and is the network made anew for each run?")  # fmt: skip
    return by_network
