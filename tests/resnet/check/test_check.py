"""The checks against answers: the solution, other right ones, likely mistakes, and no answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
import torch
from answers import CHOICES, NUMBERS, RIGHT, SHAPES, WRONG
from cells import EVERY, judged, run, solved
from simulated_gpu import SimulatedGpu
from slips import Slip

from resnet import check
from resnet.check.feedback import CHECKS

ONE_OF_MANY = r"\b1 (blocks|checks|convolutions|inputs|layers|lines|numbers|times|units)\b"


@cache
def verdict(slug: str, answer: str) -> check.Feedback:
    exercise = EVERY[slug]
    names: dict[str, object] = {}
    run("\n".join([*exercise.imports, "import torch"]), names)
    run(exercise.starter, names)
    run(answer, names)
    found = run(exercise.check, names)
    assert isinstance(found, check.Feedback)
    assert not re.search(ONE_OF_MANY, repr(found)), found
    for line in found.says:
        assert line.strip() == line and line, "spaces around, or nothing"
        assert not re.match(r"None\b|.*{\w+}", line), "a value is missing"
    return found


@pytest.mark.parametrize("slug", EVERY)
def test_solution_passes(slug: str) -> None:
    found = verdict(slug, EVERY[slug].solution)
    assert found, found


TRAIN = [slug for slug, each in EVERY.items() if "resnet.fit(" in each.starter + each.solution]


@pytest.mark.parametrize("slug", TRAIN)
def test_solution_passes_where_there_is_a_gpu(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fit` takes a GPU where it finds one; what an exercise does afterwards must fit that."""
    assert len(TRAIN) >= 3
    with SimulatedGpu():
        # bfloat16 takes minutes on a processor that has none
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
        found = verdict.__wrapped__(slug, EVERY[slug].solution)
    assert found, found


@pytest.mark.parametrize("slug", EVERY)
def test_starter_runs_and_is_told_what_is_missing(slug: str) -> None:
    found = verdict(slug, EVERY[slug].starter)
    assert not found
    assert "Nothing is written here yet" in repr(found)


@pytest.mark.parametrize(
    ("slug", "source"),
    [(slug, source) for slug, sources in RIGHT.items() for source in sources],
    ids=[f"{slug}-{i}" for slug, sources in RIGHT.items() for i in range(len(sources))],
)
def test_other_right_answers_pass(slug: str, source: str) -> None:
    found = verdict(slug, source)
    assert found, found


SLIPS = [(slug, slip) for slug, slips in WRONG.items() for slip in slips]


@pytest.mark.parametrize(
    ("slug", "slip"),
    SLIPS,  # names without what a pattern has, so that each can be asked for
    ids=[re.sub(r"[^\w ,-]+", " ", f"{slug} {slip.told}") for slug, slip in SLIPS],
)
def test_likely_mistakes_are_named(slug: str, slip: Slip) -> None:
    solution = EVERY[slug].solution
    assert slip.was in solution, f"{slug} has no {slip.was!r}"
    found = verdict(slug, solution.replace(slip.was, slip.is_now))
    assert not found
    assert re.search(slip.told, repr(found)), found


def said_to_wrong_answers(slug: str) -> Iterator[str]:
    """What the check says to each wrong answer that is known of."""
    for slip in WRONG.get(slug, []):
        yield repr(verdict(slug, EVERY[slug].solution.replace(slip.was, slip.is_now)))
    changes = [(key, value) for other, key, value, _ in (*NUMBERS, *SHAPES) if other == slug]
    if slug in CHOICES:
        changes += [(key, letter) for key in solved(slug)["answers"] for letter in "abc"]
    for key, value in changes:
        names = solved(slug)
        holder = next(n for n in ("numbers", "answers") if key in names.get(n, {}))
        yield repr(judged(slug, {**names, holder: {**names[holder], key: value}}))


@pytest.mark.parametrize("slug", [slug for slug, exercise in EVERY.items() if exercise.helps])
def test_help_is_for_what_the_check_says(slug: str) -> None:
    """Each key is part of a message that some wrong answer gets, line breaks aside."""
    said = [re.sub(r"\s+", " ", message) for message in said_to_wrong_answers(slug)]
    for each in EVERY[slug].helps:
        key = ".*".join(map(re.escape, each.says.split("…")))
        assert any(re.search(key, message) for message in said), f"{each.says!r} in none of {said}"


def test_every_exercise_has_wrong_and_right_answers() -> None:
    coding = {slug for slug, exercise in EVERY.items() if "raise NotImpl" in exercise.starter}
    assert coding <= set(WRONG) and coding <= set(RIGHT)
    by_key = {slug for slug, *_ in (*NUMBERS, *SHAPES)}
    assert {*WRONG, *CHOICES, *by_key} == set(EVERY) - {"rerun"}  # its answers are runs
    assert all(len(slips) >= 3 for slips in WRONG.values())
    assert all(len(sources) >= 2 for sources in RIGHT.values())


def test_every_exercise_has_its_check() -> None:
    """In the module of its chapter, in the order of the exercises."""
    assert [slug.replace("-", "_") for slug in EVERY] == list(CHECKS)
    for exercise, (name, judge) in zip(EVERY.values(), CHECKS.items(), strict=True):
        assert getattr(check, name) is judge
        assert judge.__module__ == f"resnet.check.chapter{int(exercise.chapter)}"
        assert f"resnet.check.{name}(" in exercise.check
