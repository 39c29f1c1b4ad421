"""Chapter 6: a test for each number that its prose takes from a record."""

import math
import statistics
from typing import Any

import pytest
from scipy.stats import linregress

from resnet.book.reacting import argued
from resnet.book.recorded import measured
from resnet.reproduce import EXPERIMENTS, load_records, verdict
from resnet.reproduce.checks import Outcome, values
from resnet.training.lars import SHARE
from resnet.training.recipes import Recipe

ROWS: dict[tuple[str, int], list[dict[str, Any]]] = {}
for _row in measured("why-growth")[0]["rows"]:
    ROWS.setdefault((_row["form"], _row["batch"]), []).append(_row)
LINE = {row["network"]: row for row in measured("why-line")[0]["rows"]}


def middle(row: dict[str, Any]) -> float:
    return statistics.geometric_mean(row["growth"])


@pytest.mark.parametrize(
    ("form", "batch", "law"),
    [
        ("plain", 128, 1.33),
        ("plain", 32, 1.36),
        ("ResNet", 128, 1.2),
        ("ResNet", 32, 1.2),
        ("pre-activation ResNet", 128, 1.3),
        ("pre-activation ResNet", 32, 1.3),
        ("ResNet, bottlenecks", 128, 1.9),
        ("pre-activation ResNet, bottlenecks", 128, 2.0),
    ],
)
def test_laws(form: str, batch: int, law: float) -> None:
    plain = form == "plain"
    pairs = [
        (row["units"] if plain else math.log(row["units"]), math.log(growth))
        for row in ROWS[form, batch]
        for growth in row["growth"]
    ]
    slope = linregress(*zip(*pairs, strict=True)).slope
    assert (math.exp(slope) if plain else slope) == pytest.approx(law, abs=0.01 if plain else 0.05)


@pytest.mark.parametrize(
    ("form", "first", "last"),
    [("plain", 17, 4e13), ("ResNet", 8, 160), ("pre-activation ResNet", 8, 210)],
)
def test_growth_from_20_to_218_layers(form: str, first: float, last: float) -> None:
    rows = ROWS[form, 128]
    assert middle(rows[0]) == pytest.approx(first, rel=0.05)
    assert middle(rows[-1]) == pytest.approx(last, rel=0.1)


def test_bottlenecks_grow_nine_and_four_times_as_much() -> None:
    for form, times in (("ResNet", 9), ("pre-activation ResNet", 4)):
        deep = middle(ROWS[f"{form}, bottlenecks", 128][-1]) / middle(ROWS[form, 128][-1])
        assert round(deep) == times


def test_first_losses() -> None:
    loss = {form: [sum(row["loss"]) / 5 for row in ROWS[form, 128]]
            for form in ("ResNet", "pre-activation ResNet")}  # fmt: skip
    assert (loss["ResNet"][0], loss["ResNet"][-1]) == pytest.approx((2.6, 6.5), abs=0.05)
    assert loss["pre-activation ResNet"] == pytest.approx([2.3] * 5, abs=0.07)


def test_rates_on_the_line() -> None:
    def rate(variant: str) -> float:
        return (middle(LINE[f"ResNet-56{variant}"]) / middle(LINE[f"ResNet-20{variant}"])) ** (
            1 / 18
        )

    high = [rate(f", {v}") for v in ("constant scaling", "option C", "exclusive gating b=0",
                                     "shortcut-only gating b=0")]  # fmt: skip
    assert (min(high), max(high)) == pytest.approx((1.24, 1.41), abs=0.005)
    assert rate(", constant scaling") == pytest.approx(1.28, abs=0.005)
    assert rate(", BN after addition") == pytest.approx(1.15, abs=0.005)
    gamma = (math.pi / (math.pi - 1)) ** 2
    assert math.sqrt((1 + 3 * gamma) / 4) == pytest.approx(1.37, abs=0.006)
    assert math.sqrt((1 + gamma) / 2) == pytest.approx(1.25, abs=0.006)


def test_the_argument_beside_the_measured_growth() -> None:
    """Below one the growth falls with the factor; the argument is near at 0.9 and 0.95 only."""
    gamma = (math.pi / (math.pi - 1)) ** 2
    rows = measured("why-factors")[0]["rows"]
    by_count: dict[int, list[tuple[float, float]]] = {}
    ratio = {}  # of the argument to what was measured
    for row in rows:
        by_count.setdefault(row["units"], []).append((row["factor"], middle(row)))
        ratio[row["factor"], row["units"]] = argued(row["factor"], row["units"], gamma) / middle(
            row
        )
    for pairs in by_count.values():
        below = [growth for factor, growth in sorted(pairs) if factor <= 1]
        assert below == sorted(below, reverse=True)
    for units in by_count:
        for factor in (0.9, 0.95):
            assert 0.5 < ratio[factor, units] < 2
        assert ratio[0.0, units] > 1
    with_1_1 = [ratio[1.1, units] for units in sorted(by_count)]
    assert with_1_1 == sorted(with_1_1) and with_1_1[0] > 1
    assert with_1_1[-1] > 5 and ratio[0.0, 54] > 5


DURING: dict[tuple[str, int], list[dict[str, Any]]] = {}
for _row in measured("why-training")[0]["rows"]:
    if _row["steps"] != 1 or _row["rate"] == 0.01:
        _name = _row["network"].removesuffix(", width 8")
        DURING.setdefault((_name, _row["steps"]), []).append(_row)
OTHERS = ("plain-20", "ResNet-56", "pre-activation ResNet-56")


def during(name: str, steps: int, key: str, at: int | None = None) -> list[float]:
    """The two seeds' values, of lists the median or the entry `at`."""
    rows = DURING[name, steps]
    assert len(rows) == 2
    if key in ("loss", "growth"):
        return sorted(row[key] for row in rows)
    return sorted(row[key][at] if at is not None else statistics.median(row[key]) for row in rows)


def test_the_size_heals_itself() -> None:
    assert during("plain-56", 0, "growth") == pytest.approx([4000, 4000], rel=0.07)
    for steps, most in ((1, 3000), (10, 60), (100, 11)):
        assert max(during("plain-56", steps, "growth")) < most
    assert during("ResNet-56", 100, "growth") == pytest.approx([12, 15], abs=0.5)


def test_the_first_kernels_are_thrown() -> None:
    low, high = during("plain-56", 10, "moved", 1)
    assert 3 < low < high < 4
    for name in OTHERS:
        assert max(during(name, 10, "moved", 1)) < 0.05
    assert min(during("plain-56", 1000, "moved", 1)) > 4.5  # so about five times as long


def test_scales_of_bn_hardly_move() -> None:
    for steps in (0, 1, 10, 100):
        for name in OTHERS:
            for row in DURING[name, steps]:
                assert max(abs(scale - 1) for scale in row["scales"]) < 0.031
        left = [
            i
            for row in DURING["plain-56", steps]
            for i, scale in enumerate(row["scales"])
            if abs(scale - 1) > 0.031
        ]
        assert all(i < 6 for i in left)
    largest = sorted(max(row["scales"]) for row in DURING["plain-56", 100])
    assert largest == pytest.approx([1.28, 1.67], abs=0.005)


def test_shattering_heals_later() -> None:
    assert max(map(abs, during("plain-56", 1, "correlation"))) < 0.01
    assert during("plain-56", 100, "correlation") == pytest.approx([0.5, 0.95], abs=0.03)
    assert min(during("plain-56", 1000, "correlation")) > 0.97
    for name in OTHERS:
        assert during(name, 1000, "correlation") == pytest.approx([0.99, 0.99], abs=0.005)


def test_agreement_of_batches() -> None:
    assert during("ResNet-56", 0, "agreement") == pytest.approx([0.22, 0.45], abs=0.005)
    assert during("pre-activation ResNet-56", 0, "agreement") == pytest.approx(
        [0.08, 0.32], abs=0.005
    )
    for name in ("plain-20", "plain-56"):
        for steps in (0, 1, 10):
            assert max(map(abs, during(name, steps, "agreement"))) < 0.065
    assert during("plain-20", 100, "agreement") == pytest.approx([0.18, 0.25], abs=0.006)
    assert during("plain-56", 100, "agreement") == pytest.approx([0.12, 0.13], abs=0.006)
    for name in OTHERS[1:]:
        low, high = during(name, 100, "agreement")
        assert 0.265 < low < high < 0.405
    last = {name: during(name, 1000, "agreement") for name in (*OTHERS, "plain-56")}
    assert min(map(max, last.values())) > max(map(min, last.values()))  # they overlap


def test_losses_after_a_thousand_steps() -> None:
    assert during("plain-56", 1000, "loss") == pytest.approx([0.89, 1.34], abs=0.006)
    assert during("plain-20", 1000, "loss") == pytest.approx([0.55, 0.55], abs=0.006)
    residual = [loss for name in OTHERS[1:] for loss in during(name, 1000, "loss")]
    assert (min(residual), max(residual)) == pytest.approx((0.38, 0.54), abs=0.006)


LESIONS: dict[str, list[dict[str, Any]]] = {}
for _row in measured("why-lesions")[0]["rows"]:
    LESIONS.setdefault(_row["network"].removesuffix(", width 8"), []).append(_row)


def lesion(name: str, change: str, count: int, key: str = "error") -> float:
    rows = [r for r in LESIONS[name] if (r["change"], len(r["units"])) == (change, count)]
    return statistics.median(row[key] for row in rows)


@pytest.mark.parametrize(
    ("name", "whole", "one", "swapped"),
    [
        ("ResNet-56", 13.5, 14.6, 14.4),
        ("pre-activation ResNet-56", 13.5, 15.4, 15.0),
        ("plain-56", 32, 90, 90),
        ("plain-20", 15.3, 88, None),
        ("ResNet-20", 14.3, 22.9, None),
    ],
)
def test_one_unit_less(name: str, whole: float, one: float, swapped: float | None) -> None:
    near = 0.5 if name.startswith("plain") else 0.055
    assert lesion(name, "removed", 0) == pytest.approx(whole, abs=near)
    assert lesion(name, "removed", 1) == pytest.approx(one, abs=near)
    if swapped:
        assert lesion(name, "swapped", 2) == pytest.approx(swapped, abs=near)


def test_which_units_cost_most() -> None:
    single = {
        name: {r["units"][0] + 1: r["error"] for r in rows if len(r["units"]) == 1}
        for name, rows in LESIONS.items()
    }
    first = [single["ResNet-56"].pop(unit) for unit in (1, 2, 3)]
    assert 21.5 < min(first) < max(first) < 29 and max(single["ResNet-56"].values()) < 21
    whole = lesion("ResNet-56", "removed", 0)
    assert all(error < whole + 1 for unit, error in single["ResNet-56"].items() if unit >= 20)
    cheapest = min(single["plain-56"].values()) - lesion("plain-56", "removed", 0)
    assert cheapest == pytest.approx(28, abs=0.5)


def test_averages_taken_anew() -> None:
    assert lesion("ResNet-56", "removed", 5) == pytest.approx(34, abs=0.5)
    assert lesion("ResNet-56", "removed", 10) == pytest.approx(71, abs=0.5)
    for name, five, ten in (("ResNet-56", 5, 24), ("pre-activation ResNet-56", 5, 14)):
        whole = lesion(name, "removed", 0, "refreshed")
        assert lesion(name, "removed", 5, "refreshed") - whole == pytest.approx(five, abs=0.6)
        assert lesion(name, "removed", 10, "refreshed") - whole == pytest.approx(ten, abs=0.5)
    for name in ("plain-20", "plain-56"):
        assert min(lesion(name, "removed", n, "refreshed") for n in (1, 2, 5)) > 86


TRIALS = {name: verdict(claim, load_records()) for name, claim in EXPERIMENTS.items()}


def tried(name: str, row: str, mark: str = "later") -> float:
    """The mean over the seeds of a row's error at a mark."""
    runs = TRIALS[name].runs[row]
    assert len(runs) == 3
    return statistics.fmean(values(runs, f"{mark}_error"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("repair", "points"), [("", 21), (", rate 0.01", 19), (", clipped", 18), (", Adam", 18)]
)
def test_no_repair_of_the_size_helps(repair: str, points: int) -> None:
    behind = tried("size", f"plain-56{repair}") - tried("size", f"plain-20{repair}")
    assert behind == pytest.approx(points, abs=0.5)


def test_the_grown_start_helps_while_the_rate_is_low() -> None:
    def behind(mark: str) -> float:
        return tried("point", "grown", mark) - tried("point", "plain-20", mark)

    low, high = TRIALS["point"].estimate(EXPERIMENTS["point"].checks[2]).interval()  # type: ignore[union-attr]
    assert low < 0 < high  # level
    assert behind("early") == pytest.approx(6, abs=0.7)
    assert behind("later") == pytest.approx(12, abs=0.5)
    usual = tried("point", "plain-56")
    gained = usual - tried("point", "grown")
    assert gained == pytest.approx(9, abs=0.5)
    assert 0.35 < gained / (usual - tried("point", "plain-20")) < 0.5
    assert (usual - tried("point", "Dirac")) / gained == pytest.approx(0.5, abs=0.1)


def test_start_and_rate_together_are_enough() -> None:
    assert [outcome for _check, outcome in TRIALS["both"].outcomes] == [Outcome.HOLDS] * 2
    together, shallow = tried("both", "grown, rate 0.01"), tried("both", "plain-20, rate 0.01")
    assert (round(together), round(shallow)) == (61, 60)
    check, _other = EXPERIMENTS["both"].checks
    low, high = TRIALS["both"].estimate(check).interval()  # type: ignore[union-attr]
    assert (low, high) == pytest.approx((0.3, 1.7), abs=0.05)
    assert round(tried("size", "plain-56, rate 0.01")) == 79
    first = tried("both", "grown, rate 0.01", "warm_up") - tried(
        "both", "plain-20, rate 0.01", "warm_up"
    )
    assert first == pytest.approx(-1.5, abs=0.1)
    assert round(tried("point", "grown")) == 68
    assert shallow - tried("size", "plain-20") == pytest.approx(4, abs=0.5)


def test_branches_from_zero() -> None:
    assert tried("zero", "ResNet-56", "early") - tried("zero", "ResNet-20", "early") > 4
    early = tried("zero", "ResNet-56, zero", "early") - tried("zero", "ResNet-20", "early")
    assert -1.5 < early < 0.5
    zero, rezero = (tried("zero", f"ResNet-56, {start}") for start in ("zero", "ReZero"))
    assert zero - tried("zero", "ResNet-20") == pytest.approx(-1.75, abs=0.2)
    assert abs(rezero - tried("zero", "ResNet-20")) < 0.5
    assert (
        abs(tried("zero", "ResNet-56, ReZero", "early") - tried("zero", "ResNet-20", "early")) < 1
    )
    warm = tried("zero", "ResNet-56, ReZero", "warm_up") - tried("zero", "ResNet-20", "warm_up")
    assert warm > 5


def test_a_plus_sign_helps_at_20_layers_too() -> None:
    assert round(tried("size", "plain-20") - tried("zero", "ResNet-20")) == 9


STEPPED: dict[tuple[str, int], list[dict[str, Any]]] = {}
for _row in (
    row for what in ("gains", "grown", "kept") for row in measured(f"why-{what}")[0]["rows"]
):
    STEPPED.setdefault((_row["network"].replace(", width 8", ""), _row["steps"]), []).append(_row)
GROWN = "plain-56, grown start"
KEPT = [f"ResNet-56, {kind}" for kind in ("BN after addition", "constant scaling")]
ALL = {name for name, _steps in STEPPED} - {GROWN, *KEPT}


def shares(name: str, steps: int, part: str = "together", rate: float = 0.1) -> list[float]:
    """What a step gains as a share of what its gradient predicts, by seed."""
    gains = [next(g for g in row["gains"] if g["rate"] == rate) for row in STEPPED[name, steps]]
    assert len(gains) == 2
    return [gain[part] / gain["predicted"] for gain in gains]


def test_what_a_step_gains_when_the_rate_rises() -> None:
    assert shares("plain-56", 400) == pytest.approx([0.34, 0.19], abs=0.005)
    others = [share for name in ALL - {"plain-56"} for share in shares(name, 400)]
    assert (min(others), max(others)) == pytest.approx((0.43, 0.71), abs=0.005)
    middle_ones = [statistics.fmean(shares(name, 400)) for name in ALL - {"plain-56"}]
    assert min(middle_ones) >= 0.495  # half and more
    assert shares("plain-56", 400, "apart") == pytest.approx([0.96, 0.89], abs=0.005)
    alone = [share for name in ALL - {"plain-56"} for share in shares(name, 400, "apart")]
    assert min(alone) < 0.89 and max(alone) > 0.96


def test_the_disturbance_goes_with_the_rate() -> None:
    """The distance from the nearest of the others: 0.24, 0.14 and 0.07 of the prediction."""
    for rate, distance in ((0.1, 0.24), (0.03, 0.14), (0.01, 0.07)):
        ours = statistics.fmean(shares("plain-56", 400, rate=rate))
        others = (statistics.fmean(shares(name, 400, rate=rate)) for name in ALL - {"plain-56"})
        assert min(others) - ours == pytest.approx(distance, abs=0.01)


def test_at_a_rate_of_0_3_all_but_plain_20_lose() -> None:
    for name in ALL | {GROWN}:
        assert (statistics.fmean(shares(name, 400, rate=0.3)) > 0) is (name == "plain-20")


def test_the_grown_network_has_a_good_loss_and_bad_steps() -> None:
    at_400 = {name: [row["loss"] for row in STEPPED[name, 400]] for name in (GROWN, "plain-20")}
    assert at_400 == {
        GROWN: pytest.approx([0.78, 0.76], abs=0.005),
        "plain-20": pytest.approx([0.90, 0.81], abs=0.006),
    }
    assert shares(GROWN, 400) == pytest.approx([0.36, 0.22], abs=0.005)
    assert shares(GROWN, 1000) == pytest.approx([0.92, 0.92], abs=0.005)
    later = [row["loss"] for row in STEPPED[GROWN, 1000]]
    assert later == pytest.approx([0.93, 0.93], abs=0.005)


def test_where_the_sum_is_kept_at_one_size_steps_are_bad() -> None:
    normed, halved = KEPT
    assert shares(normed, 400) == pytest.approx([0.37, 0.35], abs=0.006)
    assert shares(halved, 400) == pytest.approx([0.25, 0.17], abs=0.006)
    assert shares("ResNet-56", 400) == pytest.approx([0.65, 0.43], abs=0.005)
    assert min(share for name in KEPT for share in shares(name, 400, "apart")) > 0.85
    losses = [row["loss"] for name in KEPT for row in STEPPED[name, 400]]
    assert (min(losses), max(losses)) == pytest.approx((1.2, 1.4), abs=0.05)
    ours = statistics.fmean(row["loss"] for row in STEPPED["ResNet-56", 400])
    assert statistics.fmean(losses) / ours == pytest.approx(2, abs=0.1)
    assert min(share for name in KEPT for share in shares(name, 1000)) > 0.85
    later = [row["loss"] for name in KEPT for row in STEPPED[name, 1000]]
    assert (min(later), max(later)) == pytest.approx((0.70, 0.78), abs=0.006)


def test_after_a_thousand_steps_steps_are_good_where_the_loss_is_high() -> None:
    assert shares("plain-56", 1000) == pytest.approx([0.78, 0.93], abs=0.005)
    others = [share for name in ALL - {"plain-56"} for share in shares(name, 1000)]
    assert (min(others), max(others)) == pytest.approx((0.94, 0.97), abs=0.005)
    loss = {name: [row["loss"] for row in STEPPED[name, 1000]] for name in ALL}
    assert loss.pop("plain-56") == pytest.approx([0.95, 0.92], abs=0.006)
    rest = [value for both in loss.values() for value in both]
    assert (min(rest), max(rest)) == pytest.approx((0.42, 0.57), abs=0.005)


def test_steps_of_one_size_do_not_help() -> None:
    assert all(outcome is Outcome.HOLDS for _check, outcome in TRIALS["layers"].outcomes)
    assert round(tried("layers", "plain-56, LARS") - tried("layers", "plain-20, LARS")) == 19
    assert abs(tried("layers", "plain-20, LARS") - tried("size", "plain-20")) < 1
    recipe = Recipe(**TRIALS["layers"].runs["plain-56, LARS"][0].recipe)
    moved = velocity = 0.0  # at most, if all gradients pointed one way
    for step in range(10):
        velocity = recipe.momentum * velocity + SHARE
        moved += recipe.rate(step, recipe.steps or 0) * velocity
    assert moved < 0.01


def test_depth_hurts_where_the_sum_is_kept_at_one_size() -> None:
    outcomes = [outcome for _check, outcome in TRIALS["sum"].outcomes]
    assert outcomes == [Outcome.HOLDS, Outcome.HOLDS, Outcome.NOT_SEPARABLE]
    costs = {}
    for kind in ("", ", BN after addition", ", constant scaling"):
        deep, shallow = (tried("sum", f"ResNet-{depth}{kind}") for depth in (56, 20))
        costs[kind] = round(deep - shallow)
        assert shallow < tried("size", "plain-20")
    assert list(costs.values()) == [3, 16, 16]
    assert round(tried("size", "plain-56") - tried("size", "plain-20")) == 21
    order = TRIALS["sum"].estimate(EXPERIMENTS["sum"].checks[2])
    assert order is not None and max(map(abs, order.interval())) < 3
