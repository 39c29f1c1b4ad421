"""Records of runs that cannot be compared, and what is concluded from others."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
from cells import solved

import resnet
from resnet import check


@pytest.fixture(scope="module")
def trained() -> dict[str, Any]:
    return solved("rerun")


def changed(runs: list[resnet.Run], change: Callable[[resnet.Run], object]) -> list[resnet.Run]:
    """Copies with something done to the last of them."""
    runs = copy.deepcopy(runs)
    change(runs[-1])
    return runs


def set_loss(value: float) -> Callable[[resnet.Run], object]:
    return lambda run: run.rows[-1].update(train_loss=value)


def test_runs_that_cannot_be_compared(trained: dict[str, Any]) -> None:
    runs, conclusions = trained["runs"], trained["conclusions"]
    first = runs[-2].rows[-1]["train_loss"]
    for wrong, told in (
        ([], "fill the list runs"),
        (runs[:4], "There is no run of ResNet-20, ResNet-56"),
        ([run for run in runs if run.seed == 0], "with one seed only"),
        ([runs[0], "a run"], "a list of what resnet.fit returns"),
        (changed(runs, lambda run: run.recipe.update(lr=9)), "differ in the recipe"),
        (changed(runs, lambda run: run.data.update(train_images=9)), "differ in the data"),
        (changed(runs, set_loss(float("nan"))), "no finite training loss"),
        (changed(runs, set_loss(first)), "are the same run"),
        (changed(runs, lambda run: setattr(run, "network", "ResNet-8")), "does not belong"),
        (
            [
                dataclasses.replace(run, network=f"{run.network}, option B")
                if run.network[0] == "R"
                else run
                for run in runs
            ],
            "option B does not belong to this claim: ResNet-20 has no",
        ),
    ):
        found = check.rerun(wrong, conclusions)
        assert not found and told in repr(found), found


def test_networks_with_projections_are_not_those_of_the_claim(trained: dict[str, Any]) -> None:
    named = {f"ResNet-{d}": resnet.cifar_resnet(d, 10, 1, shortcut="B").name for d in (20, 56)}
    runs = [
        dataclasses.replace(run, network=named.get(run.network, run.network))
        for run in trained["runs"]
    ]
    found = check.rerun(runs, trained["conclusions"])
    assert not found and "ResNet-20 has no option B in the text" in repr(found), found


def test_conclusions_are_what_the_runs_say(trained: dict[str, Any]) -> None:
    runs = copy.deepcopy(trained["runs"])
    for run in runs:
        run.rows[-1]["train_loss"] = {"plain-56": 2.5, "ResNet-56": 1.0}.get(run.network, 2.0)
        run.rows[-1]["train_loss"] += 0.01 * run.seed
    right = {"plain": "worse", "ResNet": "better"}
    assert check.rerun(runs, right)
    assert check.rerun(runs, {"plain": " Worse", "ResNet": "BETTER"})
    found = check.rerun(runs, {**right, "plain": "undecided"})
    assert "is not what the runs say" in repr(found)
    assert not re.search(r"\d\.\d", repr(found)), "it gives the results away"
    assert "expected one of" in repr(check.rerun(runs, {**right, "ResNet": "yes"}))
    assert "Nothing is written yet" in repr(check.rerun(runs, {**right, "ResNet": ...}))
    assert "Hand over conclusions" in repr(check.rerun(runs, ["worse"]))
    set_loss(3.5)(next(run for run in runs if run.network == "plain-20"))
    assert check.rerun(runs, {**right, "plain": "undecided"})
    # 0.5 between the means is 2.2 standard errors, for which two runs each are too few
    shallow = [run for run in runs if run.network == "plain-20"]
    for run, loss in zip(shallow, (1.78, 2.23), strict=True):
        set_loss(loss)(run)
    assert check.rerun(runs, {**right, "plain": "undecided"})
