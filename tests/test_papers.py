"""Published numbers, typed a second time from FACTS.md."""

from __future__ import annotations

import re

import pytest

from resnet import papers
from resnet.papers import Published

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
    ],
)
def test_he_2016a(column: Published, place: str, values: dict[int, float]) -> None:
    assert (column.source, column.place) == ("He et al. 2016a", place)
    assert dict(column.values) == values


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
