"""Chapter 1: a test for each sentence about its four networks, which come from records."""

from __future__ import annotations

import statistics

import pytest

from resnet.reproduce import CLAIMS, load_records, verdict
from resnet.reproduce.checks import values
from resnet.reproduce.gaps import crossing, gaps

RUNS = verdict(CLAIMS["degradation"], load_records()).runs
ERROR = {name: statistics.fmean(values(runs, "train_error")) for name, runs in RUNS.items()}
TEST = {name: statistics.fmean(values(runs, "test_error")) for name, runs in RUNS.items()}
GAPS = {
    form: {
        step: statistics.fmean(each)
        for step, each in gaps(RUNS[f"{form}-56"], RUNS[f"{form}-20"]).items()
    }
    for form in ("plain", "ResNet")
}


def test_depth_costs_the_plain_network_27_points() -> None:
    assert round(ERROR["plain-56"] - ERROR["plain-20"]) == 27
    deep, shallow = (values(RUNS[name], "train_error") for name in ("plain-56", "plain-20"))
    assert all(25 <= a - b < 30 for a, b in zip(deep, shallow, strict=True))


def test_with_shortcuts_depth_wins_about_two_points() -> None:
    assert 1.5 < ERROR["ResNet-20"] - ERROR["ResNet-56"] < 2.5


def test_the_test_errors_follow() -> None:
    assert sorted(TEST, key=TEST.__getitem__) == sorted(ERROR, key=ERROR.__getitem__)


def test_the_plain_gap_opens_by_a_quarter_of_the_way_and_stays() -> None:
    later = [gap for step, gap in GAPS["plain"].items() if step >= 2000]
    assert min(later) > 0.75 * later[-1]


def test_the_residual_gap_closes_by_step_3200() -> None:
    assert GAPS["ResNet"][800] == pytest.approx(4, abs=0.5)
    assert crossing(gaps(RUNS["ResNet-56"], RUNS["ResNet-20"])) == 3200


def test_at_20_layers_the_shortcut_is_worth_about_seven_points() -> None:
    assert ERROR["plain-20"] - ERROR["ResNet-20"] == pytest.approx(7, abs=0.5)


def test_in_evaluation_mode_too_the_deep_plain_network_is_worse() -> None:
    """So it could have been the grown one, whose identity holds in that mode."""
    deep, shallow = (
        [1 - run.rows[-1]["train_accuracy_clean"] for run in RUNS[name]]
        for name in ("plain-56", "plain-20")
    )
    assert min(deep) > max(shallow) + 0.2
