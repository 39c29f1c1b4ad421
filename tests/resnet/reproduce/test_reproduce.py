"""The ledger: verdicts on made-up records, and every claim's smoke run from plan to record."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from toybook import ROOT

from resnet import DataError, Recipe, Run
from resnet.__main__ import main
from resnet.reproduce import (
    CLAIMS,
    EXPERIMENTS,
    ORDER,
    Claim,
    Finding,
    Verdict,
    checks_table,
    findings,
    ledger,
    load_records,
    plan,
    power,
    reproduce,
    rows_table,
    verdict,
    work,
)
from resnet.reproduce.checks import (
    EARLY,
    FAILED,
    Counted,
    EachWithin,
    Less,
    Outcome,
    Within,
    combined,
    value,
)
from resnet.reproduce.claims import near
from resnet.reproduce.papers import CIFAR_RESIDUAL
from resnet.reproduce.settings import (
    BLOCKS,
    DEPTH,
    GPU,
    PAPERS_2016A,
    PAPERS_2016B,
    SCALES,
    SMOKE,
    START,
    Row,
    Setting,
    reduced,
    scaled,
)
from resnet.reproduce.tables import small
from resnet.reproduce.work import do, longest_first, slug
from resnet.tables import PLUS_MINUS
from resnet.training.records import results

SMALL = Setting(folder="small", data="fashion-mnist", recipe=Recipe(steps=9, batch_size=3, lr=1),
                seeds=(0, 1, 2), note="small")  # fmt: skip
LARGE = dataclasses.replace(
    SMALL, folder="large", data="cifar10", recipe=Recipe(steps=99, batch_size=3, lr=1), full=True
)
CLAIM = Claim(
    title="Depth helps",
    source="somebody",
    statement="ResNet-20 is better than plain-20.",
    rows={"with": "ResNet-{n}", "without": "plain-{n}"},
    published={"with": 10.0},
    published_for="paper",
    checks=(
        Less("test_error", "with", "without"),
        Within("test_error", "with", 9.5, 10.5),
    ),
    settings={"cpu": SMALL, "gpu": LARGE},
    depths={"cpu": 20, "gpu": 20},
)
CIFAR_10 = {"name": "CIFAR-10", "sample": False, "canonical": True, "sha256": "c1"}
COPY = {"name": "images in cifar", "sample": False, "canonical": False, "sha256": "c2"}
FASHION = {"name": "Fashion-MNIST", "sample": False, "canonical": True, "sha256": "f1"}


def made(
    network: str,
    errors: Sequence[float],
    *,
    setting: Setting = SMALL,
    data: dict[str, Any] = FASHION,
    precision: str = "float32",
) -> list[Run]:
    """Records of a network, a seed each, with these last test errors in percent."""
    return [
        Run(network, data, setting.recipe.describe(), seed, settings={"precision": precision},
            rows=[
                {"step": 1, "train_accuracy": 0.1, "test_accuracy": 0.99},  # the best, not the last
                {"step": 2, "train_accuracy": 0.5, "test_accuracy": 1 - error / 100},
            ])
        for seed, error in enumerate(errors)
    ]  # fmt: skip


GOOD, BAD = [10.1, 9.8, 10.0], [14.2, 13.7, 14.1]


def test_reproduced() -> None:
    """All checks at the paper's scale on the paper's data."""
    runs = made("ResNet-20", GOOD, setting=LARGE, data=CIFAR_10)
    runs += made("plain-20", BAD, setting=LARGE, data=CIFAR_10)
    found = verdict(CLAIM, runs)
    assert found.verdict is Verdict.REPRODUCED
    assert found.reason == "holds: 2 of 2"
    assert found.seeds == "3"


def test_direction_only() -> None:
    """The same numbers at a reduced scale are no more than that; the value is not compared."""
    found = verdict(CLAIM, made("ResNet-20", GOOD) + made("plain-20", BAD))
    assert found.verdict is Verdict.DIRECTION
    assert [check for check, _ in found.outcomes] == [CLAIM.checks[0]]
    assert found.conditions == "Fashion-MNIST; small"


@pytest.mark.parametrize(
    ("errors", "outcome", "small", "large"),
    [
        ([14.1, 14.2, 13.9], Outcome.NOT_SEPARABLE, Verdict.UNDECIDED, Verdict.NOT_REPRODUCED),
        # lower, but by less than the deviation tells
        ([13.9, 14.0, 13.6], Outcome.NOT_SEPARABLE, Verdict.UNDECIDED, Verdict.NOT_REPRODUCED),
        ([18.0, 18.2, 18.1], Outcome.OPPOSITE, Verdict.OPPOSITE, Verdict.NOT_REPRODUCED),
    ],
)
def test_what_does_not_hold(
    errors: list[float], outcome: Outcome, small: Verdict, large: Verdict
) -> None:
    """ "Not reproduced" is said at the papers' scale only; there also of a value far away."""
    found = verdict(CLAIM, made("ResNet-20", errors) + made("plain-20", BAD))
    assert found.verdict is small
    assert found.reason == f"{outcome}: 1 of 1"
    runs = made("ResNet-20", errors, setting=LARGE, data=CIFAR_10)
    runs += made("plain-20", BAD, setting=LARGE, data=CIFAR_10)
    assert verdict(CLAIM, runs).verdict is large


def test_an_order_that_is_not_separable_is_undecided_at_any_scale() -> None:
    order = dataclasses.replace(CLAIM, checks=CLAIM.checks[:1])
    runs = made("ResNet-20", [14.1, 14.2, 13.9], setting=LARGE, data=CIFAR_10)
    runs += made("plain-20", BAD, setting=LARGE, data=CIFAR_10)
    assert verdict(order, runs).verdict is Verdict.UNDECIDED


def test_right_order_wrong_value() -> None:
    """At the paper's scale the order alone is not enough."""
    runs = made("ResNet-20", [11.0, 11.1, 10.9], setting=LARGE, data=CIFAR_10)
    runs += made("plain-20", BAD, setting=LARGE, data=CIFAR_10)
    found = verdict(CLAIM, runs)
    assert found.verdict is Verdict.NOT_REPRODUCED
    assert found.reason == "holds: 1 of 2, outside the tolerance: 1 of 2"


@pytest.mark.parametrize(
    ("errors", "outcome"),
    [
        ([9.9, 10.0, 10.1], Outcome.HOLDS),
        ([9.0, 10.0, 11.0], Outcome.NOT_SEPARABLE),  # the mean is inside, its interval is not
        ([10.9, 11.0, 11.1], Outcome.OUTSIDE),
        ([10.4, 10.5, 10.6], Outcome.NOT_SEPARABLE),
    ],
)
def test_a_value_is_tested_for_equivalence(errors: list[float], outcome: Outcome) -> None:
    """A wide interval is no agreement: the more noise, the harder it is to agree."""
    assert Within("test_error", "x", 9.5, 10.5).outcome({"x": errors}) is outcome
    half = combined({"x": 1.0}, {"x": [9.0, 10.0, 11.0]}).interval(0.9)[1] - 10
    assert half == pytest.approx(2.919986 / 3**0.5, rel=1e-5)  # Student's 95% point, 2 degrees


def test_each_run_within() -> None:
    check = EachWithin("test_error", "x", 7.0, 19.0)
    assert check.outcome({"x": [7.5, 18.5]}) is Outcome.HOLDS
    assert check.outcome({"x": [7.5, 19.5]}) is Outcome.OUTSIDE
    assert str(check) == "test error (%): x from 7.00 to 19.00, each run"
    assert str(Within("test_error", "x", 7, 9.5)) == "test error (%): x from 7.00 to 9.50"


def test_the_range_of_all_runs_is_told() -> None:
    claim = dataclasses.replace(CLAIM, checks=(EachWithin("test_error", "with", 9, 11, False),))
    (found,) = findings(claim, made("ResNet-20", GOOD))
    assert checks_table(found).rows[0][2] == "9.80 to 10.10"


def test_bounds_around_a_published_value() -> None:
    """0.8 points on both sides, to the digits of the papers' tables."""
    (found,) = near({"a": 6.61})
    assert found == Within("test_error", "a", 5.81, 7.41) and found.needs_full
    assert (found.low, found.high) == (5.81, 7.41)


@pytest.mark.parametrize("runs", [
    [],
    made("ResNet-20", GOOD),
    made("ResNet-20", GOOD) + made("plain-20", BAD[:2]),
])  # fmt: skip
def test_not_run(runs: list[Run]) -> None:
    """Without records, without a row's, or with a planned seed missing there is no verdict."""
    assert verdict(CLAIM, runs).verdict is Verdict.NOT_RUN


def test_seeds_that_are_not_planned_do_not_count() -> None:
    """Nobody goes on until it fits: a fourth seed changes nothing, and replaces none."""
    runs = made("ResNet-20", [*GOOD, 99.0]) + made("plain-20", BAD)
    found = verdict(CLAIM, runs)
    assert found.seeds == "3"
    assert found.verdict is Verdict.DIRECTION
    late = [run for run in made("ResNet-20", [*GOOD, 10.0]) if run.seed]
    assert verdict(CLAIM, late + made("plain-20", BAD)).verdict is Verdict.NOT_RUN


def test_missing_seeds_are_counted() -> None:
    found = verdict(CLAIM, made("ResNet-20", GOOD) + made("plain-20", BAD[:1]))
    assert found.reason == "1 of 3 seeds are complete"
    assert found.seeds == "1 to 3"


def test_one_seed_twice_is_one_seed() -> None:
    once = made("plain-20", BAD[:1])
    assert verdict(CLAIM, made("ResNet-20", GOOD) + 3 * once).verdict is Verdict.NOT_RUN


def test_precisions_are_never_mixed() -> None:
    """A record counts in the precision that the setting fixes, and in no other."""
    half = made("plain-20", BAD, precision="bfloat16")
    assert verdict(CLAIM, made("ResNet-20", GOOD) + half).verdict is Verdict.NOT_RUN


@pytest.mark.parametrize(
    "other",
    [
        FASHION | {"sha256": "f2"},
        FASHION | {"sample": True},
        FASHION | {"name": "Fashion-MNIST, shuffled"},
    ],
)
def test_data_sets_are_never_mixed(other: dict[str, Any]) -> None:
    """Two seeds on one set and one on another are not three; each set has its finding."""
    runs = made("ResNet-20", GOOD) + made("plain-20", BAD[:2])
    runs += [run for run in made("plain-20", BAD, data=other) if run.seed == 2]
    found = findings(CLAIM, runs)
    assert [f.verdict for f in found] == [Verdict.NOT_RUN] * 2
    counts = [{row: len(r) for row, r in f.runs.items()} for f in found]
    assert sorted(counts, key=str) == [{"with": 0, "without": 1}, {"with": 3, "without": 2}]


@pytest.mark.parametrize(
    "data", [COPY, CIFAR_10 | {"sample": True}, CIFAR_10 | {"canonical": False}]
)
def test_a_copy_is_never_canonical(data: dict[str, Any]) -> None:
    """The paper's schedule on a copy shows a direction; its numbers are not set beside it."""
    runs = made("ResNet-20", GOOD, setting=LARGE, data=data)
    runs += made("plain-20", BAD, setting=LARGE, data=data)
    found = verdict(CLAIM, runs)
    assert found.verdict is Verdict.DIRECTION
    assert all(isinstance(check, Less) for check, _ in found.outcomes)
    name = data["name"].removeprefix("images in ")
    assert found.conditions.startswith("sample of " * data["sample"] + name)
    assert data["canonical"] or ", a copy" in found.conditions


def test_the_larger_scale_decides() -> None:
    """A claim that fails on the paper's own data is not saved by a small run or a copy."""
    small = made("ResNet-20", GOOD) + made("plain-20", BAD)
    copy = made("ResNet-20", GOOD, setting=LARGE, data=COPY | {"name": "a, before all others"})
    copy += made("plain-20", BAD, setting=LARGE, data=COPY | {"name": "a, before all others"})
    large = made("ResNet-20", BAD, setting=LARGE, data=CIFAR_10)
    large += made("plain-20", GOOD, setting=LARGE, data=CIFAR_10)
    assert [f.verdict for f in findings(CLAIM, small + copy + large)] == [
        Verdict.NOT_REPRODUCED, Verdict.DIRECTION, Verdict.DIRECTION
    ]  # fmt: skip
    assert verdict(CLAIM, small + copy + large).verdict is Verdict.NOT_REPRODUCED
    assert verdict(CLAIM, small + large[:1]).verdict is Verdict.DIRECTION  # not run is no verdict


def test_the_papers_data_decide_before_a_copy_at_one_scale() -> None:
    """By rule: the copy's name comes first in the alphabet, and its finding second."""
    small = dataclasses.replace(SMALL, data="cifar10")
    claim = dataclasses.replace(CLAIM, settings={"cpu": small})
    first = COPY | {"name": "A copy"}
    runs = made("ResNet-20", GOOD, data=first) + made("plain-20", BAD, data=first)
    runs += made("ResNet-20", BAD, data=CIFAR_10) + made("plain-20", GOOD, data=CIFAR_10)
    assert [f.verdict for f in findings(claim, runs)] == [Verdict.OPPOSITE, Verdict.DIRECTION]


def test_another_recipe_is_another_run() -> None:
    other = dataclasses.replace(SMALL, recipe=dataclasses.replace(SMALL.recipe, lr=0.5))
    runs = made("ResNet-20", GOOD, setting=other) + made("plain-20", BAD, setting=other)
    assert verdict(CLAIM, runs).runs == {"with": [], "without": []}


def failed(network: str) -> list[Run]:
    return [
        Run(network, FASHION, SMALL.recipe.describe(), seed, settings={"precision": "float32"},
            measured={"failed": "nan"})
        for seed in range(3)
    ]  # fmt: skip


def test_a_failed_training_is_a_result() -> None:
    """It counts with the error of guessing, and without a deviation nothing is divided by it."""
    found = verdict(CLAIM, made("ResNet-20", [10.0] * 3) + failed("plain-20"))
    assert found.verdict is Verdict.DIRECTION
    assert "-80.00 [-80.00, -80.00]" in str(checks_table(found))
    assert f"90.00{PLUS_MINUS}0.00" in str(rows_table(found, ["test_error"]))


def test_a_failed_training_has_no_responses() -> None:
    """Of a quantity that it does not have there is no verdict, and the page goes on."""
    claim = dataclasses.replace(CLAIM, checks=(Less("response", "with", "without"),))
    runs = made("ResNet-20", GOOD)
    for run in runs:
        run.measured["responses"] = [1.0, 2.0, 9.0]
    found = verdict(claim, runs + failed("plain-20"))
    assert found.verdict is Verdict.NOT_RUN
    assert "not run" in str(checks_table(found)) and str(rows_table(found, ["response"]))
    assert value(runs[0], "response") == 2.0  # the median: one wild layer does not decide


def test_quantities() -> None:
    """The last row's, the early row's, and the mean over all steps, each step alike."""
    run = Run("x", FASHION, {}, 0, rows=[
        {"step": EARLY // 2, "images": 100, "train_accuracy": 0.1, "test_accuracy": 0.2},
        {"step": EARLY, "images": 100, "train_accuracy": 0.3, "test_accuracy": 0.4},
        {"step": 5 * EARLY, "images": 800, "train_accuracy": 0.6, "test_accuracy": 0.5},
    ])  # fmt: skip
    found = {q: value(run, q) for q in ("train_error", "early_error", "test_error")}  # type: ignore
    assert found == {"train_error": 40, "early_error": 70, "test_error": 50}
    assert value(run, "train_error_mean") == pytest.approx(100 * (1 - 0.52))
    del run.rows[1]
    assert value(run, "early_error") is None  # another window is no substitute
    run.measured["failed"] = "nan"
    assert value(run, "train_error_mean") == value(run, "early_error") == FAILED


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], 0.1439),  # t = -1.2247 with 4 degrees of freedom
        ([1.0, 1.0], [1.0, 1.0], 0.5),
        ([1.0, 1.0], [2.0, 2.0], 0.0),
        ([2.0, 2.0], [1.0, 1.0], 1.0),
    ],
)
def test_p_value(a: list[float], b: list[float], p: float) -> None:
    """Welch's test, from tables; equal numbers are no evidence, whatever their deviation."""
    values = {"a": a, "b": b}
    assert Less("test_error", "a", "b").p_value(values) == pytest.approx(p, abs=1e-4)


def test_p_value_is_scipys() -> None:
    from scipy.stats import ttest_ind

    a, b = [10.2, 9.1, 10.9, 10.0], [11.4, 10.1, 14.0]
    wanted = ttest_ind(a, b, equal_var=False, alternative="less")
    check = Less("test_error", "a", "b")
    assert check.p_value({"a": a, "b": b}) == pytest.approx(wanted.pvalue, rel=1e-9)
    both = ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    assert check.difference({"a": a, "b": b}).interval() == pytest.approx(tuple(both), rel=1e-9)


@pytest.mark.parametrize("shift", [0.1, 0.5, 1.0, -0.5, -1.0])
def test_rule_and_interval_agree(shift: float) -> None:
    """An order holds if and only if the whole interval that is shown is on its side."""
    a = [12.1, 12.6, 12.3]
    values = {"a": a, "b": [x + shift for x in a]}
    check = Less("test_error", "a", "b")
    low, high = check.difference(values).interval()
    wanted = Outcome.HOLDS if high < 0 else Outcome.OPPOSITE if low > 0 else Outcome.NOT_SEPARABLE
    assert check.outcome(values) is wanted


def test_an_order_of_gaps() -> None:
    """(a - b) < (c - d): four means, Satterthwaite's freedom; a margin moves the bound."""
    values = {"a": [5.0, 5.2], "b": [4.0, 4.2], "c": [9.0, 9.2], "d": [4.0, 4.2]}
    check = Less("train_error", ("a", "b"), ("c", "d"))
    assert check.weights == {"a": 1, "b": -1, "c": -1, "d": 1}
    found = check.difference(values)
    assert (found.mean, found.error) == pytest.approx((-4.0, 0.2))  # sqrt(4 * 0.02 / 2)
    assert found.freedom == pytest.approx(4.0)
    assert check.outcome(values) is Outcome.HOLDS
    assert str(check) == "training error (%): a − b < c − d"
    other = Less("train_error", "a", "b", margin=2.0)
    assert other.outcome(values) is Outcome.HOLDS  # 1 point above, 2 are allowed
    assert dataclasses.replace(other, margin=0.0).outcome(values) is Outcome.OPPOSITE


def test_holm() -> None:
    """The smallest p times all, the next times one fewer, never smaller than the one before."""
    rows = {name: f"plain-{n}" for name, n in zip("abcd", (8, 14, 20, 26), strict=True)}
    checks = tuple(Less("test_error", "a", other) for other in "bcd")
    claim = dataclasses.replace(CLAIM, rows=rows, checks=checks)
    errors = {"a": [10.0, 10.1, 10.2], "b": [10.3, 10.4, 10.5], "c": [10.15, 10.3, 10.4],
              "d": [13.0, 13.1, 13.2]}  # fmt: skip
    found = verdict(claim, [run for row, e in errors.items() for run in made(rows[row], e)])
    p = {c.b: c.p_value(found.numbers(c)) for c in checks}  # type: ignore[arg-type]
    holm = {c.b: found.adjusted[c] for c in checks}  # type: ignore[index]
    assert p["d"] < p["b"] < p["c"]
    assert holm == pytest.approx(
        {"d": 3 * p["d"], "b": max(3 * p["d"], 2 * p["b"]), "c": max(2 * p["b"], p["c"])}
    )
    assert "< 0.001" in str(checks_table(found))
    del found.runs["c"], found.outcomes, found.adjusted  # still to be run: it counts as one of them
    assert found.adjusted[checks[2]] == pytest.approx(3 * p["d"])


def test_what_chapter_6_says_of_its_rules() -> None:
    """1.74 deviations with three seeds each; one opposite in six among six orders of equals."""
    from scipy.stats import t

    assert round(t.ppf(0.95, 4) * (2 / 3) ** 0.5, 2) == 1.74
    draw = random.Random(0)
    orders = [Less("test_error", "same", str(i)) for i in range(6)]
    opposite = 0
    for _ in range(1000):
        values = {row: [draw.gauss(0, 1) for _ in range(3)] for row in ("same", *"012345")}
        opposite += any(order.outcome(values) is Outcome.OPPOSITE for order in orders)
    assert opposite / 1000 == pytest.approx(1 / 6, abs=0.03)


def test_power() -> None:
    """More seeds, more power; no difference, as often as the level says."""
    claim = dataclasses.replace(CLAIM, checks=CLAIM.checks[:1])
    few, many = (
        power(claim, "gpu", {"with": 10.0, "without": 10.4}, seeds=n, draws=500)[0] for n in (2, 8)
    )
    assert few < 0.5 < 0.95 < many
    none = power(claim, "gpu", {"with": 10.0, "without": 10.0}, seeds=5, draws=2000)[0]
    assert none == pytest.approx(0.05, abs=0.02)
    with pytest.raises(ValueError, match=r"no check of 'Depth helps' is about these rows"):
        power(claim, "gpu", {"other": 1.0})


@pytest.mark.parametrize(
    ("published", "tolerance", "outcome"),
    [(0.27, 0.005, Outcome.HOLDS), (0.28, 0.005, Outcome.OUTSIDE), (0.26, 0.005, Outcome.OUTSIDE)],
)
def test_counted(published: float, tolerance: float, outcome: Outcome) -> None:
    """269,722 parameters (FACTS); a BN of c channels has 2c of them."""
    check = Counted("parameters", "ResNet-20", published, tolerance)
    assert check.count == 269_722
    assert check.outcome({}) is outcome
    norms = 2 * (7 * 16 + 6 * 32 + 6 * 64)
    assert dataclasses.replace(check, without_bn=True).count == 269_722 - norms


def test_costs_are_reproduced() -> None:
    found = verdict(CLAIMS["costs"], [])
    assert found.verdict is Verdict.REPRODUCED
    assert found.conditions == "counted, nothing to train"
    told = {row[0]: row[2] for row in checks_table(found).rows}
    assert told["parameters: ResNet-20"] == "269,722, published 0.27 · 10⁶"
    assert "10⁹" in told["multiply-adds: ResNet-50"]
    assert len(found.outcomes) == 13


def test_small_probabilities() -> None:
    assert [small(p) for p in (0.0, 0.00049, 0.0005, 0.0123)] == [
        "< 0.001", "< 0.001", "0.001", "0.012"
    ]  # fmt: skip


def test_tables() -> None:
    """Published beside ours, in the header what it is; a row that was not run says so."""
    records = made("ResNet-20", GOOD)
    found = findings(CLAIM, records)[0]
    table = rows_table(found, ["test_error"])
    assert table.header == ["network", "here: test error (%)", "seeds", "paper"]
    lines = str(table).splitlines()
    assert lines[1].split() == ["with", "9.97", "±", "0.15", "3", "10.00"]
    assert lines[2].split() == ["without", "not", "run", "0"]
    table = checks_table(found)
    assert "not run" in str(table)
    told = ["what should be", "outcome", "left minus right, or mean [90%]", "p", "p (Holm)"]
    assert table.header == told
    assert ledger(records).header == ["claim", "verdict", "because"]
    verdicts = dict(zip(CLAIMS, (row[1] for row in ledger(records).rows), strict=True))
    assert verdicts.pop("costs") == "reproduced"
    assert verdicts.pop("options") == "not asked here"
    assert set(verdicts.values()) == {"not run"}


# The claims as they stand

ALL = CLAIMS | EXPERIMENTS


@pytest.mark.parametrize("name", ALL)
def test_claims_are_whole(name: str) -> None:
    """Each says where it is from; every check is of rows that there are, at some scale."""
    claim = ALL[name]
    assert claim.title and claim.source and claim.statement
    assert claim.checks or claim.not_asked
    assert {row for check in claim.checks for row in check.rows} <= set(claim.rows)
    assert bool(claim.published) == bool(claim.published_for)
    if not claim.settings:
        return
    assert set(claim.settings) <= set(SCALES) and "smoke" in claim.settings
    for scale in claim.settings:
        assert claim.asked(scale, full=True), scale
    made_somewhere = {c for s in claim.settings for c in claim.asked(s, full=True)}
    assert set(claim.checks) == made_somewhere


def test_every_claim_is_in_the_order_of_work() -> None:
    named = [name for names, _ in ORDER for name in names]
    assert set(named) == {name for name, claim in ALL.items() if claim.settings}


def test_no_reduced_setting_is_called_full() -> None:
    """Full is the papers' own training, and D2L's, which two cores can do."""
    for name, claim in ALL.items():
        for scale, setting in claim.settings.items():
            assert setting.full == (scale == "papers" or (name, scale) == ("d2l", "cpu"))
            assert setting.note
            assert setting.precision == "float32"


# The plan, written down a second time: what a wrong order, recipe or seed would have to pass.
PLANNED = {
    "degradation": "training: plain-20 < plain-56, ResNet-56 < ResNet-20, plain-56 < plain-110, "
    "ResNet-110 < ResNet-20",
    "remedy": "training: ResNet-56 − ResNet-20 < plain-56 − plain-20, ResNet-56 < plain-56",
    "faster": "mean: ResNet-20 < plain-20",
    "start": "early: ResNet-20 < ResNet-56, "
    "pre-activation ResNet-56 < pre-activation ResNet-20 + 2, "
    "pre-activation ResNet-56 − pre-activation ResNet-20 < ResNet-56 − ResNet-20",
    "triple": "training: plain-20 < plain-56",
    "warm-up": "training: warm-up at 0.01 < rate 0.1",
    "depth": "test: ResNet-56 < ResNet-20, ResNet-110 < ResNet-20",
    "responses": "median: ResNet-20 < plain-20, ResNet-56 < plain-56, ResNet-56 < ResNet-20, "
    "ResNet-110 < ResNet-56",
    "options": "",
    "shortcuts": "test: identity < constant scaling, identity < exclusive gating, "
    "identity < shortcut-only gating b=0, identity < 1×1 convolution, identity < dropout, "
    "exclusive gating < exclusive gating b=0, exclusive gating < exclusive gating b=-7, "
    "identity < shortcut-only gating",
    "placements": "test: full pre-activation < original, original < BN after addition, "
    "original < ReLU before addition",
    "preact": "test: pre-activation ResNet-56 < ResNet-56, pre-activation ResNet-110 < ResNet-110, "
    "pre-activation ResNet-164 < ResNet-164",
    "d2l": "",
    "costs": "",
    "size": "later: plain-20 < plain-56, plain-20, rate 0.01 < plain-56, rate 0.01, "
    "plain-20, clipped < plain-56, clipped, plain-20, Adam < plain-56, Adam",
    "point": "later and warm-up: grown < plain-56, Dirac < plain-56, grown < plain-20 + 2, "
    "plain-20 < grown",
    "both": "later: grown, rate 0.01 < plain-20, rate 0.01 + 2, grown, rate 0.01 < grown",
    "layers": "later: plain-20, LARS < plain-56, LARS",
    "sum": "later: ResNet-20, constant scaling < ResNet-56, constant scaling, "
    "ResNet-56 − ResNet-20 < ResNet-56, BN after addition − ResNet-20, BN after addition, "
    "ResNet-56, BN after addition − ResNet-20, BN after addition < "
    "ResNet-56, constant scaling − ResNet-20, constant scaling",
    "zero": "early: ResNet-56, zero < ResNet-56, ResNet-56, ReZero < ResNet-56, "
    "ResNet-56, zero − ResNet-20, zero < ResNet-56 − ResNet-20",
}


@pytest.mark.parametrize("name", PLANNED)
def test_orders_are_the_planned_ones(name: str) -> None:
    kinds = {"train_error": "training", "train_error_mean": "mean", "early_error": "early",
             "warm_up_error": "warm-up", "later_error": "later",
             "test_error": "test", "response": "median"}  # fmt: skip
    orders = [check for check in ALL[name].checks if isinstance(check, Less)]
    told = ", ".join(str(check).partition(": ")[2] for check in orders)
    words = PLANNED[name].partition(":")[0].split(" and ")
    assert {kinds[check.quantity] for check in orders} <= {*words}
    assert told == PLANNED[name].partition(": ")[2]
    for check in ALL[name].checks:
        if type(check) is Within and check.high < 100:
            middle, half = (check.low + check.high) / 2, (check.high - check.low) / 2
            assert (middle, half) == pytest.approx((ALL[name].published[check.row], 0.8))


def test_published_values_are_those_of_the_row() -> None:
    values = [c for c in CLAIMS["depth"].checks if isinstance(c, Within)]
    told = {int(c.row[7:]): (c.low + c.high) / 2 for c in values}
    wanted = {d: CIFAR_RESIDUAL[d] for d in (20, 32, 44, 56)} | {110: 6.61}  # the mean of five
    assert told == pytest.approx(wanted)


def test_how_a_setting_differs_in_words() -> None:
    assert reduced(DEPTH) == (
        "8 channels in the first stage instead of 16, images of 16×16 pixels instead of 32×32, "
        "8,000 steps instead of 64,000"
    )
    assert reduced(GPU) == "16,000 steps instead of 64,000"


def test_settings() -> None:
    """The plan of the runs, as agreed before the first of them."""
    told = {
        setting.folder: (
            setting.recipe.steps, setting.recipe.milestones, setting.recipe.warm_up,
            setting.recipe.image_size, setting.recipe.pad, setting.width, setting.seeds,
        )
        for setting in (DEPTH, BLOCKS, START, GPU, PAPERS_2016A, PAPERS_2016B)
    }  # fmt: skip
    three = (10, 11, 12)
    assert told == {
        "depth": (8000, (4000, 6000), (0.01, 400), 16, 2, 8, three),
        "blocks": (1600, (800, 1200), (0.01, 80), 16, 2, 8, three),
        "start": (800, (), None, 16, 2, 8, three),
        "gpu": (16_000, (8000, 12_000), (0.01, 400), None, 4, 16, (10, 11, 12, 13, 14)),
        "papers": (64_000, (32_000, 48_000), None, None, 4, 16, three),
        "papers-2016b": (64_000, (32_000, 48_000), (0.01, 400), None, 4, 16, tuple(range(10, 20))),
    }
    for setting in (DEPTH, BLOCKS, START, GPU, PAPERS_2016A):
        r = setting.recipe
        assert (r.batch_size, r.lr, r.momentum, r.weight_decay) == (128, 0.1, 0.9, 1e-4)
        assert r.flip and r.subtract_mean and setting.data == "cifar10"
        assert setting.clean_images == 10_000
        assert setting.row_steps == 400  # the same window at all lengths
    d2l = CLAIMS["d2l"].settings["cpu"]
    assert (d2l.recipe.epochs, d2l.recipe.image_size, d2l.seeds) == (10, 96, (10, 11))
    assert scaled(GPU.recipe, 80, 16).milestones == (40, 60)


def test_width_goes_into_the_name() -> None:
    assert DEPTH.network("ResNet-56, dropout") == "ResNet-56, width 8, dropout"
    assert GPU.network("ResNet-56, dropout") == "ResNet-56, dropout"


def test_plan_of_the_papers_scale(tmp_path: Path) -> None:
    """Which networks, data, recipe and files; networks that claims share are trained once."""
    jobs = plan([CLAIMS["degradation"], CLAIMS["depth"]], "papers", seeds=[10], folder=tmp_path)
    assert [job.network for job in jobs] == [
        f"{form}-{d}" for form in ("plain", "ResNet") for d in (20, 32, 44, 56, 110)
    ]
    assert {job.data for job in jobs} == {"cifar10"}
    assert jobs[0].path == tmp_path / "papers" / "plain-20-seed10.json"
    assert all(job.recipe.steps == 64_000 for job in jobs)
    both = plan(
        [CLAIMS["placements"], CLAIMS["shortcuts"]], "papers", seeds=[10, 11], folder=tmp_path
    )
    assert len(both) == 2 * (5 + 9 - 1)
    assert [job.seed for job in both] == [10] * 13 + [11] * 13  # a table as soon as possible
    assert all("-110" in job.network for job in both)


def test_plan_of_rows_with_recipes_of_their_own(tmp_path: Path) -> None:
    """One network twice: the recipe's change goes into the file's name."""
    jobs = plan([CLAIMS["warm-up"]], "cpu", seeds=[10], folder=tmp_path)
    assert [job.network for job in jobs] == ["ResNet-110, width 8"] * 2
    assert [job.recipe.warm_up for job in jobs] == [None, (0.01, 400)]
    assert [job.path.stem for job in jobs] == [
        "resnet-110-width-8-seed10", "resnet-110-width-8-warm-up-seed10"
    ]  # fmt: skip
    with pytest.raises(TypeError):
        dataclasses.replace(CLAIM, rows={"with": Row("ResNet-8", {"rate": 1})}).trained("cpu")


def test_every_job_has_a_file_of_its_own() -> None:
    for scale in SCALES:
        jobs = plan(ALL.values(), scale)
        told = {(job.network, str(job.recipe), job.seed, job.setting.folder) for job in jobs}
        assert len({job.path for job in jobs}) == len(jobs) == len(told)


def test_plan_on_other_data(tmp_path: Path) -> None:
    """Its records lie apart, also where its name has no ASCII letter; other sets stay."""
    for name in ("CIFAR copy", "画像", "фото"):
        data = {"cifar10": f"folder:/some/where/{name}"}
        jobs = plan([CLAIMS["depth"]], "papers", data=data, folder=tmp_path)
        place = name.lower().replace(" ", "-")
        assert {job.path.parent for job in jobs} == {tmp_path / f"papers-{place}"}
        assert {job.data for job in jobs} == {data["cifar10"]}
        (job, *_) = plan([CLAIMS["d2l"]], "cpu", data=data, folder=tmp_path)
        assert (job.data, job.path.parent.name) == ("fashion-mnist", "d2l")
    (job, *_) = plan([CLAIMS["depth"]], "papers", data={"cifar10": "folder:here"}, folder=tmp_path)
    assert job.path.parent.name == "papers-here"


def test_plan_errors() -> None:
    with pytest.raises(ValueError, match=r"scale='tpu': expected one of 'smoke'"):
        plan([], "tpu")
    with pytest.raises(ValueError, match=r"seed=0: expected one of 10, 11, 12"):
        plan([CLAIMS["depth"]], "cpu", seeds=[0])


def test_slug() -> None:
    assert slug("ResNet-20, 1×1 convolution") == "resnet-20-1x1-convolution"
    assert slug("gating b=-5") != slug("gating b=5")


# Runs


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke runs of all claims, once."""
    folder = tmp_path_factory.mktemp("records")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as each of two processes on two cores: more round otherwise
    try:
        done = main(["reproduce", "all", "--folder", str(folder), "--device", "cpu", "--quiet"])
    finally:
        torch.set_num_threads(threads)
    assert done == 0
    return folder


@pytest.mark.parametrize("name", [name for name in CLAIMS if CLAIMS[name].settings])
def test_smoke(smoke: Path, name: str) -> None:
    """Every network of the claim has its record, and nothing else is left."""
    for job in plan([CLAIMS[name]], "smoke", folder=smoke):
        run = Run.load(job.path)
        assert (run.network, run.seed) == (job.network, job.seed)
        assert run.recipe == job.recipe.describe()
        assert all("train_accuracy_clean" in row for row in run.rows)
        assert run.data["sample"]
        assert run.rows
        if job.setting.responses and "pre-activation" not in job.network:
            layers = int(job.network.partition(",")[0].rpartition("-")[2]) - 1
            assert len(run.measured["responses"]) == layers or "gating" in job.network
    assert not [path for path in smoke.rglob("*") if path.is_file() and path.suffix != ".json"]


def test_smoke_decides_nothing(smoke: Path) -> None:
    """Such records show that everything runs; no claim takes its verdict from them."""
    records = load_records(smoke)
    assert len(records) > 30
    for claim in CLAIMS.values():
        if claim.settings:
            assert verdict(claim, records).verdict is Verdict.NOT_RUN


def test_done_is_done(smoke: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second call trains nothing and touches nothing."""
    before = {path: path.stat().st_mtime_ns for path in smoke.rglob("*.json")}
    assert main(["reproduce", "all", "--folder", str(smoke), "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert {path: path.stat().st_mtime_ns for path in smoke.rglob("*.json")} == before


def test_plan_on_the_command_line(smoke: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["reproduce", "depth", "--folder", str(smoke), "--seeds", "1", "--plan"]
    assert main(options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith("(there)") for line in lines] == [True] * 2
    assert main(["reproduce", "depth", "faster", "--scale", "papers", "--plan"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3 * 6  # ResNet-20 is in both


def test_the_order_of_the_long_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Depth, a seed of D2L's, chapter 6's suspects, the blocks, and D2L's other seed last."""
    assert main(["reproduce", "all", "--scale", "cpu", "--plan"]) == 0
    lines = [Path(line.split()[0]) for line in capsys.readouterr().out.splitlines()]
    folders = [path.parent.name for path in lines]
    assert folders[:18] == ["depth"] * 18
    assert (folders[18], folders[-1]) == ("d2l", "d2l")
    assert set(folders[19:-1]) == {"depth", "start", "blocks"}
    assert "depth" not in folders[folders.index("start") :]
    assert [path.stem for path in lines[:4]] == [
        f"{name}-width-8-seed10" for name in ("plain-20", "plain-56", "resnet-20", "resnet-56")
    ]


def test_chapter_3_reads_what_the_tutorials_claim_writes() -> None:
    text = (ROOT / "chapters" / "03-resnet-18.ipynb").read_text(encoding="utf-8")
    found = re.findall(r'resnet\.recorded\(\\"(reproduce/.+?)\\"\)', text)
    paths = [job.path.relative_to(results()) for job in plan([CLAIMS["d2l"]], "cpu")]
    assert len(found) == 1 and len(paths) == 2 and all(path.match(found[0]) for path in paths)


def test_the_longest_of_a_seed_begins_first(tmp_path: Path) -> None:
    jobs = plan([CLAIMS["degradation"]], "papers", seeds=[10, 11], folder=tmp_path)
    found = [(job.seed, int(job.network.rpartition("-")[2])) for job in longest_first(jobs)]
    depths = [110, 110, 56, 56, 44, 44, 32, 32, 20, 20]
    assert found == [(seed, depth) for seed in (10, 11) for depth in depths]
    some = dataclasses.replace(jobs[0], recipe=Recipe(epochs=1, batch_size=1, lr=1))
    more = dataclasses.replace(jobs[0], recipe=Recipe(epochs=9, batch_size=1, lr=1))
    assert longest_first([some, more, some]) == [more, some, some]


def test_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the device that is asked for, with or without bars."""
    told: list[Any] = []
    monkeypatch.setattr(work, "do", lambda job, **options: told.append((job, options)))
    jobs = plan([CLAIMS["d2l"]], "smoke", folder=tmp_path)
    assert len(list(reproduce(jobs, device="cuda", progress=False))) == 2
    assert told == [(job, {"device": "cuda", "progress": False}) for job in jobs]


def test_side_by_side_is_the_same(
    smoke: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes give the records that one gives."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)  # so one for each
    jobs = plan([CLAIMS["d2l"]], "smoke", folder=tmp_path)
    runs = list(reproduce(jobs, device="cpu", at_once=2))
    assert sorted(run.seed for run in runs) == [0, 1]
    for job in jobs:
        there = Run.load(smoke / job.path.relative_to(tmp_path))
        here = Run.load(job.path)
        assert (here.rows, here.recipe, here.data) == (there.rows, there.recipe, there.data)


class Fatal(str):
    """Ends the process that unpickles it, as the kernel does when memory runs out."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


def test_a_killed_process_is_told(tmp_path: Path) -> None:
    (job, *_) = plan([CLAIMS["depth"]], "smoke", seeds=[0], folder=tmp_path)
    with pytest.raises(MemoryError, match=r"ended from outside.*goes on from the checkpoints"):
        list(reproduce([dataclasses.replace(job, data=Fatal())], at_once=2))


def test_who_wants_no_more_gets_no_more(tmp_path: Path) -> None:
    """Closed after the first record, as by Ctrl-C: no process goes on in the background."""
    jobs = plan(CLAIMS.values(), "smoke", folder=tmp_path)
    before = set(active_children())  # another test's may still be ending
    runs = reproduce(jobs, device="cpu", at_once=2)
    next(runs)
    runs.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10  # the pool's own thread may be the one that notes their end
    while set(active_children()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(active_children()) <= before
    assert len(load_records(tmp_path)) < len(jobs) / 2


def test_stopped_and_resumed(smoke: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between two rows: the second call goes on, and the record is that of one call."""
    from resnet.training.checkpoint import Saver

    (job, *_) = plan([CLAIMS["depth"]], "smoke", folder=tmp_path)
    saved: list[int] = []

    def strike(self: Saver) -> None:
        save(self)
        saved.append(self.state.step)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        save = Saver.save
        patch.setattr(Saver, "save", strike)
        with pytest.raises(KeyboardInterrupt):
            do(job, device="cpu")
    assert job.path.with_suffix(".pt").exists() and not job.path.exists()
    assert saved == [SMOKE.row_steps]
    assert do(job, device="cpu") == Run.load(smoke / job.path.relative_to(tmp_path))
    assert [path.name for path in job.path.parent.iterdir()] == [job.path.name]


def test_divergence_is_recorded(smoke: Path, tmp_path: Path) -> None:
    """A loss that is no number ends the training, not the series."""
    (job, *_) = plan([CLAIMS["depth"]], "smoke", folder=tmp_path)
    wild = dataclasses.replace(job, recipe=dataclasses.replace(SMOKE.recipe, lr=1e30))
    run = do(wild, device="cpu")
    assert "of ResNet-20, width 8 became" in run.measured["failed"]
    assert run.settings == Run.load(smoke / job.path.relative_to(tmp_path)).settings
    assert (run.rows, run.seconds, run.seed) == ([], [], job.seed)
    assert Run.load(job.path) == run


def test_anothers_record_is_not_overwritten(smoke: Path, tmp_path: Path) -> None:
    jobs = plan([CLAIMS["depth"]], "smoke", seeds=[0], folder=tmp_path)
    other = Run.load(smoke / jobs[0].path.relative_to(tmp_path))
    other.seed = 7
    other.save(jobs[0].path)
    with pytest.raises(ValueError, match=rf"{jobs[0].path.name} is the record of another run"):
        list(reproduce(jobs, device="cpu"))
    assert Run.load(jobs[0].path) == other


def test_records_of_other_data_are_not_taken_as_done(
    smoke: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the same place, of the same network, recipe and seed."""
    (job, *_) = plan([CLAIMS["depth"]], "smoke", folder=tmp_path)
    run = Run.load(smoke / job.path.relative_to(tmp_path))
    for change in ({"sha256": "0" * 64}, {"sample": False}):
        other = dataclasses.replace(run, data=run.data | change)
        other.save(job.path)
        with pytest.raises(ValueError, match=r"is the record of another run: its data is"):
            list(reproduce([job], device="cpu"))
    other = dataclasses.replace(run, settings=run.settings | {"precision": "bfloat16"})
    other.save(job.path)
    with pytest.raises(ValueError, match=r"its precision is bfloat16, not float32"):
        list(reproduce([job], device="cpu"))
    options = ["reproduce", "depth", "--folder", str(smoke), "--quiet"]
    assert main([*options, "--data", "fashion-mnist=folder:/nowhere/else/set"]) == 2
    assert "/nowhere/else/set" in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(tmp_path: Path, how: signal.Signals) -> None:
    """Killed in any way, the parent leaves nobody behind who trains on."""
    command = [sys.executable, "-m", "resnet", "reproduce", "depth", "--jobs", "2", "--quiet",
               "--folder", str(tmp_path), "--device", "cpu"]  # fmt: skip
    parent = subprocess.Popen(command, cwd=ROOT)
    deadline = time.monotonic() + 120
    while len(workers := psutil.Process(parent.pid).children(recursive=True)) < 3:
        assert time.monotonic() < deadline and parent.poll() is None
        time.sleep(0.05)
    parent.send_signal(how)
    parent.wait()
    _gone, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


def test_a_damaged_record_is_named(smoke: Path, tmp_path: Path) -> None:
    """By its file, whoever reads it; nothing is trained over it."""
    (job, *_) = plan([CLAIMS["depth"]], "smoke", folder=tmp_path)
    good = json.loads((smoke / job.path.relative_to(tmp_path)).read_text())
    job.path.parent.mkdir()
    job.path.write_text(json.dumps(good | {"rows": "none"}))
    for read in (lambda: load_records(tmp_path), lambda: list(reproduce([job]))):
        with pytest.raises(ValueError, match=rf"{job.path.name} is not a run's record: rows is"):
            read()


def test_data_that_are_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise DataError("no net")

    monkeypatch.setattr("resnet.reproduce.work.load_data", nothing)
    options = ["reproduce", "depth", "--folder", str(tmp_path), "--data", "fashion-mnist=elsewhere"]
    assert main([*options, "--quiet"]) == 1
    assert "error: no net" in capsys.readouterr().err


# The records that come with the book


def test_recorded() -> None:
    """Each is some claim's, and is on whole data; none was made by a changed checkout."""
    wanted = {
        (network, str(recipe.describe()), setting.precision)
        for claim in ALL.values()
        for scale, setting in claim.settings.items()
        if scale != "smoke"
        for network, recipe in claim.trained(scale).values()
    }
    for run in load_records():
        assert (run.network, str(run.recipe), run.settings["precision"]) in wanted
        assert not run.data["sample"]
        assert not run.commit.endswith("-dirty") and run.commit != "unknown"


def test_findings_of_the_book_are_computable() -> None:
    for claim in CLAIMS.values():
        for found in findings(claim, load_records()):
            assert isinstance(found, Finding)
            assert str(rows_table(found)) and str(checks_table(found))


def test_a_row_can_stop_early() -> None:
    """What is compared with the first steps of a longer run is trained for these steps only."""
    trained = EXPERIMENTS["point"].trained("cpu")
    usual, short = trained["plain-56"][1], trained["grown"][1]
    assert (usual.steps, usual.milestones) == (8000, (4000, 6000))
    assert (short.steps, short.milestones) == (1600, ())
    assert all(usual.rate(i, 8000) == short.rate(i, 1600) for i in range(1600))
    assert Row("x", share=0.6).recipe(usual).milestones == (4000,)
    assert Row("x", share=0.2).recipe(EXPERIMENTS["point"].settings["smoke"].recipe).steps == 1
    by_epochs = Recipe(epochs=2, batch_size=1, lr=1)
    assert Row("x", share=0.5).recipe(by_epochs) == by_epochs
    folders = {job.path.parent.name for job in plan(EXPERIMENTS.values(), "cpu")}
    assert folders == {"depth"}  # so the runs of the claims about depth are shared


def test_errors_before_the_end() -> None:
    (run,) = made("plain-20", [40.0])
    run.rows[:] = [
        {"step": step, "images": 10, "train_accuracy": step / 2000, "test_accuracy": 0}
        for step in (400, 800, 1200, 1600)
    ]
    found = [value(run, q) for q in ("warm_up_error", "early_error", "later_error", "train_error")]
    assert found == pytest.approx([80, 60, 20, 20])
    del run.rows[2:]
    assert value(run, "later_error") == pytest.approx(80)  # a smoke run has its first window


def test_the_first_side_is_the_smaller() -> None:
    """Swapped, an order that holds would be the opposite."""
    values = {"one": [1.0, 1.1, 0.9], "other": [3.0, 3.1, 2.9]}
    check = Less("test_error", "one", "other")
    assert check.difference(values).mean == pytest.approx(-2)
    assert check.outcome(values) is Outcome.HOLDS
    assert Less("test_error", "other", "one").outcome(values) is Outcome.OPPOSITE


def test_tolerances_are_those_of_the_digits_printed() -> None:
    """Parameters in millions and multiply-adds in 10^9: half of the last digit, or less."""
    counted = [c for claim in CLAIMS.values() for c in claim.checks if isinstance(c, Counted)]
    assert len(counted) > 10
    for check in counted:
        if (check.network, check.quantity) == ("ResNet-50", "multiply-adds"):
            assert check.tolerance == 0.1  # the paper cuts 3.86 to 3.8
            continue
        digits = len(f"{check.published:g}".partition(".")[2])
        assert 0 < check.tolerance <= 0.5 * 10**-digits + 1e-9, check


@pytest.mark.parametrize("name", ["network", "recipe", "seed", "precision", "data"])
def test_anothers_record_is_not_done(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {**FASHION, "train_images": 5, "test_images": 5}
    monkeypatch.setattr(work, "_described", lambda *_: whole)
    (job, *_) = plan([CLAIM], "cpu", folder=tmp_path)
    run = made(job.network, [5.0], setting=job.setting, data=whole)[0]
    run.seconds = [1.0, 1.0]
    for row in run.rows:
        row.update(epoch=1, images=5, train_loss=1.0, test_loss=1.0)
    run.save(job.path)
    assert work._done(job)
    other = {"network": "plain-8", "recipe": {**run.recipe, "lr": 0.5}, "seed": 99,
             "data": {**whole, **COPY}}  # fmt: skip
    if name == "precision":
        run.settings["precision"] = "bfloat16"
    else:
        setattr(run, name, other[name])
    job.path.unlink()
    run.save(job.path)
    with pytest.raises(ValueError, match=f"another run: its {name}"):
        work._done(job)
