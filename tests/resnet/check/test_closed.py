"""The checks of numbers, shapes, choices and records against likely wrong answers."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cells import EVERY
from cells import run as run_cell

import resnet
from resnet import check


def solved(slug: str) -> dict[str, Any]:
    """The names that the solution defines."""
    names: dict[str, Any] = {}
    run_cell("\n".join([*EVERY[slug].imports, EVERY[slug].starter]), names)
    run_cell(EVERY[slug].solution, names)
    return names


def judged(slug: str, names: dict[str, Any]) -> check.Verdict:
    found = run_cell(EVERY[slug].check, {**names, "resnet": resnet})
    assert isinstance(found, check.Verdict)
    return found


CHOICES = {
    "grow-order": "abc", "no-bound": "abc", "prove-identity": "abc", "inception": "abc",
    "preact-identity": "abc", "preact-forgotten": "abc",
}  # fmt: skip


@pytest.mark.parametrize("slug", CHOICES)
def test_every_wrong_choice_has_its_reason(slug: str) -> None:
    names = solved(slug)
    answers = names["answers"]
    for key, right in answers.items():
        for letter in set(CHOICES[slug]) - {right}:
            found = judged(slug, {**names, "answers": {**answers, key: f" ({letter.upper()})"}})
            assert not found
            assert re.search(rf"{re.escape(key)}: not \({letter}\)\. \S.{{15,}}", repr(found)), (
                found
            )
        found = judged(slug, {**names, "answers": {**answers, key: "d"}})
        assert "expected one of a, b, c" in repr(found)


NUMBERS = [
    ("count-layers", "convolutions on the main path", 53, "beside the main path"),
    ("count-layers", "convolutions on the main path", 50, "no convolution"),
    ("count-layers", "convolutions in all", 52, "first stage needs a projection"),
    ("count-20", "stem", 432, "a batch normalisation follows"),
    ("count-20", "stage1", 6 * 9 * 16 * 16, "six batch normalisations"),
    ("count-20", "stage2", 6 * (9 * 32 * 32 + 2 * 32), "fewer channels coming in"),
    ("count-20", "stage3", 203_520 + 32 * 64 + 128, "no projection"),
    ("count-20", "fc", 640, "biases"),
    ("count-20", "total", 1, "too small"),
    ("count-50", "stage1", 215_808 - 64 * 256 - 512, "64 channels come in and 256 go out"),
    ("count-50", "stage2", 1_219_584 - 1024, "batch normalisation, too"),
    ("count-50", "stage3", 3 * 7_098_368, "too large"),
    ("count-50", "fc", 513_000, "how many channels"),
    ("cost-v15", "stage2", 9 * 128 * 128 * (56**2 - 28**2), "same size in both forms"),
    ("count-50", "stage3", 6 * (17 * 256**2 + 12 * 256), "differs from the others"),
    ("cost-v15", "stage1", 256 * 64 * 56**2, "any block of the first stage"),
    ("cost-v15", "stage2", 256 * 128 * 56**2, "how much more"),
    ("cost-v15", "stage3", 512 * 256 * 28**2 // 2, "half in height and half in width"),
    ("how-narrow", "share of the 3x3 at e = 1", 0.9, "two 1x1"),
    ("how-narrow", "e with equal shares", 9, "two 1x1"),
    ("how-narrow", "middle at e = 8 for the cost of 64 at e = 4", 32, "only the 1x1"),
    ("how-many-seeds", "difference 0.2, deviation 0.16", 4, "for known"),
    ("how-many-seeds", "difference 0.1, deviation 0.16", 21, "one-sided"),
    ("how-many-seeds", "difference 0.2, deviation 0.08", 2, "p is not below the level there"),
    ("how-many-seeds", "difference 0.2, deviation 0.08", 6, "both networks"),
    ("inception", "weights of the residual block", 1_032_192, "on the shortcut"),
    ("inception", "channels after 6 concatenating blocks", 192 * 64, "each block adds 32"),
    ("inception", "channels out of Inception", 128, "not added"),
    ("preact-forgotten", "a", 128, "more, or fewer"),
    ("preact-forgotten", "b", 768, "the first stage has a projection"),
    ("preact-forgotten", "c", 2, "too large"),
    # all four numbers of a batch normalisation, where two are parameters
    ("count-20", "stem", 27 * 16 + 4 * 16, "only two of them are trained"),
    ("count-20", "stage1", 6 * 9 * 16 * 16 + 6 * 4 * 16, "only two of them are trained"),
    ("count-20", "stage2", 51_072 + 6 * 2 * 32, "only two of them are trained"),
    ("count-20", "total", 269_722 + 2 * (16 + 6 * 112), "only two of them are trained"),
    ("count-50", "stem", 9_536 + 2 * 64, "only two of them are trained"),
    ("count-50", "stage1", 215_808 + 2 * (3 * 384 + 256), "only two of them are trained"),
    ("count-50", "total", 25_557_032 + 53_120, "only two of them are trained"),
    ("preact-forgotten", "a", -4 * 64, "only two of them are trained"),
    ("preact-forgotten", "b", 4 * 448, "only two of them are trained"),
    # multiplications and additions counted apart
    ("cost-v15", "stage2", 2 * 77_070_336, "a multiplication with its addition counted as one"),
    ("cost-v15", "total", 2 * 231_211_008, "a multiplication with its addition counted as one"),
]


@pytest.mark.parametrize(("slug", "key", "value", "told"), NUMBERS)
def test_wrong_numbers_are_explained(slug: str, key: str, value: float, told: str) -> None:
    names = solved(slug)
    name = "numbers" if "numbers" in names else "answers"
    found = judged(slug, {**names, name: {**names[name], key: value}})
    assert not found
    assert key in repr(found) and told in repr(found), found


@pytest.mark.parametrize("as_kind", [np.int64, float, torch.tensor, lambda n: np.array([n])])
def test_numbers_of_any_kind_count(as_kind: Callable[[int], object]) -> None:
    answers = {key: as_kind(value) for key, value in solved("count-20")["answers"].items()}
    assert check.count_20(answers)


@pytest.mark.parametrize("value", ["464", True, None, [464], 464j, float("inf"), float("nan")])
def test_what_is_no_number_is_told_so(value: object) -> None:
    found = check.count_20({**solved("count-20")["answers"], "stem": value})
    assert not found and re.search("stem: (expected a number|inf|nan)", repr(found)), found


@pytest.mark.parametrize(
    ("slug", "key", "value", "told"),
    [
        ("block-shapes", "Residual(16, 16)", "error", "it runs"),
        ("block-shapes", "Residual(16, 16, stride=2)", (2, 16, 8, 8), "the branch does not"),
        ("block-shapes", "Residual(16, 32, project=True)", (2, 16, 15, 15), "the channels"),
        ("block-shapes", "Residual(16, 32, stride=2, project=True)", [2, 32, 7, 7], "which way"),
        ("block-shapes", "Residual(16, 16)", (16, 15, 15), "it has 3 numbers"),
        ("block-shapes", "Residual(16, 16)", "no idea", "neither a shape"),
        ("block-shapes", "Residual(16, 16)", torch.zeros(2, 16, 15, 15), "its shape is asked for"),
        ("shapes-97", "stem", (1, 64, 49, 49), "max pooling"),
        ("shapes-97", "stage2", (1, 128, 12, 12), "one pixel less"),
        ("shapes-97", "stage1", (1, 64, 13, 13), "no stride"),
        ("shapes-97", "pool", (1, 512), "flattening"),
        ("shapes-97", "fc", 10, "expected a shape"),
        ("shapes-97", "stage2", (1, 128, 13.25, 13.25), "13.25 in a shape; expected whole"),
        (
            "block-shapes",
            "Residual(16, 16, stride=3, project=True)",
            (2, 16, 5.67, 5.67),
            "5.67 in a shape; expected whole",
        ),
        ("block-shapes", "Residual(16, 16)", (16,), "it has 1 number;"),
    ],
)
def test_wrong_shapes_are_explained(slug: str, key: str, value: object, told: str) -> None:
    names = solved(slug)
    found = judged(slug, {"answers": {**names["answers"], key: value}})
    assert not found and told in repr(found), found
    assert judged(slug, {"answers": {k: list(v) if isinstance(v, tuple) else v
                                     for k, v in names["answers"].items()}})  # fmt: skip


def test_one_wrong_choice_does_not_give_the_right_one_away() -> None:
    """Both wrong letters are told the same, so that neither tells which of the others is right."""
    answers = solved("grow-order")["answers"]
    for stage in ("stage 2", "stage 3"):
        one, other = (repr(check.grow_order({**answers, stage: letter})) for letter in "ac")
        assert one.partition(". ")[2] == other.partition(". ")[2]
    answers = solved("how-many-seeds")["answers"]
    for key, right in answers.items():
        assert "fewer" not in repr(check.how_many_seeds({**answers, key: right - 1}))


def test_counterexample() -> None:
    answers = solved("prove-identity")["answers"]
    assert "which is what came in" in repr(check.prove_identity(answers, 0.5))
    assert "which is what came in" in repr(check.prove_identity(answers, 0))
    assert "Nothing is written yet" in repr(check.prove_identity(answers, ...))
    assert check.prove_identity(answers, torch.tensor(-3))


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


def test_what_is_left_on_equal_terms() -> None:
    smallest = solved("best-of-five")["smallest"]
    for left, told in (
        (..., "Nothing is written yet for left"),
        (0.546, "not equal terms"),
        (0.54, "not equal terms|what is printed"),
        (0.174, "for 56 layers only"),
        (-0.36, "the other way round"),
        (3, "taken off the one mean"),
    ):
        found = check.best_of_five(smallest, left)
        assert not found and re.search(told, repr(found)), found


def test_claims_of_other_kinds() -> None:
    claim = solved("missing-depths")["claim"]
    for wrong, told in (
        (dataclasses.asdict(claim), "Hand over a Claim"),
        (dataclasses.replace(claim, only={"cpu": ("plain-21",)}), "no row 'plain-21'"),
        (dataclasses.replace(claim, settings={}), "no settings for the scale cpu"),
        (dataclasses.replace(claim, rows=dict.fromkeys(claim.rows, "ResNet-8")), "no plain-20"),
    ):
        found = check.missing_depths(wrong)
        assert not found and told in repr(found), found


def test_what_a_broken_block_does_to_the_norms() -> None:
    """As the exercise says: its own factor falls, the next one's grows, most behind the fault."""
    names = solved("broken-block")
    torch.manual_seed(0)
    net = resnet.cifar_resnet(44, 10, 1)
    healthy = names["norms"](net)
    blocks = [block for block in net.modules() if isinstance(block, resnet.BasicBlock)]
    just_behind = 0
    for k in range(3, 20):
        shortcut, blocks[k].shortcut = blocks[k].shortcut, None
        broken = names["norms"](net)
        blocks[k].shortcut = shortcut
        ratio = [b / h for b, h in zip(broken, healthy, strict=True)]
        assert ratio[k] < ratio[k + 1] and (k == 19 or ratio[k + 1] > ratio[k + 2])
        assert broken.index(max(broken)) == healthy.index(max(healthy)) == 0
        just_behind += ratio.index(max(ratio)) == k + 1
    assert just_behind >= 14  # of 17: "as a rule"
