"""Chapter 7: a test for each sentence that interprets its runs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import pytest

from resnet.reproduce import CLAIMS, load_records, verdict
from resnet.reproduce.checks import Less, Outcome, Quantity, values
from resnet.reproduce.gaps import crossing, gaps
from resnet.training.records import Run

FOUND = {
    name: verdict(CLAIMS[name], load_records())
    for name in ("degradation", "remedy", "faster", "depth", "responses")
}
RUNS = FOUND["degradation"].runs
FORMS = ("plain", "ResNet")
NETWORKS = [f"{form}-{depth}" for form in FORMS for depth in (20, 56)]
GAPS = {form: gaps(RUNS[f"{form}-56"], RUNS[f"{form}-20"]) for form in FORMS}
MEAN = {
    form: {step: statistics.fmean(each) for step, each in found.items()}
    for form, found in GAPS.items()
}
TRAIN = {name: values(RUNS[name], "train_error") for name in NETWORKS}
TEST = {name: values(RUNS[name], "test_error") for name in NETWORKS}


def error(name: str, step: int) -> float:
    """The mean over the seeds of the running training error at a mark."""
    rows = [next(row for row in run.rows if row["step"] == step) for run in RUNS[name]]
    return statistics.fmean(100 - 100 * row["train_accuracy"] for row in rows)


def test_the_planned_seeds_are_in() -> None:
    assert {len(RUNS[name]) for name in NETWORKS} == {3}


# The gap between two depths, step by step


@pytest.mark.parametrize(("step", "points"), [(400, 9), (1600, 21), (8000, 27)])
def test_without_shortcuts_the_gap_opens(step: int, points: int) -> None:
    assert round(MEAN["plain"][step]) == points


def test_nearly_all_of_the_plain_gap_is_there_when_the_rate_falls() -> None:
    assert MEAN["plain"][4000] > 0.93 * MEAN["plain"][8000]


def test_what_the_first_fall_of_the_rate_takes_off() -> None:
    assert round(error("plain-20", 4000) - error("plain-20", 4400)) == 4
    assert round(error("plain-56", 4000) - error("plain-56", 4400)) == 3


def test_with_shortcuts_it_opens_closes_and_changes_its_sign() -> None:
    assert MEAN["ResNet"][800] == pytest.approx(4.4, abs=0.05)
    assert max(MEAN["ResNet"].values()) == MEAN["ResNet"][800]
    assert crossing(GAPS["ResNet"]) == 3200
    each = [crossing({s: [g[i]] for s, g in GAPS["ResNet"].items()}) for i in range(3)]
    assert sorted(filter(None, each)) == [2800, 3600, 4000]
    assert RUNS["ResNet-56"][0].recipe["milestones"][0] == 4000
    assert MEAN["ResNet"][8000] == pytest.approx(-2.3, abs=0.05)


def test_what_the_plus_sign_is_worth() -> None:
    for depth, points in ((20, 7), (56, 36)):
        plain, residual = TRAIN[f"plain-{depth}"], TRAIN[f"ResNet-{depth}"]
        assert round(statistics.fmean(plain) - statistics.fmean(residual)) == points


Side = str | tuple[str, str]
PREACT = verdict(CLAIMS["start"], load_records())


def by_row(quantity: Quantity) -> dict[str, list[float]]:
    return {row: list(values(runs, quantity)) for row, runs in PREACT.runs.items()}


def told(quantity: Quantity, left: Side, right: Side) -> tuple[float, float, float]:
    """A difference and its interval as the text has them."""
    difference = Less(quantity, left, right).difference(by_row(quantity))
    low, high = difference.interval()
    return round(difference.mean, 1), round(low, 1), round(high, 1)


DEEP, SHALLOW = "pre-activation ResNet-56", "pre-activation ResNet-20"


def test_with_pre_activation_the_gap_hardly_opens() -> None:
    found = gaps(PREACT.runs[DEEP], PREACT.runs[SHALLOW])
    means = {step: statistics.fmean(each) for step, each in found.items()}
    assert max(means.values()) == pytest.approx(1.4, abs=0.05)
    assert crossing(found) == 2000
    assert told("train_error", DEEP, SHALLOW)[0] == -3.7
    assert told("train_error", DEEP, "ResNet-56")[0] == -1.2
    _, low, high = told("train_error", SHALLOW, "ResNet-20")
    assert low < 0 < high


def test_the_order_of_the_layers_delays_the_start() -> None:
    assert [outcome for _check, outcome in PREACT.outcomes] == [Outcome.HOLDS] * 3
    assert told("early_error", "ResNet-56", "ResNet-20")[0] == 4.4
    assert told("early_error", DEEP, SHALLOW)[0] == 0.9
    pair = ((DEEP, SHALLOW), ("ResNet-56", "ResNet-20"))
    assert told("early_error", *pair) == (-3.5, -5.8, -1.3)
    for name in (DEEP, SHALLOW):
        assert round(told("warm_up_error", name, name.removeprefix("pre-activation "))[0]) == 5
    assert round(told("early_error", DEEP, "ResNet-56")[0]) == -3


def test_pre_activation_fits_better() -> None:
    test = by_row("test_error")
    assert verdict(CLAIMS["preact"], load_records()).outcomes[0][1] == Outcome.HOLDS
    assert told("test_error", DEEP, "ResNet-56")[0] == -1.2
    assert max(test[DEEP]) < min(test["ResNet-56"])
    assert told("train_error", DEEP, "ResNet-56")[0] == -1.2
    assert told("test_error", DEEP, SHALLOW) == (-2.8, -3.4, -2.3)


# Degradation


def test_all_five_orders_hold() -> None:
    held = [
        outcome
        for name in ("degradation", "remedy", "faster")
        for _check, outcome in FOUND[name].outcomes
    ]
    assert held == [Outcome.HOLDS] * 5


def test_the_deeper_residual_network_is_2_3_points_below() -> None:
    gap = Less("train_error", "ResNet-56", "ResNet-20").difference(TRAIN)
    low, high = gap.interval()
    assert (round(gap.mean, 1), round(low, 1), round(high, 1)) == (-2.3, -3.6, -1.0)
    assert max(TRAIN["ResNet-20"]) - min(TRAIN["ResNet-20"]) == pytest.approx(1.6, abs=0.05)
    assert max(TRAIN["ResNet-56"]) - min(TRAIN["ResNet-56"]) < 0.7


def test_the_difference_of_the_gaps_is_29_points() -> None:
    pair = (("ResNet-56", "ResNet-20"), ("plain-56", "plain-20"))
    gap = Less("train_error", *pair).difference(TRAIN)
    assert round(-gap.mean) == 29
    assert -gap.interval()[1] > 10 * 2.3


def test_much_is_left_to_fit() -> None:
    assert min(min(each) for each in TRAIN.values()) > 25


def test_the_test_errors_of_two_depths_are_not_separated() -> None:
    assert [outcome for _check, outcome in FOUND["depth"].outcomes] == [Outcome.NOT_SEPARABLE]
    deep, shallow = TEST["ResNet-56"], TEST["ResNet-20"]
    assert all(a < b for a, b in zip(deep, shallow, strict=True))
    low, high = Less("test_error", "ResNet-56", "ResNet-20").difference(TEST).interval()
    assert low < 0 < high < 0.2
    difference = statistics.fmean(shallow) - statistics.fmean(deep)
    assert difference == pytest.approx(1.5, abs=0.05)
    assert difference < -MEAN["ResNet"][8000]


def test_faster_is_mostly_a_level() -> None:
    end = statistics.fmean(TRAIN["plain-20"]) - statistics.fmean(TRAIN["ResNet-20"])
    assert round(end) == 7
    mean = FOUND["faster"].estimate(FOUND["faster"].claim.checks[0])
    assert mean is not None and end > 0.9 * -mean.mean


# Layer responses


def measured(name: str) -> list[list[float]]:
    return [run.measured["responses"] for run in RUNS[name]]


def second_smaller(layers: Sequence[float]) -> int:
    return sum(b < a for a, b in zip(layers[1::2], layers[2::2], strict=True))


def test_the_medians_and_the_layers_below() -> None:
    assert [outcome for _check, outcome in FOUND["responses"].outcomes] == [Outcome.HOLDS] * 3
    medians = {n: statistics.fmean(map(statistics.median, measured(n))) for n in NETWORKS}
    assert medians["plain-20"] - medians["ResNet-20"] == pytest.approx(0.08, abs=0.005)
    assert medians["plain-56"] - medians["ResNet-56"] == pytest.approx(0.03, abs=0.005)
    for plain, residual in zip(measured("plain-20"), measured("ResNet-20"), strict=True):
        assert sum(r < p for p, r in zip(plain, residual, strict=True)) > 19 / 2


def test_the_responses_of_plain_56_lie_level() -> None:
    means = [statistics.fmean(each) for each in zip(*measured("plain-56"), strict=True)]
    assert all(0.7 <= each <= 0.8 for each in means[19:])
    assert not all(0.7 <= each <= 0.8 for each in means[:19])


def test_the_second_layer_of_a_residual_block_responds_less() -> None:
    assert min(map(second_smaller, measured("ResNet-56"))) == 23
    plain = sorted(map(second_smaller, measured("plain-56")))
    assert (plain[0], plain[-1]) == (14, 18)
    assert {*map(second_smaller, measured("ResNet-20"))} == {5, 6}  # of nine
    for layers in measured("ResNet-56"):
        assert sum(each < 0.68 for each in layers[2::2]) > 27 / 2


# What the test set would have chosen


def gained(run: Run, until: int) -> float:
    errors = [100 - 100 * row["test_accuracy"] for row in run.rows if row["step"] <= until]
    return errors[-1] - min(errors)


def test_what_choosing_would_have_gained() -> None:
    runs = [run for name in NETWORKS for run in RUNS[name]]
    at_the_end = [gained(run, 8000) for run in runs]
    assert statistics.fmean(at_the_end) < 0.1
    assert max(at_the_end) == pytest.approx(0.2, abs=0.05)
    before = [gained(run, 4000) for run in runs]
    assert len(before) == 12
    assert statistics.fmean(before) == pytest.approx(2, abs=0.3)
    assert sorted(before)[-2] < 5 < 10 <= max(before) < 11


# Placements


def test_placements() -> None:
    """Chapter 5 has these numbers, too."""
    found = verdict(CLAIMS["placements"], load_records())
    assert [outcome for _check, outcome in found.outcomes] == [Outcome.HOLDS] * 3
    numbers = {row: values(runs, "test_error") for row, runs in found.runs.items()}
    mean = {row: statistics.fmean(each) for row, each in numbers.items()}
    paper = found.claim.published
    for row, here, there in (
        ("BN after addition", 12, 1.6),
        ("ReLU before addition", 5, 1.2),
        ("full pre-activation", -3, -0.2),
    ):
        assert round(mean[row] - mean["original"]) == here
        assert round(paper[row] - paper["original"], 1) == there
    alike = ("ReLU-only pre-activation", "full pre-activation")
    low, high = Less("test_error", *alike).difference(numbers).interval()
    assert low < 0 < high
    assert abs(mean[alike[0]] - mean[alike[1]]) < 0.5
    assert paper[alike[0]] == pytest.approx(paper["original"], abs=0.15)
    assert mean[alike[0]] < mean["original"] - 2


# Shortcuts and the warm-up


def test_shortcuts() -> None:
    """Chapter 5 has some of these, too."""
    found = verdict(CLAIMS["shortcuts"], load_records())
    assert [outcome for _check, outcome in found.outcomes] == (
        [Outcome.HOLDS] * 5 + [Outcome.NOT_SEPARABLE]
    )
    numbers = {row: values(runs, "test_error") for row, runs in found.runs.items() if runs}
    mean = {row: statistics.fmean(each) for row, each in numbers.items()}
    behind = {row: round(mean[row] - mean["identity"]) for row in mean}
    assert behind["exclusive gating"] == 10 and behind["1×1 convolution"] == 13
    assert behind["shortcut-only gating b=0"] == 15 and behind["constant scaling"] == 17
    assert min(numbers["dropout"]) > 89
    open_gate = sorted(numbers["exclusive gating b=0"])
    assert open_gate == pytest.approx([67, 73, 90], abs=0.5)
    assert open_gate[0] > max(numbers["exclusive gating"])
    there = found.claim.published
    asked = [row for row in sorted(mean, key=mean.__getitem__) if row in there]  # no failed ones
    paper = sorted(asked, key=there.__getitem__)
    assert asked[:3] == paper[:3] and set(asked[3:]) == set(paper[3:]) and len(asked) == 5


def test_the_warm_up_is_not_decided() -> None:
    found = verdict(CLAIMS["warm-up"], load_records())
    assert [outcome for _check, outcome in found.outcomes] == [Outcome.NOT_SEPARABLE]
    numbers = {row: values(runs, "train_error") for row, runs in found.runs.items()}
    assert round(statistics.fmean(numbers["warm-up at 0.01"])) == 75
    assert round(statistics.fmean(numbers["rate 0.1"])) == 71
    assert max(numbers["rate 0.1"]) < 80
    low, high = Less("train_error", "warm-up at 0.01", "rate 0.1").difference(numbers).interval()
    assert (round(low), round(high)) == (-5, 12)
