"""Chapter 6: a test for each number that its prose takes from a record."""

import math
from typing import Any

import pytest
from scipy.stats import linregress

from resnet.book.reacting import argued
from resnet.book.recorded import measured

ROWS: dict[tuple[str, int], list[dict[str, Any]]] = {}
for _row in measured("why-growth")[0]["rows"]:
    ROWS.setdefault((_row["form"], _row["batch"]), []).append(_row)
LINE = {row["network"]: row for row in measured("why-line")[0]["rows"]}


def middle(row: dict[str, Any]) -> float:
    return math.exp(sum(map(math.log, row["growth"])) / len(row["growth"]))


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
