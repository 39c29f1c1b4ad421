"""Chapter 7 on the first edition's runs: a test for each sentence that interprets them."""

from __future__ import annotations

import statistics

import pytest

import resnet
from resnet import Run
from resnet.reproduce import CLAIMS
from resnet.reproduce.checks import Estimate, Less, values
from resnet.reproduce.gaps import gaps

Runs = dict[str, list[Run]]


def runs(steps: int) -> Runs:
    found: Runs = {}
    for run in resnet.recorded(f"early/{steps}-steps/*.json"):
        found.setdefault(run.network, []).append(run)
    return found


def cost(found: Runs, form: str) -> Estimate:
    """What 36 more layers cost, in points of training error."""
    numbers = {name: values(seeds, "train_error") for name, seeds in found.items()}
    return Less("train_error", f"{form}-56", f"{form}-20").difference(numbers)


def means(found: Runs, form: str) -> dict[int, float]:
    by_step = gaps(found[f"{form}-56"], found[f"{form}-20"])
    return {step: statistics.fmean(numbers) for step, numbers in by_step.items()}


@pytest.mark.parametrize("steps", [600, 3000])
def test_what_they_are(steps: int) -> None:
    """Whole Fashion-MNIST at 14x14, full width, bfloat16, seeds 0 to 2: none that is judged."""
    for name, seeds in runs(steps).items():
        assert "width" not in name
        assert [run.seed for run in seeds] == [0, 1, 2]
        for run in seeds:
            assert run.data["name"] == "Fashion-MNIST" and not run.data["sample"]
            assert run.recipe["image_size"] == 14 and run.recipe["steps"] == steps
            assert run.recipe["milestones"] == [steps // 2, steps * 3 // 4]
            assert run.settings["precision"] == "bfloat16"
            assert not run.commit.endswith("-dirty")
    for claim in CLAIMS.values():
        for scale, setting in claim.settings.items():
            assert scale == "smoke" or not {0, 1, 2} & set(setting.seeds)


def test_the_first_300_steps_are_the_same_trainings() -> None:
    short, long = runs(600), runs(3000)
    for name, seeds in long.items():
        for run, twin in zip(seeds, short[name], strict=True):
            hits = sum(r["images"] * r["train_accuracy"] for r in twin.rows if r["step"] <= 300)
            assert run.rows[0]["images"] * run.rows[0]["train_accuracy"] == pytest.approx(hits)


def test_after_600_steps() -> None:
    """Plain three and a half times original; pre-activation nothing that can be seen."""
    found = runs(600)
    assert cost(found, "plain").mean / cost(found, "ResNet").mean == pytest.approx(3.5, abs=0.2)
    assert cost(found, "ResNet").interval()[0] > 0
    moved = cost(found, "pre-activation ResNet")
    low, high = moved.interval()
    assert low < 0 < high < 2
    told = f"below by {-moved.mean:.1f} (90% interval: {low:.1f} to {high:.1f}) with pre-activation"
    assert told in CLAIMS["start"].seen
    assert f"by {cost(found, 'ResNet').mean:.1f} points" in CLAIMS["start"].seen


def test_one_cost_stays_and_one_fades() -> None:
    plain, residual = (means(runs(3000), form) for form in ("plain", "ResNet"))
    assert plain[3000] > 20
    first = means(runs(600), "ResNet")[100]
    assert 28 < first < 32
    assert residual[3000] / first == pytest.approx(0.1, abs=0.03)
    until = [residual[step] for step in sorted(residual) if step <= 2400]
    assert until == sorted(until, reverse=True)
    assert cost(runs(3000), "ResNet").interval()[0] > 0  # the opposite of the papers


def test_what_moving_bn_and_relu_did() -> None:
    found = {name: statistics.fmean(values(s, "test_error")) for name, s in runs(600).items()}
    assert round(found["ResNet-56"], 1) == 27.9
    assert round(found["pre-activation ResNet-56"], 1) == 18.4
