"""The exercises' sources, and what is made from them: notebook, page, lists."""

from __future__ import annotations

import ast
import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from toybook import ROOT, chapter, run_book, shape_cell

from tools.build import bundle, exercises, notebooks
from tools.common import CHAPTERS, BookError

EVERY = exercises.every()
COMMITTED = notebooks.read(CHAPTERS / f"{exercises.NAME}.ipynb")  # the list, and progress
CHAPTERS_WITH_SOME = sorted({exercise.chapter for exercise in EVERY})
FILES = {number: next(CHAPTERS.glob(f"{number}-*.ipynb")) for number in CHAPTERS_WITH_SOME}
NOTEBOOKS = {number: notebooks.read(path) for number, path in FILES.items()}


def test_the_set_is_whole() -> None:
    assert len(EVERY) >= 20
    assert {exercise.level for exercise in EVERY} == set(exercises.LEVELS)
    assert CHAPTERS_WITH_SOME == ["01", "02", "03", "04", "05", "06", "07", "08"]
    assert len({exercise.slug for exercise in EVERY}) == len(EVERY)
    for number in CHAPTERS_WITH_SOME:
        mine = [exercise for exercise in EVERY if exercise.chapter == number]
        assert [exercise.place for exercise in mine] == list(range(1, len(mine) + 1))
        spanning = number == exercises.NAME[:2]
        assert spanning or any(exercise.importance == "essential" for exercise in mine)


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.slug)
def test_each_has_what_a_reader_needs(exercise: exercises.Exercise) -> None:
    assert "*Why it matters.*" in exercise.statement
    assert len(exercise.hints) >= 2 and all(len(hint) > 30 for hint in exercise.hints)
    assert len(exercise.explanation) > 200
    assert exercise.solution not in exercise.statement
    assert not any(exercise.solution in hint for hint in exercise.hints)
    assert re.search(r"NotImplementedError|\.\.\.|= \[\]", exercise.starter)
    # a line that happens to start with "1." would make a list of what follows
    words = "\n\n".join([exercise.statement, *exercise.hints, exercise.explanation])
    assert not re.search(r"^\d+[.)] ", words, re.MULTILINE)
    assert exercise.line.endswith(".") and len(exercise.line) < 120
    assert 5 <= exercise.minutes <= 120
    assert len(exercise.helps) == (3 if exercise.level == "core" else 0)
    for each in exercise.helps:
        assert len(each.text) > 40 and each.says not in each.text
        assert exercise.solution not in each.text


def test_committed_notebook_is_what_the_sources_give() -> None:
    fresh = exercises.notebook(EVERY)
    for cell, want in zip(COMMITTED.cells, fresh.cells, strict=True):
        if cell.id != "setup":  # tests/site/test_chapters.py compares that one
            assert cell.source == want.source, f"{cell.id} is stale; `make record` rewrites it"
        assert (cell.id, cell.cell_type, cell.metadata) == (want.id, want.cell_type, want.metadata)


@pytest.mark.parametrize("number", CHAPTERS_WITH_SOME[:-1])
def test_chapters_end_with_their_exercises(number: str) -> None:
    fresh = notebooks.read(FILES[number])
    exercises.complete(fresh, FILES[number].stem, solutions=False)
    for cell, want in zip(NOTEBOOKS[number].cells, fresh.cells, strict=True):
        assert cell.source == want.source, f"{cell.id} is stale; `make record` rewrites it"
        assert (cell.id, cell.cell_type, cell.metadata) == (want.id, want.cell_type, want.metadata)
    mine = [exercise for exercise in EVERY if exercise.chapter == number]
    last = [cell.id for cell in fresh.cells][-1]
    assert last in {f"{mine[-1].slug}-hints", f"{mine[-1].slug}-help"}


def generated(number: str) -> list[nbformat.NotebookNode]:
    """A chapter's exercises as they are committed."""
    cells = NOTEBOOKS[number].cells
    opens = next(i for i, cell in enumerate(cells) if notebooks.EXERCISES in notebooks.tags(cell))
    return cells[opens:]


def test_the_list_has_all_with_what_one_wants_to_know() -> None:
    words = "\n".join(cell.source for cell in COMMITTED.cells if cell.cell_type == "markdown")
    for e in EVERY:
        facts = f"({e.level}, {e.minutes} minutes, {e.importance})"
        assert f"- {{numref}}`{e.label}`, *{e.title}* {facts}: {e.line}" in words


def test_what_a_cell_is_stands_in_its_tags() -> None:
    """By them solutions are left out and hints found, when notebooks are made from pages."""
    page = exercises.for_page(FILES["02"])
    kinds = {}
    for cell in page.cells:
        for tag in notebooks.tags(cell):
            kinds.setdefault(tag, []).append(cell.id)
    slugs = [exercise.slug for exercise in EVERY if exercise.chapter == "02"]
    assert kinds["exercise"] == slugs
    for tag in ("starter", "hints"):
        assert kinds[tag] == [f"{slug}-{tag}" for slug in slugs]
    ends = ("opens", "solution", "checked", "explained", "closes")
    assert kinds["solution"] == [f"{slug}-{end}" for slug in slugs for end in ends]
    left = [cell for cell in page.cells if "solution" not in notebooks.tags(cell)]
    left = [cell for cell in left if not cell.id.endswith("-offered")]
    assert [cell.id for cell in left] == [cell.id for cell in NOTEBOOKS["02"].cells]


def test_help_opens_under_what_the_check_says() -> None:
    exercise = dataclasses.replace(EVERY[0], helps=(exercises.Help("1 < 2 … `a`", "Do *this*."),))
    (cell,) = (c for c in exercises.notebook([on_its_own(exercise)]).cells if "help" in c.id)
    inner = "<details>\n<summary>“1 &lt; 2 … `a`”</summary>\n\nDo *this*.\n\n</details>"
    outer = "<details>\n<summary>Help with what the check says</summary>"
    assert cell.source == f"{outer}\n\n{inner}\n\n</details>"


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.slug)
def test_what_a_starter_shows_is_seen(exercise: exercises.Exercise) -> None:
    """Jupyter shows the value of a cell's last line only."""
    *before, _last = (ast.unparse(node) for node in ast.parse(exercise.starter).body)
    assert not [source for source in before if source.startswith("resnet.check.")]


def test_a_table_that_is_given_stands_between_statement_and_starter() -> None:
    """In the committed notebook, with what it shows, and on the page."""
    given = [exercise for exercise in EVERY if exercise.given]
    assert "loss-curves" in [exercise.slug for exercise in given]
    for e in given:
        assert f"{{numref}}`tab-{e.slug}`" in e.statement
        for cells in (NOTEBOOKS[e.chapter].cells, exercises.for_page(FILES[e.chapter]).cells):
            at = [cell.id for cell in cells].index(f"{e.slug}-given")
            assert cells[at].source == e.given
            assert cells[at].metadata["mystnb"]["figure"]["caption"] == e.caption
            assert [cells[at - 1].id, cells[at + 1].id] == [e.slug, f"{e.slug}-starter"]
        recorded = {cell.id: cell for cell in NOTEBOOKS[e.chapter].cells}[f"{e.slug}-given"]
        assert "<table>" in recorded.outputs[0].data["text/html"]


def on_its_own(exercise: exercises.Exercise) -> exercises.Exercise:
    """As one of the chapter on exercises."""
    return dataclasses.replace(exercise, chapter=exercises.NAME[:2])


@pytest.mark.parametrize("number", CHAPTERS_WITH_SOME)
def test_committed_notebook_has_no_solution(number: str) -> None:
    whole = "\n".join(cell.source for cell in NOTEBOOKS[number].cells)
    for exercise in EVERY:
        assert exercise.solution not in whole
        assert exercise.explanation not in whole
    assert "solution-start" not in whole


@pytest.mark.parametrize("number", CHAPTERS_WITH_SOME)
def test_recorded_verdicts_are_of_starters(number: str) -> None:
    """Every check cell records that nothing is written yet, and nbval compares it."""
    checks = [cell for cell in generated(number) if cell.id.endswith("-check")]
    mine = [exercise.slug for exercise in EVERY if exercise.chapter == number]
    assert [cell.id for cell in checks] == [f"{slug}-check" for slug in mine]
    for cell in checks:
        assert notebooks.CHECKED in notebooks.tags(cell)
        assert "Nothing is written here yet" in cell.outputs[0].data["text/plain"], cell.id


def test_page_has_every_solution_behind_its_exercise() -> None:
    cells = [cell for path in FILES.values() for cell in exercises.for_page(path).cells]
    ids = [cell.id for cell in cells]
    for exercise in EVERY:
        at = ids.index(f"{exercise.slug}-opens")
        assert ids[at - 1] in {f"{exercise.slug}-hints", f"{exercise.slug}-help"}
        opens, solution, checked, explained, closes = cells[at : at + 5]
        asks = f"{exercise.slug}-offered" in ids
        assert asks is bool(exercise.offered)
        assert opens.source.startswith(f":::{{solution-start}} {exercise.label}\n:class: dropdown")
        assert (solution.source, checked.source) == (exercise.solution, exercise.check)
        assert explained.source == exercise.explanation
        assert closes.source.startswith(":::{solution-end}")


def test_page_offers_answers_under_the_statement() -> None:
    asking = on_its_own(next(exercise for exercise in EVERY if exercise.offered))
    name = f"{asking.slug}-offered"
    cells = exercises.notebook([asking], solutions=True).cells
    ids = [cell.id for cell in cells]
    assert ids.index(name) == ids.index(asking.slug) + 1
    cell = cells[ids.index(name)]
    check = asking.slug.replace("-", "_")
    assert cell.source.startswith(asking.offered)
    assert cell.source.endswith(f"resnet.check.Question(resnet.check.{check}, offered)")
    assert "remove-input" in notebooks.tags(cell)
    assert name not in [cell.id for cell in exercises.notebook([asking]).cells]


def test_making_exercises_twice_is_making_them_once() -> None:
    once, twice = (notebooks.read(FILES["01"]) for _ in range(2))
    for solutions in (True, False, True):
        exercises.complete(twice, "01-x", solutions=solutions)
    exercises.complete(once, "01-x", solutions=True)
    assert once.cells == twice.cells


def test_a_chapter_says_where_its_exercises_go() -> None:
    without = chapter(shape_cell())
    with pytest.raises(BookError, match="01-x has 5 exercises, and 0 of its cells are tagged"):
        exercises.complete(without, "01-x", solutions=False)
    exercises.complete(without, "practice", solutions=False)
    opening = new_markdown_cell("", metadata={"tags": [notebooks.EXERCISES]})
    with pytest.raises(BookError, match="practice has 0 exercises, and 1 of"):
        exercises.complete(new_notebook(cells=[opening]), "practice", solutions=False)
    same = shape_cell()
    same.id = "steps-nested"
    with pytest.raises(BookError, match="'steps-nested', and an exercise's has it too"):
        exercises.complete(new_notebook(cells=[same, opening]), "01-x", solutions=False)


SOURCE = (exercises.FOLDER / "01-01-steps-nested.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("steps.py", lambda s: s, "its name is not CHAPTER-PLACE-slug.py"),
        ("01-01-a.py", lambda s: s.replace("# %% solution", "# solution"), "one cell each of"),
        ("01-01-a.py", lambda s: s + "\n# %% solution\n1\n", "one cell each of"),
        ("01-01-a.py", lambda s: s + "\n# %% extra\n1\n", "extra"),
        ("01-01-a.py", lambda s: s + "\n# %% given\n1\n", "needs a caption"),
        ("01-01-a.py", lambda s: s.replace("level: warm-up", "level: easy"), "`level:`"),
        ("01-01-a.py", lambda s: s.replace("minutes: 10", "minutes: ten"), "`minutes:`"),
        ("01-01-a.py", lambda s: s.replace("importance: u", "importance: q"), "`importance:`"),
        ("01-01-a.py", lambda s: s + "\n# %% help [markdown]\n# no text\n", "one line of the"),
        ("01-01-a.py", lambda s: s + "\n# %% help [markdown]\n# a\n# b\n#\n# c\n", "one line"),
        ("01-01-a.py", lambda s: s.replace("line: ", "about: "), "`line:`"),
        ("01-01-a.py", lambda s: s.replace("import resnet", "import"), "no Python"),
    ],
)
def test_bad_sources_are_named(
    name: str, change: Callable[[str], str], told: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(change(SOURCE), encoding="utf-8")
    with pytest.raises(BookError, match=rf"exercises/{re.escape(name)}: .*{re.escape(told)}"):
        exercises.read(path)


TOY_CHECK = '''
"""Stands for the checks of the real module."""
def steps_nested(answer):
    try:
        print("right" if answer(1, 2) else "wrong")
    except NotImplementedError:
        print("Nothing is written here yet")
class Tried:
    def _repr_html_(self):
        return "<table><tr><th>tried</th></tr></table>"
def summary():
    return Tried()
'''


def test_toy_book_with_an_exercise(toy: Callable[..., Path]) -> None:
    """The page has the executed solution behind a dropdown, the readers' notebook nothing of it."""
    first = chapter(shape_cell(), title="Classes")
    first.cells.append(new_markdown_cell("", metadata={"tags": [notebooks.EXERCISES]}))
    folder = toy(**{"01-one": first, exercises.NAME: chapter(shape_cell())})
    (folder / "exercises").mkdir()
    for name in ("01-01-steps-nested.py", "introduction.md"):
        shutil.copy(ROOT / "exercises" / name, folder / "exercises")
    (folder / "resnet" / "__init__.py").write_text("from resnet import check\n")
    (folder / "resnet" / "check.py").write_text(TOY_CHECK)
    (folder / "chapters" / "intro.md").write_text("# Toy\n\nSee {numref}`ex-steps-nested`.\n")
    done = run_book(folder, "record")
    assert done.returncode == 0, done.stderr
    recorded = (folder / "chapters" / "01-one.ipynb").read_text()
    assert "Nothing is written here yet" in recorded and "b % a" not in recorded
    listed = (folder / "chapters" / f"{exercises.NAME}.ipynb").read_text()
    assert "{numref}`ex-steps-nested`, *Which classes contain which?*" in listed

    done = run_book(folder, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "_build" / "html" / "chapters" / "01-one.html").read_text()
    download = folder / "_build" / "html" / bundle.FOLDER / "01-one.ipynb"
    cells = {cell.id: cell for cell in notebooks.read(download).cells}
    assert "### Exercise 1: Which classes contain which?" in cells["steps-nested"].source
    assert "Nothing is written here yet" in cells["steps-nested-check"].outputs[0].text
    assert "<summary>Hint 1</summary>" in cells["steps-nested-hints"].source
    assert not any("b % a" in cell.source or "explained" in cell.id for cell in cells.values())
    solution = page[page.index('class="solution dropdown admonition"') :]
    assert "right" in re.sub(r"<[^>]+>", "", solution)
    assert "<summary>Hint 1</summary>" in page
    assert (folder / "chapters" / "01-one.ipynb").read_text() == recorded
    again = run_book(folder, "build")
    assert "01-one: up to date" in again.stdout and "The pages are up to date" in again.stdout
