"""Published numbers, typed a second time from FACTS.md."""

from __future__ import annotations

import re

import pytest

from resnet.reproduce import papers
from resnet.reproduce.papers import Published

COLUMNS = [value for value in vars(papers).values() if isinstance(value, Published)]


@pytest.mark.parametrize(
    ("column", "place", "values"),
    [
        # He et al. 2016a
        (papers.MULTIPLY_ADDS, "Table 1", {18: 1.8, 34: 3.6, 50: 3.8, 101: 7.6, 152: 11.3}),
        (papers.IMAGENET_PLAIN, "Table 2", {18: 27.94, 34: 28.54}),
        (papers.IMAGENET_RESIDUAL, "Table 2", {18: 27.88, 34: 25.03}),
        (papers.SHORTCUTS, "Table 3", {"A": 25.03, "B": 24.52, "C": 24.19}),
        (
            papers.CIFAR_RESIDUAL,
            "Table 6",
            {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43, 1202: 7.93},
        ),
        (papers.CIFAR_PLAIN, "Fig. 6", {20: 9.5, 32: 10, 44: 12, 56: 13.5}),
        (papers.IMAGENET_DEPTH, "Table 3", {34: 24.52, 50: 22.85, 101: 21.75, 152: 21.43}),
        (papers.IMAGENET_DEPTH_TOP5, "Table 3", {34: 7.46, 50: 6.71, 101: 6.05, 152: 5.71}),
    ],
)
def test_he_2016a(column: Published, place: str, values: dict[int, float]) -> None:
    assert (column.source, column.place) == ("He et al. 2016a", place)
    assert dict(column.values) == values


FIVE = ("original", "BN after addition", "ReLU before addition",
        "ReLU-only pre-activation", "full pre-activation")  # fmt: skip


@pytest.mark.parametrize(
    ("column", "place", "values"),
    [
        (
            papers.SHORTCUT_KINDS,
            "Table 1",
            {"identity": 6.61, "constant scaling": 12.35, "exclusive gating": 8.70,
             "shortcut-only gating": 6.91, "1×1 convolution": 12.22},
        ),
        (papers.GATE_BIASES, "Table 1",
         {"exclusive gating b=-7": 9.81, "shortcut-only gating b=0": 12.86}),
        (papers.PLACEMENTS_110, "Table 2",
         dict(zip(FIVE, (6.61, 8.17, 7.84, 6.71, 6.37), strict=True))),
        (papers.PLACEMENTS_164, "Table 2",
         dict(zip(FIVE, (5.93, 6.50, 6.14, 5.91, 5.46), strict=True))),
        (papers.CIFAR_ORIGINAL_DEEP, "Table 3", {110: 6.61, 164: 5.93, 1001: 7.61}),
        (papers.CIFAR_PREACT, "Table 3", {110: 6.37, 164: 5.46, 1001: 4.92}),
    ],
)  # fmt: skip
def test_he_2016b(column: Published, place: str, values: dict[int | str, float]) -> None:
    assert (column.source, column.place) == ("He et al. 2016b", place)
    assert dict(column.values) == values


def test_hand_signs() -> None:
    assert papers.HAND_SIGNS["test accuracy"] == 87
    assert "two epochs" in papers.HAND_SIGNS.note


def test_advice_has_its_table() -> None:
    """What the page "In practice" leans on: in each of these the first value is the worse one."""
    for column, worse, better in (
        (papers.WARM_UP, "none", "gradual"),
        (papers.LAST_SCALE, "8192, 1", "8192, 0"),
        (papers.IMAGENET_PREACT, "200 original", "200 pre-activation"),
    ):
        assert column[worse] > column[better], column.quantity
    assert papers.STRIDE["3x3"] > papers.SEED_DEVIATION


def test_d2l() -> None:
    """FACTS, "Dive into Deep Learning": two editions, and the median of 106 recordings."""
    assert sorted(papers.D2L_FASHION_MNIST.values.values()) == [0.893, 0.913, 0.918]
    assert {"106", "0.806", "0.927", "0.021"} <= set(
        re.findall(r"[\d.]*\d", papers.D2L_FASHION_MNIST.note)
    )


def test_readings_are_called_readings() -> None:
    """FACTS marks Fig. 6 as read off a plot; the table of 110 layers is the best of five."""
    assert "read off" in papers.CIFAR_PLAIN.note
    assert "best of 5" in papers.CIFAR_RESIDUAL.note
    assert "6.61" in papers.CIFAR_RESIDUAL.note


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.quantity)
def test_every_column_says_whence(column: Published) -> None:
    assert column.source
    assert column.place
    assert column.quantity
    assert column.unit
    assert column.values


def test_a_row_by_name() -> None:
    assert papers.CIFAR_RESIDUAL[110] == 6.43
    with pytest.raises(KeyError, match=r"He et al. 2016a, Table 6 has no row 21: \[20, 32"):
        papers.CIFAR_RESIDUAL[21]
