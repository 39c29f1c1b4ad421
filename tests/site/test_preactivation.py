"""Chapter 5: a test for each number and order that its prose takes from a record."""

from __future__ import annotations

import statistics

import pytest

import resnet
from resnet.book import signals
from resnet.book.recorded import measured
from resnet.reproduce import papers
from resnet.reproduce.checks import values
from resnet.training.records import Run

RATES = signals.rates(measured("why-line")[0]["rows"])
ROWS = {
    "original": ("ResNet", ""),
    "full pre-activation": ("pre-activation ResNet", ""),
    **{
        name: ("ResNet", name)
        for name in ("BN after addition", "ReLU before addition", "ReLU-only pre-activation")
    },
}
PLACED = {name: RATES[key] for name, key in ROWS.items()}


def test_with_bn_on_the_line_the_rate_stays() -> None:
    assert PLACED["BN after addition"] == pytest.approx([1.15, 1.15], abs=0.02)
    for column in (papers.PLACEMENTS_110, papers.PLACEMENTS_164):
        assert max(column.values, key=column.values.__getitem__) == "BN after addition"
        assert min(column.values, key=column.values.__getitem__) == "full pre-activation"


def test_elsewhere_it_falls() -> None:
    assert PLACED["original"] == pytest.approx([1.07, 1.03], abs=0.005)
    for name, (first, second) in PLACED.items():
        if name != "BN after addition":
            assert second < 1.04 and second < first < 1.1
    assert min(PLACED, key=lambda name: PLACED[name][0]) == "ReLU before addition"


def test_kinds_of_shortcut() -> None:
    kinds = {variant: rate for (form, variant), rate in RATES.items() if form == "ResNet"}
    assert kinds["constant scaling"] == pytest.approx([1.26, 1.26], abs=0.02)
    assert kinds["option C"] == pytest.approx(kinds["constant scaling"], abs=0.02)
    assert kinds["exclusive gating"] == pytest.approx([1, 1], abs=0.01)
    assert kinds["shortcut-only gating b=0"][0] == pytest.approx(1.26, abs=0.03)


def test_what_moving_a_relu_does_to_600_steps() -> None:
    runs: dict[str, list[Run]] = {}
    for run in resnet.recorded("early/600-steps/*resnet-56*.json"):
        runs.setdefault(run.network, []).append(run)
    original, moved = runs["ResNet-56"], runs["pre-activation ResNet-56"]
    ends = [statistics.fmean(values(group, "test_error")) for group in (original, moved)]
    assert ends == pytest.approx([27.9, 18.4], abs=0.05)
    assert len(original) == len(moved) == 3
    for mark in range(len(original[0].rows)):
        best, worst = (
            choose(run.column("train_accuracy")[mark] for run in group)
            for choose, group in ((max, original), (min, moved))
        )
        assert worst > best
