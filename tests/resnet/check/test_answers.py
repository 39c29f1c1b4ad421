"""Numbers, shapes and choices against likely wrong answers."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from answers import CHOICES, NUMBERS, SHAPES
from cells import judged, solved

from resnet import check


@pytest.mark.parametrize("slug", CHOICES)
def test_every_wrong_choice_has_its_reason(slug: str) -> None:
    names = solved(slug)
    answers = names["answers"]
    for key, right in answers.items():
        for letter in set("abc") - {right}:
            found = judged(slug, {**names, "answers": {**answers, key: f" ({letter.upper()})"}})
            assert not found
            assert re.search(rf"{re.escape(key)}: not \({letter}\)\. \S.{{15,}}", repr(found)), (
                found
            )
        found = judged(slug, {**names, "answers": {**answers, key: "d"}})
        assert "expected one of a, b, c" in repr(found)


@pytest.mark.parametrize(("slug", "key", "value", "told"), NUMBERS)
def test_wrong_numbers_are_explained(slug: str, key: str, value: float, told: str) -> None:
    names = solved(slug)
    name = "numbers" if "numbers" in names else "answers"
    found = judged(slug, {**names, name: {**names[name], key: value}})
    assert not found
    assert key in repr(found) and told in repr(found), found


@pytest.mark.parametrize("as_kind", [np.int64, float, torch.tensor, lambda n: np.array([n])])
def test_numbers_of_any_kind_count(as_kind: Callable[[int], object]) -> None:
    answers = {key: as_kind(value) for key, value in solved("count-50")["answers"].items()}
    assert check.count_50(answers)


@pytest.mark.parametrize("value", ["9536", True, None, [464], 464j, float("inf"), float("nan")])
def test_what_is_no_number_is_told_so(value: object) -> None:
    found = check.count_50({**solved("count-50")["answers"], "stem": value})
    assert not found and re.search("stem: (expected a number|inf|nan)", repr(found)), found


@pytest.mark.parametrize(("slug", "key", "value", "told"), SHAPES)
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
