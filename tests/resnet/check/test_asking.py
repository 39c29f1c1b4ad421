"""Answers that a page offers: what it says of each is what the check says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cells import EVERY, judged, run, solved

from resnet import check
from resnet.check import feedback

ASKING = [slug for slug, exercise in EVERY.items() if exercise.offered]


def offered(slug: str) -> dict[str, list[object]]:
    names: dict[str, Any] = {}
    run(EVERY[slug].offered, names)
    return names["offered"]  # type: ignore[no-any-return]


def question(slug: str) -> check.Question:
    return check.Question(getattr(check, slug.replace("-", "_")), offered(slug))


def test_every_closed_warm_up_offers_answers() -> None:
    """The one that does not asks for a function and a proof."""
    warm = [slug for slug, exercise in EVERY.items() if exercise.level == "warm-up"]
    assert set(warm) - set(ASKING) == {"steps-nested"}


@pytest.mark.parametrize("slug", ASKING)
def test_the_first_answer_is_the_solution(slug: str) -> None:
    answers = solved(slug)["answers"]
    assert {key: some[0] for key, some in offered(slug).items()} == answers
    assert all(len(some) == len(set(some)) >= 3 for some in offered(slug).values())


@pytest.mark.parametrize("slug", ASKING)
def test_each_answer_is_judged_as_the_check_judges_it(slug: str) -> None:
    answers = solved(slug)["answers"]
    shown = question(slug).answers
    for key, some in offered(slug).items():
        assert set(shown[key]) == {str(one) for one in some}
        for one in some:
            found = judged(slug, {"answers": {**answers, key: one}})
            says = shown[key][str(one)]
            assert bool(found) is (says == "")
            assert says in " ".join(found.says)
            assert found or len(says) > 15, f"nothing is said of {key}: {one}"


def test_the_page_gets_what_is_asked_and_nothing_counts_as_a_try() -> None:
    before = {name: list(tries) for name, tries in feedback.TRIED.items()}
    asked = question("block-shapes")
    assert before == feedback.TRIED
    (data,) = re.findall(r"<script[^>]*>(.*)</script></div>$", asked._repr_html_(), re.DOTALL)
    content = json.loads(data)
    assert content["answers"] == asked.answers
    assert content["words"]["count"] == "{n} of 5 right."
    assert content["words"]["whole"] == "Right (block_shapes): all five"
    assert "Residual(16, 16)" in repr(asked)


@pytest.mark.parametrize(
    ("some", "told"),
    [
        (["a", "b", "c"], "its first answers are not right: original: not (a)"),
        (["b", "(B)", "c"], "offered['original']: '(B)' is right, but not the first"),
    ],
    ids=["first", "second"],
)
def test_bad_offers_are_named(some: list[object], told: str) -> None:
    with pytest.raises(ValueError, match=r"^offered") as caught:
        check.Question(check.preact_identity, {**offered("preact-identity"), "original": some})
    assert told in str(caught.value)


def test_what_is_offered_cannot_end_the_data() -> None:
    def judge(answers: dict[str, str]) -> str:
        if answers["</script>"] != "right":
            raise check.running.Wrong("<b>")  # type: ignore[attr-defined]
        return "all"

    known = dict(feedback.CHECKS)
    asked = check.Question(feedback.exercise(judge), {"</script>": ["right", "wrong"]})
    feedback.CHECKS.pop("judge")
    assert known == feedback.CHECKS
    assert asked._repr_html_().count("</script>") == 1
    assert asked.answers["</script>"] == {"right": "", "wrong": "<b>"}
