"""What reacts on the pages, in a real browser: controls are moved and what they show is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from browsing import AXE, DESK, PHONE, RUN_AXE, settle
from cells import EVERY, judged, run, solved
from playwright.sync_api import Browser, Locator, Page
from toybook import ROOT, missing

from resnet.book.reacting import depth_records

SITE = ROOT / "_build" / "html" / "chapters"
DEPTHS, FACTORS = "07-reproduction", "06-why-it-trains"
CHAPTER = {path.stem[:2]: path.stem for path in (ROOT / "chapters").glob("0*.ipynb")}
ASKING = [slug for slug, exercise in EVERY.items() if exercise.offered]


@contextmanager
def opened(browser: Browser, name: str, **options: Any) -> Iterator[Page]:
    """A page as a file; it must not complain, nor ask for anything outside."""
    path = SITE / f"{name}.html"
    if not path.is_file():
        missing("no site in _build/html (`make book` builds it)")
    context = browser.new_context(**{"viewport": DESK, **options})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            request.url.startswith(("file:", "data:")) or complaints.append(request.url)
        ),
    )
    page.goto(path.as_uri())
    if options.get("java_script_enabled", True):
        settle(page)
    yield page
    context.close()
    assert not complaints


def values(figure: Locator) -> list[dict[str, dict[float, str]]]:
    """The tables of a figure, opened where they are not: column, row, what stands there."""
    if not figure.locator("details").evaluate("e => e.open"):
        figure.locator("summary").click()
        figure.locator("table").first.wait_for()
    tables = []
    for table in figure.locator("table").all():
        head, *rows = table.evaluate(
            "e => [...e.rows].map(row => [...row.cells].map(cell => cell.innerText))"
        )
        columns = {name: {float(row[0]): row[i] for row in rows} for i, name in enumerate(head)}
        del columns[head[0]]
        tables.append(columns)
    return tables


def choose(figure: Locator, group: str, option: str) -> None:
    figure.get_by_role("group", name=group).get_by_label(option, exact=True).check()


FORMS = {"plain": "plain", "ResNet": "original", "pre-activation ResNet": "pre-activation"}
RECORDS = depth_records()
RUNS = {(run.network.partition(",")[0], run.seed): name for name, run in RECORDS.items()}


def test_every_curve_is_the_record_that_is_named(browser: Browser) -> None:
    """Each form, depth and seed that has run: what the table says is what the file says."""
    with opened(browser, DEPTHS) as page:
        figure = page.locator(".reacting")
        seen = 0
        for (network, seed), name in RUNS.items():
            form, _, depth = network.rpartition("-")
            if len({form for form, _ in RUNS}) > 1:
                choose(figure, "Form", FORMS[form])
            choose(figure, "Layers", depth)
            choose(figure, "Seed", str(seed))
            rows = json.loads((ROOT / name).read_text())["rows"]
            (table,) = values(figure)
            for column, words in (("train_accuracy", "training"), ("test_accuracy", "test")):
                shown = table[f"{words} error (%), {network}"]
                assert {step: float(value) for step, value in shown.items()} == {
                    row["step"]: pytest.approx(100 * (1 - row[column]), abs=0.006) for row in rows
                }
            assert figure.locator(".sources").inner_text().startswith(f"Records: {name}: ")
            assert figure.locator("svg").count() == 2
            seen += 1
        assert seen == len(RECORDS) > 0


def test_the_gap_is_drawn_and_said(browser: Browser) -> None:
    pairs = {(n.rpartition("-")[0], s) for n, s in RUNS if (n.rpartition("-")[0] + "-20", s) in RUNS
             and (n.rpartition("-")[0] + "-56", s) in RUNS}  # fmt: skip
    lone = {(n.rpartition("-")[0], s) for n, s in RUNS} - pairs
    with opened(browser, DEPTHS) as page:
        figure = page.locator(".reacting")
        choose(figure, "Layers", "both")
        for form, seed in pairs | lone:
            choose(figure, "Form", FORMS[form])
            choose(figure, "Seed", str(seed))
            said = figure.get_by_role("status").inner_text()
            if (form, seed) in lone:
                assert f"has not run with seed {seed}" in said
                continue
            shallow, deep = (
                json.loads((ROOT / RUNS[f"{form}-{n}", seed]).read_text())["rows"] for n in (20, 56)
            )
            gaps = {
                a["step"]: 100 * (b["train_accuracy"] - a["train_accuracy"])
                for a, b in zip(deep, shallow, strict=True)
            }
            (table,) = values(figure)
            shown = table["56 minus 20 layers (points), training error"]
            assert {step: float(value) for step, value in shown.items()} == {
                step: pytest.approx(gap, abs=0.006) for step, gap in gaps.items()
            }
            above = [step for step, gap in gaps.items() if gap >= 0]
            below = [step for step in gaps if step > max(above, default=0)]
            (line,) = [s for s in said.splitlines() if "changes the training error" in s]
            if above and below:
                assert f"below zero for good from step {min(below):,} on" in line
            else:
                assert ("does not end below zero" if above else "at every mark") in line


def test_the_product_is_read_back_from_the_sliders(browser: Browser) -> None:
    rows = json.loads((ROOT / "results" / "why-factors.json").read_text())["rows"]
    growth = {(row["factor"], row["units"]): row["growth"] for row in rows}
    factors, counts = (sorted({key[i] for key in growth}) for i in (0, 1))
    with opened(browser, FACTORS) as page:
        figure = page.locator(".reacting")
        factor, units = figure.get_by_role("slider").all()
        factor.press("Home")
        for f in factors:
            units.press("Home")
            for n in counts:
                assert factor.get_attribute("aria-valuetext") == f"{f:g}"
                assert units.get_attribute("aria-valuetext") == str(n)
                said = figure.get_by_role("status").inner_text()
                assert f"Factor {f:g} on every shortcut, {n} units." in said
                low, high = min(growth[f, n]), max(growth[f, n])
                assert f"{low:.3g} to {high:.3g}" in said
                by_units, by_factor = values(figure)
                for table, at in ((by_units, n), (by_factor, f)):
                    found = table["growth of the gradient, measured"][at]
                    numbers = [float(x) for x in re.findall(r"[\d.]+(?:e\+\d+)?", found)]
                    assert numbers[1:] == [pytest.approx(x, rel=0.006) for x in (low, high)]
                    assert low < numbers[0] < high
                units.press("ArrowRight")
            factor.press("ArrowRight")
        assert factor.get_attribute("aria-valuetext") == f"{factors[-1]:g}"


def test_by_keyboard_alone(browser: Browser) -> None:
    """Tab reaches the controls in the order in which they stand, arrows move them."""
    with opened(browser, DEPTHS) as page:
        figure = page.locator(".reacting")
        first = figure.get_by_role("radio", checked=True).first
        before = figure.get_by_role("status").inner_text()
        first.focus()
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        after = figure.get_by_role("status").inner_text()
        assert after != before
        summary = figure.locator("summary")
        for _ in range(4):
            page.keyboard.press("Tab")
            if summary.evaluate("e => e === document.activeElement"):
                break
        page.keyboard.press("Enter")
        figure.locator("table").first.wait_for()


@pytest.mark.parametrize("name", [DEPTHS, FACTORS, "08-exercises"])
@pytest.mark.parametrize(("size", "theme"), [(DESK, "light"), (PHONE, "dark")])
def test_nothing_keeps_a_reader_out(
    browser: Browser, name: str, size: dict[str, int], theme: str
) -> None:
    """Also with the tables open and the answers judged: axe finds nothing grave, nothing is cut."""
    with opened(browser, name, viewport=size, color_scheme=theme) as page:
        for figure in page.locator(".reacting").all():
            values(figure)
        for form in page.locator(".asking form").all():
            for group in form.get_by_role("group").all():
                group.get_by_role("radio").first.check()
            form.get_by_role("button").click()
        page.add_script_tag(path=str(AXE))
        assert page.evaluate(RUN_AXE) == []
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(width) <= 0


@pytest.mark.parametrize("name", [DEPTHS, FACTORS])
def test_without_script_the_still_figure_stands(browser: Browser, name: str) -> None:
    with opened(browser, name, java_script_enabled=False) as page:
        still = page.locator(".reacting [role=img]")
        assert still.is_visible() and len(still.get_attribute("aria-label") or "") > 100
        assert still.locator("svg").count() >= 2
        assert page.locator(".reacting :is(input, table)").count() == 0
    with opened(browser, name) as page:
        assert page.locator(".reacting [role=img]").count() == 1


def test_the_front_page_leads_there(browser: Browser) -> None:
    with opened(browser, "intro") as page:
        page.locator("article a[href='07-reproduction.html#fig-ledger-choose']").click()
        page.locator("figure#fig-ledger-choose .reacting fieldset").first.wait_for()


@pytest.mark.parametrize("slug", ASKING)
def test_each_answer_gets_the_checks_words(browser: Browser, slug: str) -> None:
    answers = solved(slug)["answers"]
    names: dict[str, Any] = {}
    run(EVERY[slug].offered, names)
    with opened(browser, CHAPTER[EVERY[slug].chapter]) as page:
        forms = page.locator(".asking form")
        here = [each for each in ASKING if EVERY[each].chapter == EVERY[slug].chapter]
        assert forms.count() == len(here)
        form = forms.nth(here.index(slug))
        result = form.get_by_role("status")
        form.get_by_role("button", name="Check").click()
        assert result.inner_text() == f"0 of {len(answers)} right."
        for key, offered in names["offered"].items():
            group = form.get_by_role("group", name=key, exact=True)
            assert group.locator(".said").inner_text() == "Nothing is chosen here."
            for answer in (*offered[1:], offered[0]):
                group.get_by_label(str(answer), exact=True).check()
                assert not group.locator(".said").inner_text(), "words of another answer"
                page.keyboard.press("Enter")
                shown = group.locator(".said").inner_text()
                found = judged(slug, {"answers": {**answers, key: answer}})
                if found:
                    assert shown == "✓ Right."
                else:
                    mark, _, words = shown.partition(" ")
                    assert mark == "✗" and words in " ".join(found.says) and len(words) > 15
        assert result.inner_text() == repr(judged(slug, {"answers": answers}))


def test_without_script_a_question_says_so(browser: Browser) -> None:
    asking = CHAPTER[EVERY[ASKING[0]].chapter]
    with opened(browser, asking, java_script_enabled=False) as page:
        assert "where the page's script runs" in page.locator(".asking").first.inner_text()
